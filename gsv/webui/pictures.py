"""A picture of speech: its wave above its spectrogram, over seconds."""

from pathlib import Path

from gsv.audio.io import Samples
from gsv.paths import written_whole

_GREY = "#808080"
_WINDOW_SECONDS = 0.03
# What is this far below the loudest is drawn as nothing.
_RANGE_DB = 80


def draw_speech(path: Path, wave: Samples, rate: int) -> None:
    """Writes a PNG that fits light and dark pages; `wave` is [T] within [-1, 1], not all silence."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    # The page lays the picture's title over its top.
    figure.get_layout_engine().set(rect=(0.01, 0.01, 0.98, 0.92))  # type: ignore[union-attr, call-arg]
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    step = max(1, len(wave) // 2000)
    places = np.arange(0, len(wave), step)
    times = places / rate
    top.fill_between(times, np.minimum.reduceat(wave, places), np.maximum.reduceat(wave, places), color="#6366f1")
    top.set_ylim(-1, 1)
    size = 1 << round(np.log2(_WINDOW_SECONDS * rate))
    # The smallest hop that still gives no more columns than the picture has.
    hop = max(size // 4, len(wave) // 2000)
    padded = np.pad(wave, (0, max(0, size - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32))))
    decibels = 10 * np.log10(np.maximum(power.T, 1e-10))
    loudest = float(decibels.max())
    bottom.imshow(
        decibels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=loudest - _RANGE_DB,
        vmax=loudest,
        extent=(0, len(wave) / rate, 0, rate / 2000),
    )
    bottom.set_ylabel("kHz", color=_GREY)
    bottom.set_xlabel("s", color=_GREY)
    for axis in (top, bottom):
        axis.tick_params(colors=_GREY)
        axis.patch.set_alpha(0)
        for spine in axis.spines.values():
            spine.set_color(_GREY)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100, transparent=True)
