"""Makes a recording whose truth is known, and judges what the tools made of it; from_recording_to_features.sh uses it.

    judge.py record WORK CLIPS DECIBELS    WORK/recording/reader.wav: clips and pauses in noise, so far below the speech
    judge.py cuts WORK                     whether every cut of WORK/slices lies in a pause
    judge.py noise WORK DECIBELS           whether so much was gained from WORK/slices to WORK/denoised, and what became
                                           of the speech
    judge.py words LIST TRUTH              how many of the words that were read a list has, in their order

Exits with a sentence where something is not as it should be.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

from gsv.audio.io import load, save_wav
from gsv.dataset.listing import read_list

RATE = 32000
CUT_SECONDS = 0.2
# Of the clean recording, whether pauses were put in or made by the reader: this quiet for this long.
PAUSE_DECIBELS = -40
PAUSE_SECONDS = 0.2
STEP_SECONDS = 0.01
# Words in a random order agree with a tenth.
WORDS_SHARE = 0.5


def decibels(signal: np.ndarray, noise: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(np.square(signal)) / np.sum(np.square(noise))))


def record(work: Path, clips: str, below: str) -> None:
    draw = np.random.default_rng(4)
    parts = []
    for clip in sorted(Path(clips).glob("*.wav")):
        parts += [load(clip, RATE), np.zeros(round(RATE * draw.uniform(0.4, 1.2)), np.float32)]
    clean = np.concatenate(parts)
    noise = draw.standard_normal(len(clean)).astype(np.float32)
    noise *= np.sqrt(np.sum(clean**2) / np.sum(noise**2)) * 10 ** (-float(below) / 20)
    for folder in ("recording", "truth"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    soundfile.write(work / "truth" / "clean.wav", clean, RATE, subtype="FLOAT")
    # As it might come from somewhere: another rate, two channels.
    mixed = soxr.resample(clean + noise, RATE, 44100)
    save_wav(work / "recording" / "reader.wav", np.stack([mixed, mixed]), 44100)
    print(f"Recorded {len(clean) / RATE:.0f} s: {len(parts) // 2} clips, noise {below} dB below the speech.")


def pauses(clean: np.ndarray) -> list[tuple[float, float]]:
    """Beginnings and ends in seconds."""
    step = round(RATE * STEP_SECONDS)
    frames = clean[: len(clean) // step * step].reshape(-1, step)
    quiet = np.sqrt(np.mean(frames**2, axis=1)) < 10 ** (PAUSE_DECIBELS / 20)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(int), [0])))).reshape(-1, 2) * STEP_SECONDS
    return [(start, end) for start, end in edges.tolist() if end - start >= PAUSE_SECONDS]


def range_of(piece: Path) -> tuple[int, int]:
    start, end = piece.stem.split("_")[-2:]
    return int(start), int(end)


def cuts(work: Path) -> None:
    clean = load(work / "truth" / "clean.wav", RATE)
    gaps = pauses(clean)
    slices = sorted((work / "slices").glob("*.wav"))
    places = {place / RATE for piece in slices for place in range_of(piece)}
    inner = [place for place in sorted(places) if CUT_SECONDS < place < len(clean) / RATE - CUT_SECONDS]
    away = [min(max(start - place, place - end, 0.0) for start, end in gaps) for place in inner]
    if len(inner) < 10 or max(away) > CUT_SECONDS:
        sys.exit(f"A cut is {max(away, default=0):.2f} s away from the nearest pause, or there are only {len(inner)}.")
    for piece in slices:
        wave, _ = soundfile.read(piece)
        if len(wave) != range_of(piece)[1] - range_of(piece)[0] or np.abs(wave).max() >= 1:
            sys.exit(f"{piece.name} has another length than its name says, or is clipped.")
    inside = sum(distance == 0 for distance in away)
    print(
        f"{len(slices)} slices; {inside} of {len(inner)} cuts lie in a pause, the farthest {max(away):.3f} s from one."
    )


def spectral_distance(reference: np.ndarray, other: np.ndarray) -> float:
    """Mean distance in dB of the spectra of 32 ms frames with speech in them (log-spectral distance)."""
    size = 1024

    def spectra(wave: np.ndarray) -> np.ndarray:
        frames = wave[: len(wave) // size * size].reshape(-1, size) * np.hanning(size)
        return np.abs(np.fft.rfft(frames, axis=1))

    wanted, found = spectra(reference), spectra(other)
    floor = 1e-3 * wanted.max()
    with_speech = wanted.max(axis=1) > 10 * floor
    ratio = 20 * np.log10(np.maximum(found, floor) / np.maximum(wanted, floor))[with_speech]
    return float(np.sqrt(np.mean(ratio**2, axis=1)).mean())


def noise(work: Path, gained: str) -> None:
    clean = load(work / "truth" / "clean.wav", RATE)
    mixed = load(work / "recording" / "reader.wav", RATE)
    parts = []
    for piece in sorted((work / "slices").glob("*.wav")):
        start, end = range_of(piece)
        before, after = load(piece, RATE), load(work / "denoised" / piece.name, RATE)
        # Slicing changed the level.
        gain = np.dot(before, mixed[start:end]) / np.dot(mixed[start:end], mixed[start:end])
        end = min(end, len(clean))
        parts.append((clean[start:end], before[: end - start] / gain, after[: end - start] / gain))
    speech, before, after = (np.concatenate(column) for column in zip(*parts, strict=True))
    was, now = decibels(speech, before - speech), decibels(speech, after - speech)
    kept = 20 * np.log10(np.dot(after, speech) / np.dot(speech, speech))
    quiet = np.concatenate([np.zeros(1), speech]) == 0
    print(
        f"Signal to noise: {was:.1f} dB before, {now:.1f} dB after, lost speech counted as noise; in pauses the noise "
        f"is {decibels(before[quiet[1:]], after[quiet[1:]]):.1f} dB lower."
    )
    print(
        f"Speech: its level changed by {kept:+.2f} dB; its spectrum is {spectral_distance(speech, after):.1f} dB off, "
        f"{spectral_distance(speech, before):.1f} dB before."
    )
    if now - was < float(gained):
        sys.exit(f"The signal-to-noise ratio rose by {now - was:.1f} dB; at least {gained} were to be gained.")


def words(listed: Path, truth: str) -> None:
    def spoken(path: Path) -> list[str]:
        return re.findall(r"[a-z']+", " ".join(line.text for line in read_list(path)).lower())

    heard, read = spoken(listed), spoken(Path(truth))
    # The longest series of words that both have in this order.
    row = [0] * (len(heard) + 1)
    for word in read:
        above, row = row, [0]
        for index, other in enumerate(heard):
            row.append(above[index] + 1 if word == other else max(above[index + 1], row[-1]))
    share = row[-1] / len(read)
    print(f"{share:.0%} of {len(read)} words were recognised; {len(heard)} were written down.")
    if share < WORDS_SHARE:
        sys.exit(f"At least {WORDS_SHARE:.0%} of the words should be recognised.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "cuts", "noise", "words"))
    parser.add_argument("place", type=Path)
    parser.add_argument("more", nargs="*")
    arguments = parser.parse_args()
    judges = {"record": record, "cuts": cuts, "noise": noise, "words": words}
    judges[arguments.what](arguments.place, *arguments.more)
