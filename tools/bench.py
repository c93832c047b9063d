"""Measures how fast gsv speaks, and how fast it slices recordings, on this machine.

    python tools/bench.py --random v2            official widths, random weights: speed does not depend on the values
    python tools/bench.py --gpt A.ckpt --sovits B.pth
    python tools/bench.py --random v2Pro --json results.json
    python tools/bench.py --slicing

Prints the median of several rounds, with hardware and versions. One round is: read a sentence and make its semantic
tokens (a fixed number of them, with the end mark held back), turn tokens into a wave, and all of it together. A round
of slicing reads a recording of ten minutes, 44.1 kHz stereo, twice and writes its pieces, in one thread.
"""

import gsv  # noqa: F401  Before torch: it tells OpenMP how to wait.

# isort: split
import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import torch
from transformers import HubertConfig, HubertModel

from gsv.audio.io import load, save_wav
from gsv.dataset.slicing import SliceOptions, SliceStep
from gsv.dataset.workers import Item
from gsv.devices import best_device, working_dtype
from gsv.errors import GsvError
from gsv.models.encoders import ContentEncoder
from gsv.models.sovits import Sovits, SovitsConfig
from gsv.models.speaker import SpeakerConfig, SpeakerEncoder
from gsv.models.t2s import T2S, T2SConfig
from gsv.paths import Project
from gsv.synthesis.decoder import Row, generate
from gsv.synthesis.engine import Engine
from gsv.synthesis.voice import Voice, VoiceMaker
from gsv.training.start import read_config
from gsv.versions import version_named

PROJECT = Path(__file__).resolve().parent.parent
REFERENCE = PROJECT / "tests" / "sample" / "clips" / "01.flac"
TRANSCRIPT = "The morning train left the small station a few minutes late."
PIECES = ("She opened the window and looked at the garden.", "Then she went back to her desk and began to write.")
# English speech has about 12 phonemes a second, and a second has 25 tokens.
TOKENS_A_PHONEME = 2
RATE_OF_RECORDINGS = 44100


@dataclass(frozen=True)
class Result:
    """Medians over the rounds. Memory is the process's, in MiB, imports included; on a GPU also its own peak."""

    weights: str
    device: str
    dtype: str
    threads: int
    rounds: int
    load_voice_s: float
    prefill_s: float
    t2s_tokens_per_s: float
    vocoder_real_time_factor: float
    end_to_end_real_time_factor: float
    first_chunk_s: float
    resident_after_load_mib: float
    peak_resident_mib: float
    peak_gpu_mib: float | None
    hardware: str
    versions: str


@dataclass(frozen=True)
class SlicingResult:
    """Medians over the rounds, in times real time: by the clock, and by the time that the processor worked."""

    rounds: int
    recording_s: float
    pieces: int
    slicing_times_real_time: float
    slicing_times_real_time_of_one_core: float
    hardware: str
    versions: str


def random_engine(name: str, device: torch.device) -> Engine:
    """Official widths with random weights."""
    version = version_named(name)
    configs = PROJECT / "configs"
    sovits = Sovits(SovitsConfig.for_version(version, read_config(configs / version.sovits_config)["model"]))
    t2s = T2S(T2SConfig.from_dict(read_config(configs / version.gpt_config)["model"]))
    return Engine(version, sovits, t2s, Project.default(), device, working_dtype(device))


def random_voices(engine: Engine) -> VoiceMaker:
    """The reference's networks with random weights, for machines that have no official ones."""

    def placed(module: torch.nn.Module) -> torch.nn.Module:
        return module.eval().requires_grad_(False).to(engine.device, engine.dtype)

    content = ContentEncoder(placed(HubertModel(HubertConfig())))
    speaker = placed(SpeakerEncoder(SpeakerConfig())) if engine.version.uses_speaker_vector else None
    return VoiceMaker(engine.sovits, content, speaker, engine.reader, engine.device, engine.dtype)


def timed(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


@torch.inference_mode()
def measure(engine: Engine, voices: VoiceMaker, name: str, rounds: int) -> Result:
    # The end mark's logit is held at zero, which is never among the best: every round makes the same number of tokens.
    engine.t2s.ar_predict_layer.weight[engine.t2s.config.EOS] = 0
    resident = psutil.Process().memory_info().rss

    def make_voice() -> Voice:
        return voices.make(REFERENCE, TRANSCRIPT, "en")

    voice = make_voice()

    def tokens_for(piece: str, count: int | None = None) -> list[int]:
        text = engine.reader.read(piece, "en")
        assert voice.transcript is not None
        whole = voice.transcript.then(text)
        generator = torch.Generator(engine.device).manual_seed(0)
        row = Row(whole.ids, whole.bert, voice.prompt, generator, limit=count or TOKENS_A_PHONEME * len(text))
        return list(generate(engine.t2s, [row]))[-1][0].tokens

    def decode(tokens: list[int], piece: str) -> np.ndarray:
        codes = torch.tensor(tokens, device=engine.device)[None]
        text = engine.reader.read(piece, "en").ids[None]
        return engine.sovits.decode(codes, text, voice.timbre)[0, 0].float().cpu().numpy()

    seconds: dict[str, list[float]] = {key: [] for key in ("voice", "one", "many", "vocoder", "whole", "first")}
    steps = 200
    tokens = tokens_for(PIECES[0], 125)
    audio = len(decode(tokens, PIECES[0])) / engine.sampling_rate
    spoken = sum(len(decode(tokens_for(piece), piece)) for piece in PIECES) / engine.sampling_rate
    for _ in range(rounds):
        seconds["voice"].append(timed(make_voice, engine.device))
        seconds["one"].append(timed(lambda: tokens_for(PIECES[0], 1), engine.device))
        seconds["many"].append(timed(lambda: tokens_for(PIECES[0], 1 + steps), engine.device))
        seconds["vocoder"].append(timed(lambda: decode(tokens, PIECES[0]), engine.device))
        seconds["first"].append(timed(lambda: decode(tokens_for(PIECES[0]), PIECES[0]), engine.device))
        rest = timed(lambda: decode(tokens_for(PIECES[1]), PIECES[1]), engine.device)
        seconds["whole"].append(seconds["first"][-1] + rest)
    median = {key: statistics.median(values) for key, values in seconds.items()}
    mebi = 2**20
    return Result(
        weights=name,
        device=str(engine.device),
        dtype=str(engine.dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        rounds=rounds,
        load_voice_s=round(median["voice"], 3),
        prefill_s=round(median["one"], 3),
        t2s_tokens_per_s=round(steps / (median["many"] - median["one"]), 1),
        vocoder_real_time_factor=round(median["vocoder"] / audio, 3),
        end_to_end_real_time_factor=round(median["whole"] / spoken, 3),
        first_chunk_s=round(median["first"], 3),
        resident_after_load_mib=round(resident / mebi),
        peak_resident_mib=round(peak_resident() / mebi),
        peak_gpu_mib=round(torch.cuda.max_memory_allocated() / mebi) if engine.device.type == "cuda" else None,
        hardware=hardware(engine.device),
        versions=versions("gsv", "torch", "numpy", "transformers"),
    )


def measure_slicing(rounds: int) -> SlicingResult:
    clips = [load(clip, RATE_OF_RECORDINGS) for clip in sorted(REFERENCE.parent.glob("*.flac"))]
    pause = np.zeros(RATE_OF_RECORDINGS // 2, np.float32)
    once = np.concatenate([part for clip in clips for part in (clip, pause)])
    mono = np.tile(once, -(-600 * RATE_OF_RECORDINGS // len(once)))
    clock, work = [], []
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "recording.wav"
        save_wav(recording, np.stack([mono, mono]), RATE_OF_RECORDINGS)
        for index in range(rounds):
            out = Path(folder) / f"{index}"
            step = SliceStep(SliceOptions(recording, out), out)
            begun = time.perf_counter(), time.process_time()
            step.start(torch.device("cpu"), 0)(Item(recording.name, recording, "", ""))
            clock.append(time.perf_counter() - begun[0])
            work.append(time.process_time() - begun[1])
        pieces = len(list(out.glob("*.wav")))
    seconds = len(mono) / RATE_OF_RECORDINGS
    return SlicingResult(
        rounds=rounds,
        recording_s=round(seconds, 1),
        pieces=pieces,
        slicing_times_real_time=round(seconds / statistics.median(clock)),
        slicing_times_real_time_of_one_core=round(seconds / statistics.median(work)),
        hardware=hardware(torch.device("cpu")),
        versions=versions("gsv", "numpy", "soundfile", "soxr"),
    )


def versions(*packages: str) -> str:
    return (
        ", ".join(f"{package} {installed(package)}" for package in packages) + f", Python {platform.python_version()}"
    )


def peak_resident() -> int:
    """The most memory this process has held, in bytes."""
    information = psutil.Process().memory_info()
    if hasattr(information, "peak_wset"):
        return information.peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def hardware(device: torch.device) -> str:
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    memory = psutil.virtual_memory().total / 2**30
    text = f"{model}, {psutil.cpu_count()} logical cores, {memory:.0f} GiB, {platform.system()}"
    return f"{torch.cuda.get_device_name(device)}; {text}" if device.type == "cuda" else text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", metavar="VERSION", help="random weights of this version's official widths")
    parser.add_argument("--gpt", help="GPT weights (.ckpt)")
    parser.add_argument("--sovits", help="SoVITS weights (.pth)")
    parser.add_argument("--slicing", action="store_true", help="measure slicing")
    parser.add_argument("--device", help="cpu, cuda, cuda:N or mps; the fastest if not given")
    parser.add_argument("--threads", type=int, help="CPU threads; torch's choice if not given")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that the medians are taken of")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    options = parser.parse_args()
    if [bool(options.random), bool(options.sovits or options.gpt), options.slicing].count(True) != 1:
        parser.error("give either --random VERSION or weight files or --slicing")
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    try:
        result: Result | SlicingResult
        if options.slicing:
            result = measure_slicing(options.rounds)
        elif options.random:
            engine = random_engine(options.random, best_device(options.device))
            result = measure(engine, random_voices(engine), f"random {options.random}", options.rounds)
        else:
            engine = Engine.load(options.gpt, options.sovits, device=options.device)
            result = measure(engine, engine.voices, f"{options.sovits} + {options.gpt}", options.rounds)
    except GsvError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    for key, value in asdict(result).items():
        print(f"{key.replace('_', ' '):<30} {value}")
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
