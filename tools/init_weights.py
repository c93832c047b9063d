"""Writes an untrained set of weights: python tools/init_weights.py DIR [--config configs/narrow] [--clips FOLDER] ...

DIR takes the place of `pretrained_models/`: HuBERT's folder, and a version's SoVITS generator, discriminators and GPT
model (and speaker encoder, of official width) under their official names and in their official layout. With the narrow
configuration, a whole training from scratch can be tried on a CPU, on a machine that downloads nothing. Until it is
trained, such a set makes noise.

The codebook that turns sound into tokens cannot be trained later, so it is fitted to the content of some clips now.
Give clips like those to be trained on, some minutes of them; without any, it is random and tokens mean little.
"""

import gsv  # noqa: F401  Before torch: it tells OpenMP how to wait.

# isort: split
import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

from gsv.audio.io import load
from gsv.checkpoints import (
    DiscriminatorFile,
    GeneratorFile,
    GptFile,
    halved,
    write_content,
    write_discriminator,
    write_generator,
    write_gpt,
    write_tensors,
)
from gsv.errors import AudioError, GsvError, InputError
from gsv.models.bigvgan import BigVgan, BigVganConfig
from gsv.models.encoders import HUBERT_RATE, ContentEncoder
from gsv.models.mel_vocoders import hifi
from gsv.models.speaker import SpeakerConfig, SpeakerEncoder
from gsv.models.t2s import PREFIX, T2S, T2SConfig
from gsv.paths import written_whole
from gsv.training.loop import derived_seed
from gsv.training.sovits import DiscriminatorWidths
from gsv.training.start import UNTRAINED, built, read_config, untrained_generator
from gsv.versions import HUBERT, SPEAKER_ENCODER, FlowFacts, Version, version_named

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
NOTICE = "These weights are untrained: random numbers in the layout of real ones, for training from scratch.\n"
# Longer clips are cut, to bound memory; a codebook does not need them whole.
LONGEST = 60.0
# Channels after a vocoder's first layer, each upsampling halving them.
NARROW_VOCODER = 64


def write_set(
    folder: Path, configs: Path, version: Version, clips: Path | None, seed: int, sovits: Path | None = None
) -> list[Path]:
    """Writes the set and returns its files; raises InputError or TrainingError if the arguments do not fit.

    `sovits` is the configuration of SoVITS, by default the one among `configs`.
    """
    sovits = sovits or configs / ("s2-flow.json" if version.uses_flow else "s2.json")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; name a new folder, so that no real weights are replaced.")
    settings, gpt = read_config(sovits), read_config(configs / "s1.yaml")
    gpt["model"]["phoneme_vocab_size"] = version.gpt_symbols
    official = read_config(CONFIGS / version.sovits_config)["model"]
    if settings["model"].get("upsample_rates", official["upsample_rates"]) == official["upsample_rates"]:
        # Programs tell the two Pro versions apart by the first of these.
        settings["model"]["upsample_kernel_sizes"] = official["upsample_kernel_sizes"]
    torch.manual_seed(derived_seed(seed, "networks"))
    encoder = ContentEncoder(HubertModel(HubertConfig.from_json_file(configs / "hubert.json"))).eval()
    transformer = built(lambda: T2S(T2SConfig.from_dict(gpt["model"])))
    widths = DiscriminatorWidths.from_dict(settings.get("discriminator", {}))
    discriminators = built(lambda: widths.build(version))
    codes = int(settings["model"].get("codebook_size", 1024))
    if (transformer.config.EOS, transformer.config.vocab_size) != (codes, codes + 1):
        raise InputError(
            f"The codebook in {sovits} has {codes} entries, so {configs / 's1.yaml'} must have "
            f"EOS {codes} and vocab_size {codes + 1}."
        )
    content = _content(clips, encoder) if clips is not None else iter([torch.randn(encoder.width, 4 * codes)])
    generator = untrained_generator(settings, version, encoder.width, content, derived_seed(seed, "generator") % 2**32)

    write_tensors(folder / HUBERT / "pytorch_model.bin", dict(halved(encoder.network.state_dict())))
    encoder.network.config.save_pretrained(folder / HUBERT)
    Wav2Vec2FeatureExtractor().save_pretrained(folder / HUBERT)
    base = version.base
    config = {**settings, "model": {**settings["model"], "version": version.name}}
    generator_file = GeneratorFile(halved(generator.state_dict()), config, UNTRAINED, version.name)
    write_generator(folder / base.generator, generator_file)
    if base.discriminator is not None:
        write_discriminator(folder / base.discriminator, DiscriminatorFile(halved(discriminators.state_dict())))
    if version.flow is not None:
        write_vocoder(folder, version.flow)
    weight = {PREFIX + name: tensor for name, tensor in transformer.state_dict().items()}
    write_gpt(folder / base.gpt, GptFile(halved(weight), gpt, UNTRAINED))
    if version.uses_speaker_vector:
        speaker = built(lambda: SpeakerEncoder(SpeakerConfig()))
        write_tensors(folder / SPEAKER_ENCODER, halved(speaker.state_dict()))
    (folder / "UNTRAINED.txt").write_text(NOTICE, encoding="utf-8")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def write_vocoder(folder: Path, facts: FlowFacts) -> None:
    """A narrow untrained vocoder of the kind that the version speaks through."""
    if facts.vocoder_config is None:
        write_tensors(folder / facts.vocoder, dict(hifi(facts.bands, NARROW_VOCODER).state_dict()))
        return
    config = {
        "num_mels": facts.bands,
        "upsample_initial_channel": NARROW_VOCODER,
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1, 3, 5]],
        "use_bias_at_final": False,
        "use_tanh_at_final": False,
    }
    network = built(lambda: BigVgan(BigVganConfig.from_dict(config)))
    write_content(folder / facts.vocoder, {"generator": halved(network.state_dict())})
    with written_whole(folder / facts.vocoder_config) as temporary:
        temporary.write_text(json.dumps(config, indent=2), encoding="utf-8")


@torch.no_grad()
def _content(clips: Path, encoder: ContentEncoder) -> Iterator[Tensor]:
    """Content features [width, T] of every sound file in the folder; others in it are named and skipped."""
    if not clips.is_dir():
        raise InputError(f"There is no folder {clips}; give one with sound files.")
    used = 0
    for path in sorted(clips.iterdir()):
        try:
            wave = load(path, HUBERT_RATE, end=LONGEST)
            yield encoder(torch.from_numpy(np.ascontiguousarray(wave))[None])[0]
            used += 1
        except AudioError as error:
            print(f"Skipped: {error}", file=sys.stderr)
    if not used:
        raise InputError(f"{clips} holds no sound file; give a folder with some minutes of speech.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder to write to")
    parser.add_argument("--config", type=Path, default=Path("configs/narrow"), help="s2.json, s1.yaml and hubert.json")
    parser.add_argument("--sovits", type=Path, metavar="FILE", help="another configuration of SoVITS than s2.json")
    parser.add_argument("--version", default="v2", help="model version")
    parser.add_argument("--clips", type=Path, help="sound files to fit the codebook to")
    parser.add_argument("--seed", type=int, default=1234)
    given = parser.parse_args()
    try:
        version = version_named(given.version)
        files = write_set(given.folder, given.config, version, given.clips, given.seed, given.sovits)
    except GsvError as error:
        print(error, file=sys.stderr)
        return 1
    for path in files:
        print(f"{path.stat().st_size / 1e6:8.2f} MB  {path}")
    print(NOTICE, end="")
    if given.clips is None:
        print("Without --clips the codebook is random too; tokens made with it mean little.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
