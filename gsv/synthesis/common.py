"""What all engines on one device share: the networks that look at references and text, and turns at computing."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from gsv.devices import fresh_memory
from gsv.models.bandwidth import BandwidthExtension
from gsv.models.brief import shorten
from gsv.models.encoders import ContentEncoder, TextEncoder, load_speaker_encoder
from gsv.models.mel_vocoders import MelVocoder
from gsv.models.planes import pack
from gsv.models.speaker import SpeakerEncoder
from gsv.paths import Project
from gsv.synthesis.flow import load_super_sampler, load_vocoder
from gsv.synthesis.turns import Turns
from gsv.text.frontend import Frontend
from gsv.text.symbols import TableName
from gsv.versions import FlowFacts

T = TypeVar("T")
E = TypeVar("E", ContentEncoder, TextEncoder)


class Common:
    """Each part is loaded when somebody first needs it, and once only, however many threads ask.

    `fast` gives the encoders of text and content weights of 8 bits on a CPU.
    """

    def __init__(self, project: Project, device: torch.device, dtype: torch.dtype, fast: bool = False):
        self.project = project
        self.device = device
        self.dtype = dtype
        self.fast = fast
        self.turns = Turns(both=device.type == "cpu")
        # For the front ends, whose libraries are not made for several threads.
        self.reading = threading.Lock()
        self._loading = threading.RLock()
        self._loaded: dict[tuple[str, object], Any] = {}

    def text_encoder(self) -> TextEncoder:
        return self._once(("text", ""), lambda: self.placed(TextEncoder.load(self.project.roberta)))

    def content_encoder(self, folder: Path) -> ContentEncoder:
        return self._once(("content", folder), lambda: self.placed(ContentEncoder.load(folder)))

    def speaker_encoder(self) -> SpeakerEncoder:
        path = self.project.speaker_encoder
        return self._once(("speaker", ""), lambda: load_speaker_encoder(path).to(self.device, self.dtype))

    def vocoder(self, facts: FlowFacts) -> MelVocoder:
        key = ("vocoder", facts.vocoder)
        return self._once(key, lambda: load_vocoder(self.project, facts).to(self.device, self.dtype))

    def super_sampler(self, name: str) -> BandwidthExtension:
        # In full precision, which costs little: half would make noise of quiet phases.
        return self._once(("super-sampler", name), lambda: load_super_sampler(self.project, name).to(self.device))

    def frontend(self, symbols: TableName) -> Frontend:
        return self._once(("frontend", symbols), lambda: Frontend.of(self.project, symbols))

    def placed(self, encoder: E) -> E:
        """An encoder where and how all engines here use it."""
        encoder = encoder.to(self.device, self.dtype)
        if self.device.type == "cpu":
            shorten(encoder) if self.fast else pack(encoder)
        return encoder

    def _once(self, key: tuple[str, object], load: Callable[[], T]) -> T:
        with self._loading:
            if key not in self._loaded:
                with fresh_memory():
                    self._loaded[key] = load()
            return self._loaded[key]
