"""What the front end makes of a text, to look at before it is spoken."""

from dataclasses import dataclass
from typing import Any

from gsv.text.frontend import Frontend, Reading


@dataclass(frozen=True)
class Piece:
    """A piece of text that is spoken in one go, markup included, and the readings of its stretches of a language."""

    text: str
    readings: tuple[Reading, ...]

    def as_json(self) -> dict[str, Any]:
        """The piece in plain values; of each stretch the text as written and as spoken, its phones and their ids."""
        return {
            "text": self.text,
            "segments": [
                {
                    "language": reading.language,
                    "text": reading.source,
                    "norm_text": reading.norm_text,
                    "phones": list(reading.phones),
                    "ids": list(reading.ids),
                    "word2ph": None if reading.word2ph is None else list(reading.word2ph),
                }
                for reading in self.readings
            ],
        }


def preview(frontend: Frontend, text: str, language: str, method: str | None = None) -> list[Piece]:
    """How a text would be read: cut by a method, or as one piece where none is named.

    Raises:
        TextError, InputError: as `Frontend.pieces` and `Frontend.read`.
    """
    pieces = [text] if method is None else frontend.pieces(text, language, method)
    return [Piece(piece, tuple(frontend.read(piece, language))) for piece in pieces]
