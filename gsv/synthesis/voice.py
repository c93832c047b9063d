"""A reference recording made ready to speak with: its semantic tokens, its transcript's phonemes, its timbre."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gsv.audio.io import load
from gsv.audio.spectral import KALDI_RATE, SOVITS_STFT, kaldi_fbank, spectrogram
from gsv.errors import AudioError
from gsv.models.encoders import HUBERT_RATE, ContentEncoder
from gsv.models.sovits import Sovits, average_voices
from gsv.models.speaker import SpeakerEncoder
from gsv.synthesis.reading import Phonemes, Reader
from gsv.synthesis.reference import LEAST_SECONDS, check_length

# Silence after the reference, so that the prompt's last token is the end of a sentence. The official programs append
# this many samples, meant as 0.3 s at the models' 32 kHz, to the 16 kHz signal; the models expect the 0.6 s it makes.
TRAILING_ZEROS = 9600


@dataclass(frozen=True)
class Voice:
    """What the engine needs to know of a reference.

    `prompt` [Y] are its semantic tokens and `transcript` its phonemes; both are empty in reference-free mode, where
    only `timbre` [1, gin_channels, 1] is taken from the recording. `warnings` are sentences for the user.
    """

    prompt: Tensor
    transcript: Phonemes | None
    timbre: Tensor
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class VoiceMaker:
    """The networks that look at references."""

    sovits: Sovits
    content_encoder: ContentEncoder
    speaker_encoder: SpeakerEncoder | None
    reader: Reader
    device: torch.device
    dtype: torch.dtype

    @torch.inference_mode()
    def make(self, audio: Path, transcript: str, language: str, auxiliary: Sequence[Path] = ()) -> Voice:
        """A voice from a recording and what is said in it; an empty transcript means reference-free mode.

        Args:
            audio: any sound file of at least a second; 3 to 10 seconds are advised, and one speaker.
            transcript: the words spoken in it.
            language: a code of the model's version, see `gsv.versions`.
            auxiliary: further recordings whose timbre is averaged in.
        """
        wave = load(audio, HUBERT_RATE)
        warnings = check_length(audio, len(wave) / HUBERT_RATE)
        timbre = average_voices([self._timbre(path) for path in (audio, *auxiliary)])
        if not transcript.strip():
            return Voice(torch.zeros(0, dtype=torch.int64, device=self.device), None, timbre, warnings)
        padded = np.concatenate([wave, np.zeros(TRAILING_ZEROS, wave.dtype)])
        features = self.content_encoder(torch.from_numpy(padded)[None].to(self.device, self.dtype))
        prompt = self.sovits.quantize(features)[0]
        return Voice(prompt, self.reader.read_transcript(transcript, language), timbre, warnings)

    def _timbre(self, path: Path) -> Tensor:
        wave = torch.from_numpy(load(path, SOVITS_STFT.sampling_rate))
        if len(wave) <= SOVITS_STFT.n_fft:
            raise AudioError(f"{path} is too short to take a voice from; give at least {LEAST_SECONDS:g} s.")
        # Resampling overshoots; as the official programs do, quieten what passes full scale, by at most a half.
        peak = float(wave.abs().max())
        if peak == 0:
            raise AudioError(f"{path} is silent from end to end; give a recording of the voice.")
        if peak > 1:
            wave = wave / min(2.0, peak)
        spec = spectrogram(wave[None], SOVITS_STFT)
        speaker = None
        if self.speaker_encoder is not None:
            bank = kaldi_fbank(torch.from_numpy(load(path, KALDI_RATE)))
            speaker = self.speaker_encoder(bank[None].to(self.device, self.dtype))
        return self.sovits.voice(spec.to(self.device, self.dtype), speaker)
