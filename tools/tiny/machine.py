"""How the parts of the voice are trained here."""

import torch

from gsv.models.planes import brief_dtype
from gsv.training.loop import Machine

# A CPU that has products of bfloat16 is half as fast again with them, and a GPU more; others are much slower.
_HAS_BRIEF = torch.cuda.is_available() or brief_dtype(torch.device("cpu")) is not None
MACHINE = Machine(precision="bf16-mixed" if _HAS_BRIEF else "32-true")
