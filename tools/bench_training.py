"""Training steps of gsv beside those of the original: `python tools/bench.py --training [original=FOLDER[@PYTHON]]`.

FOLDER is a checkout of RVC-Boss/GPT-SoVITS, PYTHON an interpreter with its libraries. Both train random weights of
official widths on the same batch of clips, on a CPU in 32 bits, each half in a process of its own; they work in turn,
round by round. Reading of data is left out. Of the text-to-semantic model an update gathers four batches.
"""

import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from bench_compare import FailedError, Kind, Measured, choices, peak_of, skip, started, table, write_job
from gsv.checkpoints import read_generator, read_gpt
from gsv.models.sovits import SovitsConfig
from gsv.models.t2s import T2SConfig

SOVITS, GPT = "SoVITS", "text to semantic"
HALVES = {SOVITS: "sovits", GPT: "gpt"}
GSV = Kind("gsv", "training_gsv.py", HALVES, "")
KINDS = {
    "original": Kind(
        "original",
        "training_original.py",
        HALVES,
        "it needs: pip install torch numpy librosa torchmetrics tqdm einops x_transformers",
        is_checkout=True,
    )
}


@dataclass(frozen=True)
class Clips:
    """The batch: how many clips, of how many spectrogram frames (50 a second), phonemes and semantic tokens each."""

    count: int = 4
    frames: int = 200
    phonemes: int = 50
    tokens: int = 100


CLIPS = Clips()


@dataclass(frozen=True)
class TrainingResult:
    """The median of the rounds; memory is the process's, in MiB, None where the system does not tell.

    `first_loss` is that of the first step, from the same weights and clips, but with each program's own chance.
    """

    program: str
    half: str
    rounds: int
    threads: int | None
    clips: int
    seconds_a_step: float
    first_loss: float
    peak_mib: float | None
    busy_percent: float
    versions: str
    hardware: str
    times_original: float | None = None


def compare_training(
    programs: Sequence[str],
    rounds: int,
    hardware: str,
    narrow: bool = False,
    threads: int | None = None,
    clips: Clips = CLIPS,
) -> list[TrainingResult]:
    """gsv and the programs; raises InputError and GsvError as `bench_compare.compare` does."""
    chosen = choices(programs, GSV, KINDS)
    busy = psutil.cpu_percent(interval=1)
    made: list[TrainingResult] = []
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        job, _ = write_job(Path(folder), narrow)
        job["inputs"] = str(_written(Path(folder) / "batches.npz", job, clips))
        for half in HALVES:
            with ExitStack() as stack:
                going: dict[str, Measured] = {}
                first: dict[str, float] = {}
                for one in chosen:
                    name = one.kind.name
                    print(f"{name}, {half}, is loaded ...", file=sys.stderr)
                    try:
                        scratch = Path(folder) / f"{name}-{HALVES[half]}"
                        program = stack.enter_context(started(one, half, job, scratch, threads))
                        # The first step also allocates the optimiser's state.
                        first[name] = program.process.ask(do="step")["loss"]
                        going[name] = program
                    except FailedError as error:
                        skip(name, str(error))
                for index in range(rounds):
                    print(f"{half}: round {index + 1} of {rounds} ...", file=sys.stderr)
                    for program in list(going.values())[:: -1 if index % 2 else 1]:
                        program.note("step", program.process.ask(do="step")["seconds"])
                made += [
                    TrainingResult(
                        program=name,
                        half=half,
                        rounds=rounds,
                        threads=threads,
                        clips=clips.count,
                        seconds_a_step=round(statistics.median(program.seconds["step"]), 3),
                        first_loss=round(first[name], 2),
                        peak_mib=_whole(peak_of(program.process.pid)),
                        busy_percent=busy,
                        versions=program.versions,
                        hardware=hardware,
                    )
                    for name, program in going.items()
                ]
    return _with_ratios(made)


def _written(path: Path, job: dict[str, str], clips: Clips) -> Path:
    generator, gpt = read_generator(Path(job["sovits"])), read_gpt(Path(job["gpt"]))
    sovits = SovitsConfig.from_weights(generator.config["model"], generator.weight)
    t2s = T2SConfig.from_dict(gpt.config["model"])
    draw = np.random.default_rng(1)
    np.savez(
        path,
        ssl=draw.standard_normal((clips.count, sovits.ssl_dim, clips.frames), np.float32),
        spec=draw.random((clips.count, sovits.spec_channels, clips.frames), np.float32),
        wave=0.1 * draw.standard_normal((clips.count, 1, sovits.samples_per_frame * clips.frames), np.float32),
        text=draw.integers(1, t2s.phoneme_vocab_size, (clips.count, clips.phonemes)),
        bert=draw.standard_normal((clips.count, t2s.bert_dim, clips.phonemes), np.float32),
        tokens=draw.integers(0, t2s.EOS, (clips.count, clips.tokens)),
    )
    return path


def _whole(mib: float | None) -> float | None:
    return None if mib is None else round(mib)


def _with_ratios(results: Sequence[TrainingResult]) -> list[TrainingResult]:
    original = {result.half: result.seconds_a_step for result in results if result.program == "original"}
    return [
        replace(result, times_original=round(original[result.half] / result.seconds_a_step, 2))
        if result.half in original
        else result
        for result in results
    ]


def training_table(results: Sequence[TrainingResult]) -> str:
    """The results as a table in Markdown."""
    head = ["half", "program", "seconds a step", "times as fast as the original", "peak, MiB", "first loss"]
    rows = [
        [
            one.half,
            one.program,
            f"{one.seconds_a_step:.2f}",
            "-" if one.times_original is None else f"{one.times_original:.2f}",
            "-" if one.peak_mib is None else f"{one.peak_mib:.0f}",
            f"{one.first_loss:.1f}",
        ]
        for one in results
    ]
    return table(head, rows)
