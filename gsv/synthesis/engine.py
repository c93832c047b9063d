"""Text and a voice in, speech out.

    from gsv import Engine
    engine = Engine.load()
    voice = engine.voice("reference.wav", "What is said in it.", "en")
    speech = engine.speak("Hello there.", "en", voice)

`Engine.stream` yields the audio of one piece of text after another as it comes; `Engine.speak` joins them. Everything
that speaks in gsv is a caller of these two. One engine serves one request at a time.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from gsv.checkpoints import read_generator, read_gpt
from gsv.devices import best_device, working_dtype
from gsv.errors import CheckpointError, InputError, SynthesisError
from gsv.models.sovits import Sovits
from gsv.models.t2s import T2S
from gsv.paths import Project
from gsv.synthesis.common import Common
from gsv.synthesis.decoder import TOKENS_AT_MOST, Continuation, Row, generate
from gsv.synthesis.reading import Phonemes, Reader
from gsv.synthesis.sampling import SamplingOptions
from gsv.synthesis.streaming import BY_PIECE, Streaming
from gsv.synthesis.turns import never
from gsv.synthesis.voice import Voice, VoiceMaker
from gsv.versions import Version, version_named

TOKEN_RATE = 25

# Speech of a human has 10 to 20 phonemes a second. Outside these wide bounds a decoding has gone wrong: it stopped
# early, or it repeats itself. The allowance is for pauses and for texts of one or two words.
TOKENS_A_PHONEME = 2.0
LEAST_TOKENS_A_PHONEME = 0.4
MOST_TOKENS_A_PHONEME = 12.0
ALLOWANCE = 60
RETRIES = 2

FADE_SECONDS = 0.005
SEEDS = 2**32


@dataclass(frozen=True)
class SpeechOptions:
    """How to speak.

    Args:
        sampling: see there.
        speed: pace, 1 is natural; 0.5 to 2 is sensible.
        pause: seconds of silence after each piece of text.
        split: how text is cut into pieces, cut0 to cut5.
        batch_size: pieces decoded together; more is faster and needs more memory.
        bucket_threshold: pieces share a batch when the shorter's length is at least this share of the longer's.
        seed: of all random draws, 0 to 2^32 - 1; None or -1 draws one, which the answer tells.
        noise_scale: spread of the latent around its mean, 0 to 2; None is the model's own.
    """

    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    speed: float = 1.0
    pause: float = 0.3
    split: str = "cut5"
    batch_size: int = 1
    bucket_threshold: float = 0.75
    seed: int | None = None
    noise_scale: float | None = None

    def __post_init__(self) -> None:
        if not 0.1 <= self.speed <= 10:
            raise InputError(f"speed is {self.speed:g}; it must be between 0.1 and 10 (1 is natural).")
        if not 0 <= self.pause <= 60:
            raise InputError(f"pause is {self.pause:g}; it must be between 0 and 60 seconds.")
        if self.batch_size < 1:
            raise InputError(f"batch_size is {self.batch_size}; it must be 1 or more.")
        if self.seed is not None and not -1 <= self.seed < SEEDS:
            raise InputError(f"seed is {self.seed}; it must be between 0 and {SEEDS - 1}, or -1 to draw one.")
        if self.noise_scale is not None and not 0 <= self.noise_scale <= 2:
            raise InputError(f"noise_scale is {self.noise_scale:g}; it must be between 0 and 2.")


@dataclass(frozen=True)
class Fragment:
    """One piece of text as it was spoken: wave [samples] of float32 within [-1, 1], its pause included.

    `retries` tells how often decoding went wrong and was drawn again, `warning` that it still looks wrong.
    """

    text: str
    wave: np.ndarray
    sampling_rate: int
    tokens: int
    retries: int
    warning: str
    seed: int


@dataclass(frozen=True)
class Speech:
    """All fragments of a text, joined."""

    wave: np.ndarray
    sampling_rate: int
    seed: int
    fragments: tuple[Fragment, ...]

    @classmethod
    def joined(cls, fragments: Iterable[Fragment]) -> "Speech":
        """The speech that these fragments, of which there must be one at least, make one after another."""
        all_of_them = tuple(fragments)
        wave = np.concatenate([fragment.wave for fragment in all_of_them])
        return cls(wave, all_of_them[0].sampling_rate, all_of_them[0].seed, all_of_them)

    @property
    def seconds(self) -> float:
        return len(self.wave) / self.sampling_rate

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(fragment.warning for fragment in self.fragments if fragment.warning)


class Engine:
    """The loaded networks of one voice model, and the way from text to audio."""

    def __init__(
        self,
        version: Version,
        sovits: Sovits,
        t2s: T2S,
        project: Project,
        device: torch.device,
        dtype: torch.dtype,
        content_module: str | None = None,
        common: Common | None = None,
    ):
        _check_pair(version, sovits, t2s)
        self.common = common or Common(project, device, dtype)
        self.content_module = content_module
        self.version = version
        self.project = project
        self.device = device
        self.dtype = dtype
        self.sovits = sovits.for_inference().to(device, dtype)
        self.t2s = t2s.requires_grad_(False).eval().to(device, dtype)

    @classmethod
    def load(
        cls,
        gpt: str | Path | None = None,
        sovits: str | Path | None = None,
        *,
        version: str = "v2",
        project: Project | None = None,
        device: str | None = None,
        common: Common | None = None,
    ) -> "Engine":
        """From two weight files; one that is not named is the base model of the other's version, or of `version`.

        Raises MissingWeightsError, CheckpointError or UnsafeCheckpointError.
        """
        project = project or Project.default()
        generator = read_generator(
            project.resolve(sovits) if sovits else project.base(version_named(version)).generator
        )
        detected = version_named(generator.version)
        module = generator.config.get("content_module")
        file = read_gpt(project.resolve(gpt) if gpt else project.base_of(detected, module).gpt)
        target = best_device(device)
        return cls(
            detected,
            Sovits.from_weights(generator.config["model"], generator.weight),
            T2S.from_weights(file.config["model"], file.weight),
            project,
            target,
            working_dtype(target),
            module,
            common,
        )

    @property
    def notice(self) -> str:
        """What to tell whoever uses this voice; mostly nothing."""
        return self.project.base_of(self.version, self.content_module).notice

    @property
    def sampling_rate(self) -> int:
        return self.version.sampling_rate

    @property
    def reader(self) -> Reader:
        common = self.common
        frontend = common.frontend(self.version.symbols)
        width = self.t2s.config.bert_dim
        return Reader(frontend, common.text_encoder, width, self.device, self.dtype, common.reading, common.turns)

    @property
    def voices(self) -> VoiceMaker:
        common = self.common
        content = common.content_encoder(self.project.content_encoder(self.content_module))
        speaker = common.speaker_encoder() if self.version.uses_speaker_vector else None
        return VoiceMaker(self.sovits, content, speaker, self.reader, self.device, self.dtype)

    def voice(
        self, audio: str | Path, transcript: str = "", language: str = "en", auxiliary: Sequence[str | Path] = ()
    ) -> Voice:
        """A voice from a reference recording, see `VoiceMaker.make`."""
        resolve = self.project.resolve
        voices = self.voices
        with self.common.turns.turn("pass"):
            return voices.make(resolve(audio), transcript, language, [resolve(path) for path in auxiliary])

    def speak(self, text: str, language: str, voice: Voice, options: SpeechOptions = SpeechOptions()) -> Speech:
        """The whole text as one wave."""
        return Speech.joined(self.stream(text, language, voice, options))

    @torch.inference_mode()
    def stream(
        self,
        text: str,
        language: str,
        voice: Voice,
        options: SpeechOptions = SpeechOptions(),
        stopped: Callable[[], bool] = never,
    ) -> Iterator[Fragment]:
        """The text piece by piece, in order, each as soon as it is spoken.

        `stopped` is asked after every decoding step; once it says yes, the stream ends without the pieces that are not
        finished.

        Raises TextError before anything is spoken when the text has nothing to say, or is in a language that the
        version does not know.
        """
        pieces = self.reader.pieces(text, language, options.split)
        phonemes = [self.reader.read(piece, language) for piece in pieces]
        seed = secrets.randbelow(SEEDS) if options.seed is None or options.seed < 0 else options.seed
        spoken: dict[int, Fragment] = {}
        following = 0
        for batch in batches([len(one) for one in phonemes], options.batch_size, options.bucket_threshold):
            takes = self._decode([phonemes[i] for i in batch], voice, options, seed, batch, stopped)
            if takes is None:
                return
            for i, take in zip(batch, takes, strict=True):
                spoken[i] = self._finish(pieces[i], phonemes[i], take, voice, options, seed)
            while following in spoken:
                yield spoken.pop(following)
                following += 1

    def stream_audio(
        self,
        text: str,
        language: str,
        voice: Voice,
        options: SpeechOptions = SpeechOptions(),
        streaming: Streaming = BY_PIECE,
        stopped: Callable[[], bool] = never,
    ) -> Iterator[np.ndarray]:
        """The same audio in chunks, each [samples] of float32 at `sampling_rate`, as early as `streaming` says."""
        for fragment in self.stream(text, language, voice, options, stopped):
            yield fragment.wave

    def _decode(
        self,
        texts: Sequence[Phonemes],
        voice: Voice,
        options: SpeechOptions,
        seed: int,
        places: Sequence[int],
        stopped: Callable[[], bool],
    ) -> "list[Take] | None":
        """Semantic tokens for some pieces at once; those that came out wrong are drawn again.

        None if it was stopped.
        """
        takes: dict[int, Take] = {}
        for attempt in range(1 + RETRIES):
            waiting = [i for i in range(len(texts)) if i not in takes or takes[i].fault]
            if not waiting:
                break
            rows = [self._row(texts[i], voice, options, seed, places[i], attempt) for i in waiting]
            results = _finished(generate(self.t2s, rows), stopped)
            if results is None:
                return None
            for i, row, result in zip(waiting, rows, results, strict=True):
                take = Take(result.tokens, row.generator, attempt, fault_of(result, len(texts[i])))
                if i not in takes or take.strangeness(len(texts[i])) < takes[i].strangeness(len(texts[i])):
                    takes[i] = take
        return [takes[i] for i in range(len(texts))]

    def _row(self, text: Phonemes, voice: Voice, options: SpeechOptions, seed: int, place: int, attempt: int) -> Row:
        whole = text if voice.transcript is None else voice.transcript.then(text)
        # A generator for each piece: what one piece draws does not depend on the others or on how they are batched.
        generator = torch.Generator(self.device).manual_seed(seed * 1_000_003 + place * 10 + attempt)
        limit = min(TOKENS_AT_MOST, most_tokens(len(text)))
        return Row(whole.ids, whole.bert, voice.prompt, generator, options.sampling, limit)

    def _finish(
        self, piece: str, text: Phonemes, take: "Take", voice: Voice, options: SpeechOptions, seed: int
    ) -> Fragment:
        """Tokens into a wave with soft edges and the pause after it."""
        if not take.tokens:
            raise SynthesisError(f"The model made no sound for {piece!r}; try another seed or reference.")
        codes = torch.tensor(take.tokens, device=self.device)[None]
        wave = self.sovits.decode(
            codes, text.ids[None], voice.timbre, options.speed, options.noise_scale, take.generator
        )[0, 0]
        made = wave.float().cpu().numpy()
        peak = float(np.abs(made).max())
        if not np.isfinite(peak):
            raise SynthesisError(
                f"The model's output for {piece!r} is not a number; its weights are damaged or overflow in fp16."
            )
        if peak > 1:
            made = made / peak
        made = np.concatenate(
            [faded(made, self.sampling_rate), np.zeros(int(options.pause * self.sampling_rate), made.dtype)]
        )
        warning = f"{piece!r} may be spoken wrongly: {take.fault}." if take.fault else ""
        # A fault that is left means that every attempt was used up, whichever of them was the best.
        retries = RETRIES if take.fault else take.attempt
        return Fragment(piece, made, self.sampling_rate, len(take.tokens), retries, warning, seed)


@dataclass(frozen=True)
class Take:
    """One decoding of a piece: its tokens, the generator that drew them, the attempt it was, and what is wrong."""

    tokens: list[int]
    generator: torch.Generator
    attempt: int
    fault: str

    def strangeness(self, phonemes: int) -> float:
        """How far its length is from what so many phonemes take; a take without a fault is never strange."""
        return abs(len(self.tokens) - TOKENS_A_PHONEME * phonemes) if self.fault else -1.0


def _finished(steps: Iterator[list[Continuation]], stopped: Callable[[], bool]) -> list[Continuation] | None:
    """What the last step yields; None if it was stopped before."""
    results: list[Continuation] = []
    for now in steps:
        if stopped():
            return None
        results = now
    return results


def most_tokens(phonemes: int) -> int:
    """The length past which speech of so many phonemes is certainly a repetition."""
    return int(ALLOWANCE + MOST_TOKENS_A_PHONEME * phonemes)


def fault_of(result: Continuation, phonemes: int) -> str:
    """What is wrong with a decoding, judged by its length, or nothing."""
    if result.ended == "limit":
        return f"it did not come to an end within {len(result.tokens) / TOKEN_RATE:.0f} s"
    if len(result.tokens) < LEAST_TOKENS_A_PHONEME * phonemes:
        return f"it stopped after {len(result.tokens) / TOKEN_RATE:.1f} s, too early for its {phonemes} phonemes"
    return ""


def batches(lengths: Sequence[int], size: int, threshold: float) -> list[list[int]]:
    """Indices in groups of at most `size` whose lengths differ little, so that little time goes into padding.

    The groups are in the order in which the text needs them.
    """
    groups: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        if groups and len(groups[-1]) < size and lengths[i] >= threshold * lengths[groups[-1][0]]:
            groups[-1].append(i)
        else:
            groups.append([i])
    return sorted((sorted(group) for group in groups), key=lambda group: group[0])


def faded(wave: np.ndarray, sampling_rate: int) -> np.ndarray:
    """The wave with a few milliseconds of fade at both ends: where pieces are joined there is no click."""
    length = min(int(FADE_SECONDS * sampling_rate), len(wave) // 2)
    if length == 0:
        return wave
    ramp = np.linspace(0, 1, length, endpoint=False, dtype=wave.dtype)
    wave = wave.copy()
    wave[:length] *= ramp
    wave[-length:] *= ramp[::-1]
    return wave


def _check_pair(version: Version, sovits: Sovits, t2s: T2S) -> None:
    """CheckpointError unless the two halves speak of the same phonemes and tokens."""
    if t2s.config.phoneme_vocab_size != version.gpt_symbols:
        raise CheckpointError(
            f"The GPT weights know {t2s.config.phoneme_vocab_size} phonemes where {version.name} has "
            f"{version.gpt_symbols}; give GPT weights of the SoVITS weights' version, {version.name}."
        )
    tokens = t2s.config.EOS
    if tokens != sovits.config.codebook_size:
        raise CheckpointError(
            f"The GPT weights know {tokens} semantic tokens and the SoVITS weights "
            f"{sovits.config.codebook_size}; give two files that were trained together."
        )
