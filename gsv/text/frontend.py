"""From text to phone ids: the one door of this room that the rest of gsv uses."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gsv.errors import TextError
from gsv.text import greek, markup, split
from gsv.text.dictionary import Pronunciations
from gsv.text.languages import LANGUAGES, NAMES, Language, language_code, language_of_tag
from gsv.text.markup import Given
from gsv.text.notation import check, phones_of
from gsv.text.scripts import HANGUL, IDEOGRAPHS, LATIN, plain
from gsv.text.stretches import Stretch, looked_up, stretches
from gsv.text.symbols import PAUSES, PUNCTUATION, UNKNOWN, TableName, symbol_table

if TYPE_CHECKING:
    from gsv.paths import Project
    from gsv.text.chinese.polyphones import PolyphoneModel

_BLANKS = re.compile(" {2,}")
# With fewer phones a model tends to skip or garble; a full stop in front gives it something to start with.
_MIN_PHONES = 6
# Signs that ask for a pause in Mandarin: all commas of the text become it. A ￥ beside a number is money, and a ^
# between a letter or a number and a number is a power.
_PAUSE_SIGNS = (
    (re.compile("(?<![0-9])￥(?![0-9])"), "SP2"),
    (re.compile(r"(?<![0-9A-Za-z])\^|\^(?![-0-9])"), "SP3"),
)
# Signs that a list file may hold and that are marks there, not words.
_TRAINING_SIGNS = str.maketrans({"%": "-", "￥": ","})
_TEXT_ENCODER = "chinese-roberta-wwm-ext-large"
# What has to be heard: letters and digits, but not what only lengthens or repeats the letter before it.
_WORD = re.compile(f"[{LATIN}{IDEOGRAPHS}{HANGUL}0-9０-９\u3041-\u3096\u30a1-\u30fa\uff66-\uff6f\uff71-\uff9d]")
_SILENT = frozenset((*PUNCTUATION, *PAUSES, UNKNOWN))


@dataclass(frozen=True)
class Reading:
    """A stretch of one language, ready for a model.

    source: the stretch as it was written; those of all readings of a text, joined, are the text.
    language: `zh`, `en`, `ja`, `ko` or `yue`.
    norm_text: the text as spoken, written out.
    phones, ids: the phones and their ids in the front end's symbol table, of equal length.
    word2ph: for Mandarin and Cantonese how many phones each character of `norm_text` has, for other languages None.
    """

    source: str
    language: Language
    norm_text: str
    phones: tuple[str, ...]
    ids: tuple[int, ...]
    word2ph: tuple[int, ...] | None


class Frontend:
    """Reads text for models of one symbol table.

    Args:
        symbols: the table, `v1` or `v2`.
        g2pw_dir: folder of the Mandarin polyphone model; without it pypinyin's dictionary chooses among readings.
        roberta_dir: folder of chinese-roberta-wwm-ext-large, whose tokenizer the polyphone model uses; by default the
            folder of that name beside `g2pw_dir`.
        polyphones: a polyphone model to use in place of the one in `g2pw_dir`.
        pronunciations: file of the user's pronunciation dictionary, see `gsv.text.dictionary`; it need not be there.

    The word lists, dictionaries and models are loaded when the first text needs them.
    """

    def __init__(
        self,
        symbols: TableName = "v2",
        g2pw_dir: Path | None = None,
        roberta_dir: Path | None = None,
        *,
        polyphones: "PolyphoneModel | None" = None,
        pronunciations: Path | None = None,
    ) -> None:
        self._symbols = symbols
        self._table = symbol_table(symbols)
        # The models of the first table never heard a 儿 that melts into the syllable before it.
        self._erhua = symbols != "v1"
        self._g2pw_dir = g2pw_dir
        self._roberta_dir = roberta_dir
        self._given_polyphones = polyphones
        self._pronunciations = Pronunciations(pronunciations)

    @classmethod
    def of(cls, project: "Project", symbols: TableName, pronunciations: Path | None = None) -> "Frontend":
        """With the models and the dictionary of a project, or another dictionary."""
        return cls(symbols, project.g2pw, project.roberta, pronunciations=pronunciations or project.pronunciations)

    def pieces(self, text: str, language: str, method: str = "cut5") -> list[str]:
        """Cut a text of any length into pieces for `read`.

        Raises:
            InputError: the split method is unknown.
            TextError: nothing in the text can be spoken, or the model does not know the language code.
        """
        language_code(language, self._symbols)
        return split.pieces(text, language, method)

    def closed(self, text: str, language: str) -> str:
        """A transcript as `read` wants it: ended with a mark, but neither cut nor changed otherwise.

        Raises:
            TextError: the model does not know the language code.
        """
        language_code(language, self._symbols)
        return split.closed(text.strip("\n"), language)

    def read(self, text: str, language: str) -> list[Reading]:
        """The readings of one piece of text, one for each stretch of a language, in order.

        Words may have a reading by markup (`gsv.text.markup`), whose pauses are left out here, or by dictionary. No
        word is left out: one that the language of the code cannot read is read in the language of its script.

        Raises:
            TextError: nothing in the text can be spoken, a word of it cannot, or the model does not know the language.
        """
        marked = markup.parse(text)
        text = _BLANKS.sub(" ", plain(marked.text))
        readings = self._read(text, marked.given, language)
        if not _is_spoken(readings):
            raise TextError(f"The text {text[:40]!r} holds nothing that can be spoken in {language!r}.")
        if sum(len(reading.phones) for reading in readings) < _MIN_PHONES:
            return self._read("." + text, marked.given, language)
        return readings

    def read_for_training(self, text: str, language: str) -> Reading:
        """The reading of a line of a list file, whose third column is `language`.

        Raises:
            TextError: nothing in the text can be spoken, or the model does not know the language.
        """
        spoken = language_of_tag(language)
        if spoken not in LANGUAGES[self._symbols]:
            raise TextError(f"The line is in {NAMES[spoken]}, which this model does not speak; use a later one.")
        marked = markup.parse(text)
        stretch = Stretch(spoken, plain(marked.text).translate(_TRAINING_SIGNS), marked.given)
        reading = self._read_stretch(stretch)
        if not _is_spoken([reading]):
            raise TextError(f"The text {text[:40]!r} holds nothing that can be spoken in {language!r}.")
        return reading

    def read_as(self, text: str, language: Language) -> Reading:
        """The reading of a text in one language, even one without a sound; nothing is put in front of a short one."""
        return self._read_stretch(Stretch(language, text))

    def _read_stretch(self, stretch: Stretch) -> Reading:
        return _READERS[stretch.language](self, looked_up(stretch, self._pronunciations))

    def _read(self, text: str, given: Mapping[str, Given], language: str) -> list[Reading]:
        readings = []
        for stretch in stretches(text, given, language, self._symbols):
            reading = self._read_stretch(stretch)
            if not _is_spoken([reading]) and (word := _WORD.search(stretch.source)):
                raise TextError(f"The text holds {word[0]!r}, which cannot be spoken in {NAMES[stretch.language]}.")
            readings.append(reading)
        return [reading for reading in readings if reading.phones]

    # The packages of languages are imported when the first text needs them: some load large dictionaries.

    def _mandarin(self, stretch: Stretch) -> Reading:
        from gsv.text import chinese

        text = stretch.text
        sign, pause = next(((sign, pause) for sign, pause in _PAUSE_SIGNS if sign.search(text)), (None, ","))
        norm_text = chinese.normalize(sign.sub(",", text) if sign else text, keep="".join(stretch.given))
        given = {key: word.reading for key, word in stretch.given.items()}
        phones, word2ph = chinese.g2p(norm_text, erhua=self._erhua, polyphones=self._polyphones, given=given)
        phones = [pause if phone == "," else phone for phone in phones]
        return self._finished(stretch, norm_text, phones, word2ph)

    def _cantonese(self, stretch: Stretch) -> Reading:
        import gsv.text.cantonese as cantonese

        norm_text = cantonese.normalize(stretch.text, keep="".join(stretch.given))
        phones, word2ph = cantonese.g2p(norm_text, given={key: word.reading for key, word in stretch.given.items()})
        return self._finished(stretch, norm_text, phones, word2ph)

    def _english(self, stretch: Stretch) -> Reading:
        from gsv.text import english

        norm_text = english.spoken(
            english.normalize(greek.spelt(stretch.text, greek.ENGLISH, " "), keep="".join(stretch.given))
        )
        given = {key: phones_of(word.word, word.reading, "en")[0] for key, word in stretch.given.items()}
        return self._finished(stretch, norm_text, english.g2p(norm_text, given=given), None)

    def _japanese(self, stretch: Stretch) -> Reading:
        import gsv.text.japanese as japanese

        # Each run of letters is analysed by itself anyway.
        parts = [
            part if part in stretch.given else japanese.normalize(greek.spelt(part, greek.JAPANESE))
            for part in stretch.parts
        ]
        phones: list[str] = []
        for part in parts:
            word = stretch.given.get(part)
            phones += phones_of(word.word, word.reading, "ja")[0] if word else japanese.g2p(part)
        return self._finished(stretch, "".join(parts), phones, None)

    def _korean(self, stretch: Stretch) -> Reading:
        import gsv.text.korean as korean

        # A reading in Hangul is read by the rules of sound like the text around it.
        for word in stretch.given.values():
            check(word.word, word.reading, "ko")
        norm_text = korean.normalize(greek.spelt(stretch.with_readings, greek.KOREAN))
        return self._finished(stretch, norm_text, korean.g2p(norm_text), None)

    def _finished(
        self, stretch: Stretch, norm_text: str, phones: Iterable[str], word2ph: Sequence[int] | None
    ) -> Reading:
        if word2ph is not None and stretch.given:
            word2ph = stretch.shared_out(norm_text, word2ph)
        known = self._table.known(phones)
        counts = None if word2ph is None else tuple(word2ph)
        norm_text = markup.written(norm_text, stretch.given)
        return Reading(stretch.source, stretch.language, norm_text, tuple(known), tuple(self._table.ids(known)), counts)

    @cached_property
    def _polyphones(self) -> "PolyphoneModel | None":
        if self._given_polyphones is not None or self._g2pw_dir is None:
            return self._given_polyphones
        from gsv.text.chinese.g2pw import G2PW

        return G2PW.load(self._g2pw_dir, self._roberta_dir or self._g2pw_dir.with_name(_TEXT_ENCODER))


_READERS: dict[Language, Callable[[Frontend, Stretch], Reading]] = {
    "zh": Frontend._mandarin,
    "en": Frontend._english,
    "ja": Frontend._japanese,
    "ko": Frontend._korean,
    "yue": Frontend._cantonese,
}


def _is_spoken(readings: Iterable[Reading]) -> bool:
    return any(phone not in _SILENT for reading in readings for phone in reading.phones)
