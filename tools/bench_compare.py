"""Runs other GPT-SoVITS programs beside gsv: `python tools/bench.py --compare PROGRAM ...`.

    original=FOLDER[@PYTHON]     a checkout of RVC-Boss/GPT-SoVITS
    cpufast=FOLDER[@PYTHON]      a checkout of baicai-1145/GPT-SoVITS-CPUFast
    gsv-tts-lite[@PYTHON]        an installed package
    genie-tts[@PYTHON]           an installed package, with torch for its converter

PYTHON is the interpreter that a program's libraries are installed for; this one, if it is not named. Every program
gets the same random weights, in files of the official layout, and the same phonemes, prompt and tokens; each has a
process of its own (tools/rivals), and they work in turn, round by round, so that they share what else the machine does.
What is compared are the two networks: front ends and what looks at references are not loaded. The end mark is never
drawn. Measure on an idle machine: programs differ in how much they are held up by others, since their idle threads wait
in different ways.
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
import torch

from gsv.audio.spectral import SOVITS_STFT, spectrogram
from gsv.checkpoints import GeneratorFile, GptFile, halved, write_generator, write_gpt
from gsv.errors import GsvError, InputError
from gsv.models.generators import untrained_network
from gsv.models.sovits import Sovits
from gsv.models.t2s import PREFIX, T2S, T2SConfig
from gsv.training.start import UNTRAINED, read_config
from gsv.versions import version_named

PROJECT = Path(__file__).resolve().parent.parent
RIVALS = Path(__file__).resolve().parent / "rivals"
VERSION = "v2"
# After so long without an answer a program is given up.
PATIENCE_SECONDS = 600
# What is as good as no difference; a number, since JSON knows no other.
MOST_DECIBELS = 200.0
# A machine that other programs keep busier than this is not idle.
IDLE_PERCENT = 10.0
_MIB = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """What is measured: phonemes of prompt and text, tokens of the prompt and after it, and tokens made into sound."""

    prompt_phonemes: int = 30
    phonemes: int = 30
    prompt: int = 100
    tokens: int = 200
    codes: int = 125


SIZES = Sizes()


@dataclass(frozen=True)
class Kind:
    """A program that can be compared; `variants` are the ways that it is run, by the names that they are shown with."""

    name: str
    script: str
    variants: dict[str, str]
    advice: str
    is_checkout: bool = False


GSV = Kind("gsv", "program_gsv.py", {"gsv": "", "gsv --fast": "fast"}, "")
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "original",
            "program_original.py",
            {"original": ""},
            "it needs: pip install torch numpy torchmetrics tqdm einops x_transformers",
            is_checkout=True,
        ),
        Kind(
            "cpufast",
            "program_cpufast.py",
            {"cpufast": ""},
            "it needs: pip install torch numpy einops tqdm",
            is_checkout=True,
        ),
        Kind(
            "gsv-tts-lite",
            "program_gsv_tts_lite.py",
            {"gsv-tts-lite": "", "gsv-tts-lite, bfloat16": "bfloat16"},
            "it needs: pip install torch gsv-tts-lite",
        ),
        Kind("genie-tts", "program_genie_tts.py", {"genie-tts": ""}, "it needs: pip install genie-tts torch"),
    )
}


@dataclass(frozen=True)
class Choice:
    """A program, where its checkout lies if it is one, and its interpreter."""

    kind: Kind
    folder: str
    python: str


def choice(text: str, kinds: Mapping[str, Kind]) -> Choice:
    """What NAME[=FOLDER][@PYTHON] names; raises InputError if that is no program, or not how it is named."""
    rest, _, python = text.partition("@")
    name, _, folder = rest.partition("=")
    if name not in kinds:
        raise InputError(f"There is no program {name!r} to compare with; give some of {', '.join(kinds)}.")
    kind = kinds[name]
    if kind.is_checkout and not folder:
        raise InputError(f"{name} is run from a checkout; give its folder: {name}=FOLDER or {name}=FOLDER@PYTHON.")
    if folder and not kind.is_checkout:
        raise InputError(f"{name} is an installed package and has no folder; give {name} or {name}@PYTHON.")
    # Not resolved: the interpreter of an environment is a link, and would be another one where it leads.
    found = str(Path(shutil.which(python) or python).absolute()) if python else sys.executable
    return Choice(kind, str(Path(folder).resolve()) if folder else "", found)


def choices(texts: Sequence[str], gsv: Kind, kinds: Mapping[str, Kind]) -> list[Choice]:
    """gsv, and what is named. Raises InputError for what `choice` does, and for a program that is named twice."""
    named = [choice(text, kinds) for text in texts]
    names = [one.kind.name for one in named]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is named {names.count(name)} times; name it once.")
    return [Choice(gsv, "", sys.executable), *named]


@dataclass(frozen=True)
class Ratios:
    """One program beside another: how many times as fast its parts are, and how many times as much memory it has."""

    prefill: float
    tokens: float
    sound: float
    whole: float
    memory: float


@dataclass(frozen=True)
class CompareResult:
    """Medians over the rounds. Memory is the process's, in MiB, with both networks and imports; None: not known.

    `decode_s` and `whole_s` are seconds for a second of sound: of tokens, and of a sentence from prefill to sound.
    `greedy_tokens_alike` counts the likeliest tokens up to the first that `judge` chooses otherwise, and `alike_db` is
    how far the sound of `judge` is above what differs in this one's, both without their random part. Other programs had
    `busy_percent` of the processors' time before any of these started.
    """

    program: str
    rounds: int
    threads: int | None
    load_s: float
    resident_after_load_mib: float
    peak_of_load_mib: float | None
    peak_mib: float | None
    prefill_s: float
    t2s_tokens_per_s: float
    decode_s: float
    whole_s: float
    judge: str
    greedy_tokens: int
    greedy_tokens_alike: int | None
    alike_db: float | None
    busy_percent: float
    versions: str
    hardware: str
    beside_gsv: Ratios | None = None
    beside_original: Ratios | None = None


def ratios(one: CompareResult, other: CompareResult) -> Ratios:
    return Ratios(
        prefill=round(other.prefill_s / one.prefill_s, 2),
        tokens=round(one.t2s_tokens_per_s / other.t2s_tokens_per_s, 2),
        sound=round(other.decode_s / one.decode_s, 2),
        whole=round(other.whole_s / one.whole_s, 2),
        memory=round(one.resident_after_load_mib / other.resident_after_load_mib, 2),
    )


def with_ratios(results: Sequence[CompareResult]) -> list[CompareResult]:
    named = {result.program: result for result in results}

    def beside(result: CompareResult, name: str) -> Ratios | None:
        return ratios(result, named[name]) if name in named else None

    return [
        replace(result, beside_gsv=beside(result, "gsv"), beside_original=beside(result, "original"))
        for result in results
    ]


class FailedError(Exception):
    """A program is not there, or cannot go on; the message says what it said."""


@dataclass
class Measured:
    """A program at work, and what has been seen of it."""

    name: str
    process: "Process"
    load_s: float
    versions: str
    resident: float
    peak_of_load: float | None
    greedy: list[int] | None = None
    quiet: np.ndarray | None = None
    seconds: dict[str, list[float]] = field(default_factory=dict)
    audio: dict[str, float] = field(default_factory=dict)

    def note(self, key: str, seconds: float) -> None:
        self.seconds.setdefault(key, []).append(seconds)

    def warm(self, sizes: Sizes, rate: int, scratch: Path) -> None:
        """Without measuring, what the networks compute if nothing is left to chance."""
        self.greedy = self.process.ask(do="tokens", count=sizes.tokens, top_k=1)["tokens"]
        file = scratch / "quiet.npy"
        self.audio["decode"] = self.process.ask(do="decode", noise=False, file=str(file))["samples"] / rate
        if file.exists():
            self.quiet = np.load(file)
        self.audio["whole"] = self.process.ask(do="whole", count=sizes.codes)["samples"] / rate

    def round(self, sizes: Sizes) -> None:
        prefill = self.process.ask(do="tokens", count=1, top_k=15)["seconds"]
        self.note("prefill", prefill)
        self.note("tokens", self.process.ask(do="tokens", count=1 + sizes.tokens, top_k=15)["seconds"] - prefill)
        self.note("decode", self.process.ask(do="decode", noise=True)["seconds"])
        self.note("whole", self.process.ask(do="whole", count=sizes.codes)["seconds"])


class Process:
    """One program in a process of its own, which answers a request at a time; see tools/rivals/worker.py."""

    def __init__(self, chosen: Choice, scratch: Path, threads: int | None):
        self.scratch = scratch
        self.errors = scratch / "errors.txt"
        command = [chosen.python, str(RIVALS / chosen.kind.script)]
        with self.errors.open("wb") as errors:
            try:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=scratch,
                    env=environment(chosen, threads),
                    encoding="utf-8",
                )
            except OSError as error:
                raise FailedError(f"{chosen.python} cannot be run ({error.strerror})") from error
        self.pid = self.process.pid

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer; raises FailedError if there is none, or none in time."""
        assert self.process.stdin is not None and self.process.stdout is not None
        limit = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        limit.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        finally:
            limit.cancel()
        if not line:
            raise FailedError(self.last_words())
        reply: dict[str, Any] = json.loads(line)
        if problem := reply.get("missing") or reply.get("error"):
            raise FailedError(problem.strip().splitlines()[0].rstrip(":"))
        return reply

    def last_words(self) -> str:
        lines = self.errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it ended without a word"

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def environment(chosen: Choice, threads: int | None) -> dict[str, str]:
    # How idle threads wait is gsv's own choice, made for this process; other programs have theirs.
    ours = {"PYTHONPATH", "PYTHONHOME", "GOMP_SPINCOUNT"}
    variables = {name: value for name, value in os.environ.items() if name not in ours}
    # Nothing is fetched while time is taken.
    variables |= {"HF_HUB_OFFLINE": "1", "PYTHONIOENCODING": "utf-8"}
    if threads:
        variables["OMP_NUM_THREADS"] = variables["MKL_NUM_THREADS"] = str(threads)
    if chosen.kind.name == GSV.name:
        variables["PYTHONPATH"] = str(PROJECT)
    return variables


def peak_of(pid: int) -> float | None:
    """The most memory that a process has had, in MiB, where the system tells it."""
    information = psutil.Process(pid).memory_info()
    windows = getattr(information, "peak_wset", None)
    if windows is not None:
        return float(windows) / _MIB
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


@contextmanager
def started(chosen: Choice, name: str, job: dict[str, str], scratch: Path, threads: int | None) -> Iterator[Measured]:
    """A program that has loaded the weights; raises FailedError if it cannot."""
    if chosen.kind.is_checkout and not (Path(chosen.folder) / "GPT_SoVITS").is_dir():
        raise FailedError(f"{chosen.folder} is no checkout of it: there is no folder GPT_SoVITS in it")
    scratch.mkdir()
    variant = chosen.kind.variants[name]
    begun = time.perf_counter()
    process = Process(chosen, scratch, threads)
    try:
        try:
            reply = process.ask(**job, folder=chosen.folder, scratch=str(scratch), variant=variant)
        except FailedError as error:
            raise FailedError(f"{error}; {chosen.kind.advice}") from error
        seconds = time.perf_counter() - begun - reply["converted_s"]
        process.pid = reply["pid"]
        resident = psutil.Process(process.pid).memory_info().rss / _MIB
        yield Measured(name, process, seconds, reply["versions"], resident, peak_of(process.pid))
    finally:
        process.close()


@torch.no_grad()
def write_job(folder: Path, narrow: bool, sizes: Sizes = SIZES) -> tuple[dict[str, str], int]:
    """Random weights and inputs for all programs, as the files of a `Job`; and the sampling rate of what they speak."""
    version = version_named(VERSION)
    configs = PROJECT / "configs"
    pair = ("narrow/s2.json", "narrow/s1.yaml") if narrow else (version.sovits_config, version.gpt_config)
    settings, gpt = (read_config(configs / name) for name in pair)
    settings["model"]["version"] = version.name
    gpt["model"]["phoneme_vocab_size"] = version.gpt_symbols
    torch.manual_seed(0)
    t2s = T2S(T2SConfig.from_dict(gpt["model"]))
    # An end mark whose logit is always 0 is never among the likeliest: no program has to be kept from drawing it.
    t2s.state_dict()["ar_predict_layer.weight"][t2s.config.EOS] = 0
    write_gpt(
        folder / "gpt.ckpt",
        GptFile(halved({PREFIX + name: tensor for name, tensor in t2s.state_dict().items()}), gpt, UNTRAINED),
    )
    sovits = untrained_network(version, settings["model"])
    assert isinstance(sovits, Sovits)
    weight = halved(sovits.state_dict())
    write_generator(folder / "sovits.pth", GeneratorFile(weight, settings, UNTRAINED, version.name))
    sovits = Sovits.from_weights(settings["model"], weight)
    draw = np.random.default_rng(0)
    content = draw.standard_normal((1, sovits.config.ssl_dim, 2 * sizes.prompt), np.float32)
    wave = 0.1 * draw.standard_normal(4 * version.sampling_rate, np.float32)
    np.savez(
        folder / "inputs.npz",
        prompt_phonemes=draw.integers(1, version.gpt_symbols, sizes.prompt_phonemes),
        phonemes=draw.integers(1, version.gpt_symbols, sizes.phonemes),
        content=content,
        prompt=sovits.quantize(torch.from_numpy(content))[0].numpy(),
        wave=wave,
        spec=spectrogram(torch.from_numpy(wave)[None], SOVITS_STFT).numpy(),
        codes=draw.integers(0, t2s.config.EOS, sizes.codes),
    )
    names = {"gpt": "gpt.ckpt", "sovits": "sovits.pth", "inputs": "inputs.npz"}
    return {key: str(folder / name) for key, name in names.items()}, version.sampling_rate


def compare(
    programs: Sequence[str],
    rounds: int,
    hardware: str,
    narrow: bool = False,
    threads: int | None = None,
    sizes: Sizes = SIZES,
) -> list[CompareResult]:
    """gsv and the programs, each of which is skipped with a message if it is not there or fails.

    Raises InputError for a program that nobody knows, and GsvError if gsv itself fails.
    """
    chosen = choices(programs, GSV, KINDS)
    busy = psutil.cpu_percent(interval=1)
    if busy > IDLE_PERCENT:
        print(f"Other programs use {busy:.0f} % of this machine: the ratios are not to be relied on.", file=sys.stderr)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        job, rate = write_job(Path(folder), narrow, sizes)
        going: list[Measured] = []
        for one in chosen:
            for name in one.kind.variants:
                print(f"{name} is loaded ...", file=sys.stderr)
                scratch = Path(folder) / f"{one.kind.name}-{one.kind.variants[name] or 'usual'}"
                try:
                    program = stack.enter_context(started(one, name, job, scratch, threads))
                    program.warm(sizes, rate, scratch)
                    going.append(program)
                except FailedError as error:
                    skip(name, str(error))
                    break
        for index in range(rounds):
            print(f"round {index + 1} of {rounds} ...", file=sys.stderr)
            # There and back: what comes last in one round comes first in the next.
            for program in going[:: -1 if index % 2 else 1]:
                try:
                    program.round(sizes)
                except FailedError as error:
                    skip(program.name, str(error))
                    going = [other for other in going if other is not program]
        judge = next((program for program in going if program.name == "original"), going[0])
        made = [result_of(program, judge, rounds, threads, sizes, busy, hardware) for program in going]
        return with_ratios(made)


def skip(name: str, reason: str) -> None:
    if name == "gsv":
        raise GsvError(f"gsv itself failed: {reason}.")
    print(f"{name} is skipped: {reason}.", file=sys.stderr)


def result_of(
    program: Measured, judge: Measured, rounds: int, threads: int | None, sizes: Sizes, busy: float, hardware: str
) -> CompareResult:
    median = {key: statistics.median(values) for key, values in program.seconds.items()}
    peak = peak_of(program.process.pid)
    tokens, sound = program.greedy, program.quiet
    return CompareResult(
        program=program.name,
        rounds=rounds,
        threads=threads,
        load_s=round(program.load_s, 1),
        resident_after_load_mib=round(program.resident),
        peak_of_load_mib=None if program.peak_of_load is None else round(program.peak_of_load),
        peak_mib=None if peak is None else round(peak),
        prefill_s=round(median["prefill"], 4),
        t2s_tokens_per_s=round(sizes.tokens / median["tokens"], 1),
        decode_s=round(median["decode"] / program.audio["decode"], 4),
        whole_s=round(median["whole"] / program.audio["whole"], 4),
        judge=judge.name,
        greedy_tokens=sizes.tokens,
        greedy_tokens_alike=None if tokens is None or judge.greedy is None else alike(tokens, judge.greedy),
        alike_db=None if sound is None or judge.quiet is None else decibels(judge.quiet, sound),
        busy_percent=busy,
        versions=program.versions,
        hardware=hardware,
    )


def alike(tokens: Sequence[int], others: Sequence[int]) -> int:
    """How many there are before the first that differs: after it, each goes on from something else."""
    pairs = zip(tokens, others, strict=True)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), len(tokens))


def decibels(sound: np.ndarray, other: np.ndarray) -> float | None:
    """How far a sound is above what differs from it in another; None if they are not of one length."""
    if sound.shape != other.shape:
        return None
    difference = float(np.square(sound.astype(np.float64) - other).sum())
    if not difference:
        return MOST_DECIBELS
    power = float(np.square(sound.astype(np.float64)).sum())
    return round(min(10 * math.log10(power / difference), MOST_DECIBELS), 1)


def tables(results: Sequence[CompareResult]) -> str:
    """The results as tables in Markdown: what was measured, then the ratios."""
    judge = results[0].judge
    measured = [
        "program",
        "prefill, s",
        "tokens a second",
        "tokens into sound, s for a second",
        "all of a sentence, s for a second",
        "loading, s",
        "MiB after loading (peak)",
        f"greedy tokens as {judge}, of {results[0].greedy_tokens}",
        f"sound as {judge}, dB",
    ]
    parts = [
        table(
            measured,
            [
                [
                    one.program,
                    f"{one.prefill_s:.3f}",
                    f"{one.t2s_tokens_per_s:.1f}",
                    f"{one.decode_s:.3f}",
                    f"{one.whole_s:.3f}",
                    f"{one.load_s:.1f}",
                    f"{one.resident_after_load_mib:.0f} ({shown(one.peak_mib, '.0f')})",
                    shown(one.greedy_tokens_alike),
                    shown(one.alike_db),
                ]
                for one in results
            ],
        )
    ]
    for name, key in (("gsv", "beside_gsv"), ("the original", "beside_original")):
        beside = [(one.program, getattr(one, key)) for one in results]
        rows = [[program, *(f"{value:.2f}" for value in asdict(ratio).values())] for program, ratio in beside if ratio]
        if rows:
            heads = ["prefill", "tokens", "tokens into sound", "all of a sentence", "memory"]
            parts.append(f"Times as fast as {name}; for memory, times as much:\n\n{table(['program', *heads], rows)}")
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: float | None, form: str = "") -> str:
    return "-" if value is None else format(value, form)
