"""Text that comes in bits, from a language model say, cut where a sentence ends as soon as it does."""

import re

from gsv.errors import InputError, TextError
from gsv.text import markup

# A full stop ends a sentence only where something follows that is apart from it; in 3.14 it does not.
_END = re.compile(r"[。！？!?；;…\n]+[\"'”’」』）)]*|\.+[\"'”’)]*(?=\s)")
_SHORT_FORMS = frozenset("mr mrs ms dr st prof vs etc e.g i.e no sr jr".split())  # noqa: SIM905
_LAST_WORD = re.compile(r"([\w.]+)\.$")


class Incoming:
    """Takes text and gives sentences. Not more than `most` characters may wait to become one."""

    def __init__(self, most: int):
        self._most = most
        self._rest = ""
        self._spoken = False

    def add(self, text: str) -> list[str]:
        """The sentences that are whole now. Raises InputError where too much has come without an end."""
        self._rest += text
        ready: list[str] = []
        start = 0
        for end in _END.finditer(self._rest):
            piece = self._rest[start : end.end()]
            short = _LAST_WORD.search(piece.rstrip("\"'”’)"))
            if (short and short[1].lower() in _SHORT_FORMS) or not _speakable(piece) or markup.is_open(piece):
                continue
            ready.append(piece)
            start = end.end()
        self._rest = self._rest[start:]
        if len(self._rest) > self._most:
            raise InputError(f"More than {self._most} characters came without the end of a sentence.")
        self._spoken |= bool(ready)
        return ready

    def end(self) -> list[str]:
        """What is left when no more will come. Raises TextError if there was nothing to say in all of it."""
        rest, self._rest = self._rest, ""
        if _speakable(rest):
            return [rest]
        if not self._spoken:
            raise TextError("The text holds nothing that can be spoken; send some words.")
        return []


def _speakable(text: str) -> bool:
    return any(mark.isalnum() for mark in markup.without(text))
