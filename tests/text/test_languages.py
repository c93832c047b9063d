"""Language codes and the tags of list files are told apart, and wrong ones are named."""

import pytest

from gsv.errors import TextError
from gsv.text.languages import CODES, LANGUAGES, codes_of, language_code, language_of_tag
from gsv.text.symbols import TableName
from gsv.versions import VERSIONS


@pytest.mark.parametrize("name", sorted(VERSIONS))
def test_a_version_offers_the_codes_that_its_symbols_can_be_read_in(name: str) -> None:
    version = VERSIONS[name]
    assert sorted(version.languages) == sorted(codes_of(version.symbols))


@pytest.mark.parametrize(
    ("code", "table"), [("ko", "v1"), ("all_yue", "v1"), ("auto_yue", "v1"), ("xx", "v2"), ("", "v2")]
)
def test_unknown_code_is_named_with_the_known_ones(code: str, table: TableName) -> None:
    with pytest.raises(TextError, match=f"{code!r}.*choose one of auto, .*all_ja"):
        language_code(code, table)


def test_every_language_has_a_code_of_its_own() -> None:
    assert set(LANGUAGES["v2"]) == {rules.main for code, rules in CODES.items() if rules.main and len(code) < 4}


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("zh", "zh"),
        ("ZH", "zh"),
        ("zh-CN", "zh"),
        ("En", "en"),
        ("en_US", "en"),
        (" EN ", "en"),
        ("JP", "ja"),
        ("ko", "ko"),
    ],
)
def test_tags_of_list_files_are_read_as_users_write_them(tag: str, language: str) -> None:
    assert language_of_tag(tag) == language


@pytest.mark.parametrize("tag", ["klingon", "", "auto"])
def test_tags_of_other_languages_are_refused(tag: str) -> None:
    with pytest.raises(TextError, match="zh, en, ja, ko, yue"):
        language_of_tag(tag)
