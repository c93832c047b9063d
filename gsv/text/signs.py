"""Signs that stand for something plainer: circled numbers, squared abbreviations, fractions in one character."""

import re
import unicodedata
from collections.abc import Mapping

# Letterlike signs, Roman and circled numbers, squared abbreviations (㎏, ㌔).
_COMPATIBLE = re.compile("[\u2100-\u214f\u2160-\u217f\u2460-\u249b\u2776-\u2793\u3220-\u325f\u3280-\u33ff]")
_VULGAR_FRACTION = re.compile("[¼-¾⅐-⅞]")
# Pictures, and characters that only change how the one before them looks.
_SILENT = frozenset(("So", "Sk", "Cs", "Co", "Cn", "Cf", "Cc", "Mn", "Me"))
# Characters that look like those to Unicode, but are read.
_SPOKEN = frozenset("\n\t〒°")
_ACCENT = re.compile("(?<=[A-Za-z])[\u0300-\u036f]+")


def plain_signs(text: str, names: Mapping[str, str], over: str) -> str:
    """The text composed (NFC), with signs as what they stand for and without what has no sound.

    Accents of Latin letters are dropped. Two numbers in one character each that touch are parted by `、`.

    Args:
        text: any text.
        names: signs that have a name of their own.
        over: the fraction of `{numerator}` and `{denominator}` in words.
    """
    text = unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))
    text = "".join(names.get(character, character) for character in text)
    text = _VULGAR_FRACTION.sub(lambda match: _fraction(match[0], over), text)
    text = _COMPATIBLE.sub(_compatible, text)
    return "".join(character for character in text if not _is_silent(character))


def _fraction(sign: str, over: str) -> str:
    numerator, denominator = unicodedata.normalize("NFKC", sign).split("⁄")
    return over.format(numerator=numerator, denominator=denominator)


def _compatible(match: re.Match[str]) -> str:
    number = unicodedata.numeric(match[0], None)
    if number is None:
        return unicodedata.normalize("NFKC", match[0])
    stands_alone = not match.string[match.end() : match.end() + 1].isnumeric()
    return f"{number:g}" if stands_alone else f"{number:g}、"


def _is_silent(character: str) -> bool:
    return character not in _SPOKEN and unicodedata.category(character) in _SILENT
