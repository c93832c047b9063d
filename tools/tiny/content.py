"""The content encoder: a narrow network in HuBERT's layout that learns to tell, 50 times a second, which phone is
spoken, whether it is voiced, and how the pitch moves. Its last layer then holds what a semantic token should say."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
import yaml
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.data import Dataset
from tqdm import tqdm
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

from gsv.audio.io import Samples, load, resample
from gsv.audio.pitch import pitch
from gsv.checkpoints import halved, write_tensors
from gsv.dataset.listing import read_list
from gsv.errors import InputError
from gsv.models.encoders import ContentEncoder
from gsv.paths import written_whole
from gsv.training.data import BucketBatches
from gsv.training.loop import Board, Machine, Outcome, Plan, derived_seed, fit, loader, optimizer_on
from gsv.training.resume import Part
from tiny.corpus import Corpus
from tiny.humans import FIRST, HOP, Recording, aligned_labels
from tiny.machine import MACHINE
from tiny.sounds import RATE, spoilt
from tiny.synthesisers import PHONES, Label

PACE = (0.87, 1.15)
EPOCHS_AN_ALIGNMENT = 2


@dataclass(frozen=True)
class ContentPlan:
    """See configs/tiny/content.yaml."""

    seed: int
    epochs: int
    epochs_alone: int
    human_part: float
    batch_size: int
    crop_seconds: float
    learning_rate: float
    warmup_steps: int
    final_part: float
    voicing_weight: float
    pitch_weight: float

    @classmethod
    def read(cls, path: Path) -> "ContentPlan":
        return cls(**yaml.safe_load(path.read_text(encoding="utf-8")))

    def rate(self, step: int, steps: int) -> float:
        """Rises, stays, and at last falls; so a training can be prolonged from before its fall."""
        left = (steps - step) / max(1.0, self.final_part * steps)
        return self.learning_rate * min(1.0, (step + 1) / self.warmup_steps, max(0.05, left))


@dataclass(frozen=True)
class Clip:
    """An utterance at 16 kHz: samples [T] of int16, ends [N] and numbers [N] of its phones, pitch in Hz every 20 ms."""

    samples: Tensor
    ends: Tensor
    phones: Tensor
    pitch: Tensor

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


class ContentBatch(NamedTuple):
    """wave [B, T] at 16 kHz, and for each frame: the phone, the log pitch relative to the clip's, 0 or 1 for voiced."""

    wave: Tensor
    phones: Tensor
    pitch: Tensor
    voiced: Tensor


def clip_of(path: Path, labels: Sequence[Label]) -> Clip:
    wave = torch.from_numpy(load(path, RATE))
    return Clip(
        (wave.clamp(-1, 1) * 32767).round().to(torch.int16),
        torch.tensor([label.end for label in labels]),
        torch.tensor([PHONES.index(label.phone) for label in labels]),
        pitch(wave[None], RATE, HOP)[0],
    )


def read_clips(corpus: Corpus, names: Sequence[str], cache: Path) -> list[Clip]:
    """The clips of these names; what was read once lies in the file `cache`."""
    labels = corpus.labels_by_name()
    if cache.is_file():
        known: dict[str, Any] = torch.load(cache, weights_only=True)
        if list(known) == list(names):
            return [Clip(*tensors) for tensors in known.values()]
    clips = [clip_of(corpus.wavs / name, labels[name]) for name in tqdm(names, desc="clips")]
    with written_whole(cache) as temporary:
        torch.save({name: list(vars(clip).values()) for name, clip in zip(names, clips, strict=True)}, temporary)
    return clips


def targets(clip: Clip, seconds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Phone, relative log pitch and voicing at some times of a clip; after its end there is a pause."""
    phones = torch.cat([clip.phones, torch.zeros(1, dtype=clip.phones.dtype)])
    phone = phones[torch.searchsorted(clip.ends, seconds, right=True)]
    frame = (seconds * RATE / HOP).long()
    hertz = torch.where(frame < len(clip.pitch), clip.pitch[frame.clamp(max=len(clip.pitch) - 1)], 0.0)
    voiced = hertz > 0
    sounding = clip.pitch[clip.pitch > 0]
    middle = sounding.median() if len(sounding) else torch.tensor(1.0)
    return phone, torch.where(voiced, (hertz.clamp(min=1.0) / middle).log(), 0.0), voiced.float()


class ContentData(Dataset[Clip]):
    """Clips, from which batches of crops are cut, at paces and through rooms that are drawn anew each time."""

    def __init__(self, clips: Sequence[Clip], crop_seconds: float, frames: int):
        self.clips = list(clips)
        self.size = round(crop_seconds * RATE)
        self.frames = frames

    @property
    def lengths(self) -> list[int]:
        # One bucket: crops are all of one length.
        return [0] * len(self.clips)

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Clip:
        return self.clips[index]

    def collate(self, clips: Sequence[Clip]) -> ContentBatch:
        rows = [self._crop(clip) for clip in clips]
        waves, phones, pitches, voiced = (torch.stack(parts) for parts in zip(*rows, strict=True))
        return ContentBatch(spoilt(waves), phones, pitches, voiced)

    def _crop(self, clip: Clip) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        pace = float(torch.empty(()).uniform_(*PACE)) if torch.rand(()) < 0.6 else 1.0
        taken = round(self.size * pace)
        start = int(torch.rand(()) * max(1, len(clip.samples) - taken + 1))
        wave: Samples = clip.samples[start : start + taken].float().div(32768).numpy()
        if pace != 1.0:
            wave = resample(wave, round(RATE * pace), RATE)
        tensor = torch.from_numpy(wave[: self.size])
        tensor = F.pad(tensor, (0, self.size - len(tensor)))
        seconds = (torch.arange(self.frames) * HOP + FIRST) * pace / RATE + start / RATE
        return tensor, *targets(clip, seconds)


class ContentTrainer(nn.Module):
    """The encoder and what reads its frames: phones, voicing and pitch."""

    def __init__(self, encoder: ContentEncoder, plan: ContentPlan):
        super().__init__()
        self.encoder = encoder
        self.heads = nn.Linear(encoder.width, len(PHONES) + 2)
        self.plan = plan

    def read(self, wave: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """wave [B, T] -> scores of phones [B, frames, phones], of voicing and relative log pitch, both [B, frames]."""
        scores = self.heads(self.encoder(wave).transpose(1, 2))
        return scores[..., :-2], scores[..., -2], scores[..., -1]

    def forward(self, batch: ContentBatch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Losses of phones, voicing and pitch, and the share of frames whose phone is wrong."""
        phones, voicing, movement = (scores.float() for scores in self.read(batch.wave))
        phone_loss = F.cross_entropy(phones.flatten(0, 1), batch.phones.flatten())
        voicing_loss = F.binary_cross_entropy_with_logits(voicing, batch.voiced)
        distance = F.smooth_l1_loss(movement, batch.pitch, reduction="none", beta=0.1) * batch.voiced
        pitch_loss = distance.sum() / batch.voiced.sum().clamp(min=1)
        wrong = (phones.argmax(-1) != batch.phones).float().mean()
        return phone_loss, voicing_loss, pitch_loss, wrong


class _ContentRecipe:
    """Moves the encoder by batches."""

    def __init__(self, fabric: Fabric, trainer: ContentTrainer, batches: int, out: Path):
        self.fabric = fabric
        self.trainer = trainer
        self.plan = trainer.plan
        self.batches = batches
        self.out = out
        self.taken = 0
        optimizer = content_optimizer(trainer)
        self.model = fabric.setup_module(trainer.train())
        self.optimizer = optimizer_on(fabric, optimizer)
        self.parts = {"E": Part(trainer, optimizer, self.plan.learning_rate)}

    def begin(self, epoch: int) -> None:
        self.taken = (epoch - 1) * self.batches

    def step(self, batch: ContentBatch, last: bool) -> dict[str, Tensor]:
        rate = self.plan.rate(self.taken, self.plan.epochs * self.batches)
        for group in self.parts["E"].optimizer.param_groups:
            group["lr"] = rate
        phones, voicing, movement, wrong = self.model(batch)
        loss = phones + self.plan.voicing_weight * voicing + self.plan.pitch_weight * movement
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.fabric.clip_gradients(self.model, self.optimizer, max_norm=5.0)
        self.optimizer.step()
        self.taken += 1
        return {
            "loss/phones": phones,
            "loss/voicing": voicing,
            "loss/pitch": movement,
            "error/frames": wrong,
            "learning_rate": torch.tensor(rate),
        }

    def show(self, board: Board, step: int) -> None:
        """Frames have no picture."""

    def weights(self, epoch: int, step: int) -> Path:
        return self.out

    def export(self, path: Path, epoch: int, step: int) -> None:
        write_content(path, self.trainer.encoder)


def content_optimizer(trainer: ContentTrainer) -> AdamW:
    return AdamW(trainer.parameters(), trainer.plan.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)


def write_content(folder: Path, encoder: ContentEncoder) -> None:
    """The encoder as a folder that `transformers` reads, in half precision."""
    write_tensors(folder / "pytorch_model.bin", dict(halved(encoder.network.state_dict())))
    encoder.network.config.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(folder)


def untrained_content(hubert: Path, plan: ContentPlan) -> ContentTrainer:
    torch.manual_seed(derived_seed(plan.seed, "content"))
    return ContentTrainer(ContentEncoder(HubertModel(HubertConfig.from_json_file(hubert))), plan)


def train_content(
    corpus: Corpus,
    work: Path,
    hubert: Path,
    plan: ContentPlan,
    out: Path,
    humans: Sequence[Recording] = (),
    machine: Machine = MACHINE,
) -> Outcome:
    """Trains on the corpus, going on from what is in WORK/content, and writes the encoder's folder `out`.

    After `epochs_alone` epochs the encoder can tell when each phone is spoken in the recordings of humans, if there are
    any; from then on they make up `human_part` of what it hears.

    Raises InputError or TrainingError if there is no corpus.
    """
    names = [line.audio for line in read_list(corpus.train)]
    if not names:
        raise InputError(f"{corpus.train} is empty; make the corpus first.")
    trainer = untrained_content(hubert, plan)
    frames = _frames(trainer.encoder, round(plan.crop_seconds * RATE))
    clips = read_clips(corpus, names, work / "content" / "train.pt")

    def train(heard: Sequence[Clip], epochs: int) -> Outcome:
        data = ContentData(heard, plan.crop_seconds, frames)
        batches = BucketBatches(data.lengths, 1, plan.batch_size, plan.seed)
        fabric = machine.fabric()
        recipe = _ContentRecipe(fabric, trainer, len(batches), out)
        todo = Plan(work / "content", epochs, plan.seed, save_every=5, only_latest=True, export_every=True)
        return fit(fabric, recipe, loader(fabric, machine, data, batches, data.collate), batches, todo)

    if not humans:
        return train(clips, plan.epochs)
    outcome = train(clips, plan.epochs_alone)
    times = round(plan.human_part / (1 - plan.human_part) * len(clips) / len(humans))
    while outcome.epochs < plan.epochs:
        # Aligned anew, since the encoder hears humans better each time.
        spoken = human_clips(trainer, humans)
        outcome = train([*clips, *spoken * times], min(outcome.epochs + EPOCHS_AN_ALIGNMENT, plan.epochs))
    return outcome


@torch.no_grad()
def human_clips(trainer: ContentTrainer, humans: Sequence[Recording]) -> list[Clip]:
    """Recordings with the times of their phones as the encoder hears them now."""
    trainer.eval()
    clips = []
    for recording in tqdm(humans, desc="humans"):
        wave = torch.from_numpy(load(recording.path, RATE))
        clips.append(clip_of(recording.path, aligned_labels(trainer.read(wave[None])[0][0], recording.words)))
    trainer.train()
    return clips


def _frames(encoder: ContentEncoder, samples: int) -> int:
    """Frames that the encoder makes of so many samples."""
    with torch.no_grad():
        return encoder(torch.zeros(1, samples)).shape[-1]
