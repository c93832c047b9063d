"""How near `--fast` comes to what is exact, on the same weights: `python tools/bench.py --random v2 --alike`.

Every token is chosen anew behind the same tokens, so that one difference does not lead to others; of the sound, the
random part is left out.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import HubertConfig, HubertModel

from gsv.audio.spectral import SOVITS_STFT, spectrogram
from gsv.errors import InputError
from gsv.models.brief import shorten
from gsv.models.sovits import Sovits
from gsv.synthesis.decoder import Decoder, Row, generate
from gsv.synthesis.engine import Engine
from gsv.synthesis.sampling import SamplingOptions

TEXTS = 3
PHONEMES, PROMPT, TOKENS, CODES = 60, 100, 200, 125
SECONDS = 5
# Spectra count where they are at most this far below the loudest.
AUDIBLE_DECIBELS = 40.0


@dataclass(frozen=True)
class AlikeResult:
    """`tokens_alike` of `tokens` are the likeliest ones by both; errors are relative, in the root of the mean square.

    Of the sound: how far it is above what differs, and the log-spectral distance where something is heard.
    """

    weights: str
    tokens: int
    tokens_alike: int
    logits_error: float
    sound_db: float
    log_spectral_distance_db: float
    content_error: float


def measure_alike(exact: Engine, fast: Engine, name: str) -> AlikeResult:
    """Raises InputError for versions that speak by flow matching, whose sound `--fast` does not change."""
    if not isinstance(exact.sovits, Sovits) or not isinstance(fast.sovits, Sovits):
        raise InputError(f"Of {exact.version.name} only tokens would differ; measure v2.")
    count, alike, error, power = 0, 0, 0.0, 0.0
    for logits, others in forced(exact, fast):
        count += len(logits)
        alike += int((logits.argmax(-1) == others.argmax(-1)).sum())
        error += float((logits - others).square().sum())
        power += float((logits - logits.mean(-1, keepdim=True)).square().sum())
    sound, other = (spoken(engine.sovits) for engine in (exact, fast))
    return AlikeResult(
        weights=name,
        tokens=count,
        tokens_alike=alike,
        logits_error=round(math.sqrt(error / power), 4),
        sound_db=round(10 * math.log10(float(sound.square().sum() / (sound - other).square().sum())), 1),
        log_spectral_distance_db=round(spectral_distance(sound, other), 2),
        content_error=round(content_error(), 4),
    )


@torch.inference_mode()
def forced(exact: Engine, fast: Engine) -> Iterator[tuple[Tensor, Tensor]]:
    """For some texts, the logits [tokens, V] of both after each of the tokens that the exact one finds likeliest."""
    config = exact.t2s.config
    for seed in range(TEXTS):
        chance = torch.Generator().manual_seed(seed)
        row = Row(
            torch.randint(1, config.phoneme_vocab_size, (PHONEMES,), generator=chance),
            torch.zeros(config.bert_dim, PHONEMES),
            torch.randint(config.EOS, (PROMPT,), generator=chance),
            chance,
            SamplingOptions(top_k=1),
            limit=TOKENS,
        )
        tokens = list(generate(exact.t2s, [row]))[-1][0].tokens
        both = []
        for engine in (exact, fast):
            decoder = Decoder(engine.t2s)
            strand = decoder.begin(row)
            stepwise = [decoder.advance([strand], [token]) for token in tokens[:-1]]
            both.append(torch.cat([strand.logits[None], *stepwise]).float()[:, : config.EOS])
        yield both[0], both[1]


@torch.inference_mode()
def spoken(sovits: Sovits) -> Tensor:
    """The wave [1, T] of random codes in the voice of noise."""
    chance = torch.Generator().manual_seed(0)
    voice = sovits.voice(spectrogram(torch.randn(1, 32000, generator=chance) * 0.1, SOVITS_STFT))
    codes = torch.randint(len(sovits.quantizer.codebook.embed), (1, CODES), generator=chance)
    text = torch.randint(1, sovits.config.n_symbols, (1, PHONEMES), generator=chance)
    return sovits.decode(codes, text, voice, noise_scale=0.0)[0].float()


def spectral_distance(sound: Tensor, other: Tensor) -> float:
    first, second = (20 * spectrogram(wave, SOVITS_STFT)[0].log10() for wave in (sound, other))
    heard = first > first.max() - AUDIBLE_DECIBELS
    return float(((first - second).square() * heard).sum().div(heard.sum()).sqrt())


@torch.inference_mode()
def content_error() -> float:
    """Of HuBERT's features, with random weights of official widths."""
    torch.manual_seed(0)
    exact = HubertModel(HubertConfig()).eval()
    fast = copy.deepcopy(exact)
    shorten(fast)
    wave = torch.randn(1, 16000 * SECONDS)
    features, others = (network(wave).last_hidden_state for network in (exact, fast))
    return float((features - others).norm() / features.norm())
