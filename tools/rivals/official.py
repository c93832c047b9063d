"""What the original and the forks that kept its layout have in common: two classes, and how they are called."""

from typing import Any

import numpy as np
import torch
from torch_tokens import Meter
from worker import PENALTY, Inputs, Job, Worker, find_checkout, installed


class Official(Worker):
    """Networks of a checkout. Which of the libraries in its requirements they need, the import errors tell."""

    def __init__(self, job: Job):
        find_checkout(job.folder)
        with torch.no_grad():
            self.sovits = self.loaded_sovits(torch.load(job.sovits, map_location="cpu", weights_only=True))
            self.t2s = self.loaded_t2s(torch.load(job.gpt, map_location="cpu", weights_only=True))
        inputs = Inputs(job.inputs)
        self.codes = inputs.codes.tolist()
        self.text = torch.from_numpy(inputs.phonemes)[None]
        self.phonemes = torch.from_numpy(inputs.all_phonemes)[None]
        self.bert = torch.zeros(1, 1024, self.phonemes.shape[1])
        self.prompt = torch.from_numpy(inputs.prompt)[None]
        self.spec = torch.from_numpy(inputs.spec)
        self.meter = Meter(self.t2s.ar_audio_embedding)
        self.versions = installed("torch", "numpy")

    def loaded_sovits(self, file: dict[str, Any]) -> Any:
        from module.models import SynthesizerTrn

        config = file["config"]
        data, train = config["data"], config["train"]
        network = SynthesizerTrn(
            data["filter_length"] // 2 + 1,
            train["segment_size"] // data["hop_length"],
            n_speakers=data["n_speakers"],
            **{**config["model"], "version": "v2"},
        )
        network.load_state_dict(file["weight"], strict=False)
        return network.eval()

    def loaded_t2s(self, file: dict[str, Any]) -> Any:
        from AR.models.t2s_model import Text2SemanticDecoder

        network = Text2SemanticDecoder(file["config"])
        network.load_state_dict({name.removeprefix("model."): tensor for name, tensor in file["weight"].items()})
        return network.eval()

    @torch.no_grad()
    def draw(self, count: int, top_k: int) -> list[int]:
        lengths = torch.tensor([self.phonemes.shape[1]])

        def run() -> object:
            return self.t2s.infer_panel(
                self.phonemes, lengths, self.prompt, self.bert, top_k=top_k, top_p=1, repetition_penalty=PENALTY
            )

        return self.meter.draw(count, run)

    @torch.no_grad()
    def sound(self, codes: list[int], noise: float) -> np.ndarray:
        wave = self.sovits.decode(torch.tensor(codes)[None, None], self.text, [self.spec], noise_scale=noise)
        return wave[0, 0].float().numpy()
