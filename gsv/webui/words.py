"""The texts of the pages in several languages: a folder `words/LANGUAGE/` of JSON files for each."""

import json
import locale
from dataclasses import dataclass
from pathlib import Path

from gsv.errors import InputError
from gsv.webui.saying import saying_of

FOLDER = Path(__file__).parent / "words"
ENGLISH = "en_US"


@dataclass(frozen=True)
class Words:
    """The texts of one language by key; a key without a text there has the English one."""

    language: str
    texts: dict[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text, with `{name}` replaced by the values."""
        return self.texts[key].format(**values) if values else self.texts[key]

    def said(self, text: str) -> str:
        """What a stage or a check of input says, in this language as far as it is known there."""
        return saying_of(self.language)(text)


def languages() -> list[str]:
    """What there are texts in, as zh_CN."""
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def words_of(language: str = "") -> Words:
    """The words of a language, written as zh_CN, zh-cn or zh; of the system's language if none is given.

    Raises InputError for a language that there is no folder of.
    """
    known = languages()
    wanted = language or locale.getlocale()[0] or ENGLISH
    plain = wanted.replace("-", "_").lower()
    found = [name for name in known if name.lower() == plain or name.lower().startswith(plain.partition("_")[0] + "_")]
    if not found and language:
        raise InputError(f"There are no texts in the language {language!r}; choose one of {', '.join(known)}.")
    # The exact one before a relative of it.
    name = min(found, key=lambda name: name.lower() != plain, default=ENGLISH)
    return Words(name, {**texts_in(ENGLISH), **texts_in(name)})


def texts_in(language: str) -> dict[str, str]:
    """All texts of that language's files."""
    texts: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.json")):
        texts |= json.loads(path.read_text(encoding="utf-8"))
    return texts
