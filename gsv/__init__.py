"""gsv: from a recording of somebody's voice to a model that speaks in it.

from gsv import Engine
"""

import os
from typing import TYPE_CHECKING, Any

# GNU OpenMP, which torch computes with on Linux, lets idle threads spin for milliseconds. With a second busy process on
# the machine that costs a factor of ten or more; hardly spinning costs a quarter on an idle one. This is between, see
# docs/speed.md. It is read when torch loads.
os.environ.setdefault("GOMP_SPINCOUNT", "4000")
# onnxruntime, which some stages bring, would otherwise report its use to its makers over the network.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from gsv.synthesis.engine import Engine, SpeechOptions
    from gsv.synthesis.sampling import SamplingOptions

__all__ = ["Engine", "SamplingOptions", "SpeechOptions"]


def __getattr__(name: str) -> Any:
    # On first use: `import gsv` and `gsv --help` do not wait for torch.
    if name in {"Engine", "SpeechOptions"}:
        from gsv.synthesis import engine

        return getattr(engine, name)
    if name == "SamplingOptions":
        from gsv.synthesis.sampling import SamplingOptions

        return SamplingOptions
    raise AttributeError(f"module 'gsv' has no attribute {name!r}")
