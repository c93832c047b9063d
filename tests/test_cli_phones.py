"""`gsv phones` shows what a text is read as."""

import json
from pathlib import Path

import pytest

from gsv.cli import main


def printed(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> str:
    main_until_exit("--home", str(home), "phones", *arguments)
    return capsys.readouterr().out


def main_until_exit(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code in (0, None), ended.value.code


def test_stretches_are_shown_as_spoken_with_their_phones(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = printed(capsys, tmp_path, "Dr. Lee went to 重庆 often.", "--lang", "zh").splitlines()
    assert [line[:2] for line in lines[::2]] == ["en", "zh", "en"]
    assert lines[0] == "en  Doctor Lee went to "
    assert lines[3].strip() == "ch ong2 q ing4"


def test_programs_get_all_that_is_known(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = json.loads(printed(capsys, tmp_path, "我们去长城，好。", "--lang", "zh", "--json"))
    ((segment,),) = [piece["segments"] for piece in answer["pieces"]]
    assert segment["language"] == "zh"
    assert segment["text"] == "我们去长城，好。"
    assert segment["norm_text"] == "我们去长城,好."
    assert len(segment["phones"]) == len(segment["ids"]) == sum(segment["word2ph"])


def test_a_text_is_shown_in_the_pieces_that_are_spoken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = 'Hello there.<break time="1s"/>How are you?'
    answer = json.loads(printed(capsys, tmp_path, text, "--lang", "en", "--split", "cut5", "--json"))
    assert [piece["text"] for piece in answer["pieces"]] == ['Hello there.<break time="1000ms"/>', "How are you?"]


def test_the_dictionary_of_the_project_counts_unless_another_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "pronunciations.txt").write_text("[en]\nlive = L AY1 V\n")
    other = tmp_path / "other.txt"
    other.write_text("[en]\nlive = L EH1 V\n")
    assert "L AY1 V" in printed(capsys, tmp_path, "We live here.", "--lang", "en")
    assert "L EH1 V" in printed(capsys, tmp_path, "We live here.", "--lang", "en", "--dictionary", str(other))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Hello <break>", "--lang", "en"), "markup"),
        (("Hello", "--lang", "xx"), "no language 'xx'"),
        (("Hello", "--dictionary", "nowhere.txt"), "nowhere.txt is not there"),
        (("...", "--lang", "en"), "nothing that can be spoken"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--home", str(tmp_path), "phones", *arguments])
    assert said in str(ended.value.code)
    assert "\n" not in str(ended.value.code)
