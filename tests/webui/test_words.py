"""The pages are complete in every language, and show no text that is not among the words."""

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gsv.errors import InputError
from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui.app import build
from gsv.webui.companions import Companions
from gsv.webui.home import Home
from gsv.webui.words import ENGLISH, Words, languages, texts_in, words_of

# What stands in components that people read.
SHOWN = ("label", "info", "placeholder", "title")
# Components whose value is a text of the page rather than somebody's input.
TEXTS = ("button", "markdown")
_MARK = "⟦"


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", languages())
def test_a_language_has_every_text_with_the_same_values(language: str) -> None:
    english, other = texts_in(ENGLISH), texts_in(language)
    assert set(other) == set(english)
    assert {key for key in english if names(other[key]) != names(english[key])} == set()
    assert [key for key, text in other.items() if not text.strip()] == []


def test_chinese_texts_are_chinese() -> None:
    same = {key for key, text in texts_in("zh_CN").items() if not re.search(r"[\u4e00-\u9fff]", text)}
    # Names that are the same in every language.
    assert all(re.fullmatch(r"[\W\dA-Za-z{}_ ]{1,30}", texts_in("zh_CN")[key]) for key in same)
    assert len(same) < 0.05 * len(texts_in("zh_CN"))


def test_a_language_is_found_by_its_beginning() -> None:
    assert words_of("zh").language == words_of("zh-cn").language == "zh_CN"
    assert words_of("en").language == "en_US"
    with pytest.raises(InputError, match=r"no texts in the language 'tlh'; choose one of en_US, zh_CN"):
        words_of("tlh")


def test_the_page_shows_no_text_that_is_not_among_the_words(tmp_path: Path) -> None:
    marked = Words("marked", {key: _marked(text) for key, text in texts_in(ENGLISH).items()})
    project = Project(tmp_path)
    blocks = build(Home(project, marked, Jobs(project)), Companions())
    assert [one for one in _shown(blocks.get_config_file()) if _MARK not in one] == []


def _marked(text: str) -> str:
    return f"{_MARK}{text}"


def _shown(config: dict[str, Any]) -> Iterator[str]:
    for component in config["components"]:
        properties = component["props"]
        if component["type"] == "api":
            continue
        for name in SHOWN:
            if (
                isinstance(properties.get(name), str)
                and properties[name].strip()
                and properties.get("show_label", True)
            ):
                yield properties[name]
        if component["type"] in TEXTS and isinstance(properties.get("value"), str) and properties["value"].strip():
            yield properties["value"]
        value = properties.get("value")
        if component["type"] == "html" and isinstance(value, str) and re.sub(r"<[^>]*>", "", value).strip():
            yield value
