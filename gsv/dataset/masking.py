"""Voice and accompaniment apart without any trained model: rough, and for when there is no better one.

Two estimates of the voice are averaged, both by soft masks over the magnitudes of a spectrum.

- Harmonic/percussive (Fitzgerald, 2010): over a long window a voice, whose pitch moves, looks like clicks, and over a
  short one like tones. What is a click over 0.37 s and a tone over 12 ms is taken for voice.
- Nearest neighbours (Rafii and Pardo, 2012, REPET-SIM): music repeats itself and a voice does not. What a moment has
  and the moments most like it, more than 2 s away, do not have is taken for voice.

Measured on a minute of read English speech (LJSpeech) with synthetic music: signal-to-noise ratio against the clean
voice in dB, of the mix and of the voice that comes out.

    mix                                                   -5      0      5     10
    chords and drums in a loop                           8.3   10.0   10.4   10.5
    no two bars alike                                    3.7    6.6    8.6   10.1

What the masks take from a voice alone leaves it at 12.1, so where the music is faint (10 and above) they do no good.
Music stays audible and the voice sounds hollow. tests/dataset/test_masking.py holds lower bounds.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gsv.dataset.stretches import RATE, Samples, separate_file
from gsv.errors import AudioError, MissingLibraryError

if TYPE_CHECKING:
    import torch

LONG_WINDOW = 16384
SHORT_WINDOW = 512
SIMILARITY_WINDOW = 4096
# Moments nearer than this resemble each other whatever sounds.
APART_SECONDS = 2.0
VOICE_MARGIN = 2.0
LOWEST_VOICE = 80.0

Mask = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class MaskEngine:
    """The masks, as an engine of the separation step. They run on the CPU."""

    identity: dict[str, Any] = field(default_factory=lambda: {"method": "hpss"})
    suffix: str = ""
    voice_is_target: bool = True
    notice: str = (
        "This separates by masks, without a model: rough, music stays audible in the voice. "
        "Models do far better; get them with: gsv download uvr5"
    )

    def check(self) -> None:
        """Raises MissingLibraryError if librosa is not installed."""
        _librosa()

    def start(self, device: "torch.device") -> "Any":
        librosa = _librosa()

        def run(mix: Path, target: Path, rest: Path) -> None:
            try:
                separate_file(lambda wave: separated(librosa, wave), str(mix), str(target), str(rest), lambda _: None)
            except ValueError as error:
                raise AudioError(f"It cannot be separated: {error}.") from error

        return run


def separated(librosa: Any, mix: Samples) -> tuple[Samples, Samples]:
    """Voice and rest [2, T] of a mix [2, T]; they add up to it."""
    by_harmony = _masked(librosa, mix, LONG_WINDOW, lambda magnitudes: _percussive(librosa, magnitudes))
    by_harmony = _masked(librosa, by_harmony, SHORT_WINDOW, lambda magnitudes: _harmonic(librosa, magnitudes))
    by_novelty = _masked(librosa, mix, SIMILARITY_WINDOW, lambda magnitudes: _novel(librosa, magnitudes))
    voice = ((by_harmony + by_novelty) / 2).astype(np.float32)
    return voice, mix - voice


def _masked(librosa: Any, wave: Samples, window: int, mask: Any) -> Samples:
    """The wave with a mask, made from the mean magnitudes [F, T] of its channels, over its spectrum; nothing is voice
    below the lowest pitch of voices."""
    spectra = librosa.stft(wave, n_fft=window)
    chosen = mask(np.abs(spectra).mean(axis=0))
    chosen[librosa.fft_frequencies(sr=RATE, n_fft=window) < LOWEST_VOICE] = 0
    result: Samples = librosa.istft(spectra * chosen, n_fft=window, length=wave.shape[1])
    return result


def _percussive(librosa: Any, magnitudes: Mask) -> Mask:
    return np.array(librosa.decompose.hpss(magnitudes, mask=True)[1])


def _harmonic(librosa: Any, magnitudes: Mask) -> Mask:
    return np.array(librosa.decompose.hpss(magnitudes, mask=True)[0])


def _novel(librosa: Any, magnitudes: Mask) -> Mask:
    apart = librosa.time_to_frames(APART_SECONDS, sr=RATE, hop_length=SIMILARITY_WINDOW // 4)
    # Where there is no second moment far enough away, nothing is known to repeat itself.
    if magnitudes.shape[1] < 3 * apart:
        return np.ones_like(magnitudes)
    usual = librosa.decompose.nn_filter(magnitudes, aggregate=np.median, metric="cosine", width=int(apart))
    usual = np.minimum(magnitudes, usual)
    return np.array(librosa.util.softmask(magnitudes - usual, VOICE_MARGIN * usual, power=2))


def _librosa() -> Any:
    try:
        import librosa
    except ImportError:
        line = 'pip install "gsv[separate]"'
        raise MissingLibraryError(f"Separation without a model needs librosa; install it with: {line}") from None
    return librosa
