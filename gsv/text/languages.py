"""The languages, the codes by which users ask for them, and what list files call them."""

from dataclasses import dataclass
from typing import Literal

from gsv.errors import TextError
from gsv.text.symbols import TableName

Language = Literal["zh", "en", "ja", "ko", "yue"]

NAMES: dict[Language, str] = {"zh": "Mandarin", "en": "English", "ja": "Japanese", "ko": "Korean", "yue": "Cantonese"}
# Languages whose phones come with features of the text encoder; models learnt the others with zeros.
WITH_FEATURES: frozenset[Language] = frozenset({"zh"})
# The languages that models of a symbol table have learnt.
LANGUAGES: dict[TableName, tuple[Language, ...]] = {"v1": ("zh", "en", "ja"), "v2": ("zh", "en", "ja", "ko", "yue")}


@dataclass(frozen=True)
class LanguageCode:
    """How a text of this code is read.

    main: the language of all that it can read; None: found out from the text. Words in scripts that it cannot read are
        spoken in the language of their script under every code.
    chinese: the language of Chinese that is found out.
    digits_are_main: whether digits always belong to the main language; otherwise they follow their neighbours.
    """

    main: Language | None
    chinese: Language = "zh"
    digits_are_main: bool = False

    @property
    def languages(self) -> frozenset[Language]:
        """The languages without which this code makes no sense."""
        return frozenset({self.main or self.chinese})


CODES: dict[str, LanguageCode] = {
    "auto": LanguageCode(main=None),
    "auto_yue": LanguageCode(main=None, chinese="yue"),
    "en": LanguageCode(main="en", digits_are_main=True),
    "zh": LanguageCode(main="zh"),
    "ja": LanguageCode(main="ja"),
    "yue": LanguageCode(main="yue"),
    "ko": LanguageCode(main="ko"),
    "all_zh": LanguageCode(main="zh", digits_are_main=True),
    "all_ja": LanguageCode(main="ja", digits_are_main=True),
    "all_yue": LanguageCode(main="yue", digits_are_main=True),
    "all_ko": LanguageCode(main="ko", digits_are_main=True),
}

# What users write in the third column of a list file.
TAGS: dict[str, Language] = {
    "zh": "zh",
    "zh-cn": "zh",
    "cmn": "zh",
    "chinese": "zh",
    "en": "en",
    "en-us": "en",
    "en-gb": "en",
    "english": "en",
    "ja": "ja",
    "jp": "ja",
    "ja-jp": "ja",
    "japanese": "ja",
    "ko": "ko",
    "kr": "ko",
    "ko-kr": "ko",
    "korean": "ko",
    "yue": "yue",
    "zh-hk": "yue",
    "cantonese": "yue",
}


def codes_of(table: TableName) -> tuple[str, ...]:
    """The codes that models of a symbol table understand."""
    return tuple(code for code, rules in CODES.items() if rules.languages.issubset(LANGUAGES[table]))


def language_code(code: str, table: TableName = "v2") -> LanguageCode:
    """The rules of a code.

    Raises:
        TextError: the code is unknown, or models of this symbol table do not speak its language.
    """
    supported = codes_of(table)
    if code in supported:
        return CODES[code]
    known = ", ".join(supported)
    if code in CODES:
        raise TextError(f"The language {code!r} is not one that this model speaks; choose one of {known}.")
    raise TextError(f"There is no language {code!r}; choose one of {known}.")


def language_of_tag(tag: str) -> Language:
    """The language a list file means by `zh`, `ZH`, `zh-cn`, `EN`, `en_US`, `JP` and the like.

    Raises:
        TextError: the tag is unknown.
    """
    plain = tag.strip().lower().replace("_", "-")
    if plain in TAGS:
        return TAGS[plain]
    raise TextError(f"There is no language {tag!r}; the ones of list files are {', '.join(NAMES)}.")
