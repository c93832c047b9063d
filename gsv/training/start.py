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
from gsv.models.sovits import Sovits, SovitsConfig
from gsv.training.data import STFT
from gsv.versions import Version

# What the `info` of a weight file says whose network was never trained.
UNTRAINED = "untrained"
# More frames than this do not make a better codebook.
CODEBOOK_FRAMES = 100_000


def read_config(path: Path) -> dict[str, Any]:
    """A JSON or yaml configuration of the official layout; TrainingError if it is not usable."""
    if not path.is_file():
        raise TrainingError(f"There is no configuration {path}; give a file like those in configs/narrow.")
    text = path.read_text(encoding="utf-8")
    try:
        config = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise TrainingError(f"{path} cannot be read as a configuration: {error}.") from error
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
) -> Sovits:
    """A SoVITS network with random weights whose codebook fits the content features [ssl_dim, T] of some clips.

    With a random codebook, all sounds would get the same few tokens; here it is the result of k-means.
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
    network = built(lambda: Sovits(widths))
    with torch.no_grad():
        tokens = torch.cat([network.ssl_proj(clip[None].float())[0].T for clip in content])
    codebook = network.quantizer.codebook
    codebook.embed.copy_(_centres(tokens, widths.codebook_size, seed))
    codebook.get_buffer("embed_avg").copy_(codebook.embed)
    return network


def _centres(points: Tensor, count: int, seed: int) -> Tensor:
    """k-means centres [count, C] of points [N, C]."""
    # Only this needs it, and it takes long to import.
    from sklearn.cluster import MiniBatchKMeans

    if len(points) < count:
        raise TrainingError(
            f"The clips have {len(points)} frames of content and the codebook {count} entries; give more clips, or "
            "a smaller model.codebook_size."
        )
    state = np.random.RandomState(seed % 2**32)
    values = points.numpy()
    if len(values) > CODEBOOK_FRAMES:
        values = values[state.choice(len(values), CODEBOOK_FRAMES, replace=False)]
    means = MiniBatchKMeans(count, n_init=1, batch_size=4096, random_state=state).fit(values)
    return torch.from_numpy(means.cluster_centers_).float()
