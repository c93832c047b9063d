"""Emotions of texts by a classifier of the user's own, instead of the lexicon: a transformers model in a folder."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from gsv.errors import InputError
from gsv.synthesis.manner import EMOTIONS, NEUTRAL, Vector

FILE = "classifier.yaml"
_MOST_TOKENS = 512
# What labels mean that say nothing of themselves in the file; those of other names mean no emotion.
LABELS: dict[str, dict[str, float]] = {
    **{name: {name: 1.0} for name in EMOTIONS},
    "joy": {"happy": 1.0},
    "love": {"happy": 0.6, "calm": 0.4},
    "anger": {"angry": 1.0},
    "sadness": {"sad": 1.0},
    "fear": {"afraid": 1.0},
    "disgust": {"disgusted": 1.0},
    "surprise": {"surprised": 1.0},
    "neutral": {"calm": 0.3},
}
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True)
class Choice:
    """`classifier.yaml`: the folder of the model, beside the file or anywhere, and what its labels mean."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    model: Path
    labels: dict[str, dict[str, Share]] = field(default_factory=dict)


_CHOICE = TypeAdapter(Choice)


class Classifier:
    """A text-classification model whose labels stand for emotions. Threads may share it."""

    def __init__(self, model: Any, tokenizer: Any, meanings: Mapping[int, Vector]):
        self._model, self._tokenizer = model, tokenizer
        self._meanings = np.array([meanings[i] for i in sorted(meanings)])
        # A tokenizer cannot be used by several threads at once.
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> "Classifier | None":
        """The classifier that `classifier.yaml` in a folder names; None where there is no such file.

        Nothing is downloaded, and nothing that comes with the model is run. Raises InputError, which names the file.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            choice = _CHOICE.validate_python(yaml.safe_load(path.read_text("utf-8")))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not right YAML; it needs model, and may have labels.") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"{path}, {'.'.join(map(str, first['loc'])) or 'all'}: {first['msg']}.") from error
        model, tokenizer = _opened(folder / choice.model, path)
        labels = {int(i): str(label) for i, label in model.config.id2label.items()}
        unknown = choice.labels.keys() - labels.values()
        if unknown:
            raise InputError(f"{path} names labels that the model does not have: {', '.join(sorted(unknown))}.")
        known = {label.lower(): meaning for label, meaning in {**LABELS, **choice.labels}.items()}
        meanings = {i: _vector(known.get(label.lower(), {}), path) for i, label in labels.items()}
        if not any(map(any, meanings.values())):
            raise InputError(f"{path} does not say what the model's labels mean: {', '.join(labels.values())}.")
        return cls(model, tokenizer, meanings)

    @torch.inference_mode()
    def __call__(self, text: str) -> Vector:
        """The emotion of a description: the labels' meanings, each as strong as the label is likely."""
        # What is no character cannot be tokenized.
        right = text.encode("utf-8", "replace").decode("utf-8")
        with self._lock:
            given = self._tokenizer(right, return_tensors="pt", truncation=True, max_length=_MOST_TOKENS)
        if not given["input_ids"].numel():
            return NEUTRAL
        likely = self._model(**given).logits[0].softmax(-1).double().numpy()
        return tuple(float(value) for value in np.clip(likely @ self._meanings, 0, 1))


def _opened(folder: Path, path: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    if not (folder / "config.json").is_file():
        raise InputError(f"{path} names {folder}, which is no folder of a transformers text-classification model.")
    try:
        # Of the forms that weights come in, this one cannot run anything.
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"The classifier in {folder} cannot be loaded: {reason}") from error
    return model.eval(), tokenizer


def _vector(meaning: Mapping[str, float], path: Path) -> Vector:
    unknown = meaning.keys() - set(EMOTIONS)
    if unknown:
        raise InputError(f"{path}: {', '.join(sorted(unknown))} is not one of {', '.join(EMOTIONS)}.")
    return tuple(float(meaning.get(name, 0.0)) for name in EMOTIONS) if meaning else NEUTRAL
