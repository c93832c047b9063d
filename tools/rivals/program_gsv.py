"""gsv itself, by the way that its engine takes; the variant `fast` is `--fast`."""

import gsv  # noqa: F401  Before torch: it tells OpenMP how to wait.

# isort: split
from pathlib import Path

import numpy as np
import torch
from worker import Inputs, Job, Worker, installed, serve

from gsv.checkpoints import read_generator, read_gpt
from gsv.devices import fresh_memory
from gsv.models.sovits import Sovits
from gsv.models.t2s import T2S
from gsv.synthesis.decoder import Row, generate
from gsv.synthesis.sampling import SamplingOptions


class Gsv(Worker):
    @torch.inference_mode()
    def __init__(self, job: Job):
        fast = job.variant == "fast"
        # As `Engine.load` does it, but for what looks at references and texts.
        with fresh_memory():
            generator = read_generator(Path(job.sovits))
            sovits = Sovits.from_weights(generator.config["model"], generator.weight)
            del generator
            self.sovits = sovits.for_inference(brief=fast)
            gpt = read_gpt(Path(job.gpt))
            t2s = T2S.from_weights(gpt.config["model"], gpt.weight)
            del gpt
            self.t2s = t2s.for_decoding(brief=fast)
        inputs = Inputs(job.inputs)
        self.codes = inputs.codes.tolist()
        self.text = torch.from_numpy(inputs.phonemes)[None]
        self.phonemes = torch.from_numpy(inputs.all_phonemes)
        self.bert = torch.zeros(self.t2s.config.bert_dim, len(self.phonemes))
        self.prompt = torch.from_numpy(inputs.prompt)
        # A voice keeps its timbre: it is not computed for every sentence.
        self.timbre = self.sovits.voice(torch.from_numpy(inputs.spec))
        self.versions = installed("gsv", "torch", "numpy")

    @torch.inference_mode()
    def draw(self, count: int, top_k: int) -> list[int]:
        generator = torch.Generator().manual_seed(0)
        options = SamplingOptions(top_k=top_k)
        row = Row(self.phonemes, self.bert, self.prompt, generator, options, limit=count)
        return list(generate(self.t2s, [row]))[-1][0].tokens

    @torch.inference_mode()
    def sound(self, codes: list[int], noise: float) -> np.ndarray:
        wave = self.sovits.decode(torch.tensor(codes)[None], self.text, self.timbre, noise_scale=noise)
        return wave[0, 0].float().numpy()


if __name__ == "__main__":
    serve(Gsv)
