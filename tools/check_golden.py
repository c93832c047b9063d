"""Compares gsv's networks with reference numbers: python tools/check_golden.py DIR

DIR holds `index.json` (one entry a case: group, configuration, parameters, tolerances), the cases' `.npz` files with
`in.*` and `out.*` arrays, and `weights_recipe.py`, whose `fill(salt, key, shape)` makes every weight. Prints a line for
each case and exits 0 only if all of them hold. What runs is decided by a case's group and configuration alone.
"""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gsv.audio.spectral import Stft, flow_scaled, kaldi_fbank, log_mel, mel_from_spectrogram, spectrogram
from gsv.models.bigvgan import BigVgan, BigVganConfig
from gsv.models.discriminators import Discriminators
from gsv.models.dit import DiTConfig
from gsv.models.flow_matching import FlowMatching
from gsv.models.flow_sovits import FlowSovits, FlowSovitsConfig
from gsv.models.layers import fold_weight_norm
from gsv.models.sovits import Sovits, SovitsConfig, average_voices, slice_segments
from gsv.models.speaker import SpeakerConfig, SpeakerEncoder
from gsv.models.t2s import T2S, T2SConfig
from gsv.models.vocoders import HifiGenerator
from gsv.synthesis.decoder import Decoder, Row, generate
from gsv.synthesis.sampling import Sampler, SamplingOptions
from gsv.training import losses
from gsv.versions import version_named

Fill = Callable[[str, str, tuple[int, ...]], "np.ndarray | None"]
Arrays = dict[str, Any]
DEFAULT_TOLERANCE = {"rtol": 1e-3, "atol": 1e-3}


@dataclass(frozen=True)
class Case:
    """One entry of the index with its arrays."""

    entry: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    fill: Fill

    @property
    def config(self) -> Mapping[str, Any]:
        return self.entry["config"]

    @property
    def params(self) -> Any:
        return self.entry["params"]

    def given(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays["in." + name])

    def has(self, name: str) -> bool:
        return "in." + name in self.arrays

    def weighted(self, model: nn.Module) -> Any:
        """The model with the case's weights, in evaluation mode."""
        prefix = self.entry.get("key_prefix", "")
        with torch.no_grad():
            for name, tensor in model.state_dict().items():
                values = self.fill(self.entry["salt"], prefix + name, tuple(tensor.shape))
                if values is not None:
                    tensor.copy_(torch.from_numpy(values))
        return model.eval()

    def gradient_norms(self, model: nn.Module) -> Tensor:
        parameters = dict(model.named_parameters())
        norms = []
        for name in self.entry["grad_names"]:
            gradient = parameters[name.removeprefix(self.entry.get("key_prefix", ""))].grad
            norms.append(0.0 if gradient is None else float(gradient.norm()))
        return torch.tensor(norms)


# ---- text to semantic -------------------------------------------------------------------------------------------


def run_t2s_train(case: Case) -> Arrays:
    model: T2S = case.weighted(T2S(T2SConfig.from_dict(case.config)))
    end = model.config.EOS
    phonemes, lengths, bert = case.given("phoneme_ids"), case.given("phoneme_lens"), case.given("bert")

    def run(prefix: str) -> tuple[Tensor, Tensor]:
        semantics, sizes = case.given(prefix + "semantic_ids"), case.given(prefix + "semantic_lens")
        logits = model(phonemes, lengths, semantics, sizes, bert)
        return logits, losses.semantic_targets(semantics, sizes, end)

    logits, targets = run("")
    loss = losses.token_loss(logits, targets)
    out: Arrays = {"logits": logits, "accuracy_top3": losses.top_accuracy(logits, targets, end)}
    if case.entry["variant"] == "preference":
        rejected, rejected_targets = run("rejected_")
        preference = losses.preference_loss(logits, targets, rejected, rejected_targets)
        out |= {
            "rejected_logits": rejected,
            "loss_cross_entropy_part": loss,
            "loss_preference_part": preference,
        }
        loss = loss + preference
    loss.backward()
    return {**out, "loss": loss, "grad_norms": case.gradient_norms(model)}


def run_t2s_teacher(case: Case) -> Arrays:
    """The training form, and the cached decoder fed the prompt and then the rest token by token, which must agree."""
    model: T2S = case.weighted(T2S(T2SConfig.from_dict(case.config)))
    tokens, phonemes, bert = case.given("semantic_ids"), case.given("phoneme_ids"), case.given("bert")
    with torch.inference_mode():
        whole = model(
            phonemes[None], torch.tensor([len(phonemes)]), tokens[None], torch.tensor([len(tokens)]), bert[None]
        )[0]
        prompt = int(case.given("prompt_len"))
        row = Row(phonemes, bert, tokens[:prompt], torch.Generator())
        decoder = Decoder(model.for_decoding())
        strand = decoder.begin(row)
        stepwise = [strand.logits[None], *(decoder.advance([strand], [int(token)]) for token in tokens[prompt:])]
    merged = whole.clone()
    merged[prompt:] = torch.cat(stepwise)
    return {"logits": (whole, merged)}


def run_t2s_decode(case: Case) -> Arrays:
    model: T2S = case.weighted(T2S(T2SConfig.from_dict(case.config))).for_decoding()
    params = case.params
    single = case.has("phoneme_ids")
    names = [""] if single else [f"_{i}" for i in range(len(case.given("x_lens")))]
    prompt = case.given("prompt") if case.has("prompt") else torch.zeros(0, dtype=torch.int64)
    # Without a prompt the reference's batched path does one row after another, and forgets the penalty it was given.
    alone = single or not len(prompt)
    penalty = params["repetition_penalty"] if single or len(prompt) else 1.35
    options = SamplingOptions(params["top_k"], params["top_p"], params["temperature"], penalty)
    # At its limit the reference's single path returns early_stop + 1 tokens, its batched path one fewer.
    limit = params["early_stop"] + (1 if alone else 0)
    rows = [
        Row(
            case.given("phoneme_ids" + name),
            case.given("bert" + name),
            prompt,
            torch.Generator().manual_seed(0),
            options,
            limit,
        )
        for name in names
    ]
    results = list(generate(model, rows))[-1]
    out: Arrays = {}
    counts = []
    for name, result in zip(names, results, strict=True):
        out["tokens" + name] = torch.cat([prompt, torch.tensor(result.tokens, dtype=torch.int64)])
        count = params["early_stop"] if result.ended == "limit" else len(result.tokens)
        # Without a prompt the reference returns 0, which its callers read as "all".
        counts.append(count if len(prompt) else 0)
    out["idx"] = torch.tensor(counts[0] if single else counts)
    if single:
        with torch.inference_mode():
            decoder = Decoder(model)
            strand = decoder.begin(rows[0])
            logits = [strand.logits[None]]
            fed = results[0].tokens if results[0].ended == "mark" else results[0].tokens[:-1]
            logits += [decoder.advance([strand], [token]) for token in fed]
        out |= {"logits_first_step": logits[0][0], "logits_last_step": logits[-1][0]}
    return out


def run_t2s_filter(case: Case) -> Arrays:
    out: Arrays = {}
    for params in case.params:
        i = params["i"]
        logits, previous = case.given(f"logits_{i}"), case.given(f"previous_{i}")
        options = SamplingOptions(
            params["top_k"] or 0, params["top_p"], params["temperature"], params["repetition_penalty"]
        )
        sampler = Sampler([options] * len(logits), logits.shape[-1], logits.device)
        seen = torch.zeros_like(logits, dtype=torch.bool).scatter(1, previous, True)
        out[f"probs_{i}"] = sampler.probabilities(sampler.penalise(logits, seen))
    return out


# ---- SoVITS -----------------------------------------------------------------------------------------------------


def sovits(case: Case) -> Sovits:
    version = version_named(case.config["version"])
    config = {**case.config, "spec_channels": case.entry["spec_channels"]}
    return case.weighted(Sovits(SovitsConfig.for_version(version, config)))


@torch.inference_mode()
def run_sovits_codes(case: Case) -> Arrays:
    model = sovits(case)
    ssl = case.given("ssl")
    codes = model.quantize(ssl)
    shown = case.arrays["out.projected"].shape[1]
    quantized = model.quantizer.codebook.decode(codes).transpose(1, 2)
    return {
        "codes": codes[:, None],
        "projected": model.ssl_proj(ssl)[:, :shown],
        "quantized": quantized[:, :shown],
    }


@torch.inference_mode()
def run_sovits_decode(case: Case) -> Arrays:
    model = sovits(case)
    voices = []
    for i in range(case.params["references"]):
        speaker = case.given(f"sv_emb_{i}") if case.has(f"sv_emb_{i}") else None
        voices.append(model.voice(case.given(f"refer_{i}"), speaker))
    voice = average_voices(voices)
    prior = model.prior(case.given("codes")[0], case.given("text"), voice, case.params["speed"])
    noise = case.given("noise") if case.has("noise") else None
    z = model.sample(prior, voice, noise, case.params["noise_scale"])
    out = {
        "audio": model.dec(z, voice)[0, 0],
        "ge": voice[0, :, 0],
        "m_p": prior.mean,
        "logs_p": prior.log_scale,
        "z": z,
    }
    if model.config.speaker_dim is not None:
        out["ge_text"] = model.ge_to512(voice[:, :, 0])[0]
    return out


MEL = Stft(sampling_rate=32000, n_fft=2048, hop=640, window=2048, n_mels=128)


def run_sovits_train(case: Case) -> Arrays:
    model = sovits(case)
    frames = case.entry["segment_frames"]
    spec = case.given("spec")
    done = model(
        case.given("ssl"),
        spec,
        case.given("spec_lens"),
        case.given("text"),
        case.given("text_lens"),
        case.given("sv_emb") if case.has("sv_emb") else None,
        segment_frames=frames,
        posterior_noise=case.given("posterior_noise"),
        slice_uniform=case.given("slice_uniform"),
    )
    kl = losses.kl_loss(done.z_p, done.logs_q, done.m_p, done.logs_p, done.mask)
    target = slice_segments(mel_from_spectrogram(spec, MEL), done.starts, frames)
    mel = losses.mel_loss(target, log_mel(done.audio[:, 0], MEL))
    (kl + 45 * mel).backward()
    return {
        "audio": done.audio[:, 0],
        "ids_slice": done.starts,
        "kl": kl,
        "mel_l1": mel,
        # The quantiser is frozen and takes no part in the loss.
        "commit": torch.zeros(()),
        "grad_norms": case.gradient_norms(model),
        "z": done.z,
        "z_p": done.z_p,
        "m_p": done.m_p,
        "logs_p": done.logs_p,
        "m_q": done.m_q,
        "logs_q": done.logs_q,
    }


# ---- discriminators, losses, spectra, speaker ----------------------------------------------------------------------


def run_discriminator(case: Case) -> Arrays:
    model = case.weighted(Discriminators(version_named(case.entry["version"]).discriminator_periods))
    fake = case.given("fake").requires_grad_()
    real_scores, real_features = model(case.given("real"))
    fake_scores, fake_features = model(fake)
    feature = losses.feature_loss(real_features, fake_features)
    generator = losses.generator_loss(fake_scores)
    (gradient,) = torch.autograd.grad(feature + generator, fake, retain_graph=True)
    width = max(len(features) for features in fake_features)
    means = torch.full((len(fake_features), width), -1.0)
    shapes = torch.zeros(len(fake_features), width, 4, dtype=torch.int64)
    for i, features in enumerate(fake_features):
        for j, feature_map in enumerate(features):
            means[i, j] = feature_map.detach().abs().mean()
            shapes[i, j, : feature_map.dim()] = torch.tensor(feature_map.shape)
    out: Arrays = {
        "feature_loss": feature,
        "generator_loss": generator,
        "discriminator_loss": losses.discriminator_loss(real_scores, fake_scores),
        "real_parts": torch.stack([(1 - score).square().mean() for score in real_scores]),
        "fake_parts": torch.stack([score.square().mean() for score in fake_scores]),
        "fmap_fake_mean_abs": means,
        "fmap_shapes": shapes,
        "grad_wrt_fake": gradient,
    }
    for i, (real, made) in enumerate(zip(real_scores, fake_scores, strict=True)):
        out |= {f"score_real_{i}": real, f"score_fake_{i}": made}
    return out


def run_losses(case: Case) -> Arrays:
    real, fake = case.given("fmap_real"), case.given("fmap_fake")
    scores_real, scores_fake = list(case.given("scores_real")), list(case.given("scores_fake"))
    latents = (case.given(name) for name in ("z_p", "logs_q", "m_p", "logs_p", "z_mask"))
    return {
        "kl": losses.kl_loss(*latents),
        "feature": losses.feature_loss([list(maps) for maps in real], [list(maps) for maps in fake]),
        "generator": losses.generator_loss(scores_fake),
        "discriminator": losses.discriminator_loss(scores_real, scores_fake),
    }


def run_spectra(case: Case) -> Arrays:
    """Outputs are named by their kind and settings: fft size, (bands, rate,) hop, window."""
    wave = case.given("wave")[None]
    out: Arrays = {}
    for name in (key.removeprefix("out.") for key in case.arrays if key.startswith("out.")):
        kind, *numbers = name.rsplit("_", sum(part.isdigit() for part in name.split("_")))
        values = [int(number) for number in numbers]
        if kind == "spec":
            fft, hop, window = values
            out[name] = spectrogram(wave, Stft(n_fft=fft, hop=hop, window=window))
        elif kind == "logmel":
            fft, bands, rate, hop = values
            out[name] = log_mel(wave, Stft(rate, fft, hop, fft, bands))
        elif kind == "logmel_from_spec":
            fft, bands, rate = values
            stft = Stft(rate, fft, MEL.hop, fft, bands)
            out[name] = mel_from_spectrogram(spectrogram(wave, stft), stft)
        elif kind == "scaled":
            fft, bands, rate = values
            out[name] = flow_scaled(log_mel(wave, Stft(rate, fft, fft // 4, fft, bands)))
    return out


def run_speaker(case: Case) -> Arrays:
    config = case.config
    model = case.weighted(
        SpeakerEncoder(SpeakerConfig(config["m_channels"], config["baseWidth"], config["scale"], config["expansion"]))
    )
    bank = kaldi_fbank(case.given("wave16k"))
    with torch.inference_mode():
        return {"fbank": bank, "embedding": model(bank[None])[0]}


# ---- flow matching and its vocoders --------------------------------------------------------------------------------


def flow_matching(case: Case) -> FlowMatching:
    return case.weighted(FlowMatching(DiTConfig.from_dict(case.config)))


@torch.inference_mode()
def run_dit(case: Case) -> Arrays:
    model = flow_matching(case).estimator
    x, prompt, mu = case.given("x"), case.given("prompt"), case.given("mu")
    lengths, time, step = case.given("lens"), case.given("time"), case.given("step")
    blank = torch.zeros_like(prompt), torch.zeros_like(mu)
    return {
        "velocity": model(x, prompt, mu, lengths, time, step),
        "velocity_unconditional": model(x, *blank, lengths, time, step),
        "condition_embedding": model.text_embed(mu.transpose(1, 2)),
    }


@torch.inference_mode()
def run_cfm_sample(case: Case) -> Arrays:
    params = case.params
    noise = case.given("noise") * params["temperature"]
    mu = case.given("mu").transpose(1, 2)
    return {"mel": flow_matching(case).sample(mu, case.given("prompt"), noise, params["steps"], params["guidance"])}


def run_cfm_train(case: Case) -> Arrays:
    model = flow_matching(case)
    exponents = case.given("step_exponent") if case.params["self_consistency_branch"] else None
    names = ("mel", "mu", "lens", "prompt_lens", "time", "noise")
    loss = model.loss(*(case.given(name) for name in names), exponents)
    loss.backward()
    return {"loss": loss, "grad_norms": case.gradient_norms(model)}


@torch.inference_mode()
def run_condition(case: Case) -> Arrays:
    # The flow matcher takes no part: one block instead of 22.
    config = {**case.config, "spec_channels": case.entry["spec_channels"], "dit": {"depth": 1}}
    version = version_named(case.params["version"])
    model: FlowSovits = case.weighted(FlowSovits(FlowSovitsConfig.for_version(version, config)))
    voice = model.voice(case.given("refer"))
    features = model.condition(case.given("codes")[0], case.given("text"), voice, case.params["speed"])
    return {"features": features, "ge": voice[0, :, 0]}


@torch.inference_mode()
def run_bigvgan(case: Case) -> Arrays:
    model: BigVgan = case.weighted(BigVgan(BigVganConfig.from_dict(case.config)))
    return {"audio": model(case.given("mel"))[0, 0]}


@torch.inference_mode()
def run_v4_vocoder(case: Case) -> Arrays:
    config = case.config
    model = HifiGenerator(
        config["initial_channel"],
        config["upsample_initial_channel"],
        config["upsample_rates"],
        config["upsample_kernel_sizes"],
        config["resblock_kernel_sizes"],
        config["resblock_dilation_sizes"],
        config["gin_channels"] or None,
        config["is_bias"],
    )
    fold_weight_norm(model)
    return {"audio": case.weighted(model)(case.given("mel"))[0, 0]}


RUNNERS: dict[str, Callable[[Case], Arrays]] = {
    "t2s_train": run_t2s_train,
    "t2s_teacher": run_t2s_teacher,
    "t2s_decode": run_t2s_decode,
    "t2s_filter": run_t2s_filter,
    "sovits_codes": run_sovits_codes,
    "sovits_decode": run_sovits_decode,
    "sovits_train": run_sovits_train,
    "discriminator": run_discriminator,
    "losses": run_losses,
    "spectra": run_spectra,
    "speaker": run_speaker,
    "dit": run_dit,
    "cfm_sample": run_cfm_sample,
    "cfm_train": run_cfm_train,
    "v3v4_condition": run_condition,
    "bigvgan": run_bigvgan,
    "v4_vocoder": run_v4_vocoder,
}


# ---- comparing -----------------------------------------------------------------------------------------------------


def tolerance_of(output: str, tolerances: Mapping[str, Any]) -> Any:
    """The entry that speaks of an output: its own name, the common part of a numbered or grouped name, or `all`."""
    if output in tolerances:
        return tolerances[output]
    for name, tolerance in tolerances.items():
        if output.startswith((name + "_", name.removesuffix("s") + "_")):
            return tolerance
        if output.endswith(("_" + name.removesuffix("es"), "_" + name.removesuffix("s"))):
            return tolerance
    return tolerances.get("all", DEFAULT_TOLERANCE)


def compare(made: Tensor, wanted: np.ndarray, tolerance: Any) -> tuple[float, float, str]:
    """Largest error, the share of its bound it uses up (at most 1 holds), and the bound in words."""
    ours = made.detach().double().numpy()
    if ours.shape != wanted.shape:
        return float("inf"), float("inf"), f"shape {ours.shape}, not {wanted.shape}"
    error = np.abs(ours - wanted.astype(np.float64))
    if not np.isfinite(error).all():
        return float("inf"), float("inf"), "values that are not finite"
    largest = float(error.max(initial=0.0))
    if tolerance == "exact" or np.issubdtype(wanted.dtype, np.integer):
        return largest, 0.0 if largest == 0 else float("inf"), "exact"
    if "relative_l2" in tolerance:
        share = float(np.linalg.norm(error) / max(np.linalg.norm(wanted), 1e-30))
        return share, share / tolerance["relative_l2"], f"relative L2 {tolerance['relative_l2']:g}"
    rtol, atol = tolerance.get("rtol", 0.0), tolerance.get("atol", 0.0)
    bound = atol + rtol * np.abs(wanted.astype(np.float64))
    # A bound of zero is met by an error of zero only.
    used = np.divide(error, bound, out=np.where(error > 0, np.inf, 0.0), where=bound > 0)
    return largest, float(used.max(initial=0.0)), f"rtol {rtol:g} atol {atol:g}"


def check(case: Case) -> tuple[bool, str]:
    """Runs a case; whether all outputs hold, and a line about the output that comes nearest to its bound."""
    made = RUNNERS[case.entry["group"]](case)
    worst = (-1.0, "")
    for key, wanted in case.arrays.items():
        if not key.startswith("out."):
            continue
        name = key.removeprefix("out.")
        if name not in made:
            return False, f"{name} is not computed"
        for tensor in made[name] if isinstance(made[name], tuple) else (made[name],):
            error, used, bound = compare(tensor, wanted, tolerance_of(name, case.entry["tolerance"]))
            if used > worst[0]:
                worst = (used, f"{name}: error {error:.3g}, tolerance {bound}, {used:.1%} of it used")
    return worst[0] <= 1.0, worst[1]


def load_fill(folder: Path) -> Fill:
    spec = importlib.util.spec_from_file_location("weights_recipe", folder / "weights_recipe.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} has no weights_recipe.py.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fill


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--groups", nargs="+", metavar="GROUP", help="only these groups")
    options = parser.parse_args()
    index_file = options.folder / "index.json"
    if not index_file.is_file():
        print(f"{index_file} is not there; give a folder with an index.json.", file=sys.stderr)
        return 1
    index = json.loads(index_file.read_text(encoding="utf-8"))
    fill = load_fill(options.folder)
    torch.manual_seed(0)
    held = ran = 0
    for entry in index["cases"]:
        if options.groups and entry["group"] not in options.groups:
            continue
        ran += 1
        if entry["group"] not in RUNNERS:
            ok, line = False, f"the group {entry['group']!r} is not known"
        else:
            with np.load(options.folder / entry["file"]) as arrays:
                case = Case({"salt": index["default_salt"], **entry}, dict(arrays), fill)
            ok, line = check(case)
        held += ok
        print(f"{'ok  ' if ok else 'FAIL'} {entry['case']:<34} {line}", flush=True)
    print(f"{held} of {ran} cases hold")
    return 0 if held == ran and ran else 1


if __name__ == "__main__":
    sys.exit(main())
