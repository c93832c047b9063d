"""A reference recording made ready to speak with: its semantic tokens, its transcript's phonemes, its timbre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gsv.audio.io import load
from gsv.audio.spectral import KALDI_RATE, SOVITS_STFT, kaldi_fbank, spectrogram
from gsv.errors import AudioError, InputError
from gsv.models.encoders import HUBERT_RATE, ContentEncoder
from gsv.models.generators import Generator
from gsv.models.sovits import average_voices
from gsv.models.speaker import SpeakerEncoder
from gsv.synthesis.flow import mel_rates, prompt_mel
from gsv.synthesis.reading import Phonemes, Reader
from gsv.synthesis.reference import LEAST_SECONDS, check_length
from gsv.versions import Version

# Silence after the reference, so that the prompt's last token is the end of a sentence. The official programs append
# this many samples, meant as 0.3 s at the models' 32 kHz, to the 16 kHz signal; the models expect the 0.6 s it makes.
TRAILING_ZEROS = 9600
# Semantic tokens a second, and how many of a prompt are that silence.
TOKEN_RATE = 25
SILENT_TOKENS = TRAILING_ZEROS * TOKEN_RATE // HUBERT_RATE


@dataclass(frozen=True)
class Voice:
    """What the engine needs to know of a reference.

    `prompt` [Y] are its semantic tokens and `transcript` its phonemes; both are empty in reference-free mode, where
    only `timbre` [1, gin_channels, 1] is taken from the recording. `warnings` are sentences for the user. `mel`, its
    spectrogram [1, bands, T], is there for versions that speak by flow matching.
    """

    prompt: Tensor
    transcript: Phonemes | None
    timbre: Tensor
    warnings: tuple[str, ...] = ()
    mel: Tensor | None = None

    @property
    def spoken_tokens(self) -> int:
        """How many of the prompt's tokens are not the silence behind it."""
        return max(0, len(self.prompt) - SILENT_TOKENS)

    @property
    def pace(self) -> float | None:
        """How many semantic tokens a phoneme takes in the reference; None in reference-free mode."""
        return None if self.transcript is None else self.spoken_tokens / len(self.transcript)

    def moved(self, device: torch.device, dtype: torch.dtype) -> "Voice":
        """The same voice where another engine computes."""
        transcript = self.transcript
        if transcript is not None:
            transcript = Phonemes(transcript.ids.to(device), transcript.bert.to(device, dtype), transcript.norm_text)
        mel = None if self.mel is None else self.mel.to(device)
        timbre = self.timbre.to(device, dtype)
        return replace(self, prompt=self.prompt.to(device), transcript=transcript, timbre=timbre, mel=mel)


@dataclass(frozen=True)
class Recording:
    """What is taken from a reference's sound files: whatever the weights, a voice comes from this and a transcript.

    `content` [1, width, T] is the content encoder's output, None in reference-free mode. `spectrograms`, each
    [1, 1025, T], and `banks`, each [T, 80] and what the speaker encoder looks at, are of the reference and the further
    recordings whose timbre is averaged in. `mels`, each [1, bands, T], are those of the reference that versions of
    these names go on from. All lie on the CPU.
    """

    content: Tensor | None
    spectrograms: tuple[Tensor, ...]
    banks: tuple[Tensor, ...]
    warnings: tuple[str, ...] = ()
    mels: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class VoiceMaker:
    """The networks that look at references; without a content encoder, recordings that need not be listened to."""

    version: Version
    sovits: Generator
    content_encoder: ContentEncoder | None
    speaker_encoder: SpeakerEncoder | None
    reader: Reader
    device: torch.device
    dtype: torch.dtype

    def make(
        self,
        audio: Path,
        transcript: str,
        language: str,
        auxiliary: Sequence[Path] = (),
        tokens: Sequence[int] | None = None,
    ) -> Voice:
        """A voice from a recording and what is said in it; an empty transcript means reference-free mode.

        Args:
            audio: any sound file of at least a second; 3 to 10 seconds are advised, and one speaker.
            transcript: the words spoken in it.
            language: a code of the model's version, see `gsv.versions`.
            auxiliary: further recordings whose timbre is averaged in.
            tokens: what would be heard in it, if that is known.

        Raises InputError for what the version cannot do.
        """
        speaks = bool(transcript.strip())
        self._check(speaks, len(auxiliary))
        recording = self.listen(audio, auxiliary, speaks and tokens is None)
        return self.voice(recording, transcript, language, tokens)

    @torch.inference_mode()
    def listen(self, audio: Path, auxiliary: Sequence[Path] = (), speaks: bool = True) -> Recording:
        """Looks at the sound files, which nothing else does; `speaks` asks for the content of the first one too."""
        wave = load(audio, HUBERT_RATE)
        warnings = check_length(audio, len(wave) / HUBERT_RATE)
        spectrograms = tuple(_spectrogram(path) for path in (audio, *auxiliary))
        banks = tuple(kaldi_fbank(torch.from_numpy(load(path, KALDI_RATE))) for path in (audio, *auxiliary))
        content, mels = None, {}
        if speaks:
            assert self.content_encoder is not None, "what is said is heard by a content encoder"
            mels = {
                name: prompt_mel(torch.from_numpy(load(audio, facts.sampling_rate)), facts)
                for name, facts in mel_rates().items()
            }
            padded = np.concatenate([wave, np.zeros(TRAILING_ZEROS, wave.dtype)])
            content = self.content_encoder(torch.from_numpy(padded)[None].to(self.device, self.dtype)).cpu()
        return Recording(content, spectrograms, banks, warnings, mels)

    @torch.inference_mode()
    def voice(self, recording: Recording, transcript: str, language: str, tokens: Sequence[int] | None = None) -> Voice:
        """What these networks make of a recording; see `make`."""
        speaks = bool(transcript.strip())
        self._check(speaks, len(recording.spectrograms) - 1)
        timbre = average_voices(
            [self._timbre(*one) for one in zip(recording.spectrograms, recording.banks, strict=True)]
        )
        if speaks and tokens is not None:
            prompt = torch.tensor(tokens, device=self.device)
        elif speaks and recording.content is not None:
            prompt = self.sovits.quantize(recording.content.to(self.device, self.dtype))[0]
        else:
            return Voice(torch.zeros(0, dtype=torch.int64, device=self.device), None, timbre, recording.warnings)
        mel = None
        if self.version.uses_flow:
            if self.version.name not in recording.mels:
                raise InputError(
                    f"This speaker was saved without what version {self.version.name} needs of its recording; "
                    "clone it again from that."
                )
            mel = recording.mels[self.version.name].to(self.device)
        return Voice(prompt, self.reader.read_transcript(transcript, language), timbre, recording.warnings, mel)

    def _check(self, speaks: bool, auxiliaries: int) -> None:
        if not speaks and self.version.no_reference_free:
            raise InputError(self.version.no_reference_free)
        if auxiliaries and self.version.no_auxiliary:
            raise InputError(self.version.no_auxiliary)

    def _timbre(self, spec: Tensor, bank: Tensor) -> Tensor:
        speaker = None
        if self.speaker_encoder is not None:
            speaker = self.speaker_encoder(bank[None].to(self.device, self.dtype))
        return self.sovits.voice(spec.to(self.device, self.dtype), speaker)


def _spectrogram(path: Path) -> Tensor:
    wave = torch.from_numpy(load(path, SOVITS_STFT.sampling_rate))
    if len(wave) <= SOVITS_STFT.n_fft:
        raise AudioError(f"{path} is too short to take a voice from; give at least {LEAST_SECONDS:g} s.")
    # Resampling overshoots; as the official programs do, quieten what passes full scale, by at most a half.
    peak = float(wave.abs().max())
    if peak == 0:
        raise AudioError(f"{path} is silent from end to end; give a recording of the voice.")
    if peak > 1:
        wave = wave / min(2.0, peak)
    return spectrogram(wave[None], SOVITS_STFT)
