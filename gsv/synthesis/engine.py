"""Text and a voice in, speech out.

    from gsv import Engine
    engine = Engine.load()
    voice = engine.voice("reference.wav", "What is said in it.", "en")
    speech = engine.speak("Hello there.", "en", voice)

`Engine.stream` yields the audio of one piece of text after another as it comes; `Engine.speak` joins them, and
`Engine.stream_audio` gives chunks within a piece as well. Everything that speaks in gsv is a caller of these. Any
number of threads may call them at once: the tokens of all are drawn together, and each gets what it would get alone.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from gsv.checkpoints import read_gpt
from gsv.devices import best_device, fresh_memory, working_dtype
from gsv.errors import CheckpointError, InputError, SynthesisError
from gsv.lora import read_voice
from gsv.models.flow_sovits import FlowSovits
from gsv.models.generators import Generator, network_of
from gsv.models.sovits import Sovits
from gsv.models.t2s import T2S
from gsv.paths import Project
from gsv.synthesis.common import Common
from gsv.synthesis.decoder import TOKENS_AT_MOST, Continuation, Row
from gsv.synthesis.flow import FlowPrompt, FlowSpeaker, super_sampled
from gsv.synthesis.reading import Phonemes, Reader
from gsv.synthesis.reference import Heard
from gsv.synthesis.sampling import SamplingOptions
from gsv.synthesis.scheduler import Scheduler
from gsv.synthesis.sound import Growing, Noise, Speaker, faded
from gsv.synthesis.streaming import BY_PIECE, Streaming
from gsv.synthesis.turns import StoppedError, never
from gsv.synthesis.voice import TOKEN_RATE, Voice, VoiceMaker
from gsv.text.markup import pauses
from gsv.versions import HUBERT, SUPER_SAMPLED_RATE, FlowFacts, Version, version_named

# Speech of a human has 10 to 20 phonemes a second. Outside these wide bounds a decoding has gone wrong: it stopped
# early, or it repeats itself. The allowance is for pauses and for texts of one or two words.
TOKENS_A_PHONEME = 2.0
LEAST_TOKENS_A_PHONEME = 0.4
MOST_TOKENS_A_PHONEME = 12.0
ALLOWANCE = 60
# So much faster or slower than both that and the reference, half a second aside, a decoding has probably left words out
# or said them twice. It is drawn again, but not reported: some texts are read so.
HASTE, DRAG, LEEWAY = 0.6, 1.4, 12
RETRIES = 2

SEEDS = 2**32


@dataclass(frozen=True)
class SpeechOptions:
    """How to speak.

    Args:
        sampling: see there.
        speed: pace, 1 is natural; 0.5 to 2 is sensible.
        pause: seconds of silence after each piece of text.
        split: how text is cut into pieces, auto or cut0 to cut5.
        batch_size: pieces decoded together; more is faster and needs more memory.
        bucket_threshold: pieces share a batch when the shorter's length is at least this share of the longer's.
        seed: of all random draws, 0 to 2^32 - 1; None or -1 draws one, which the answer tells.
        noise_scale: spread of the latent around its mean, 0 to 2; None is the model's own. v1 and v2 alone.
        sample_steps: steps of flow matching, 4 to 128; None is the version's own. This and what follows: v3 and v4
            alone, the others have no use for it.
        guidance: of flow matching by the condition, 0 to 5; 0, which the models are made for, is none.
        super_sampling: v3's 24 kHz made 48 kHz, with an official network that must be there.
    """

    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    speed: float = 1.0
    pause: float = 0.3
    split: str = "auto"
    batch_size: int = 1
    bucket_threshold: float = 0.75
    seed: int | None = None
    noise_scale: float | None = None
    sample_steps: int | None = None
    guidance: float = 0.0
    super_sampling: bool = False

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
        if self.sample_steps is not None and not 4 <= self.sample_steps <= 128:
            raise InputError(f"sample_steps is {self.sample_steps}; it must be between 4 and 128.")
        if not 0 <= self.guidance <= 5:
            raise InputError(f"guidance is {self.guidance:g}; it must be between 0 and 5.")


@dataclass(frozen=True)
class Fragment:
    """One piece of text as it was spoken: wave [samples] of float32 within [-1, 1], its pause included.

    `retries` tells how often decoding looked wrong and was drawn again, `warning` that it certainly is.
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
        sovits: Generator,
        t2s: T2S,
        project: Project,
        device: torch.device,
        dtype: torch.dtype,
        content_module: str | None = None,
        common: Common | None = None,
        fast: bool = False,
    ):
        _check_pair(version, sovits, t2s)
        self.common = common or Common(project, device, dtype, fast)
        self.content_module = content_module
        self.version = version
        self.project = project
        self.device = device
        self.dtype = dtype
        self.vocoder = self.common.vocoder(version.flow) if version.flow else None
        self.sovits = sovits.to(device, dtype).for_inference(brief=fast)
        self.t2s = t2s.to(device, dtype).for_decoding(brief=fast)
        self.scheduler = Scheduler(self.t2s, self.common.turns)

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
        fast: bool = False,
    ) -> "Engine":
        """From two weight files; one that is not named is the base model of the other's version, or of `version`.

        `fast` trades exactness for speed on a CPU, where numbers are kept in 32 bits otherwise: tokens are drawn, and
        references and texts looked at, with weights of 8 bits, and sound is made in 16 bits where the processor can.
        docs/speed.md has what that changes.

        Raises MissingWeightsError, CheckpointError or UnsafeCheckpointError.
        """
        project, target = project or Project.default(), best_device(device)
        with fresh_memory():
            generator = read_voice(
                project.resolve(sovits) if sovits else project.base(version_named(version)).generator, project
            )
            detected = version_named(generator.version)
            module = generator.config.get("content_module")
            network = network_of(detected, generator.config["model"], generator.weight)
            # What was read is not kept beside what is made of it.
            del generator
            file = read_gpt(project.resolve(gpt) if gpt else project.base_of(detected, module).gpt)
            t2s = T2S.from_weights(file.config["model"], file.weight)
            del file
            return cls(detected, network, t2s, project, target, working_dtype(target), module, common, fast)

    @property
    def notice(self) -> str:
        """What to tell whoever uses this voice; mostly nothing."""
        return self.project.base_of(self.version, self.content_module).notice

    @property
    def sampling_rate(self) -> int:
        return self.version.sampling_rate

    def rate_with(self, options: SpeechOptions) -> int:
        """The sampling rate of what is spoken with these options."""
        super_sampled = options.super_sampling and self.version.super_sampler is not None
        return SUPER_SAMPLED_RATE if super_sampled else self.sampling_rate

    @property
    def soonest(self) -> Streaming:
        """What lets the first sound come as early as the version can, for whoever does not say how to stream."""
        return BY_PIECE if self.version.no_streaming else Streaming("growing")

    @property
    def reader(self) -> Reader:
        common = self.common
        frontend = common.frontend(self.version.symbols)
        width = self.t2s.config.bert_dim
        return Reader(frontend, common.text_encoder, width, self.device, self.dtype, common.reading, common.turns)

    @property
    def content_encoder(self) -> str:
        """The name of the network that these weights listen to recordings with."""
        module = self.content_module
        return module if module is not None and "/" in module else HUBERT

    @cached_property
    def weights_id(self) -> str:
        """The same for all weights that make the same voice of a recording, and for no others.

        A digest of the tensors that a voice depends on, and of how texts are read. The precision that they are computed
        in does not matter.
        """
        read = [self.version.name, self.content_encoder, self.t2s.config.bert_dim]
        digest = hashlib.sha256(json.dumps(read).encode())
        for name, tensor in sorted(self.sovits.state_dict().items()):
            if name.startswith(("ssl_proj.", "quantizer.", "ref_enc.", "sv_emb.", "prelu.")):
                digest.update(name.encode())
                digest.update(tensor.to("cpu", torch.float16).contiguous().numpy().tobytes())
        return digest.hexdigest()[:32]

    def voices(self, listens: bool = True) -> VoiceMaker:
        """What makes voices of recordings, or without `listens` of what others have heard in them."""
        common, content = self.common, None
        if listens:
            content = common.content_encoder(self.project.content_encoder(self.content_module))
        speaker = common.speaker_encoder() if self.version.uses_speaker_vector else None
        return VoiceMaker(self.version, self.sovits, content, speaker, self.reader, self.device, self.dtype)

    def voice(
        self,
        audio: str | Path,
        transcript: str = "",
        language: str = "en",
        auxiliary: Sequence[str | Path] = (),
        heard: Heard | None = None,
    ) -> Voice:
        """A voice from a reference recording, see `VoiceMaker.make`; what was `heard` by these weights is believed."""
        resolve = self.project.resolve
        tokens = heard.tokens if heard is not None and heard.weights == self.weights_id else None
        voices = self.voices(bool(transcript.strip()) and tokens is None)
        with self.common.turns.turn("pass"):
            return voices.make(resolve(audio), transcript, language, [resolve(path) for path in auxiliary], tokens)

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
        plan = self._plan(text, language, voice, options)
        spoken: dict[int, Fragment] = {}
        following = 0
        try:
            for batch in batches([len(one) for one in plan.phonemes], options.batch_size, options.bucket_threshold):
                for i, take in zip(batch, self._decode(plan, batch, stopped), strict=True):
                    spoken[i] = self._finish(plan, i, take, stopped)
                while following in spoken:
                    yield spoken.pop(following)
                    following += 1
        except StoppedError:
            return

    @torch.inference_mode()
    def stream_audio(
        self,
        text: str,
        language: str,
        voice: Voice,
        options: SpeechOptions = SpeechOptions(),
        streaming: Streaming = BY_PIECE,
        stopped: Callable[[], bool] = never,
    ) -> Iterator[np.ndarray]:
        """The speech in chunks, each [samples] of float32 within [-1, 1] at `sampling_rate`, as early as asked for.

        Raises as `stream`. Within a piece nothing can be taken back: one whose tokens go wrong after its first chunk is
        not drawn again. Chunks do not depend on how fast they are asked for.
        """
        if streaming.mode == "pieces":
            for fragment in self.stream(text, language, voice, options, stopped):
                yield fragment.wave
            return
        if self.version.no_streaming:
            raise InputError(self.version.no_streaming)
        plan = self._plan(text, language, voice, options)
        try:
            for i in range(len(plan.pieces)):
                yield from self._chunks(plan, i, streaming, stopped)
        except StoppedError:
            return

    @torch.inference_mode()
    def takes(self, text: str, language: str, voice: Voice, options: SpeechOptions = SpeechOptions()) -> "list[Take]":
        """The semantic tokens of a text's pieces, as `stream` would make sound of them. Raises as `stream`."""
        plan = self._plan(text, language, voice, options)
        return self._decode(plan, range(len(plan.pieces)), never)

    def _plan(self, text: str, language: str, voice: Voice, options: SpeechOptions) -> "Plan":
        if options.super_sampling and self.version.super_sampler:
            # Now, so that a missing file is told before anything is spoken.
            self.common.super_sampler(self.version.super_sampler)
        pieces = self.reader.pieces(text, language, options.split)
        phonemes = [self.reader.read(piece, language) for piece in pieces]
        seed = secrets.randbelow(SEEDS) if options.seed is None or options.seed < 0 else options.seed
        return Plan(pieces, phonemes, voice, options, seed, self.rate_with(options))

    def _chunks(
        self, plan: "Plan", place: int, streaming: Streaming, stopped: Callable[[], bool]
    ) -> Iterator[np.ndarray]:
        """One piece, from the first tokens on."""
        growing = Growing(self._speaker(plan, place, 0), streaming.overlap_length)
        given = False
        with self.scheduler.party([self._row(plan, place, 0)], stopped) as party:
            for length in streaming.lengths():
                (result,) = party.wait(length + 1)
                # Others may have brought it further than was waited for, which must not make a difference.
                if result.ended and len(result.tokens) <= length:
                    break
                with self.common.turns.turn("pass", stopped):
                    wave = growing.grown(result.tokens[:length])
                if len(wave):
                    self._check(wave, plan.pieces[place])
                    yield wave if given else self._opened(plan, place, faded(wave, plan.sampling_rate, end=False))
                    given = True
        if not given:
            # So short that there is nothing to gain, and something to lose: what went wrong can still be drawn again.
            yield self._finish(plan, place, self._decode(plan, [place], stopped)[0], stopped).wave
            return
        with self.common.turns.turn("pass", stopped):
            wave = growing.grown(result.tokens, last=True)
        self._check(wave, plan.pieces[place])
        yield np.concatenate([faded(wave, plan.sampling_rate, start=False), self._pause(plan, place)])

    def _decode(self, plan: "Plan", places: Sequence[int], stopped: Callable[[], bool]) -> "list[Take]":
        """Semantic tokens for some pieces at once; those that came out wrong are drawn again."""
        takes: dict[int, Take] = {}
        for attempt in range(1 + RETRIES):
            waiting = [i for i in places if i not in takes or takes[i].doubtful]
            if not waiting:
                break
            with self.scheduler.party([self._row(plan, i, attempt) for i in waiting], stopped) as party:
                results = party.wait()
            for i, result in zip(waiting, results, strict=True):
                take = Take.of(result, attempt, len(plan.phonemes[i]), plan.voice.pace)
                if i not in takes or take.strangeness < takes[i].strangeness:
                    takes[i] = take
        return [takes[i] for i in places]

    def _row(self, plan: "Plan", place: int, attempt: int) -> Row:
        text, transcript = plan.phonemes[place], plan.voice.transcript
        whole = text if transcript is None else transcript.then(text)
        limit = min(TOKENS_AT_MOST, most_tokens(len(text)))
        generator = plan.generator(place, attempt, self.device)
        return Row(whole.ids, whole.bert, plan.voice.prompt, generator, plan.options.sampling, limit)

    def _speaker(self, plan: "Plan", place: int, attempt: int) -> Speaker:
        assert isinstance(self.sovits, Sovits), "versions that speak by flow matching have a speaker of their own"
        noise = Noise(self.sovits.config.inter_channels, self._noise(plan, place, attempt))
        options = plan.options
        text = plan.phonemes[place].ids
        return Speaker(self.sovits, text, plan.voice.timbre, options.speed, options.noise_scale, noise)

    def _noise(self, plan: "Plan", place: int, attempt: int) -> torch.Generator:
        return plan.generator(place, 1 + RETRIES + attempt, self.device)

    def _sound(self, plan: "Plan", place: int, take: "Take", stopped: Callable[[], bool]) -> np.ndarray:
        """A take's tokens as a wave, [samples] of float32."""
        if self.version.flow is not None:
            codes = torch.tensor(take.tokens, device=self.device)
            wave = self._flow_speaker(plan, place, take.attempt, self.version.flow, stopped).whole(codes)
            if plan.options.super_sampling and self.version.super_sampler:
                network = self.common.super_sampler(self.version.super_sampler)
                with self.common.turns.turn("pass", stopped):
                    wave = super_sampled(network, wave, self.sampling_rate)
            return wave
        with self.common.turns.turn("pass", stopped):
            return self._speaker(plan, place, take.attempt).whole(take.tokens)

    def _flow_speaker(
        self, plan: "Plan", place: int, attempt: int, facts: FlowFacts, stopped: Callable[[], bool]
    ) -> FlowSpeaker:
        voice, options = plan.voice, plan.options
        assert isinstance(self.sovits, FlowSovits) and self.vocoder is not None
        if voice.transcript is None or voice.mel is None:
            raise InputError(self.version.no_reference_free)

        @contextmanager
        def turn() -> Iterator[None]:
            if stopped():
                raise StoppedError
            with self.common.turns.turn("pass", stopped):
                yield

        return FlowSpeaker(
            self.sovits,
            self.vocoder,
            FlowPrompt(voice.prompt, voice.transcript.ids, voice.timbre, voice.mel),
            plan.phonemes[place].ids,
            options.speed,
            options.sample_steps or facts.sample_steps,
            options.guidance,
            self._noise(plan, place, attempt),
            turn,
        )

    def _finish(self, plan: "Plan", place: int, take: "Take", stopped: Callable[[], bool]) -> Fragment:
        """Tokens into a wave with soft edges and the pause after it."""
        piece = plan.pieces[place]
        if not take.tokens:
            raise SynthesisError(f"The model made no sound for {piece!r}; try another seed or reference.")
        made = self._sound(plan, place, take, stopped)
        self._check(made, piece)
        made = np.concatenate([self._opened(plan, place, faded(made, plan.sampling_rate)), self._pause(plan, place)])
        warning = f"{piece!r} may be spoken wrongly: {take.fault}." if take.fault else ""
        # A doubt that is left means that every attempt was used up, whichever of them was the best.
        retries = RETRIES if take.doubtful else take.attempt
        return Fragment(piece, made, plan.sampling_rate, len(take.tokens), retries, warning, plan.seed)

    def _pause(self, plan: "Plan", place: int) -> np.ndarray:
        """The silence behind a piece: as long as its markup says, and otherwise as long as all are."""
        _, asked = pauses(plan.pieces[place])
        return plan.silence(plan.options.pause if asked is None else asked)

    def _opened(self, plan: "Plan", place: int, wave: np.ndarray) -> np.ndarray:
        """A wave with the silence that markup asks for in front of the piece."""
        before, _ = pauses(plan.pieces[place])
        return np.concatenate([plan.silence(before), wave]) if before else wave

    def _check(self, wave: np.ndarray, piece: str) -> None:
        if not np.isfinite(wave).all():
            raise SynthesisError(
                f"The model's output for {piece!r} is not a number; its weights are damaged or overflow in fp16."
            )


@dataclass(frozen=True)
class Plan:
    """A request, read: what is to be spoken, piece by piece, and how."""

    pieces: Sequence[str]
    phonemes: Sequence[Phonemes]
    voice: Voice
    options: SpeechOptions
    seed: int
    sampling_rate: int

    def silence(self, seconds: float) -> np.ndarray:
        return np.zeros(int(round(seconds * self.sampling_rate, 3)), np.float32)

    def generator(self, place: int, use: int, device: torch.device) -> torch.Generator:
        """One for each piece and each use: what a piece draws does not depend on the others or how they are batched."""
        return torch.Generator(device).manual_seed(self.seed * 1_000_003 + place * 10 + use)


@dataclass(frozen=True)
class Take:
    """One decoding of a piece: its tokens, the attempt it was, what is certainly wrong, and how likely the rest is.

    `strangeness` is lower for the better of two takes: whether there is a fault, and by how many tokens the length is
    not what it should be.
    """

    tokens: list[int]
    attempt: int
    fault: str
    strangeness: tuple[bool, float]

    @classmethod
    def of(cls, result: Continuation, attempt: int, phonemes: int, pace: float | None) -> "Take":
        """Judged by how long so many phonemes take in a voice of this pace, see `Voice.pace`."""
        fault = fault_of(result, phonemes)
        size = len(result.tokens)
        off = abs(size - TOKENS_A_PHONEME * phonemes) if fault else doubt_of(size, phonemes, pace)
        return cls(result.tokens, attempt, fault, (bool(fault), off))

    @property
    def doubtful(self) -> bool:
        return self.strangeness > (False, 0.0)


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


def doubt_of(tokens: int, phonemes: int, pace: float | None) -> float:
    """How many tokens too few or too many there are for so many phonemes in a voice of this pace; 0 if that is likely.

    Where the reference's pace is not known, nothing is doubted: humans differ by more than what can go wrong.
    """
    if pace is None:
        return 0.0
    least = HASTE * min(pace, TOKENS_A_PHONEME) * phonemes - LEEWAY
    most = DRAG * max(pace, TOKENS_A_PHONEME) * phonemes + LEEWAY
    return max(least - tokens, tokens - most, 0.0)


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


def _check_pair(version: Version, sovits: Generator, t2s: T2S) -> None:
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
