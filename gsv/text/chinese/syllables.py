"""From pinyin to the two symbols of a Mandarin syllable: an initial, and a final with its tone."""

from dataclasses import dataclass

from gsv.text.symbols import MANDARIN_FINALS, MANDARIN_INITIALS, UNKNOWN

_INITIALS = frozenset(MANDARIN_INITIALS)
_FINALS = frozenset(MANDARIN_FINALS)
# Finals are written short after a consonant.
_CONTRACTED = {"uei": "ui", "iou": "iu", "uen": "un"}
# Without a consonant, an initial i, u or ü is written y, w or yu.
_ALONE = {"i": "i", "in": "in", "ing": "ing", "u": "u"}


@dataclass(frozen=True)
class Syllable:
    """One character's reading, or a punctuation mark.

    initial: pinyin initial, empty where there is none; for a mark the mark itself.
    final: pinyin final without tone, ü written v; empty for a mark.
    tone: 1 to 5, 5 being neutral; 0 for a mark.
    """

    initial: str
    final: str = ""
    tone: int = 0

    @property
    def phones(self) -> tuple[str, ...]:
        """Two symbols, initial and final with tone; a mark is one. What the tables have no symbol for is `UNK`."""
        if not self.tone:
            return (self.initial,)
        initial, final = _symbols(self.initial, self.final)
        return (
            initial if initial in _INITIALS else UNKNOWN,
            f"{final}{self.tone}" if final in _FINALS else UNKNOWN,
        )


def _symbols(initial: str, final: str) -> tuple[str, str]:
    if initial:
        return initial, _final_after(initial, _CONTRACTED.get(final, final))
    if final.startswith("v"):
        return "y", final
    if final in _ALONE:
        return ("w" if final == "u" else "y"), final
    if final.startswith("i"):
        # The vowel of ye and the one of yan are symbols of their own.
        return "y", {"e": "E", "an": "En"}.get(final[1:], final[1:])
    if final.startswith("u"):
        return "w", final[1:]
    return final[:1].upper() * 2, final


def _final_after(initial: str, final: str) -> str:
    if final == "i" and initial in ("z", "c", "s"):
        return "i0"
    if final == "i" and initial in ("zh", "ch", "sh", "r"):
        return "ir"
    if initial in ("j", "q", "x") and final.startswith("u"):
        return "v" + final[1:]
    return final
