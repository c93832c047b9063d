"""Spectral gating: what does not rise above a recording's own noise is taken away. No weights are needed."""

import numpy as np

from gsv.audio.io import Samples
from gsv.audio.volume import decibels

# The quietest twentieth of the sound is taken for noise; digital silence is neither noise nor speech.
_FRAME_SECONDS = 0.05
_QUIET_SHARE = 0.05
_FEWEST_FRAMES = 6
_SILENCE_DECIBELS = -100
# Sounds with fewer audible frames do not tell what is noise in them.
_FEWEST_TO_KNOW = 20

# Found by measuring on speech with white, pink and brown noise: short windows, and a mask that is smoothed no more than
# is needed, keep most of the speech. The library's own settings, made for other sounds, lose half of its energy.
_WINDOW_SECONDS = 0.032
_DEVIATIONS_ABOVE_NOISE = 1.6
_SMOOTH_HERTZ = 100
_SMOOTH_MILLISECONDS = 20


def gate(samples: Samples, rate: int) -> Samples:
    """Sound [T, channels] without its steady noise, of the same shape; each channel by its own noise.

    Less than a second of audible sound comes back as it is. Source: noisereduce (Sainburg et al. 2020), stationary.
    """
    return np.stack([_gated(channel, rate) for channel in samples.T], axis=1)


def _gated(channel: Samples, rate: int) -> Samples:
    noise = _quietest(channel, rate)
    if noise is None:
        return channel
    from noisereduce import reduce_noise

    window = 2 ** round(np.log2(rate * _WINDOW_SECONDS))
    return reduce_noise(
        channel,
        rate,
        stationary=True,
        y_noise=noise,
        clip_noise_stationary=False,
        n_std_thresh_stationary=_DEVIATIONS_ABOVE_NOISE,
        n_fft=window,
        freq_mask_smooth_hz=_SMOOTH_HERTZ,
        time_mask_smooth_ms=_SMOOTH_MILLISECONDS,
        # In one piece; the caller sees to it that it is not too long.
        chunk_size=None,
        padding=window,
    )


def _quietest(channel: Samples, rate: int) -> Samples | None:
    """The quietest stretches, joined; None if there is not enough to go by."""
    size = round(rate * _FRAME_SECONDS)
    frames = channel[: len(channel) // size * size].reshape(-1, size)
    loudness = decibels(np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1)))
    audible = np.flatnonzero(loudness > _SILENCE_DECIBELS)
    if len(audible) < _FEWEST_TO_KNOW:
        return None
    count = max(_FEWEST_FRAMES, round(_QUIET_SHARE * len(audible)))
    quiet = audible[np.argsort(loudness[audible], kind="stable")[:count]]
    return frames[np.sort(quiet)].reshape(-1)
