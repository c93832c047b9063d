"""What a training has told TensorBoard so far: losses as lines, spectrograms and sounds of a sample."""

import base64
import threading
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from gsv.webui.words import Words

_POINTS = 500
# Of the losses, in their order; no more are shown.
COLORS = ("#4f46e5", "#f97316", "#16a34a", "#dc2626", "#0891b2", "#a16207")
# So much of each is held in memory.
_KEPT = {"scalars": _POINTS, "images": 1, "audio": 1, "tensors": 1, "histograms": 1}


class Curves:
    """Reads the event files of trainings; what was read once is not read again. May be used from many threads."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._events: Any = None

    def read(self, folder: Path) -> tuple[pd.DataFrame, str]:
        """Losses as rows of (step, value, name), and pictures and sounds as HTML; empty without a training."""
        with self._lock:
            if not any(folder.glob("events.out.tfevents.*")):
                return pd.DataFrame({"step": [], "value": [], "name": []}), ""
            if folder != self._folder:
                # Takes a second to import.
                from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

                self._folder, self._events = folder, EventAccumulator(str(folder), _KEPT)
            self._events.Reload()
            losses = self._losses()
            return losses, _legend(dict.fromkeys(losses["name"])) + self._samples()

    def _losses(self) -> pd.DataFrame:
        names = [name for name in self._events.Tags()["scalars"] if name.startswith("loss")][: len(COLORS)]
        rows = [(one.step, one.value, name) for name in names for one in self._events.Scalars(name)]
        return pd.DataFrame(rows, columns=["step", "value", "name"])

    def _samples(self) -> str:
        tags = self._events.Tags()
        pictures = (
            (
                self._title(name),
                f'<img alt="{escape(name)}" src="{_inline("image/png", self._events.Images(name)[-1])}">',
            )
            for name in tags["images"]
        )
        sounds = (
            (self._title(name), f'<audio controls src="{_inline("audio/wav", self._events.Audio(name)[-1])}"></audio>')
            for name in tags["audio"]
        )
        return f'<div class="gsv-samples">{_figures(pictures)}{_figures(sounds)}</div>'

    def _title(self, tag: str) -> str:
        return self.words.texts.get(f"sample.{tag}", tag)


def _legend(names: Iterable[str]) -> str:
    entries = (
        f'<span><i style="background:{color}"></i>{escape(name)}</span>'
        for name, color in zip(names, COLORS, strict=False)
    )
    return f'<div class="gsv-legend">{"".join(entries)}</div>'


def _figures(named: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<figure>{what}<figcaption>{escape(name)}</figcaption></figure>" for name, what in named)


def _inline(kind: str, event: Any) -> str:
    data = getattr(event, "encoded_image_string", None) or event.encoded_audio_string
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
