"""What stages and checks say in English is said in the language of the page, where that has the sentence."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gsv
from gsv.webui.saying import FOLDER, saying_of

PLACE = re.compile(r"\{#?\}")
# Put together when they are said.
COMPOSED = {
    *("a number from {} to {}", "a whole number from {} to {}", "a whole number at least {}"),
    *("{} made", "{} already there", "{} left out", "{} failed"),
}


def templates(path: Path) -> Iterator[str]:
    """All texts of a module, with {} for what differs."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def own_words(template: str) -> tuple[str, ...]:
    """A template without its places, and without what a named argument adds in front."""
    return tuple(PLACE.split(template))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_sentence_is_one_that_the_program_says(path: Path) -> None:
    said = {part for module in Path(gsv.__file__).parent.rglob("*.py") for part in templates(module)}
    said |= {template.removeprefix("{}: ") for template in said} | {template.partition(": ")[2] for template in said}
    known = {own_words(template) for template in said}
    sentences = json.loads(path.read_text(encoding="utf-8"))
    assert [one for one in sentences if own_words(one) not in known and PLACE.sub("{}", one) not in COMPOSED] == []
    places = {one: set(map(int, re.findall(r"\{(\d)\}", other))) for one, other in sentences.items()}
    assert [one for one, used in places.items() if used != set(range(len(PLACE.findall(one))))] == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "inp: there is no file or folder /not/there; name one that exists.",
            "inp: 没有文件或文件夹 /not/there，请填写存在的路径。",
        ),
        ("n_parts is 99; it must be a whole number from 1 to 64.", "n_parts 的值为 99，应为1 到 64 之间的整数。"),
        (
            "transcribe slicer_opt: 12 made, 3 already there in 41.1 s",
            "识别 slicer_opt：完成 12, 已存在 3，用时 41.1 秒",
        ),
        (
            "Trained 1 epochs (24 steps) on 12 clips, each 8 times an epoch. Weights: /a b/x.pth",
            "训练 1 轮（24 步）：12 段音频，每轮各 8 遍。模型文件：/a b/x.pth",
        ),
        (
            "1a text: 12 made in 3.0 s\n1b audio: 12 made in 4.0 s",
            "1a 文本：完成 12，用时 3.0 秒\n1b 语音特征：完成 12，用时 4.0 秒",
        ),
        ("epoch 1/8, loss 2.31", "epoch 1/8, loss 2.31"),
        ("Something that nobody has put into Chinese.", "Something that nobody has put into Chinese."),
    ],
)
def test_sentences_are_said_in_chinese_with_what_differs_in_its_place(english: str, chinese: str) -> None:
    assert saying_of("zh_CN")(english) == chinese
    assert saying_of("en_US")(english) == english
