"""Long recordings into pieces of a few seconds, cut in their pauses.

A piece is `NAME_START_END.wav`: the input's whole name and the range of its samples at 32 kHz, ten digits each.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from gsv.audio.io import Samples, stream, wav_written
from gsv.audio.volume import Volume, decibels, volume
from gsv.dataset.cuts import CutRule, pieces
from gsv.dataset.making import Making, making_in
from gsv.dataset.report import StepReport, run_reported
from gsv.dataset.sounds import sounds_in
from gsv.dataset.workers import Item
from gsv.errors import AudioError, InputError
from gsv.paths import Project
from gsv.progress import Progress, TerminalProgress

RATE = 32000

_HOPS_A_WINDOW = 4
# Samples worked on at once.
_BLOCK = 1 << 18

Range = tuple[int, int]

_NOTHING = np.zeros(0, np.float32)


@dataclass(frozen=True)
class SliceOptions:
    """How to cut recordings into pieces. Lengths are in milliseconds."""

    inp: Annotated[Path, Field(description="A recording, or a folder of recordings.")]
    opt_root: Annotated[Path, Field(description="The folder for the pieces.")] = Path("output/slicer_opt")
    threshold: Annotated[
        float, Field(ge=-100, le=0, allow_inf_nan=False, description="dB of full scale; what is below counts as pause.")
    ] = -34
    min_length: Annotated[
        int, Field(ge=1, le=3_600_000, description="No cut before a piece is so many ms long; the last may be shorter.")
    ] = 4000
    min_interval: Annotated[int, Field(ge=1, le=60_000, description="ms; shorter pauses are not cut.")] = 300
    hop_size: Annotated[int, Field(ge=1, le=1000, description="ms from one point of the volume curve to the next.")] = (
        10
    )
    max_sil_kept: Annotated[
        int, Field(ge=1, le=60_000, description="ms of silence that a piece may keep at its ends.")
    ] = 500
    peak: Annotated[
        float, Field(gt=0, le=1, allow_inf_nan=False, description="The peak that a piece is levelled to.")
    ] = 0.9
    alpha: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="How much of the levelled piece is mixed in.")
    ] = 0.25
    n_parts: Annotated[int, Field(ge=1, le=64, description="Worker processes that share the recordings.")] = 4
    plot: Annotated[bool, Field(description="Draw each recording's volume curve and its cuts, in plots/.")] = False
    project: Project = field(default_factory=Project.default)

    def __post_init__(self) -> None:
        if not self.min_length >= self.min_interval >= self.hop_size:
            raise InputError(
                f"min_length ({self.min_length} ms) must be at least min_interval ({self.min_interval} ms), "
                f"and that at least hop_size ({self.hop_size} ms)."
            )
        if self.max_sil_kept < self.hop_size:
            raise InputError(f"max_sil_kept ({self.max_sil_kept} ms) must be at least hop_size ({self.hop_size} ms).")


def slice_audio(options: SliceOptions, progress: Progress | None = None) -> StepReport:
    """Cuts all recordings. The files of the report are the pieces, and the pictures if there are any.

    Raises a GsvError if the input is not usable, or if nothing could be cut; where only some recordings fail, the
    others are finished and the report says which failed and why.
    """
    progress = progress or TerminalProgress()
    recordings = options.project.resolve(options.inp)
    items = sounds_in(recordings, "inp")
    folder = options.project.resolve(options.opt_root)
    with making_in(folder, recordings, "opt_root"):
        workers = min(options.n_parts, len(items))
        return run_reported(SliceStep(options, folder), items, ["cpu"] * workers, folder, progress)


@dataclass(frozen=True)
class SliceStep:
    """Cuts a recording into pieces in `folder`. It is read twice, block by block, so it can have any length."""

    options: SliceOptions
    folder: Path
    title: str = "slice"

    def start(self, device: object, part: int) -> Callable[[Item], Literal["done", "kept"]]:
        return self._handle

    def files(self, item: Item) -> Sequence[Path]:
        made = self._making(item).files()
        return [*made, self._picture(item)] if self.options.plot else made

    def _handle(self, item: Item) -> Literal["done", "kept"]:
        making = self._making(item)
        made = making.is_done()
        if made and (not self.options.plot or self._picture(item).is_file()):
            return "kept"
        hop = round(RATE * self.options.hop_size / 1000)
        window = min(round(RATE * self.options.min_interval / 1000), _HOPS_A_WINDOW * hop)
        curve = volume(_blocks(item, hop), hop, window)
        ranges = self._ranges(item, curve)
        if not made:
            # One of other cuts would tell lies.
            self._picture(item).unlink(missing_ok=True)
            with making.anew() as folder:
                self._write(folder, item, curve, ranges)
        if self.options.plot:
            from gsv.dataset.slice_plot import draw

            draw(self._picture(item), curve, RATE, self.options.threshold, ranges)
        return "done"

    def _ranges(self, item: Item, curve: Volume) -> list[Range]:
        """The samples (first, last + 1) of each piece."""
        options, hop = self.options, curve.hop

        def frames(milliseconds: int) -> int:
            return round(RATE * milliseconds / 1000 / hop)

        rule = CutRule(
            threshold=10 ** (options.threshold / 20),
            min_length=frames(options.min_length),
            min_interval=frames(options.min_interval),
            max_kept=frames(options.max_sil_kept),
        )
        found = pieces(curve.rms, rule)
        if not found:
            if not curve.peak(0, curve.samples):
                raise AudioError(f"{item.audio} is silent from end to end; give a recording with speech in it.")
            loudest = float(decibels(curve.rms.max()))
            raise AudioError(
                f"{item.audio} is never louder than the threshold of {options.threshold:g} dB (at most "
                f"{loudest:.0f} dB); lower the threshold, or give a recording with speech in it."
            )
        ranges = ((start * hop, min(end * hop, curve.samples)) for start, end in found)
        return [(start, end) for start, end in ranges if start < end]

    def _write(self, folder: Path, item: Item, curve: Volume, ranges: Sequence[Range]) -> None:
        for piece, parts in zip(ranges, cut(_blocks(item, curve.hop), ranges), strict=True):
            louder = np.float32(gain(curve.peak(*piece), self.options.peak, self.options.alpha))
            with wav_written(folder / f"{item.name}_{piece[0]:010d}_{piece[1]:010d}.wav", RATE) as write:
                for part in parts:
                    write(part * louder)

    def _making(self, item: Item) -> Making:
        names = ("threshold", "min_length", "min_interval", "hop_size", "max_sil_kept", "peak", "alpha")
        return Making(self.folder, item, {name: getattr(self.options, name) for name in names})

    def _picture(self, item: Item) -> Path:
        return self.folder / "plots" / f"{item.name}.png"


def gain(loudest: float, peak: float, alpha: float) -> float:
    """What a piece whose largest value is `loudest` is multiplied with.

    `alpha` parts of the piece at that `peak` and 1 - `alpha` parts of it as it is, of what is beyond full scale brought
    back to it: the levels that existing data sets have. The result is never beyond full scale.
    """
    if loudest == 0:
        return 1.0
    return (peak * alpha / loudest + 1 - alpha) / max(loudest, 1.0)


def cut(blocks: Iterable[Samples], ranges: Sequence[Range]) -> Iterator[Iterator[Samples]]:
    """The pieces of a stream, in order, each as its parts; a piece must be read to its end before the next is taken."""
    source = iter(blocks)
    block, position = _NOTHING, 0

    def piece(start: int, end: int) -> Iterator[Samples]:
        nonlocal block, position
        while True:
            part = block[max(0, start - position) : max(0, end - position)]
            if len(part):
                yield part
            if end <= position + len(block):
                return
            position += len(block)
            block = next(source, _NOTHING)
            if not len(block):
                raise AudioError("The recording became shorter while it was read; do not change it meanwhile.")

    for start, end in ranges:
        yield piece(start, end)


def _blocks(item: Item, hop: int) -> Iterator[Samples]:
    return stream(item.audio, RATE, max(1, _BLOCK // hop) * hop)
