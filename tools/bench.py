"""Measures how fast gsv speaks, reads texts, and slices recordings, on this machine.

    python tools/bench.py --random v2            official widths, random weights: speed does not depend on the values
    python tools/bench.py --gpt A.ckpt --sovits B.pth
    python tools/bench.py --random v2Pro --json results.json
    python tools/bench.py --random v2 --clients 1 8 32
    python tools/bench.py --slicing
    python tools/bench.py --text
    python tools/bench.py --random v2 --alike
    python tools/bench.py --random v2 --parts
    python tools/bench.py --compare gsv-tts-lite original=FOLDER@PYTHON
    python tools/bench.py --training original=FOLDER@PYTHON

Prints the median of several rounds, with hardware and versions. One round is: read a sentence and make its semantic
tokens (a fixed number of them, with the end mark held back), turn tokens into a wave, and all of it together. A round
of slicing reads a recording of ten minutes, 44.1 kHz stereo, twice and writes its pieces, in one thread. With --clients
a round lets so many threads speak to one engine at once: tokens alone, whole sentences, and streams of chunks. Of v3
and v4, what they have of their own is measured: tokens into sound, by the steps of flow matching.
--alike tells how near --fast comes to what is exact, see tools/bench_alike.py; --parts, where the time goes and how
little the machine allows, see tools/bench_parts.py.
--compare runs other programs beside gsv, see tools/bench_compare.py, and --training the original's training steps, see
tools/bench_training.py.
"""

import gsv  # noqa: F401  Before torch: it tells OpenMP how to wait.

# isort: split
import argparse
import json
import platform
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import torch
from transformers import HubertConfig, HubertModel

import bench_alike
import bench_compare
import bench_parts
import bench_text
import bench_training
from gsv.audio.io import load, save_wav
from gsv.dataset.slicing import SliceOptions, SliceStep
from gsv.dataset.workers import Item
from gsv.devices import best_device, working_dtype
from gsv.errors import GsvError
from gsv.models.bigvgan import BigVgan, BigVganConfig
from gsv.models.encoders import ContentEncoder
from gsv.models.flow_sovits import FlowSovits
from gsv.models.generators import untrained_network
from gsv.models.layers import fold_weight_norm
from gsv.models.mel_vocoders import MelVocoder, hifi
from gsv.models.speaker import SpeakerConfig, SpeakerEncoder
from gsv.models.t2s import T2S, T2SConfig
from gsv.paths import Project
from gsv.synthesis import decoder as decoder_module
from gsv.synthesis import engine as engine_module
from gsv.synthesis.common import Common
from gsv.synthesis.decoder import Row, generate
from gsv.synthesis.engine import Engine, SpeechOptions
from gsv.synthesis.flow import FlowPrompt, FlowSpeaker
from gsv.synthesis.streaming import Streaming
from gsv.synthesis.voice import Voice, VoiceMaker
from gsv.training.start import read_config
from gsv.versions import FlowFacts, version_named

PROJECT = Path(__file__).resolve().parent.parent
REFERENCE = PROJECT / "tests" / "sample" / "clips" / "01.flac"
TRANSCRIPT = "The morning train left the small station a few minutes late."
PIECES = ("She opened the window and looked at the garden.", "Then she went back to her desk and began to write.")
# English speech has about 12 phonemes a second, and a second has 25 tokens.
TOKENS_A_PHONEME = 2
# Of flow matching, for v3 and v4.
STEPS = (4, 8, 16, 32)
RATE_OF_RECORDINGS = 44100


@dataclass(frozen=True)
class Result:
    """Medians over the rounds. A sentence is the first one, a piece both of them; a chunk is the first in mode 3.

    Memory is the process's, in MiB, imports included; on a GPU also its own peak."""

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
    sentence_s: float
    sentence_chunk_s: float
    piece_s: float
    piece_chunk_s: float
    resident_after_load_mib: float
    peak_resident_mib: float
    peak_gpu_mib: float | None
    hardware: str
    versions: str


@dataclass(frozen=True)
class FlowResult:
    """Tokens of five seconds into sound, by flow matching of so many steps and the vocoder: medians over the rounds."""

    weights: str
    device: str
    dtype: str
    threads: int
    rounds: int
    sample_steps: int
    audio_s: float
    work_s_per_audio_s: float
    audio_s_per_work_s: float
    hardware: str
    versions: str


@dataclass(frozen=True)
class LoadResult:
    """Medians over the rounds, for so many clients at once; gains are against the first number of clients.

    Rates are by the clock, and by the time that processors worked for this process, which says more on a busy machine.
    `load_average` is how many programs wanted a processor on average while this was measured, these clients included.
    """

    weights: str
    clients: int
    device: str
    threads: int
    rounds: int
    t2s_tokens_per_s: float
    t2s_gain: float
    t2s_tokens_per_processor_s: float
    t2s_processor_gain: float
    speech_s_per_s: float
    speech_gain: float
    speech_s_per_processor_s: float
    speech_processor_gain: float
    all_sentences_s: float
    first_chunk_s: float
    resident_mib: float
    load_average: float
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


def random_engine(name: str, device: torch.device, narrow: bool, fast: bool) -> Engine:
    """Random weights of official widths, or of those that tests use."""
    version = version_named(name)
    configs = PROJECT / "configs"
    halves = (
        (configs / "narrow" / ("s2-flow.json" if version.uses_flow else "s2.json"), configs / "narrow" / "s1.yaml")
        if narrow
        else (configs / version.sovits_config, configs / version.gpt_config)
    )
    sovits = untrained_network(version, read_config(halves[0])["model"])
    settings = {**read_config(halves[1])["model"], "phoneme_vocab_size": version.gpt_symbols}
    # Through 16 bits, which is what files have.
    t2s = T2S(T2SConfig.from_dict(settings)).half().float()
    dtype = working_dtype(device)
    common = RandomCommon(Project.default(), device, dtype, fast)
    return Engine(version, sovits, t2s, common.project, device, dtype, common=common, fast=fast)


class RandomCommon(Common):
    """For machines that have no vocoders of v3 and v4."""

    def vocoder(self, facts: FlowFacts) -> MelVocoder:
        if facts.vocoder_config is None:
            return hifi(facts.bands, 512).to(self.device, self.dtype)
        network = BigVgan(BigVganConfig())
        fold_weight_norm(network)
        return network.requires_grad_(False).eval().to(self.device, self.dtype)


def random_voices(engine: Engine) -> VoiceMaker:
    """The reference's networks with random weights, for machines that have no official ones."""

    hubert = HubertModel(HubertConfig(hidden_size=engine.sovits.config.ssl_dim)).eval().requires_grad_(False)
    content = engine.common.placed(ContentEncoder(hubert))
    speaker = None
    if engine.version.uses_speaker_vector:
        speaker = SpeakerEncoder(SpeakerConfig()).eval().requires_grad_(False).to(engine.device, engine.dtype)
    return VoiceMaker(engine.version, engine.sovits, content, speaker, engine.reader, engine.device, engine.dtype)


def timed(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def hold_back_end_marks() -> None:
    """From here on every row has as many tokens as its limit says, and the first take is kept."""
    decoder_module.TOKENS_BEFORE_END = decoder_module.TOKENS_AT_MOST
    engine_module.ALLOWANCE = 0
    engine_module.MOST_TOKENS_A_PHONEME = TOKENS_A_PHONEME
    engine_module.RETRIES = 0


@torch.inference_mode()
def measure(engine: Engine, voices: VoiceMaker, name: str, rounds: int) -> Result:
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

    def speak(piece: str) -> None:
        decode(tokens_for(piece), piece)

    def first_chunk(piece: str) -> None:
        stream = engine.stream_audio(piece, "en", voice, SpeechOptions(seed=0, split="cut0"), Streaming("fixed"))
        next(stream)
        stream.close()

    both = " ".join(PIECES)
    seconds: dict[str, list[float]] = defaultdict(list)
    steps = 200
    tokens = tokens_for(PIECES[0], 125)
    audio = len(decode(tokens, PIECES[0])) / engine.sampling_rate
    spoken = sum(len(decode(tokens_for(piece), piece)) for piece in PIECES) / engine.sampling_rate
    for _ in range(rounds):
        seconds["voice"].append(timed(make_voice, engine.device))
        seconds["one"].append(timed(lambda: tokens_for(PIECES[0], 1), engine.device))
        seconds["many"].append(timed(lambda: tokens_for(PIECES[0], 1 + steps), engine.device))
        seconds["vocoder"].append(timed(lambda: decode(tokens, PIECES[0]), engine.device))
        seconds["sentence"].append(timed(lambda: speak(PIECES[0]), engine.device))
        seconds["sentence chunk"].append(timed(lambda: first_chunk(PIECES[0]), engine.device))
        seconds["piece"].append(timed(lambda: speak(both), engine.device))
        seconds["piece chunk"].append(timed(lambda: first_chunk(both), engine.device))
        seconds["whole"].append(seconds["sentence"][-1] + timed(lambda: speak(PIECES[1]), engine.device))
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
        sentence_s=round(median["sentence"], 3),
        sentence_chunk_s=round(median["sentence chunk"], 3),
        piece_s=round(median["piece"], 3),
        piece_chunk_s=round(median["piece chunk"], 3),
        resident_after_load_mib=round(resident / mebi),
        peak_resident_mib=round(peak_resident() / mebi),
        peak_gpu_mib=round(torch.cuda.max_memory_allocated() / mebi) if engine.device.type == "cuda" else None,
        hardware=hardware(engine.device),
        versions=versions("gsv", "torch", "numpy", "transformers"),
    )


@torch.inference_mode()
def measure_flow(engine: Engine, voices: VoiceMaker, name: str, rounds: int) -> list[FlowResult]:
    voice = voices.make(REFERENCE, TRANSCRIPT, "en")
    facts = engine.version.flow
    assert facts is not None and voice.transcript is not None and voice.mel is not None
    assert isinstance(engine.sovits, FlowSovits) and engine.vocoder is not None
    text = engine.reader.read(PIECES[0], "en").ids
    codes = torch.randint(len(engine.sovits.quantizer.codebook.embed), (125,), device=engine.device)
    prompt = FlowPrompt(voice.prompt, voice.transcript.ids, voice.timbre, voice.mel)
    seconds: dict[int, list[float]] = {steps: [] for steps in STEPS}
    audio = 0.0
    for _ in range(rounds):
        for steps in STEPS:
            generator = torch.Generator(engine.device).manual_seed(0)
            speaker = FlowSpeaker(engine.sovits, engine.vocoder, prompt, text, 1.0, steps, 0.0, generator, nullcontext)
            waves: list[np.ndarray] = []
            seconds[steps].append(
                timed(lambda speaker=speaker, waves=waves: waves.append(speaker.whole(codes)), engine.device)
            )
            audio = len(waves[0]) / engine.sampling_rate
    return [
        FlowResult(
            weights=name,
            device=str(engine.device),
            dtype=str(engine.dtype).removeprefix("torch."),
            threads=torch.get_num_threads(),
            rounds=rounds,
            sample_steps=steps,
            audio_s=round(audio, 2),
            work_s_per_audio_s=round(statistics.median(seconds[steps]) / audio, 3),
            audio_s_per_work_s=round(audio / statistics.median(seconds[steps]), 3),
            hardware=hardware(engine.device),
            versions=versions("gsv", "torch", "numpy"),
        )
        for steps in STEPS
    ]


def clocks() -> np.ndarray:
    """Seconds of the clock, and of the time that processors worked for this process."""
    return np.array([time.perf_counter(), time.process_time()])


def measure_load(
    engine: Engine, voices: VoiceMaker, name: str, rounds: int, counts: Sequence[int], tokens: int = 100
) -> list[LoadResult]:
    voice = voices.make(REFERENCE, TRANSCRIPT, "en")
    text = engine.reader.read(PIECES[0], "en")
    assert voice.transcript is not None
    whole = voice.transcript.then(text)
    options = SpeechOptions(pause=0)
    chunks = Streaming("fixed")

    def draw(client: int) -> float:
        generator = torch.Generator(engine.device).manual_seed(client)
        with engine.scheduler.party([Row(whole.ids, whole.bert, voice.prompt, generator, limit=1 + tokens)]) as party:
            party.wait(1)
            together.wait()
            party.wait()
        return 0.0

    def speak(client: int) -> float:
        return engine.speak(PIECES[client % 2], "en", voice, replace(options, seed=client)).seconds

    def first_chunk(client: int) -> float:
        begun = time.perf_counter()
        stream = engine.stream_audio(PIECES[client % 2], "en", voice, replace(options, seed=client), chunks)
        next(stream)
        seconds = time.perf_counter() - begun
        stream.close()
        return seconds

    made: list[LoadResult] = []
    alone = np.zeros(0)
    for count in counts:
        together: threading.Barrier
        seconds: dict[str, list[float]] = {key: [] for key in ("sentence", "chunk")}
        rates = np.zeros((rounds, 4))
        with ThreadPoolExecutor(count) as clients:
            for i in range(rounds):
                begun: list[np.ndarray] = []
                # Texts and prompts have been read when the clock starts.
                together = threading.Barrier(count, lambda begun=begun: begun.append(clocks()))
                list(clients.map(draw, range(count)))
                rates[i, :2] = count * tokens / (clocks() - begun[0])
                start = clocks()
                spoken = sum(clients.map(speak, range(count)))
                rates[i, 2:] = spoken / (clocks() - start)
                seconds["sentence"].append(clocks()[0] - start[0])
                seconds["chunk"] += clients.map(first_chunk, range(count))
        median = np.median(rates, axis=0)
        alone = median if not made else alone
        gains = (median / alone).round(2).tolist()
        by_clock, by_processor, speech, speech_by_processor = median.round(3).tolist()
        made.append(
            LoadResult(
                weights=name,
                clients=count,
                device=str(engine.device),
                threads=torch.get_num_threads(),
                rounds=rounds,
                t2s_tokens_per_s=by_clock,
                t2s_gain=gains[0],
                t2s_tokens_per_processor_s=by_processor,
                t2s_processor_gain=gains[1],
                speech_s_per_s=speech,
                speech_gain=gains[2],
                speech_s_per_processor_s=speech_by_processor,
                speech_processor_gain=gains[3],
                all_sentences_s=round(statistics.median(seconds["sentence"]), 3),
                first_chunk_s=round(statistics.median(seconds["chunk"]), 3),
                resident_mib=round(psutil.Process().memory_info().rss / 2**20),
                load_average=round(psutil.getloadavg()[0], 1),
                hardware=hardware(engine.device),
                versions=versions("gsv", "torch", "numpy"),
            )
        )
    return made


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
    parser.add_argument("--narrow", action="store_true", help="random weights of the widths that tests use")
    parser.add_argument("--fast", action="store_true", help="as `gsv tts --fast`")
    parser.add_argument("--alike", action="store_true", help="measure what --fast changes in tokens and sound")
    parser.add_argument("--parts", action="store_true", help="measure each part, beside the least it could take")
    parser.add_argument("--clients", type=int, nargs="+", metavar="N", help="measure so many requests at once")
    parser.add_argument("--slicing", action="store_true", help="measure slicing")
    parser.add_argument(
        "--text", action="store_true", help="measure reading of texts, each language in a fresh process"
    )
    parser.add_argument(
        "--compare",
        nargs="*",
        metavar="PROGRAM",
        help="measure gsv beside other programs: NAME, NAME@PYTHON, NAME=FOLDER or NAME=FOLDER@PYTHON",
    )
    parser.add_argument(
        "--training",
        nargs="*",
        metavar="PROGRAM",
        help="measure training steps, beside the original's if given: original=FOLDER or original=FOLDER@PYTHON",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:N or mps; the fastest if not given")
    parser.add_argument("--threads", type=int, help="CPU threads; torch's choice if not given")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that the medians are taken of")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    options = parser.parse_args()
    compares, trains = options.compare is not None, options.training is not None
    ways = [bool(options.random), bool(options.sovits or options.gpt), options.slicing, options.text, compares, trains]
    if ways.count(True) != 1:
        parser.error("give either --random VERSION or weight files or --slicing or --text or --compare or --training")
    if options.alike and (options.fast or best_device(options.device).type != "cpu"):
        parser.error("--alike compares --fast with what is exact, on a CPU: leave --fast out, and give --device cpu")
    if options.rounds < 1 or min(options.clients or [1]) < 1:
        parser.error("--rounds and --clients must be 1 or more")
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    try:
        results: Sequence[
            Result
            | FlowResult
            | LoadResult
            | SlicingResult
            | bench_alike.AlikeResult
            | bench_parts.PartResult
            | bench_text.TextResult
            | bench_compare.CompareResult
            | bench_training.TrainingResult
        ]
        if options.slicing:
            results = [measure_slicing(options.rounds)]
        elif options.text:
            results = bench_text.measure_all(options.rounds)
        elif compares:
            machine = hardware(torch.device("cpu"))
            results = bench_compare.compare(options.compare, options.rounds, machine, options.narrow, options.threads)
            print(bench_compare.tables(results), end="\n\n")
        elif trains:
            machine = hardware(torch.device("cpu"))
            results = bench_training.compare_training(
                options.training, options.rounds, machine, options.narrow, options.threads
            )
            print(bench_training.training_table(results), end="\n\n")
        else:
            hold_back_end_marks()

            def load(fast: bool) -> Engine:
                torch.manual_seed(0)
                if options.random:
                    return random_engine(options.random, best_device(options.device), options.narrow, fast)
                return Engine.load(options.gpt, options.sovits, device=options.device, fast=fast)

            engine = load(options.fast)
            voices = random_voices(engine) if options.random else engine.voices()
            name = (
                f"random {'narrow ' * options.narrow}{options.random}"
                if options.random
                else f"{options.sovits} + {options.gpt}"
            )
            name += ", fast" * options.fast
            if options.alike:
                results = [bench_alike.measure_alike(engine, load(fast=True), name)]
            elif options.parts:
                machine = hardware(engine.device)
                results = bench_parts.measure_parts(engine, name, options.fast, options.rounds, machine)
                print(bench_parts.table(results), end="\n\n")
            elif engine.version.uses_flow:
                results = measure_flow(engine, voices, name, options.rounds)
            elif options.clients:
                results = measure_load(engine, voices, name, options.rounds, options.clients)
            else:
                results = [measure(engine, voices, name, options.rounds)]
    except GsvError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    found = [asdict(result) for result in results]
    for one in found:
        for key, value in one.items():
            print(f"{key.replace('_', ' '):<30} {value}")
        print()
    if options.json:
        content = found if len(found) > 1 or options.clients or options.text else found[0]
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
