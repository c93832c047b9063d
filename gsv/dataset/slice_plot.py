"""A picture of a recording's volume curve and of the pieces it was cut into."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gsv.audio.volume import Volume
from gsv.paths import written_whole

# The curve is drawn in rows, like lines of music: a minute each, or longer ones for long recordings.
_ROW_SECONDS = 60
_MOST_ROWS = 30
_POINTS_A_ROW = 2000
_LOWEST = -80
_COLOURS = ("#9fc5e8", "#b6d7a8")


def draw(path: Path, curve: Volume, rate: int, threshold: float, ranges: Sequence[tuple[int, int]]) -> None:
    """Writes a PNG: the curve in dB over seconds, pieces in two alternating colours, what was dropped left white.

    `ranges` are the pieces in samples (first, last + 1), `threshold` is in dB.
    """
    seconds = curve.samples / rate
    rows = int(np.clip(np.ceil(seconds / _ROW_SECONDS), 1, _MOST_ROWS))
    row_seconds = max(seconds / rows, _ROW_SECONDS) if rows > 1 else seconds
    figure = Figure(figsize=(16, 0.6 + 1.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    for row, axis in enumerate(axes):
        start, end = row * row_seconds, (row + 1) * row_seconds
        times, lows, highs = _outline(curve, rate, start, end)
        axis.fill_between(times, lows, highs, color="#444444", linewidth=0.6, zorder=3)
        axis.axhline(threshold, color="#cc0000", linewidth=0.8, linestyle="--", zorder=4)
        for index, (first, last) in enumerate(ranges):
            if first / rate < end and last / rate > start:
                axis.axvspan(first / rate, last / rate, color=_COLOURS[index % 2], linewidth=0, zorder=1)
        for place in (edge for piece in ranges for edge in piece):
            if start <= place / rate <= end:
                axis.axvline(place / rate, color="#1155cc", linewidth=0.8, zorder=2)
        axis.set_xlim(start, end)
        axis.set_ylim(_LOWEST, 0)
        axis.set_ylabel("dB")
    axes[-1].set_xlabel(f"seconds; {len(ranges)} pieces; pauses are below the dashed line at {threshold:g} dB")
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def _outline(curve: Volume, rate: int, start: float, end: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lowest and highest dB in each of a limited number of steps from `start` to `end`, and the steps' times."""
    first = min(round(start * rate / curve.hop), len(curve.rms) - 1)
    last = max(first + 1, min(round(end * rate / curve.hop) + 1, len(curve.rms)))
    decibels = np.maximum(curve.decibels[first:last], _LOWEST)
    step = -(-len(decibels) // _POINTS_A_ROW)
    places = np.arange(0, len(decibels), step)
    highs = np.maximum.reduceat(decibels, places)
    lows = np.minimum(np.minimum.reduceat(decibels, places), highs - 0.5)
    return (first + places) * curve.hop / rate, lows, highs
