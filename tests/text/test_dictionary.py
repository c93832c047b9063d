"""The user's pronunciation dictionary."""

import os
from pathlib import Path

import pytest

from gsv.errors import InputError
from gsv.text.frontend import Frontend

FILE = """\
# Names
[zh]
行长 = hang2 zhang3
行 = xing2

[en]
GIF = JH IH1 F
New York=N UW1 Y AO1 R
[ja]
今日 = こんにち
[ko]
값 = 갑
[yue]
行長 = hong4 zoeng2
"""


def phones(frontend: Frontend, text: str, language: str) -> str:
    return " ".join(phone for each in frontend.read(text, language) for phone in each.phones)


@pytest.mark.parametrize("encoded", [FILE.encode(), b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()])
def test_words_are_read_as_the_file_says_in_each_language(tmp_path: Path, encoded: bytes) -> None:
    path = tmp_path / "pronunciations.txt"
    path.write_bytes(encoded)
    frontend = Frontend(pronunciations=path)
    assert phones(frontend, "行长好行。", "zh") == "h ang2 zh ang3 h ao3 x ing2 ."
    assert phones(frontend, "A gif's in new york, gifs.", "en") == (
        "EY1 JH IH1 F S IH0 N N UW1 Y AO1 R , " + "G IH1 F S ."
    )
    assert "k o" in phones(frontend, "今日は晴れです。", "ja")[:4]
    assert phones(frontend, "값.. 값 도요.", "ko").startswith("ㄱ ㅏ ㅂ")
    assert phones(frontend, "行長好啊。", "yue").startswith("Yh Yong4 Yz Yoeng2")


def test_markup_goes_before_the_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "pronunciations.txt"
    path.write_text("[en]\nlive = L AY1 V\n")
    frontend = Frontend(pronunciations=path)
    assert phones(frontend, '<phoneme ph="L IH1 V">live</phoneme> live on', "en").startswith("L IH1 V L AY1 V")


def test_training_lines_are_read_by_it_too(tmp_path: Path) -> None:
    path = tmp_path / "pronunciations.txt"
    path.write_text("[en]\nlive = L AY1 V\n")
    reading = Frontend(pronunciations=path).read_for_training("They live here.", "en")
    assert " ".join(reading.phones).startswith("DH EY1 L AY1 V")


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pronunciations.txt"
    frontend = Frontend(pronunciations=path)
    usual = phones(frontend, "They live.", "en")
    path.write_text("[en]\nlive = L AY1 V\n")
    assert "L AY1 V" in phones(frontend, "They live.", "en")
    path.write_text("[en]\nlive = L EH1 V\n")
    os.utime(path, ns=(1, 1))
    assert "L EH1 V" in phones(frontend, "They live.", "en")
    path.unlink()
    assert phones(frontend, "They live.", "en") == usual


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = AA1", "line 1: there is no heading"),
        ("[en]\n\n# x\nlive", "line 4: 'live' is not a word and its reading; write it as GIF = JH IH1 F"),
        ("[xx]", "line 1: there is no language"),
        ("[en]\nlive = L AY V", "line 2: .*stress digit"),
        ("[zh]\n行 = hang", "line 2: .*tone digit"),
        ("[yue]\n行 = hong", "line 2: .*jyutping"),
        ("[ja]\n今 = ima", "line 2: .*kana"),
        ("[ko]\n값 = gap", "line 2: .*Hangul"),
    ],
)
def test_a_line_that_cannot_be_used_gets_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pronunciations.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        Frontend(pronunciations=path).read("hello", "en")


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pronunciations.txt"
    path.write_bytes("[zh]\n行 = xing2".encode("gbk"))
    with pytest.raises(InputError, match="not UTF-8"):
        Frontend(pronunciations=path).read("hello", "en")
