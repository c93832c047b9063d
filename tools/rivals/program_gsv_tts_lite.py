"""GSV-TTS-Lite, an installed package.

The variant `bfloat16` gives its networks that type, as its loaders allow; its class for users offers no such choice.
"""

import numpy as np
import torch
from torch_tokens import Meter
from worker import PENALTY, Inputs, Job, Worker, installed, serve, without_its_start

# Those that its class takes if nobody names others.
CACHES = [(1, 512), (1, 768), (1, 1024), (4, 512), (4, 1024)]


class Lite(Worker):
    @torch.inference_mode()
    def __init__(self, job: Job):
        without_its_start("gsv_tts")
        from gsv_tts.Config import Config
        from gsv_tts.Loader import get_gpt_weights, get_sovits_weights

        config = Config()
        config.device = torch.device("cpu")
        config.dtype = self.dtype = torch.bfloat16 if job.variant == "bfloat16" else torch.float32
        config.use_flash_attn = False
        config.gpt_cache, config.sovits_cache = CACHES, []
        self.sovits = get_sovits_weights(job.sovits, config).vq_model
        self.t2s = get_gpt_weights(job.gpt, config).t2s_model
        inputs = Inputs(job.inputs)
        self.codes = inputs.codes.tolist()
        self.text = torch.from_numpy(inputs.phonemes)[None]
        self.phonemes = torch.from_numpy(inputs.all_phonemes)[None]
        self.bert = torch.zeros(1, self.phonemes.shape[1], 1024, dtype=self.dtype)
        self.prompt = torch.from_numpy(inputs.prompt)[None]
        # Its class keeps this for every speaker.
        self.timbre = self.sovits.get_ge(torch.from_numpy(inputs.spec).to(self.dtype))
        self.meter = Meter(self.t2s.ar_audio_embedding)
        self.versions = installed("gsv-tts-lite", "torch", "numpy")

    @torch.inference_mode()
    def draw(self, count: int, top_k: int) -> list[int]:
        def run() -> object:
            return self.t2s.infer(self.phonemes, self.prompt, self.bert, top_k=top_k, repetition_penalty=PENALTY)

        return self.meter.draw(count, run)

    @torch.inference_mode()
    def sound(self, codes: list[int], noise: float) -> np.ndarray:
        wave, _ = self.sovits.decode(torch.tensor(codes)[None, None], self.text, self.timbre, noise_scale=noise)
        return wave[0, 0].float().numpy()


if __name__ == "__main__":
    serve(Lite)
