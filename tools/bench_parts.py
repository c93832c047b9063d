"""Where the time of a sentence goes, and the least that each part takes: `python tools/bench.py --random v2 --parts`.

No part does more products a second than the processor does in a large matrix product, or reads its weights faster than
memory gives them; the longer of the two is its limit. Tables, spectra and sums are not counted.
"""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel, HubertConfig, HubertModel

from gsv.audio.encoder import encode
from gsv.audio.spectral import SOVITS_STFT, spectrogram
from gsv.errors import InputError
from gsv.models.brief import shorten
from gsv.models.planes import PackedLinear, brief_dtype, pack, usable
from gsv.models.sovits import Sovits
from gsv.synthesis.decoder import Decoder, Row
from gsv.synthesis.engine import Engine
from gsv.synthesis.sampling import SamplingOptions

TEXT = "She opened the window and looked at the garden."
PHONEMES, PROMPT, TOKENS = 60, 100, 125
SECONDS, CHARACTERS = 5, 20
# Of the official text encoder; its last two layers are not used.
ROBERTA = BertConfig(
    vocab_size=21128, hidden_size=1024, num_hidden_layers=22, num_attention_heads=16, intermediate_size=4096
)
_GIGA = 1e9


@dataclass(frozen=True)
class PartResult:
    """A part of making `SECONDS` of sound: seconds of the clock, products and additions, bytes of weights, the limit.

    `limit_s` is None for what does other things than multiply.
    """

    weights: str
    part: str
    seconds: float
    gflop: float | None
    weight_gb: float | None
    limit_s: float | None
    machine_gflop_per_s: float
    machine_gb_per_s: float
    threads: int
    rounds: int
    hardware: str


@dataclass(frozen=True)
class Part:
    """Something to be timed, so many times a sentence; it multiplies in `dtype` and reads so many bytes each time."""

    name: str
    work: Callable[[], object]
    times: int = 1
    flop: float | None = None
    size: float = 0.0
    dtype: torch.dtype = torch.float32


@torch.no_grad()
def measure_parts(engine: Engine, name: str, fast: bool, rounds: int, hardware: str) -> list[PartResult]:
    """Raises InputError for what is not measured: GPUs, and versions that speak by flow matching."""
    if engine.device.type != "cpu" or not isinstance(engine.sovits, Sovits):
        raise InputError("Parts are measured on a CPU, of the versions v1, v2, v2Pro and v2ProPlus; give --device cpu.")
    brief = (brief_dtype(engine.device) if fast else None) or torch.float32
    rates = {dtype: most_products(dtype) for dtype in {torch.float32, brief}}
    reading = most_bytes()
    results = []
    for part in [*encoders(fast, brief), *drawing(engine, fast, brief), *speaking(engine, engine.sovits, brief)]:
        part.work()
        seconds = part.times * statistics.median(clocked(part.work) for _ in range(rounds))
        limit = None if part.flop is None else part.times * max(part.flop / rates[part.dtype], part.size / reading)
        results.append(
            PartResult(
                name,
                part.name,
                round(seconds, 4),
                None if part.flop is None else round(part.times * part.flop / _GIGA, 2),
                None if part.flop is None else round(part.times * part.size / _GIGA, 3),
                None if limit is None else round(limit, 4),
                round(rates[part.dtype] / _GIGA),
                round(reading / _GIGA, 1),
                torch.get_num_threads(),
                rounds,
                hardware,
            )
        )
    return results


def table(results: Sequence[PartResult]) -> str:
    lines = ["| part | s | GFLOP | GB of weights | least s | times that |", "|---|---|---|---|---|---|"]
    for one in results:
        times = f"{one.seconds / one.limit_s:.1f}" if one.limit_s else None
        cells = (one.part, one.seconds, one.gflop, one.weight_gb, one.limit_s, times)
        lines.append("| " + " | ".join("-" if cell is None else str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def encoders(fast: bool, brief: torch.dtype) -> list[Part]:
    """What looks at references and at Chinese texts, with random weights of official widths."""
    hubert, roberta = HubertModel(HubertConfig()).eval(), BertModel(ROBERTA, add_pooling_layer=False).eval()
    wave, ids = torch.randn(1, 16000 * SECONDS), torch.randint(ROBERTA.vocab_size, (1, CHARACTERS + 2))
    parts = []
    for name, network, given in (
        (f"RoBERTa, {CHARACTERS} characters", roberta, ids),
        (f"HuBERT, {SECONDS} s, once a voice", hubert, wave),
    ):

        def work(network: Any = network, given: Tensor = given) -> None:
            network(given)

        flop = counted(work)
        layers = [one for one in network.modules() if not list(one.children()) and not isinstance(one, nn.Embedding)]
        # A byte of each weight instead of four; all but a few are of linear layers.
        size = size_of(layers) / (4 if fast else 1)
        (shorten if fast else pack)(network)
        parts.append(Part(name, work, 1, flop, size, brief))
    return parts


def drawing(engine: Engine, fast: bool, brief: torch.dtype) -> list[Part]:
    """The text-to-semantic network: a text and its prompt, then tokens one by one."""
    config, decoder = engine.t2s.config, Decoder(engine.t2s)
    row = Row(
        torch.randint(1, config.phoneme_vocab_size, (PHONEMES,)),
        torch.zeros(config.bert_dim, PHONEMES),
        torch.randint(config.EOS, (PROMPT,)),
        torch.Generator().manual_seed(0),
        SamplingOptions(),
    )
    strand = decoder.begin(row)
    count = config.n_layer * 12 * config.hidden_dim**2
    rows, width = PHONEMES + PROMPT, config.hidden_dim
    attention = config.n_layer * 4 * rows * width
    # Behind its attention, the last layer works out the last row alone.
    prompt = rows * (2 * count + attention) - (rows - 1) * 2 * 9 * width**2
    earlier = strand.cache[..., : rows + TOKENS // 2, :].numel() * strand.cache.element_size()
    size = count * (1 if fast else 2)

    def again(step: Callable[[], object]) -> None:
        """A step at the same place as the one before."""
        strand.used = rows + TOKENS // 2
        strand.continuation.tokens.clear()
        step()

    return [
        Part("text to phonemes", lambda: engine.reader.read(TEXT, "en")),
        Part(f"prompt, {rows} rows", lambda: decoder.begin(row), 1, prompt, size, brief),
        Part(
            f"{TOKENS} tokens",
            lambda: again(lambda: decoder.advance([strand], [1])),
            TOKENS,
            2 * count + attention,
            size + earlier,
        ),
        Part(f"the same, drawn from {config.vocab_size}", lambda: again(lambda: decoder.step([strand])), TOKENS),
    ]


def speaking(engine: Engine, sovits: Sovits, brief: torch.dtype) -> list[Part]:
    """From tokens to a file."""
    spec = spectrogram(torch.randn(1, engine.sampling_rate * SECONDS) * 0.1, SOVITS_STFT)
    chance = torch.Generator().manual_seed(0)
    codes = torch.randint(len(sovits.quantizer.codebook.embed), (1, TOKENS), generator=chance)
    text = torch.randint(1, sovits.config.n_symbols, (1, PHONEMES), generator=chance)
    speaker = None if sovits.config.speaker_dim is None else torch.zeros(1, sovits.config.speaker_dim)

    def timbre() -> Tensor:
        return sovits.voice(spec, speaker)

    voice = timbre()

    def latent() -> Tensor:
        return sovits.latent(codes, text, voice, lambda frames: torch.zeros(1, sovits.config.inter_channels, frames))

    frames = latent()
    wave = sovits.dec(frames, voice)[0, 0].float().numpy()

    def sound() -> Tensor:
        return sovits.dec(frames, voice)

    return [
        Part(f"timbre of {SECONDS} s, once a voice", timbre, 1, counted(timbre), size_of([sovits.ref_enc])),
        Part("tokens to frames", latent, 1, counted(latent), size_of([sovits.enc_p, sovits.flow]), brief),
        Part("frames to sound", sound, 1, counted(sound), size_of([sovits.dec]), brief),
        Part("wav", lambda: encode("wav", wave, engine.sampling_rate)),
        Part("mp3", lambda: encode("mp3", wave, engine.sampling_rate)),
    ]


def counted(work: Callable[[], object]) -> float:
    """Products and additions of it, as torch knows them, and those of layers that oneDNN is called for."""
    ours: dict[Any, Callable[..., int]] = {}
    if usable(torch.zeros(1)):
        mkldnn = torch.ops.mkldnn
        ours = {mkldnn._convolution_pointwise: _of_convolution, mkldnn._linear_pointwise: _of_linear}
    with FlopCounterMode(display=False, custom_mapping=ours) as counter:
        work()
    return counter.get_total_flops()


def _of_convolution(x: Any, second: Any, third: Any, *others: Any, out_shape: Any) -> int:
    """Those of one that is not transposed. Its weights come second, or third if something else is added to the sums."""
    weight = second if third is None or len(third) == 1 else third
    return 2 * math.prod(out_shape) * math.prod(weight[1:])


def _of_linear(x: Any, *others: Any, out_shape: Any) -> int:
    return 2 * math.prod(out_shape) * int(x[-1])


def size_of(modules: Sequence[nn.Module]) -> float:
    """Bytes of weights."""
    everything = [inner for module in modules for inner in module.modules()]
    weights = [tensor for module in everything for tensor in module.parameters(recurse=False)]
    weights += [module.packed for module in everything if isinstance(module, PackedLinear)]
    return sum(tensor.numel() * tensor.dtype.itemsize for tensor in weights)


def clocked(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def most_products(dtype: torch.dtype, size: int = 2048) -> float:
    """Products and additions a second in a large matrix product."""
    matrix = torch.randn(size, size).to(dtype)
    return 2 * size**3 / min(clocked(lambda: matrix @ matrix) for _ in range(5))


def most_bytes(size: int = 1 << 29) -> float:
    """Bytes a second that memory gives."""
    many = torch.ones(size // 4)
    return size / min(clocked(many.sum) for _ in range(5))
