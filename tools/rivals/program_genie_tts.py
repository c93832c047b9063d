"""Genie-TTS, an installed package that runs ONNX models, which its own converter makes of the weights.

How a token is chosen and how much noise the sound has is written into those models, so there is nothing to compare.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from worker import Inputs, Job, Worker, installed, serve, without_its_start

NAME = "compared"


class EnoughError(Exception):
    def __init__(self, tokens: np.ndarray):
        self.tokens = tokens


class Limited:
    """The session of one step, run as often as asked; then EnoughError brings what has been drawn so far."""

    def __init__(self, session: Any, runs: int):
        self._session = session
        self._left = runs

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, names: Any, feed: dict[str, np.ndarray]) -> Any:
        if not self._left:
            raise EnoughError(next(iter(feed.values()))[0])
        self._left -= 1
        return self._session.run(names, feed)


class Genie(Worker):
    greedy = False
    quiet = False

    def __init__(self, job: Job):
        start = time.perf_counter()
        prepare(job)
        self.converted_s = time.perf_counter() - start
        without_its_start("genie_tts")
        from genie_tts.Core.Inference import GENIE
        from genie_tts.ModelManager import model_manager

        if not model_manager.load_character(NAME, str(models_of(job)), "Japanese"):
            raise RuntimeError("it could not load the models that its converter made")
        self.model = model_manager.get(NAME)
        self.client = GENIE()
        self.inputs = Inputs(job.inputs)
        self.codes = self.inputs.codes.tolist()
        self.versions = installed("genie-tts", "onnxruntime", "numpy")

    def draw(self, count: int, top_k: int) -> list[int]:
        try:
            self.client.t2s_cpu(
                ref_seq=self.inputs.prompt_phonemes[None],
                ref_bert=np.zeros((len(self.inputs.prompt_phonemes), 1024), np.float32),
                text_seq=self.inputs.phonemes[None],
                text_bert=np.zeros((len(self.inputs.phonemes), 1024), np.float32),
                ssl_content=self.inputs.content,
                encoder=self.model.T2S_ENCODER,
                first_stage_decoder=self.model.T2S_FIRST_STAGE_DECODER,
                # The first token comes from the stage before.
                stage_decoder=Limited(self.model.T2S_STAGE_DECODER, count - 1),
            )
        except EnoughError as enough:
            return enough.tokens[-count:].tolist()
        raise RuntimeError(f"it ended before {count} tokens were drawn")

    def sound(self, codes: list[int], noise: float) -> np.ndarray:
        feed = {
            "text_seq": self.inputs.phonemes[None],
            "pred_semantic": np.array(codes)[None, None],
            "ref_audio": self.inputs.wave[None],
        }
        return self.model.VITS.run(None, feed)[0].reshape(-1)


def models_of(job: Job) -> Path:
    return Path(job.scratch) / "models"


def prepare(job: Job) -> None:
    """Converts the weights in a process of its own, so that what this takes is not counted; gives it an empty home.

    Raises ImportError if the package or what its converter needs is not there.
    """
    home = Path(job.scratch) / "home"
    (home / "chinese-hubert-base").mkdir(parents=True, exist_ok=True)
    (home / "speaker_encoder.onnx").touch()
    os.environ["GENIE_DATA_DIR"] = str(home)
    command = [sys.executable, __file__, "convert", job.gpt, job.sovits, str(models_of(job))]
    done = subprocess.run(command, stdout=sys.stderr, check=False)
    if done.returncode == 3:
        raise ImportError("its converter needs genie-tts, onnx and torch")
    if done.returncode or not models_of(job).is_dir():
        raise RuntimeError("its converter failed")


def convert(gpt: str, sovits: str, models: str) -> int:
    try:
        without_its_start("genie_tts")
        from genie_tts.Converter.Converter import convert as converted
    except ImportError as error:
        print(error, file=sys.stderr)
        return 3
    converted(gpt, sovits, models)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["convert"]:
        sys.exit(convert(*sys.argv[2:]))
    serve(Genie)
