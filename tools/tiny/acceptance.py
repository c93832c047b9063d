"""What the finished set must show: words, voices and endings, as its users would get them.

Every sentence that is spoken is kept as a sound file, in a folder of that very set of weights; a measurement that was
stopped goes on, and another set is measured anew.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np
import torch

from gsv.audio.io import Samples, duration, load, save_wav
from gsv.audio.pitch import pitch
from gsv.audio.spectral import SOVITS_STFT, log_mel
from gsv.models.encoders import HUBERT_RATE, ContentEncoder
from gsv.paths import BaseFiles, Project
from gsv.synthesis.engine import Engine, SpeechOptions
from gsv.synthesis.voice import Voice
from tiny.codes import MODULE, VERSION
from tiny.gates import Score
from tiny.guiding import TOKENS_PER_SECOND
from tiny.judging import Recogniser, Tally
from tiny.references import Reference, Sources
from tiny.sentences import LONGEST, SHORTEST, words_of

LANGUAGE = "en"
# Long-term spectra count frames that are at most this much quieter than the loudest, in nats.
QUIET = 4.0
NATURAL = (0.7, 1.4)
LONGEST_RUN = 10
LARGEST = 25e6


@dataclass(frozen=True)
class Candidate:
    """A set of weights in a project folder, judged with the options that its users get."""

    project: Project
    work: Path
    options: SpeechOptions = field(default_factory=lambda: SpeechOptions(seed=1, pause=0.0))

    @property
    def base(self) -> BaseFiles:
        """The set's own files, whether or not others are there that gsv would prefer."""
        return self.project.base_of(VERSION, MODULE)

    @cached_property
    def engine(self) -> Engine:
        return Engine.load(self.base.gpt, self.base.generator, project=self.project, device="cpu")

    @cached_property
    def encoder(self) -> ContentEncoder:
        encoder = self.engine.voices().content_encoder
        assert encoder is not None, "this maker of voices listens"
        return encoder

    @cached_property
    def files(self) -> list[Path]:
        return sorted(path for path in self.base.generator.parent.rglob("*") if path.is_file())

    @cached_property
    def folder(self) -> Path:
        """For what this set says."""
        digest = hashlib.sha256()
        for path in self.files:
            if path.suffix in {".pth", ".ckpt", ".bin"}:
                digest.update(path.read_bytes())
        digest.update(repr(self.options).encode())
        return self.work / digest.hexdigest()[:12]

    def voice(self, reference: Reference) -> Voice:
        return self.engine.voice(reference.clip, reference.transcript, LANGUAGE)

    def says(self, text: str, voice: Voice, name: str) -> Samples:
        """The wave at the set's rate; it is kept under that name."""
        wav = self.folder / f"{name}.wav"
        if not wav.is_file():
            speech = self.engine.speak(text, LANGUAGE, voice, self.options)
            save_wav(wav, speech.wave, speech.sampling_rate)
        return load(wav, self.engine.sampling_rate)

    @torch.inference_mode()
    def repeats(self, source: Path, text: str, voice: Voice, name: str) -> Samples:
        """The same words from the tokens of another's speech."""
        wav = self.folder / f"{name}.wav"
        if not wav.is_file():
            wave = torch.from_numpy(load(source, HUBERT_RATE))[None]
            codes = self.engine.sovits.quantize(self.encoder(wave))
            ids = self.engine.reader.read(text, LANGUAGE).ids[None]
            chance = torch.Generator().manual_seed(1)
            made = self.engine.sovits.decode(codes, ids, voice.timbre, 1.0, self.options.noise_scale, chance)
            save_wav(wav, made[0, 0].float().numpy(), self.engine.sampling_rate)
        return load(wav, self.engine.sampling_rate)


@dataclass(frozen=True)
class Heard:
    """Errors of words in one reference's voice."""

    source: Tally
    repeated: Tally
    chain: Tally


def judge_words(
    candidate: Candidate, spoken_in: Sequence[Reference], sources: Sources, texts: Sequence[str]
) -> Iterator[Score]:
    """Word error of the synthesisers, of their tokens in another's voice, and of text in another's voice."""
    recogniser = Recogniser()
    total = Heard(Tally(), Tally(), Tally())
    for reference in spoken_in:
        mine = Heard(Tally(), Tally(), Tally())
        voice = candidate.voice(reference)
        for number, text in enumerate(texts):
            words = words_of(text)
            source = sources.said(reference.source, text)
            takes = (
                (mine.source, total.source, load(source, VERSION.sampling_rate)),
                (
                    mine.repeated,
                    total.repeated,
                    candidate.repeats(source, text, voice, f"{reference.name}-codes-{number:02d}"),
                ),
                (mine.chain, total.chain, candidate.says(text, voice, f"{reference.name}-chain-{number:02d}")),
            )
            for tally, sum_of_all, wave in takes:
                heard = recogniser.words(wave, VERSION.sampling_rate)
                tally.add(words, heard)
                sum_of_all.add(words, heard)
        yield Score(f"{reference.name}: word error of the synthesiser {reference.source}", mine.source.rate)
        yield Score(f"{reference.name}: word error on true codes", mine.repeated.rate)
        yield Score(f"{reference.name}: word error of the chain", mine.chain.rate)
    yield Score("word error of the synthesisers", total.source.rate)
    yield Score("word error on true codes", total.repeated.rate, total.source.rate + 0.1)
    yield Score("word error of the chain, with a prompt", total.chain.rate, total.source.rate + 0.2)


def judge_likeness(candidate: Candidate, spoken_in: Sequence[Reference], texts: Sequence[str]) -> Iterator[Score]:
    """How far what is said keeps to the reference's pitch, and how often its spectrum is nearest to the reference's."""
    spectra = [long_term_spectrum(load(reference.clip, VERSION.sampling_rate)) for reference in spoken_in]
    right, count = 0, 0
    for place, reference in enumerate(spoken_in):
        voice = candidate.voice(reference)
        wanted = median_pitch(load(reference.clip, VERSION.sampling_rate))
        found = []
        for number, text in enumerate(texts):
            wave = candidate.says(text, voice, f"{reference.name}-chain-{number:02d}")
            found.append(median_pitch(wave))
            distances = [float(np.linalg.norm(long_term_spectrum(wave) - spectrum)) for spectrum in spectra]
            right += int(np.argmin(distances)) == place
            count += 1
        off = abs(float(np.median(found)) / wanted - 1)
        yield Score(f"{reference.name}: median pitch off by", off, 0.15 if reference.family else None)
    yield Score("spectrum nearest to another reference's", 1 - right / max(1, count), 0.3)


def judge_endings(
    candidate: Candidate, spoken_in: Sequence[Reference], sources: Sources, texts: Sequence[str]
) -> Iterator[Score]:
    """Whether a sentence in one piece ends, repeats nothing, and takes about as long as the synthesiser.

    As for users, a take that the engine itself finds strange is drawn again; how often is told as well.
    """
    families = [reference for reference in spoken_in if reference.family]
    voices = {reference.name: candidate.voice(reference) for reference in families}
    ended, repeated, again, ratios = 0, 0, 0, []
    for number, text in enumerate(texts):
        reference = families[number % len(families)]
        options = replace(candidate.options, split="cut0", seed=number)
        (take,) = candidate.engine.takes(text, LANGUAGE, voices[reference.name], options)
        ended += not take.fault
        repeated += longest_run(take.tokens) > LONGEST_RUN
        again += take.attempt > 0 or take.doubtful
        ratios.append(len(take.tokens) / TOKENS_PER_SECOND / duration(sources.said(reference.source, text)))
    low, high = NATURAL
    outside = np.mean([not low <= ratio <= high for ratio in ratios])
    yield Score("did not end by itself", 1 - ended / len(texts), 0.0)
    yield Score(f"said one code more than {LONGEST_RUN} times in a row", repeated / len(texts), 0.0)
    yield Score("median of the length by the natural length", float(np.median(ratios)))
    yield Score(f"length not within {low} to {high} of the natural length", float(outside), 0.0)
    yield Score("drawn more than once", again / len(texts))


def judge_size(candidate: Candidate) -> Iterator[Score]:
    """Megabytes of the whole folder."""
    size = sum(path.stat().st_size for path in candidate.files)
    yield Score("size in MB", size / 1e6, LARGEST / 1e6)


def longest_run(tokens: Sequence[int]) -> int:
    """How often the most repeated token stands in a row; 0 for none."""
    return max((sum(1 for _ in run) for _, run in groupby(tokens)), default=0)


def by_length(sentences: Sequence[str], count: int) -> list[str]:
    """Some of the sentences, spread evenly over their numbers of words."""
    groups: dict[int, list[str]] = defaultdict(list)
    for sentence in sentences:
        words = len(words_of(sentence))
        if SHORTEST <= words <= LONGEST:
            groups[words].append(sentence)
    chosen: list[str] = []
    while len(chosen) < count and any(groups.values()):
        for words in sorted(groups):
            if groups[words] and len(chosen) < count:
                chosen.append(groups[words].pop(0))
    return chosen


def long_term_spectrum(wave: Samples) -> Samples:
    """The mean log-Mel spectrum [128] of the frames in which something is said, whatever its loudness."""
    mel = log_mel(torch.from_numpy(wave)[None], SOVITS_STFT)[0]
    loudness = mel.logsumexp(0)
    mean = mel[:, loudness > loudness.max() - QUIET].mean(1)
    return (mean - mean.mean()).numpy()


def median_pitch(wave: Samples) -> float:
    """Of the voiced frames of a wave at the set's rate, in Hz; 0 where there are none."""
    hertz = pitch(torch.from_numpy(wave)[None], VERSION.sampling_rate, VERSION.sampling_rate // 50)
    voiced = hertz[hertz > 0]
    return float(voiced.median()) if len(voiced) else 0.0
