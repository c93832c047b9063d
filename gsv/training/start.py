"""What a training starts from: configurations, pretrained weights that fit, or an untrained network."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import yaml
from torch import Tensor, nn

from gsv.errors import CheckpointError, TrainingError
from gsv.models.generators import Generator, untrained_network
from gsv.models.sovits import FRAMES_PER_TOKEN, SovitsConfig
from gsv.training.data import STFT
from gsv.versions import Version

# What the `info` of a weight file says whose network was never trained.
UNTRAINED = "untrained"
# More tokens than this do not make a better codebook.
CODEBOOK_TOKENS = 100_000


def read_config(path: Path) -> dict[str, Any]:
    """A JSON or yaml configuration of the official layout; TrainingError if it is not usable."""
    if not path.is_file():
        raise TrainingError(f"There is no configuration {path}; give a file like those in configs/narrow.")
    try:
        text = path.read_text(encoding="utf-8")
        config = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, yaml.YAMLError) as error:
        # yaml draws a picture of the place, over several lines.
        reason = " ".join(str(error).split())
        raise TrainingError(f"{path} cannot be read as a configuration: {reason}.") from error
    if not isinstance(config, dict) or not isinstance(config.get("model"), dict):
        raise TrainingError(f"{path} has no group `model` with the network's widths.")
    return config


Network = TypeVar("Network", bound=nn.Module)


def built(build: Callable[[], Network]) -> Network:
    """The network; TrainingError if the widths of its configuration do not fit together."""
    try:
        return build()
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise TrainingError(f"The widths in the configuration do not fit together: {error}.") from error


def fitted(build: Callable[[], nn.Module], weight: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors of a weight file that the network has, in full precision; others in the file are ignored.

    Raises CheckpointError if one is missing or has another shape.
    """
    with torch.device("meta"):
        expected = build().state_dict()
    wrong = [name for name, like in expected.items() if name not in weight or weight[name].shape != like.shape]
    if wrong:
        raise CheckpointError(
            f"{path} lacks {len(wrong)} of the {len(expected)} tensors that training needs, or has them in another "
            f"shape; the first is {wrong[0]}."
        )
    return {name: weight[name].float() for name in expected}


def untrained_generator(
    config: Mapping[str, Any], version: Version, ssl_dim: int, content: Iterable[Tensor], seed: int
) -> Generator:
    """A SoVITS network with random weights whose codebook fits the content features [ssl_dim, T] of some clips.

    A token's two frames are turned to their principal axes, as many as the frames are wide, and the codebook is the
    result of k-means on them. With random numbers instead, all sounds would get the same few tokens.
    Raises TrainingError if the configuration does not fit, or if the clips have fewer tokens than the codebook.
    """
    torch.manual_seed(seed)
    widths = SovitsConfig.for_version(version, {**config["model"], "ssl_dim": ssl_dim})
    if widths.samples_per_frame != STFT.hop:
        raise TrainingError(
            f"model.upsample_rates multiply to {widths.samples_per_frame}; they must multiply to {STFT.hop}."
        )
    if version.speaker_dim is None and widths.gin_channels != widths.mrte_channels:
        raise TrainingError(
            f"model.gin_channels is {widths.gin_channels} and model.mrte_channels {widths.mrte_channels}; in version "
            f"{version.name} they must be equal."
        )
    network = built(lambda: untrained_network(version, {**config["model"], "ssl_dim": ssl_dim}))
    pairs = torch.cat([_frame_pairs(clip.float()) for clip in content])
    if len(pairs) < widths.codebook_size:
        raise TrainingError(
            f"The clips have {len(pairs)} tokens of content and the codebook {widths.codebook_size} entries; give more "
            "clips, or a smaller model.codebook_size."
        )
    if len(pairs) > CODEBOOK_TOKENS:
        pairs = pairs[torch.randperm(len(pairs))[:CODEBOOK_TOKENS]]
    with torch.no_grad():
        axes, middle = _principal_axes(pairs, ssl_dim)
        network.ssl_proj.weight.copy_(axes.unflatten(1, (FRAMES_PER_TOKEN, ssl_dim)).transpose(1, 2))
        assert network.ssl_proj.bias is not None
        network.ssl_proj.bias.copy_(-axes @ middle)
        tokens = (pairs - middle) @ axes.T
    codebook = network.quantizer.codebook
    codebook.embed.copy_(_centres(tokens, widths.codebook_size, seed))
    codebook.get_buffer("embed_avg").copy_(codebook.embed)
    return network


def _frame_pairs(clip: Tensor) -> Tensor:
    """Content features [C, T] -> [T // 2, 2 C], the features of the frames that a token stands for."""
    tokens = clip.shape[-1] // FRAMES_PER_TOKEN
    return clip[:, : tokens * FRAMES_PER_TOKEN].T.reshape(tokens, -1)


def _principal_axes(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The directions [count, C] in which points [N, C] vary most, of unit length, and the points' mean [C]."""
    middle = points.mean(0)
    _, directions = torch.linalg.eigh((points - middle).T.double().cov())
    return directions.flip(1)[:, :count].T.float(), middle


def _centres(points: Tensor, count: int, seed: int) -> Tensor:
    """k-means centres [count, C] of points [N, C]."""
    # Only this needs it, and it takes long to import.
    from sklearn.cluster import MiniBatchKMeans

    state = np.random.RandomState(seed % 2**32)
    means = MiniBatchKMeans(count, n_init=1, batch_size=4096, random_state=state).fit(points.numpy())
    return torch.from_numpy(means.cluster_centers_).float()
