"""Writing out what Open JTalk would misread."""

from gsv.text.split import collapse_punctuation


def normalize(text: str) -> str:
    """Japanese text in a form that Open JTalk reads as people do."""
    return collapse_punctuation(text.replace("％", "パーセント"))
