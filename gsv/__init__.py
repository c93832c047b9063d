"""gsv: from a recording of somebody's voice to a model that speaks in it.

from gsv import Engine
"""

from typing import TYPE_CHECKING, Any

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
