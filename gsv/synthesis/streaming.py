"""How audio is handed out while it is still being made."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Literal, get_args

from gsv.errors import InputError

Mode = Literal["pieces", "growing", "fixed"]


@dataclass(frozen=True)
class Streaming:
    """What a chunk of a stream is.

    Args:
        mode: `pieces`: a chunk for each piece of text, the same samples as without a stream. `growing` and `fixed`:
            several chunks a piece, made while its tokens are still being drawn, of more and more tokens or always of
            as many; what is not yet known at a chunk's end makes them differ a little from the whole.
        overlap_length: tokens, of 40 ms each, that a chunk keeps back for the next to make better; 0 to 50.
        min_chunk_length: tokens of the first chunk, and of every chunk if `fixed`; more than the overlap, at most 500.
    """

    mode: Mode = "pieces"
    overlap_length: int = 2
    min_chunk_length: int = 16

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise InputError(f"The streaming mode is {self.mode!r}; it must be one of {', '.join(get_args(Mode))}.")
        if not 0 <= self.overlap_length <= 50:
            raise InputError(f"overlap_length is {self.overlap_length}; it must be between 0 and 50 tokens.")
        if not self.overlap_length < self.min_chunk_length <= 500:
            raise InputError(
                f"min_chunk_length is {self.min_chunk_length}; it must be more than overlap_length, "
                f"{self.overlap_length}, and at most 500 tokens."
            )

    def lengths(self) -> Iterator[int]:
        """How many tokens there are at the end of each chunk of a piece, without end."""
        count = 0
        for size in repeat(self.min_chunk_length):
            count += max(size, count) if self.mode == "growing" else size
            yield count


BY_PIECE = Streaming()
