"""The network of a SoVITS generator, whatever its version."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gsv.models.flow_sovits import FlowSovits, FlowSovitsConfig
from gsv.models.sovits import Sovits, SovitsConfig
from gsv.versions import Version

Generator = Sovits | FlowSovits


def network_of(version: Version, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Generator:
    """The network of a generator file: its `config.model` and its tensors. Raises CheckpointError if they disagree."""
    if version.uses_flow:
        return FlowSovits.from_weights(version, config, weights)
    return Sovits.from_weights(config, weights)


def untrained_network(version: Version, config: Mapping[str, Any]) -> Generator:
    """A network of the widths in a `config.model`, with random weights."""
    if version.uses_flow:
        return FlowSovits(FlowSovitsConfig.for_version(version, config))
    return Sovits(SovitsConfig.for_version(version, config))
