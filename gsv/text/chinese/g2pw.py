"""G2PW: a BERT that chooses the reading of a Mandarin character from the sentence around it.

Source: Chen et al., "g2pW: A Conditional Weighted Softmax BERT for Polyphone Disambiguation in Mandarin", Interspeech
2022 (https://github.com/GitYCC/g2pW); files of G2PWModel 1.1 as PaddleSpeech exported it.

Tried: everything around the network, with a small stand-in for its session. Not tried: the official g2pW.onnx itself,
which is a download of several hundred megabytes.
"""

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC
from pypinyin import Style, pinyin

from gsv.errors import CheckpointError, MissingWeightsError
from gsv.text.chinese.polyphones import unread
from gsv.text.chinese.verbalise import traditional_to_simplified

_CONTEXT = 16
# A BERT has positions for 512 tokens, two of which are [CLS] and [SEP].
_LONGEST_WINDOW = 510
# The network reads its window once for each character it is asked about; more tokens at once take too much memory.
_TOKENS_AT_ONCE = 1 << 14
_INPUTS = frozenset(("input_ids", "token_type_ids", "attention_mask", "phoneme_mask", "char_ids", "position_ids"))
# Characters on the model's lists whose listed readings are not those of Mandarin as it is spoken; pypinyin reads them.
_NOT_PREDICTED = frozenset("一不和咋嗲剖差攢倒難奔勁拗肖瘙誒泊听噢")
_NOT_FIXED = frozenset("似攢")


class Session(Protocol):
    """What is used of an onnxruntime.InferenceSession."""

    def run(self, output_names: None, input_feed: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """The outputs; the first one is probabilities [queries, labels]."""
        ...


@dataclass(frozen=True)
class G2PW:
    """A `PolyphoneModel`: reads a clause of normalised text, one pinyin for each character.

    session: takes input_ids, token_type_ids, attention_mask [Q, T] of int64, phoneme_mask [Q, L] of float32, char_ids
        and position_ids [Q] of int64 and gives probabilities [Q, L]; Q characters asked for, T tokens, L labels.
    token_ids: the tokenizer's vocabulary.
    labels: the readings the network tells apart, in bopomofo with a tone digit, in the order of its outputs.
    readings: for each character it knows, in traditional script, the positions in `labels` it may have.
    fixed: bopomofo of characters with one reading.
    syllables: bopomofo without tone -> pinyin.
    masked: whether a character's other readings are ruled out in the network; otherwise all are allowed.
    """

    session: Session
    token_ids: Mapping[str, int]
    labels: Sequence[str]
    readings: Mapping[str, Sequence[int]]
    fixed: Mapping[str, str]
    syllables: Mapping[str, str]
    masked: bool = True
    _traditional: OpenCC = field(default_factory=lambda: OpenCC("s2tw"), repr=False, compare=False)
    _characters: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The network numbers its characters in sorted order.
        numbered = {character: number for number, character in enumerate(sorted(self.readings))}
        object.__setattr__(self, "_characters", numbered)

    @classmethod
    def load(cls, folder: Path, tokenizer: Path) -> "G2PW":
        """The model in `folder` (G2PWModel 1.1), with the vocabulary of the text encoder in `tokenizer`.

        Raises:
            MissingWeightsError: a file is not there.
            CheckpointError: a file is not what it should be.
        """
        pairs = _pairs(folder, "POLYPHONIC_CHARS.txt")
        settings = _settings(folder)
        # One variant of the model tells the same sound of two characters apart.
        by_character = bool(settings.get("use_char_phoneme", False))
        named = [(character, f"{character} {sound}" if by_character else sound) for character, sound in pairs]
        labels = sorted({label for _, label in named})
        positions = {label: position for position, label in enumerate(labels)}
        readings: dict[str, list[int]] = {}
        for character, label in named:
            readings.setdefault(character, []).append(positions[label])
        return cls(
            session=_session(_existing(folder, "g2pW.onnx", "g2pw.onnx")),
            token_ids=_vocabulary(tokenizer),
            labels=labels,
            readings=readings,
            fixed=dict(_pairs(folder, "MONOPHONIC_CHARS.txt")),
            syllables=_json(_existing(folder, "bopomofo_to_pinyin_wo_tune_dict.json")),
            masked=bool(settings.get("use_mask", True)),
        )

    def __call__(self, clause: str) -> list[str]:
        """One entry for each character of the clause: pinyin with its tone as a digit; a mark stands for itself."""
        text = self._to_traditional(clause)
        # What the network is not asked about, or answers with a sound that pinyin does not have, pypinyin reads.
        simplified = traditional_to_simplified(text)
        read = pinyin(simplified, style=Style.TONE3, errors=unread, neutral_tone_with_five=True)
        fallback = [reading[0] for reading in read]
        result = list(fallback)
        for position, character in enumerate(text):
            if character in self.fixed and character not in _NOT_FIXED:
                result[position] = self._pinyin(self.fixed[character]) or fallback[position]
        asked = [
            position
            for position, character in enumerate(text)
            if character in self.readings and character not in _NOT_PREDICTED
        ]
        for together in _within_reach(asked):
            for position, sound in zip(together, self._predict(text, together), strict=True):
                result[position] = self._pinyin(sound) or fallback[position]
        return result

    def _to_traditional(self, clause: str) -> str:
        converted = self._traditional.convert(clause)
        if len(converted) == len(clause):
            return converted
        # A phrase that changes its length would shift every position behind it.
        return "".join(self._traditional.convert(character)[:1] or character for character in clause)

    def _predict(self, text: str, asked: Sequence[int]) -> list[str]:
        start = max(0, asked[0] - _CONTEXT)
        window = text[start : asked[-1] + _CONTEXT + 1].lower()
        tokens = ["[CLS]", *window, "[SEP]"]
        ids = [self.token_ids.get(token, self.token_ids["[UNK]"]) for token in tokens]
        rows = max(1, _TOKENS_AT_ONCE // len(ids))
        batches = (asked[first : first + rows] for first in range(0, len(asked), rows))
        return [sound for batch in batches for sound in self._answers(text, ids, start, batch)]

    def _answers(self, text: str, ids: Sequence[int], start: int, asked: Sequence[int]) -> list[str]:
        input_ids = np.tile(np.array(ids, dtype=np.int64), (len(asked), 1))
        mask = np.full((len(asked), len(self.labels)), 0.0 if self.masked else 1.0, dtype=np.float32)
        if self.masked:
            for row, position in enumerate(asked):
                mask[row, list(self.readings[text[position]])] = 1.0
        probabilities = self.session.run(
            None,
            {
                "input_ids": input_ids,
                "token_type_ids": np.zeros_like(input_ids),
                "attention_mask": np.ones_like(input_ids),
                "phoneme_mask": mask,
                "char_ids": np.array([self._characters[text[position]] for position in asked], dtype=np.int64),
                # One more for [CLS], which stands first.
                "position_ids": np.array([position - start + 1 for position in asked], dtype=np.int64),
            },
        )[0]
        if probabilities.shape != mask.shape:
            raise CheckpointError(
                f"The polyphone model answers with {probabilities.shape} numbers where its list of sounds wants "
                f"{mask.shape}; take g2pW.onnx and POLYPHONIC_CHARS.txt from the same G2PWModel 1.1."
            )
        return [self.labels[best].split(" ")[-1] for best in np.argmax(probabilities, axis=1)]

    def _pinyin(self, bopomofo: str) -> str | None:
        syllable = self.syllables.get(bopomofo[:-1])
        return syllable + bopomofo[-1] if syllable else None


def _within_reach(positions: Sequence[int]) -> list[list[int]]:
    """The positions in runs that one window holds together with the context around them."""
    runs: list[list[int]] = []
    for position in positions:
        if runs and position - runs[-1][0] < _LONGEST_WINDOW - 2 * _CONTEXT:
            runs[-1].append(position)
        else:
            runs.append([position])
    return runs


def _existing(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise MissingWeightsError(f"{folder / names[0]} is not there; put all files of G2PWModel 1.1 into {folder}.")


def _pairs(folder: Path, name: str) -> list[tuple[str, str]]:
    path = _existing(folder, name)
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines() if line.strip()]
    if not lines or any(len(line) != 2 for line in lines):
        raise CheckpointError(f"{path} should have a character and a sound on each line, with a tab between them.")
    return [(character, sound) for character, sound in lines]


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} should hold one JSON object.")
    return content


def _settings(folder: Path) -> dict[str, Any]:
    """Plain values that the model's config.py assigns; the file is read, not run."""
    path = _existing(folder, "config.py")
    try:
        statements = ast.parse(path.read_text("utf-8")).body
        return {
            target.id: ast.literal_eval(statement.value)
            for statement in statements
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
    except (SyntaxError, ValueError):
        raise CheckpointError(f"{path} should assign plain values only.") from None


def _vocabulary(folder: Path) -> dict[str, int]:
    if (folder / "vocab.txt").is_file():
        lines = (folder / "vocab.txt").read_text("utf-8").splitlines()
        ids = {token: number for number, token in enumerate(lines)}
    else:
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise MissingWeightsError(f"{path} is not there; get the text encoder with: gsv download v2")
        ids = _json(path).get("model", {}).get("vocab", {})
    if not {"[CLS]", "[SEP]", "[UNK]"} <= ids.keys():
        raise CheckpointError(f"The vocabulary in {folder} is not that of a BERT: it lacks [CLS], [SEP] or [UNK].")
    return ids


def _session(path: Path) -> Session:
    import onnxruntime

    usable = onnxruntime.get_available_providers()
    providers = [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in usable]
    try:
        session = onnxruntime.InferenceSession(str(path), providers=providers)
    except Exception as error:  # onnxruntime's errors have no common class
        raise CheckpointError(f"{path} is no model that onnxruntime can run; get G2PWModel 1.1 anew.") from error
    if missing := _INPUTS - {each.name for each in session.get_inputs()}:
        raise CheckpointError(f"{path} is not g2pW.onnx of G2PWModel 1.1: it has no input {min(missing)!r}.")
    network: Session = session
    return network
