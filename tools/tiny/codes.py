"""From a trained content encoder to the voice's untrained halves, and to experiments that gsv trains them on.

WORK/pretrained_models/gsv-tiny/start/s2G.pth, s2D.pth, s1.ckpt    untrained, but for the codebook
WORK/logs/train, WORK/logs/held                                    ordinary experiments, as `gsv prepare` makes them
WORK/logs/pairs                                                    texts and tokens of two clips in a row
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from gsv.audio.io import load
from gsv.checkpoints import (
    DiscriminatorFile,
    GeneratorFile,
    GptFile,
    halved,
    read_generator,
    write_discriminator,
    write_generator,
    write_gpt,
)
from gsv.dataset.features import PrepareOptions, PrepareReport, prepare
from gsv.dataset.rows import RowFile
from gsv.dataset.steps import name_to_semantic, name_to_text
from gsv.errors import InputError
from gsv.models.encoders import HUBERT_RATE, ContentEncoder
from gsv.models.sovits import Sovits
from gsv.models.t2s import PREFIX, T2S, T2SConfig
from gsv.paths import Project
from gsv.synthesis.voice import TRAILING_ZEROS
from gsv.training.data import SovitsData
from gsv.training.loop import derived_seed
from gsv.training.sovits import DiscriminatorWidths
from gsv.training.start import UNTRAINED, built, read_config, untrained_generator
from gsv.versions import version_named
from tiny.corpus import Corpus, speaker_of
from tiny.guiding import NOWHERE, TOKENS_PER_SECOND, places_of
from tiny.synthesisers import PHONES

VERSION = version_named("v2")
# The name by which a generator's configuration calls the content encoder.
MODULE = "gsv-tiny/content"
PreparedStage = Literal["1a", "1b", "1c"]
# So many examples are of three clips, where there are as many; and of these so many have a prompt of two.
THREES = 0.5
LONG_PROMPTS = 0.8
# So many prompts are read at another pace: they last longer by these factors, which vary so much around that every so
# many tokens.
OTHER_PACE = 0.5
PACES = (0.8, 1.9)
PACE_VARIES = (0.75, 1.33)
PACE_STRETCH = 12


@dataclass(frozen=True)
class TinyFiles:
    """Where the parts of the voice lie while it is made; `work` is a project folder of its own."""

    work: Path

    @property
    def project(self) -> Project:
        return Project(self.work)

    @property
    def corpus(self) -> Corpus:
        return Corpus(self.work / "corpus")

    @property
    def folder(self) -> Path:
        return self.project.pretrained / "gsv-tiny"

    @property
    def content(self) -> Path:
        return self.folder / "content"

    @property
    def generator(self) -> Path:
        return self.folder / "start" / "s2G.pth"

    @property
    def discriminator(self) -> Path:
        return self.folder / "start" / "s2D.pth"

    @property
    def prompts(self) -> RowFile:
        """The tokens of training clips as prompts, see `write_prompts`."""
        return RowFile(self.project.experiment("train").root / "prompts.tsv", columns=2)

    @property
    def gpt(self) -> Path:
        return self.folder / "start" / "s1.ckpt"


def prepare_part(files: TinyFiles, part: str, stages: tuple[PreparedStage, ...], workers: int) -> PrepareReport:
    """One of the corpus' lists, `train` or `held`, as an experiment of that name."""
    corpus = files.corpus
    return prepare(
        PrepareOptions(
            corpus.train if part == "train" else corpus.held,
            part,
            audio_folder=corpus.wavs,
            stages=stages,
            gpus="-".join(["0"] * workers),
            project=files.project,
            hubert=files.content,
            generator=files.generator,
        )
    )


def write_start(files: TinyFiles, configs: Path, seed: int) -> None:
    """The untrained halves, their codebook fitted to the training clips."""
    settings = read_config(configs / "s2.json")
    data = SovitsData(files.project.experiment("train"), VERSION)
    network = untrained_generator(
        settings, VERSION, data.ssl_dim, data.content(), derived_seed(seed, "generator") % 2**32
    )
    torch.manual_seed(derived_seed(seed, "networks"))
    transformer = built(lambda: T2S(T2SConfig.from_dict(read_config(configs / "s1.yaml")["model"])))
    write_halves(files, configs, network.state_dict(), untrained_critics(configs, seed), transformer.state_dict())


def untrained_critics(configs: Path, seed: int) -> Mapping[str, Tensor]:
    torch.manual_seed(derived_seed(seed, "discriminators"))
    widths = DiscriminatorWidths.from_dict(read_config(configs / "s2.json")["discriminator"])
    return built(lambda: widths.build(VERSION)).state_dict()


def write_halves(
    files: TinyFiles,
    configs: Path,
    generator: Mapping[str, Tensor],
    critics: Mapping[str, Tensor],
    gpt: Mapping[str, Tensor],
) -> None:
    """The files that the halves' training starts from; they count as untrained, so their configuration's rates hold."""
    settings = read_config(configs / "s2.json")
    config = {**settings, "model": {**settings["model"], "version": VERSION.name}}
    write_generator(files.generator, GeneratorFile(halved(generator), config, UNTRAINED, VERSION.name))
    write_discriminator(files.discriminator, DiscriminatorFile(halved(critics)))
    weight = halved({PREFIX + name: tensor for name, tensor in gpt.items()})
    write_gpt(files.gpt, GptFile(weight, read_config(configs / "s1.yaml"), UNTRAINED))


@torch.no_grad()
def write_prompts(files: TinyFiles) -> None:
    """Tokens of every training clip with the silence behind it that gsv puts behind a reference.

    What was written once is kept. Raises InputError if clips have no tokens yet.
    """
    codes = name_to_semantic(files.project.experiment("train")).rows()
    if not codes:
        raise InputError("The training clips have no tokens; run the step `codes` first.")
    start = read_generator(files.generator)
    sovits = Sovits.from_weights(start.config["model"], start.weight).eval()
    encoder = ContentEncoder.load(files.content)
    files.prompts.settle()
    missing = codes.keys() - files.prompts.rows().keys()
    for name in tqdm(sorted(missing), desc="prompts"):
        wave = load(files.corpus.wavs / name, HUBERT_RATE)
        padded = torch.from_numpy(np.concatenate([wave, np.zeros(TRAILING_ZEROS, wave.dtype)]))
        tokens = sovits.quantize(encoder(padded[None]))[0].tolist()
        files.prompts.append(0, [name, " ".join(map(str, tokens))])
    files.prompts.join(codes)


@dataclass(frozen=True)
class Example:
    """Clips of one speaker, the first `prompted` of them as the prompt.

    `heard` are the places of the prompt's tokens that are there, in order.
    """

    clips: tuple[str, ...]
    prompted: int
    heard: tuple[int, ...]

    @property
    def name(self) -> str:
        return "+".join(self.clips)


def write_pairs(files: TinyFiles, seed: int) -> list[Example]:
    """Every training clip in one example, in its prompt or behind other clips of its speaker.

    So what is behind the prompt is spoken as decoding is asked for: after the text and the tokens of a prompt. In a
    tenth of the examples two clips are, so that the end of a sentence is not always that of the text, and in two fifths
    two are the prompt. In half of all the prompt is read at another pace, see `_at_another_pace`. A speaker's
    last clip is left out where nothing is left to go with it.
    """
    train, experiment = files.project.experiment("train"), files.project.experiment("pairs")
    texts, codes = name_to_text(train).rows(), name_to_semantic(train).rows()
    prompts = files.prompts.rows()
    speakers = speaker_of(files.corpus)
    clips: dict[str, list[str]] = defaultdict(list)
    for name in texts:
        if name in codes and name in prompts:
            clips[speakers[name]].append(name)
    chance = random.Random(f"pairs {seed}")  # noqa: S311 - not for secrets
    examples: list[Example] = []
    rows: list[list[str]] = []
    tokens: list[list[str]] = []
    for names in clips.values():
        chance.shuffle(names)
        while len(names) > 1:
            count = 3 if len(names) > 2 and chance.random() < THREES else 2
            prompted = 2 if count == 3 and chance.random() < LONG_PROMPTS else 1
            prompt = _prompt(names[:prompted], codes, prompts)
            size = len(prompt)
            heard = tuple(_at_another_pace(size, chance) if chance.random() < OTHER_PACE else range(size))
            example = Example(tuple(names[:count]), prompted, heard)
            examples.append(example)
            rows.append([example.name, *(" ".join(texts[name][i] for name in example.clips) for i in (1, 2, 3))])
            behind = (codes[name][1] for name in example.clips[prompted:])
            tokens.append([example.name, " ".join((*(prompt[place] for place in heard), *behind))])
            del names[:count]
    for table, content in ((name_to_text(experiment), rows), (name_to_semantic(experiment), tokens)):
        for row in content:
            table.append(0, row)
        table.join([row[0] for row in content])
    return examples


def _prompt(clips: Sequence[str], codes: Mapping[str, list[str]], prompts: Mapping[str, list[str]]) -> list[str]:
    """The tokens of clips in a row, and of the silence behind the last of them."""
    *before, last = clips
    return " ".join((*(codes[name][1] for name in before), prompts[last][1])).split()


def _at_another_pace(size: int, chance: random.Random) -> Iterator[int]:
    """Places of `size` tokens, some of them twice or not at all, as if they were spoken slower or faster.

    The pace differs from stretch to stretch. The synthesisers all read at much the same pace; behind a human who takes
    more time for his words, a model that has heard nothing else believes that it is further in the text than it is.
    """
    overall = chance.uniform(*PACES)
    step, place, count = 0.0, 0.0, 0
    while place < size:
        if count % PACE_STRETCH == 0:
            step = 1 / (overall * chance.uniform(*PACE_VARIES))
        yield int(place)
        place += step
        count += 1


def places_in_pairs(files: TinyFiles, examples: Sequence[Example]) -> dict[str, list[int]]:
    """Where in the whole text each token's phoneme is, by the example's name; see `places_of`."""
    train = files.project.experiment("train")
    texts, codes, prompts = name_to_text(train).rows(), name_to_semantic(train).rows(), files.prompts.rows()
    labels = files.corpus.labels_by_name()
    found = {}
    for example in examples:
        places: list[int] = []
        behind = 0
        for number, name in enumerate(example.clips):
            tokens = prompts[name][1] if number == example.prompted - 1 else codes[name][1]
            phonemes = texts[name][1].split()
            here = places_of(phonemes, labels[name], len(tokens.split()))
            places += (place if place == NOWHERE else place + behind for place in here)
            behind += len(phonemes)
            if number == example.prompted - 1:
                places = [places[place] for place in example.heard]
        found[example.name] = places
    return found


@dataclass(frozen=True)
class CodeReport:
    """How much tokens say about phones.

    purity: share of tokens whose phone is the likeliest one for their number.
    shared: mutual information of token and phone over the phone's entropy (PNMI of HuBERT's paper).
    used: share of the codebook that occurs.
    """

    purity: float
    shared: float
    used: float

    def __str__(self) -> str:
        return f"purity {self.purity:.3f}, phone information {self.shared:.3f}, codebook used {self.used:.3f}"


def aligned(files: TinyFiles, part: str) -> list[tuple[int, int]]:
    """(token, phone) at every token of an experiment's clips."""
    labels = files.corpus.labels_by_name()
    found = []
    for name, row in name_to_semantic(files.project.experiment(part)).rows().items():
        place = iter(labels[name])
        label = next(place)
        for index, token in enumerate(row[1].split()):
            while label.end < (index + 0.5) / TOKENS_PER_SECOND:
                following = next(place, None)
                if following is None:
                    break
                label = following
            found.append((int(token), PHONES.index(label.phone)))
    return found


def judge_codes(pairs: list[tuple[int, int]], codebook: int) -> CodeReport:
    table = torch.zeros(codebook, len(PHONES), dtype=torch.float64)
    for (token, phone), count in Counter(pairs).items():
        table[token, phone] = count
    joint = table / table.sum()
    tokens, phones = joint.sum(1), joint.sum(0)
    entropy = -(phones * phones.clamp(min=1e-12).log()).sum()
    ratio = joint / (tokens[:, None] * phones[None]).clamp(min=1e-12)
    information = (joint * ratio.clamp(min=1e-12).log()).sum()
    return CodeReport(float(joint.amax(1).sum()), float(information / entropy), float((tokens > 0).double().mean()))
