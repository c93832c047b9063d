"""Takes of a second or two: an untrained model never comes to an end by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gsv.synthesis import engine


@contextmanager
def short() -> Iterator[None]:
    """Within it, takes are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "ALLOWANCE", 10)
        patch.setattr(engine, "MOST_TOKENS_A_PHONEME", 1.0)
        yield
