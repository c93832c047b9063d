"""What every part must show before the next one is begun. All is measured on utterances that nothing was trained on."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gsv.audio.io import Samples, load
from gsv.audio.spectral import SOVITS_STFT, spectrogram
from gsv.checkpoints import read_generator, read_gpt, read_resume
from gsv.dataset.listing import Line, read_list
from gsv.dataset.steps import name_to_semantic, name_to_text
from gsv.models.sovits import Sovits
from gsv.models.t2s import T2S
from gsv.synthesis.decoder import Row, generate
from gsv.synthesis.sampling import SamplingOptions
from gsv.text.symbols import symbol_table
from gsv.training.resume import LATEST
from tiny.codes import VERSION, TinyFiles, aligned, judge_codes
from tiny.content import ContentPlan, ContentTrainer, clip_of, targets, untrained_content
from tiny.humans import FIRST, HELD, HOP, recordings
from tiny.judging import Recogniser, Tally, phones_heard
from tiny.sentences import words_of
from tiny.sounds import RATE
from tiny.synthesisers import PAUSE, PHONES

MOST_TOKENS_A_PHONEME = 6


@dataclass(frozen=True)
class Score:
    """A number of a gate, and what it must be at most."""

    name: str
    value: float
    limit: float | None = None

    def __str__(self) -> str:
        if self.limit is None:
            return f"{self.name}: {self.value:.3f}"
        return f"{self.name}: {self.value:.3f} ({'holds' if self.value <= self.limit else 'FAILS'}: {self.limit:.3f})"


def trained_content(files: TinyFiles, configs: Path) -> ContentTrainer:
    """The content encoder as its training left it, with what reads its frames."""
    trainer = untrained_content(configs / "hubert.json", ContentPlan.read(configs / "content.yaml"))
    trainer.load_state_dict(read_resume(files.work / "content" / f"E_{LATEST}.pth").model)
    return trainer.eval()


@torch.no_grad()
def content_gate(files: TinyFiles, configs: Path) -> Iterator[Score]:
    """Frames and phones that the content encoder gets wrong, of known and of new speakers."""
    trainer = trained_content(files, configs)
    labels = files.corpus.labels_by_name()
    frames: dict[str, list[float]] = defaultdict(list)
    phones: dict[str, Tally] = defaultdict(Tally)
    known = {line.speaker for line in read_list(files.corpus.train)}
    for line in read_list(files.corpus.held):
        clip = clip_of(files.corpus.wavs / line.audio, labels[line.audio])
        scores = trainer.read(clip.samples[None].float() / 32768)[0][0]
        seconds = (torch.arange(len(scores)) * HOP + FIRST) / RATE
        wanted, _, _ = targets(clip, seconds)
        group = "known speakers" if line.speaker in known else f"new speaker {line.speaker}"
        frames[group].append(float((scores.argmax(-1) != wanted).float().mean()))
        spoken = [label.phone for label in labels[line.audio] if label.phone != PAUSE]
        phones[group].add(spoken, phones_heard(scores))
    for group in sorted(frames):
        yield Score(f"content encoder, {group}: wrong frames", float(np.mean(frames[group])))
        limit = 0.15 if group == "known speakers" else None
        yield Score(f"content encoder, {group}: phone error", phones[group].rate, limit)


@torch.no_grad()
def human_gate(files: TinyFiles, configs: Path, folder: Path) -> Iterator[Score]:
    """Phones that the content encoder gets wrong in recordings of humans: those it has heard, and others."""
    trainer = trained_content(files, configs)
    errors = {"heard in training": Tally(), "others": Tally()}
    spoken = recordings(folder, configs / "humans.list")
    for place, recording in enumerate(spoken):
        wave = torch.from_numpy(load(recording.path, RATE))
        wanted = [phone for word in recording.words for phone in word]
        group = "others" if place >= len(spoken) - HELD else "heard in training"
        errors[group].add(wanted, phones_heard(trainer.read(wave[None])[0][0]))
    for group, tally in errors.items():
        yield Score(f"content encoder, humans, {group}: phone error", tally.rate, 0.3 if group == "others" else None)


def codes_gate(files: TinyFiles) -> str:
    """How much the tokens of held-out clips say about phones."""
    report = judge_codes(aligned(files, "held"), _codebook(files))
    return f"codes: {report}"


def _codebook(files: TinyFiles) -> int:
    return len(trained_sovits(files).quantizer.codebook.embed)


def trained_sovits(files: TinyFiles) -> Sovits:
    """SoVITS as its training left it; what it started from where it was not begun."""
    start = read_generator(files.generator)
    network = Sovits.from_weights(start.config["model"], start.weight)
    state = files.project.experiment("train").sovits_logs(VERSION) / f"G_{LATEST}.pth"
    if state.is_file():
        network.load_state_dict(read_resume(state).model)
    return network.eval()


def trained_t2s(files: TinyFiles) -> T2S:
    """The text-to-semantic model as its training left it."""
    start = read_gpt(files.gpt)
    network = T2S.from_weights(start.config["model"], start.weight)
    network.load_state_dict(read_resume(files.project.experiment("pairs").gpt_logs(VERSION) / f"T_{LATEST}.pth").model)
    return network.eval()


@dataclass(frozen=True)
class Spoken:
    """A held-out utterance: its line, phoneme ids, semantic tokens, and the wave at 32 kHz."""

    line: Line
    phonemes: list[int]
    tokens: list[int]
    wave: Samples


def held_out(files: TinyFiles, count: int) -> list[tuple[Spoken, Spoken]]:
    """Some held-out utterances, each with another one of its speaker for a reference."""
    experiment = files.project.experiment("held")
    texts, codes = name_to_text(experiment).rows(), name_to_semantic(experiment).rows()
    table = symbol_table(VERSION.symbols)
    by_speaker: dict[str, list[Spoken]] = defaultdict(list)
    for line in read_list(files.corpus.held):
        if line.audio in texts and line.audio in codes:
            phonemes = table.ids(texts[line.audio][1].split())
            tokens = [int(token) for token in codes[line.audio][1].split()]
            wave = load(files.corpus.wavs / line.audio, VERSION.sampling_rate)
            by_speaker[line.speaker].append(Spoken(line, phonemes, tokens, wave))
    pairs = [
        (spoken, clips[(place + 1) % len(clips)]) for clips in by_speaker.values() for place, spoken in enumerate(clips)
    ]
    step = max(1, len(pairs) // count)
    return pairs[::step][:count]


@torch.inference_mode()
def said(sovits: Sovits, tokens: Sequence[int], phonemes: Sequence[int], reference: Samples) -> Samples:
    """The wave [T] at 32 kHz of some tokens and phonemes in the voice of a reference."""
    voice = sovits.voice(spectrogram(torch.from_numpy(reference)[None], SOVITS_STFT))
    codes, text = torch.tensor([list(tokens)]), torch.tensor([list(phonemes)])
    generator = torch.Generator().manual_seed(0)
    wave = sovits.decode(codes, text, voice, noise_scale=0.1, generator=generator)
    return wave[0, 0].float().numpy()


def sovits_gate(files: TinyFiles, count: int) -> Iterator[Score]:
    """Words that are misheard when SoVITS speaks the true tokens, beside those of the synthesiser itself."""
    recogniser, sovits = Recogniser(), trained_sovits(files).for_inference()
    source, made = Tally(), Tally()
    for spoken, reference in held_out(files, count):
        words = words_of(spoken.line.text)
        source.add(words, recogniser.words(spoken.wave, VERSION.sampling_rate))
        wave = said(sovits, spoken.tokens, spoken.phonemes, reference.wave)
        made.add(words, recogniser.words(wave, VERSION.sampling_rate))
    yield Score("synthesisers: word error", source.rate)
    yield Score("SoVITS on true codes: word error", made.rate, source.rate + 0.1)


@torch.inference_mode()
def tokens_gate(files: TinyFiles, count: int) -> Iterator[Score]:
    """Phones that tokens made from text get wrong, without and with a prompt; and words, when SoVITS speaks them."""
    recogniser, sovits, t2s = Recogniser(), trained_sovits(files).for_inference(), trained_t2s(files)
    meaning = token_phones(files)
    labels = files.corpus.labels_by_name()
    options = SamplingOptions(top_k=3, temperature=0.7, repetition_penalty=1.0)
    true = Tally()
    phones, words, ended, total = {False: Tally(), True: Tally()}, {False: Tally(), True: Tally()}, 0, 0
    for number, (spoken, reference) in enumerate(held_out(files, count)):
        wanted = [label.phone for label in labels[spoken.line.audio] if label.phone != PAUSE]
        true.add(wanted, _read(spoken.tokens, meaning))
        for prompted in (False, True):
            text = [*(reference.phonemes if prompted else []), *spoken.phonemes]
            prompt = torch.tensor(reference.tokens if prompted else [], dtype=torch.int64)
            ids = torch.tensor(text)
            bert = torch.zeros(t2s.config.bert_dim, len(text))
            limit = MOST_TOKENS_A_PHONEME * len(spoken.phonemes)
            row = Row(ids, bert, prompt, torch.Generator().manual_seed(number), options, limit)
            *_, results = generate(t2s, [row])
            tokens = results[0].tokens
            total += 1
            ended += results[0].ended == "mark"
            phones[prompted].add(wanted, _read(tokens, meaning))
            wave = said(sovits, tokens, spoken.phonemes, reference.wave) if tokens else np.zeros(RATE, np.float32)
            words[prompted].add(words_of(spoken.line.text), recogniser.words(wave, VERSION.sampling_rate))
    yield Score("true tokens: phone error", true.rate)
    yield Score("tokens from text, no prompt: phone error", phones[False].rate)
    yield Score("tokens from text, with a prompt: phone error", phones[True].rate, phones[False].rate)
    yield Score("chain, no prompt: word error", words[False].rate)
    yield Score("chain, with a prompt: word error", words[True].rate)
    yield Score("did not end by itself", 1 - ended / total, 0.0)


def token_phones(files: TinyFiles) -> dict[int, str]:
    """The phone that a token stands for most often in the training clips."""
    counts: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for token, phone in aligned(files, "train"):
        counts[token][phone] += 1
    return {token: PHONES[max(found, key=lambda phone: found[phone])] for token, found in counts.items()}


def _read(tokens: Sequence[int], meaning: dict[int, str]) -> list[str]:
    phones = [meaning.get(token, PAUSE) for token in tokens]
    runs = [phone for place, phone in enumerate(phones) if place == 0 or phones[place - 1] != phone]
    return [phone for phone in runs if phone != PAUSE]
