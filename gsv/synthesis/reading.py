"""Text into what the networks take: phoneme ids and, for the languages that have them, RoBERTa features."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gsv.models.encoders import TextEncoder
from gsv.synthesis.turns import Turns
from gsv.text.frontend import Frontend, Reading
from gsv.text.languages import WITH_FEATURES


@dataclass(frozen=True)
class Phonemes:
    """One piece of text: ids [X] of int64, features [1024, X], and the text as it is spoken."""

    ids: Tensor
    bert: Tensor
    norm_text: str

    def __len__(self) -> int:
        return len(self.ids)

    def then(self, other: "Phonemes") -> "Phonemes":
        """This text followed by another."""
        return Phonemes(
            torch.cat([self.ids, other.ids]),
            torch.cat([self.bert, other.bert], dim=1),
            self.norm_text + other.norm_text,
        )


@dataclass(frozen=True)
class Reader:
    """The text front end and the text encoder, which is only loaded when a text needs it."""

    frontend: Frontend
    text_encoder: Callable[[], TextEncoder]
    bert_width: int
    device: torch.device
    dtype: torch.dtype
    # The front end reads for one thread at a time.
    lock: threading.Lock
    turns: Turns

    def pieces(self, text: str, language: str, method: str) -> list[str]:
        """Text cut into pieces that are spoken one at a time; TextError when nothing in it can be spoken."""
        with self.lock:
            return self.frontend.pieces(text, language, method)

    def read(self, text: str, language: str) -> Phonemes:
        """One piece of text."""
        with self.lock:
            readings = self.frontend.read(text, language)
        ids = [index for reading in readings for index in reading.ids]
        bert = torch.cat([self._features(reading) for reading in readings], dim=1)
        norm_text = "".join(reading.norm_text for reading in readings)
        return Phonemes(torch.tensor(ids, device=self.device), bert, norm_text)

    def read_transcript(self, text: str, language: str) -> Phonemes:
        """The words of a reference, closed with a mark as the models expect."""
        return self.read(self.frontend.closed(text.strip(), language), language)

    def _features(self, reading: Reading) -> Tensor:
        if reading.language in WITH_FEATURES and reading.word2ph is not None:
            encoder = self.text_encoder()
            with self.turns.turn("pass"):
                features = encoder.features(reading.norm_text, reading.word2ph)
            return features.to(self.device, self.dtype)
        return torch.zeros(self.bert_width, len(reading.ids), device=self.device, dtype=self.dtype)
