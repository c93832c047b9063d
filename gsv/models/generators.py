"""The network of a SoVITS generator, whatever its version."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gsv.models.flow_sovits import FlowSovits
from gsv.models.sovits import Sovits
from gsv.versions import Version

Generator = Sovits | FlowSovits


def network_of(version: Version, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Generator:
    """The network of a generator file: its `config.model` and its tensors. Raises CheckpointError if they disagree."""
    if version.uses_flow:
        return FlowSovits.from_weights(version, config, weights)
    return Sovits.from_weights(config, weights)
