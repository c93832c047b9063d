"""Flow matching and its vocoders: official layouts, what is frozen, and that shortcuts change nothing."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gsv.errors import CheckpointError
from gsv.models.bigvgan import BigVgan, BigVganConfig, SmoothSnake
from gsv.models.dit import DiTConfig
from gsv.models.flow_matching import FlowMatching
from gsv.models.flow_sovits import FlowSovits, FlowSovitsConfig
from gsv.models.layers import fold_weight_norm
from gsv.models.mel_vocoders import hifi, vocoder_of
from gsv.versions import version_named

NARROW = DiTConfig(dim=32, depth=2, heads=1, dim_head=64, text_dim=16, conv_layers=1, mel_dim=100)
WIDTHS = {
    "hidden_channels": 32,
    "filter_channels": 32,
    "n_layers": 2,
    "gin_channels": 24,
    "mrte_channels": 24,
    "codebook_size": 16,
    "ssl_dim": 8,
    "condition_layers": 2,
    "dit": {"dim": 32, "depth": 2, "heads": 1, "text_dim": 16, "conv_layers": 1},
}


def table(shared: Path, name: str) -> tuple[dict[str, list[int]], dict[str, object]]:
    read = json.loads((shared / "reference" / "checkpoints" / name).read_text())
    return {key: shape for key, (shape, _) in read["tensors"].items()}, read


def shapes(state: dict[str, Tensor]) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in state.items()}


def generator(version: str = "v3") -> FlowSovits:
    torch.manual_seed(0)
    return FlowSovits(FlowSovitsConfig.for_version(version_named(version), WIDTHS))


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_a_generator_has_the_official_tensors_and_tells_its_widths(shared: Path, version: str) -> None:
    official, read = table(shared, f"s2G_{version}.json")
    with torch.device("meta"):
        model = FlowSovits(FlowSovitsConfig.for_version(version_named(version), read["config_model"]))  # type: ignore[arg-type]
    assert shapes(model.state_dict()) == official
    told = FlowSovitsConfig.from_weights(version_named(version), read["config_model"], model.state_dict())  # type: ignore[arg-type]
    assert told.dit == DiTConfig()
    assert told.condition_layers == 8


def test_vocoders_have_the_official_tensors(shared: Path) -> None:
    official, _ = table(shared, "bigvgan_v2_24khz_100band_256x.json")
    hyper = table(shared, "bigvgan_v2_24khz_100band_256x.json")[1]["hyper"]
    with torch.device("meta"):
        bigvgan = BigVgan(BigVganConfig.from_dict(hyper))  # type: ignore[arg-type]
        v4 = hifi(100, 512)
    # The filters are all the same, and made rather than read.
    assert shapes(bigvgan.state_dict()) == {key: shape for key, shape in official.items() if "filter" not in key}
    assert shapes(v4.state_dict()) == table(shared, "v4_vocoder.json")[0]


def test_steps_that_share_their_conditions_are_the_steps_of_the_whole_network() -> None:
    torch.manual_seed(0)
    model = FlowMatching(NARROW).eval()
    mu, prompt, noise = torch.randn(1, 16, 9), torch.randn(1, 100, 4), torch.randn(1, 100, 9)
    state, steps, guidance = noise.clone(), 5, 0.5
    state[..., :4] = 0
    given = torch.nn.functional.pad(prompt, (0, 5))
    with torch.no_grad():
        for i in range(steps):
            time, size = torch.tensor([i / steps]), torch.tensor([1 / steps])
            wanted = model.estimator(state, given, mu, None, time, size)
            free = model.estimator(state, given * 0, mu * 0, None, time, size)
            state = state + (wanted + guidance * (wanted - free)).transpose(1, 2) / steps
            state[..., :4] = 0
    made = model.sample(mu, prompt, noise, steps, guidance)
    assert torch.allclose(made, state, atol=1e-5)
    assert torch.equal(made[..., :4], torch.zeros(1, 100, 4))


def test_what_is_padded_changes_no_attention() -> None:
    torch.manual_seed(0)
    # Without convolutions, which see the padding.
    model = FlowMatching(DiTConfig(dim=32, depth=2, heads=1, text_dim=16, conv_layers=0)).eval().estimator
    model.input_embed.conv_pos_embed = torch.nn.Identity()  # type: ignore[assignment]
    x, mu = torch.randn(1, 100, 8), torch.randn(1, 16, 8)
    time = step = torch.tensor([0.5])
    padded = [torch.cat([one, torch.randn(1, one.shape[1], 3)], dim=-1) for one in (x, x, mu)]
    with torch.no_grad():
        alone = model(x, x, mu, None, time, step)
        among = model(*padded, torch.tensor([8]), time, step)
    assert torch.allclose(among[:, :8], alone, atol=1e-5)


def test_training_reaches_the_condition_and_the_flow_matcher_and_nothing_frozen() -> None:
    model = generator().train()
    spec = torch.rand(2, 1025, 40)
    arguments = (torch.randn(2, 8, 40), spec, torch.randn(2, 100, 75), torch.tensor([40, 30]), torch.tensor([75, 56]))
    for checkpointing in (False, True):
        model.zero_grad()
        model.cfm.estimator.gradient_checkpointing = checkpointing
        loss = model(*arguments, torch.randint(0, 700, (2, 7)), torch.tensor([7, 5]))
        loss.backward()
        assert torch.isfinite(loss)
        reached = {name.split(".")[0] for name, one in model.named_parameters() if one.grad is not None}
        assert reached == {"bridge", "wns1", "cfm"}
    assert not model.enc_p.training
    assert not any(one.requires_grad for one in model.enc_p.parameters())


@pytest.mark.parametrize(("version", "frames"), [("v3", 37), ("v4", 40)])
def test_a_token_makes_as_many_frames_as_the_version_says(version: str, frames: int) -> None:
    model = generator(version).eval()
    voice = model.voice(torch.rand(1, 1025, 30))
    codes, text = torch.arange(10)[None], torch.arange(5)[None]
    condition = model.condition(codes, text, voice)
    assert condition.shape == (1, 16, frames)
    assert model.condition(codes, text, voice, speed=2.0).shape[-1] == pytest.approx(frames / 2, abs=3)
    assert torch.allclose(model.for_inference().condition(codes, text, voice), condition, atol=1e-5)


def bigvgan() -> tuple[dict[str, object], BigVgan]:
    torch.manual_seed(0)
    config: dict[str, object] = {
        "upsample_initial_channel": 64,
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1, 3, 5]],
    }
    return config, BigVgan(BigVganConfig.from_dict(config))


def test_bigvgan_is_read_with_its_weight_norm_folded_or_not() -> None:
    config, network = bigvgan()
    mel = torch.randn(1, 100, 6)
    plain = vocoder_of("bigvgan", config, network.state_dict())(mel)
    assert plain.shape == (1, 1, 6 * 256)
    fold_weight_norm(network)
    assert torch.allclose(vocoder_of("bigvgan", config, network.state_dict())(mel), plain, atol=1e-5)


def test_variants_that_no_official_network_has_are_refused() -> None:
    with pytest.raises(CheckpointError, match="activation = 'snake'"):
        BigVganConfig.from_dict({"activation": "snake"})


@pytest.mark.parametrize("kind", ["bigvgan", "hifi"])
def test_a_file_of_something_else_is_no_vocoder(kind: str) -> None:
    with pytest.raises(CheckpointError, match="lacks the tensor"):
        vocoder_of(kind, {}, {"x": torch.zeros(1)})  # type: ignore[arg-type]


def test_the_activation_keeps_slow_signals_and_folds_less_back() -> None:
    """A tone high in the band has no room for its harmonics; at twice the rate most of them are filtered out."""
    snake = SmoothSnake(1)
    tone = torch.sin(2 * torch.pi * 0.4 * torch.arange(512))[None, None]
    window = torch.hann_window(512)
    with torch.no_grad():
        # sin^2 has the second harmonic, at 0.8 of the rate, which appears at 0.2.
        smooth, raw = (torch.fft.rfft((one(tone) * window)[0, 0]).abs()[round(0.2 * 512)] for one in (snake, snake.act))
        assert smooth < raw / 2
        constant = torch.full((1, 1, 64), 0.5)
        assert torch.allclose(snake(constant), constant + constant.sin().square(), atol=1e-4)
