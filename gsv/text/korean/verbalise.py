"""Writing signs, units and what belongs to a number out in words."""


def normalize(text: str) -> str:
    """Korean text."""
    return text
