"""Fine-tuning the finished set on a human's clips, as a user would, and what it gains on clips that were kept back."""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gsv.audio.io import Samples, load
from gsv.audio.spectral import SOVITS_STFT, log_mel
from gsv.dataset.features import PrepareOptions, prepare
from gsv.dataset.listing import Line, read_list, write_list
from gsv.paths import Project
from gsv.synthesis.engine import Engine
from gsv.training.gpt import GptTrainOptions, train_gpt
from gsv.training.sovits import SovitsTrainOptions, train_sovits
from tiny.acceptance import LANGUAGE, Candidate
from tiny.codes import VERSION
from tiny.gates import Score
from tiny.humans import HELD
from tiny.judging import Recogniser, Tally
from tiny.machine import MACHINE
from tiny.references import advised
from tiny.sentences import words_of

EXPERIMENT = "lj"
SOVITS_EPOCHS = 16
GPT_EPOCHS = 6
MOST_MINUTES = 15.0
# Mel-cepstral distance: as many cepstra as are usual, without the first, which is loudness.
CEPSTRA = 13


@dataclass(frozen=True)
class Tuned:
    """The project folder that a fine-tuning made, and the minutes that it took, features included."""

    project: Project
    minutes: float

    def engine(self) -> Engine:
        (gpt,) = (self.project.root / VERSION.gpt_folder).glob(f"{EXPERIMENT}-*.ckpt")
        (sovits,) = (self.project.root / VERSION.sovits_folder).glob(f"{EXPERIMENT}_*.pth")
        return Engine.load(gpt, sovits, project=self.project, device="cpu")


def speaker_clips(listing: Path, humans: Path) -> tuple[list[Line], list[Line]]:
    """The lines of the first speaker of a list that are there: those to train on, and those that are kept back."""
    lines = [replace(line, audio=str(humans / line.audio)) for line in read_list(listing)]
    training = [line for line in lines[:-HELD] if Path(line.audio).is_file()]
    back = [line for line in lines[-HELD:] if line.speaker == training[0].speaker and Path(line.audio).is_file()]
    return training, back


def tune(candidate: Candidate, lines: Sequence[Line]) -> Tuned:
    """Fine-tunes a copy of the set, in a folder beside what it has said; one that is there is used again."""
    project = Project(candidate.folder / "tuning")
    done = project.root / "minutes"
    if not done.is_file():
        shutil.rmtree(project.root, ignore_errors=True)
        folder = candidate.base.generator.parent
        shutil.copytree(folder, project.pretrained / folder.name)
        listing = project.root / f"{EXPERIMENT}.list"
        write_list(listing, lines)
        began = time.monotonic()
        prepare(PrepareOptions(listing, EXPERIMENT, project=project))
        train_sovits(
            SovitsTrainOptions(
                EXPERIMENT, epochs=SOVITS_EPOCHS, save_every_weights=False, machine=MACHINE, project=project
            )
        )
        train_gpt(
            GptTrainOptions(EXPERIMENT, epochs=GPT_EPOCHS, save_every_weights=False, machine=MACHINE, project=project)
        )
        done.write_text(f"{(time.monotonic() - began) / 60:.2f}", encoding="utf-8")
    return Tuned(project, float(done.read_text(encoding="utf-8")))


def judge_tuning(
    candidate: Candidate, listing: Path, humans: Path, texts: Sequence[str], pictures: Path
) -> Iterator[Score]:
    """Distance to the clips that were kept back and word error, before and after; and pictures of both."""
    training, back = speaker_clips(listing, humans)
    clip, transcript = advised([(Path(line.audio), line.text) for line in training], EXPERIMENT)
    tuned = tune(candidate, training)
    recogniser = Recogniser()
    distances: dict[str, float] = {}
    errors: dict[str, float] = {}
    for state, engine in (("before", candidate.engine), ("after", tuned.engine())):
        voice = engine.voice(clip, transcript, LANGUAGE)
        found = []
        for number, line in enumerate(back):
            wave = engine.speak(line.text, LANGUAGE, voice, candidate.options).wave
            real = load(line.audio, VERSION.sampling_rate)
            found.append(cepstral_distance(real, wave))
            draw(wave, pictures / f"{state}-{number}.png")
            draw(real, pictures / f"human-{number}.png")
        tally = Tally()
        for text in texts:
            speech = engine.speak(text, LANGUAGE, voice, candidate.options)
            tally.add(words_of(text), recogniser.words(speech.wave, speech.sampling_rate))
        distances[state], errors[state] = float(np.mean(found)), tally.rate
        yield Score(f"{state} fine-tuning: Mel-cepstral distance in dB", distances[state])
        yield Score(f"{state} fine-tuning: word error", errors[state])
    yield Score(
        "fine-tuning: distance after it, as a part of that before", distances["after"] / distances["before"], 0.9
    )
    yield Score("fine-tuning: rise of word error", errors["after"] - errors["before"], 0.0)
    yield Score("fine-tuning: minutes", tuned.minutes, MOST_MINUTES)


def cepstral_distance(real: Samples, made: Samples) -> float:
    """Mel-cepstral distance in dB of two waves at the set's rate, along the path in time that makes it least."""
    first, second = _cepstra(real), _cepstra(made)
    # The other way, by a product, finds some distance between equal spectra on some processors.
    distances = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    return _warped_mean(distances * (10 / np.log(10) * np.sqrt(2)))


def _cepstra(wave: Samples) -> torch.Tensor:
    """[frames, cepstra] of a wave, the zeroth left out."""
    mel = log_mel(torch.from_numpy(wave)[None], SOVITS_STFT)[0].T
    bands = mel.shape[1]
    angles = torch.pi / bands * (torch.arange(bands) + 0.5)[:, None] * torch.arange(1, CEPSTRA + 1)
    return mel @ angles.cos() * (2.0 / bands) / 2.0


def _warped_mean(costs: np.ndarray) -> float:
    """The mean cost along the cheapest way through [N, M] from corner to corner (dynamic time warping)."""
    total = np.full((costs.shape[0] + 1, costs.shape[1] + 1), np.inf)
    steps = np.zeros_like(total)
    total[0, 0] = 0
    for i in range(1, total.shape[0]):
        for j in range(1, total.shape[1]):
            before = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda place: total[place])
            total[i, j] = total[before] + costs[i - 1, j - 1]
            steps[i, j] = steps[before] + 1
    return float(total[-1, -1] / steps[-1, -1])


def draw(wave: Samples, path: Path) -> None:
    """The log-Mel spectrogram as a grey picture, low sounds below."""
    mel = log_mel(torch.from_numpy(wave)[None], SOVITS_STFT)[0].flip(0)
    bright = ((mel - mel.max() + 9) / 9).clamp(0, 1) * 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(bright.to(torch.uint8).numpy()).save(path)
