"""When each phone is spoken in recordings whose words are known, as an encoder hears it: Viterbi's forced alignment.

The likeliest path through the phones in order, with a pause allowed before, between and after words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gsv.dataset.listing import read_list
from gsv.errors import InputError
from gsv.text.frontend import Frontend
from gsv.versions import version_named
from tiny.guiding import matched
from tiny.sounds import RATE
from tiny.synthesisers import PAUSE, PHONES, Label

# The last recordings of a list that nothing is trained on.
HELD = 5
# Of an encoder's frames: samples between two of them, and the middle of the first.
HOP = 320
FIRST = 200


@dataclass(frozen=True)
class Recording:
    """A sound file and the phones of each word that is said in it."""

    path: Path
    words: tuple[tuple[str, ...], ...]


def recordings(folder: Path, transcripts: Path) -> list[Recording]:
    """The clips of a list file that are in a folder; InputError if there are none."""
    frontend = Frontend(version_named("v2").symbols)
    found = [
        Recording(folder / line.audio, spelt(frontend, line.text))
        for line in read_list(transcripts)
        if (folder / line.audio).is_file()
    ]
    if not found:
        raise InputError(f"{folder} has none of the recordings that {transcripts} lists; name the folder they are in.")
    return found


def spelt(frontend: Frontend, text: str) -> tuple[tuple[str, ...], ...]:
    """The phones of `PHONES` of every English word, as it is said among the others."""
    alone = [_phones(frontend, word) for word in text.split() if any(letter.isalnum() for letter in word)]
    owner = [number for number, phones in enumerate(alone) for _ in phones]
    together = _phones(frontend, text)
    words: list[list[str]] = [[] for _ in alone]
    for phone, place in zip(together, matched([phone for phones in alone for phone in phones], together), strict=True):
        words[owner[place]].append(phone)
    return tuple(tuple(word) for word in words if word)


def _phones(frontend: Frontend, text: str) -> list[str]:
    phones = (phone.rstrip("012").lower() for phone in frontend.read_for_training(text, "en").phones)
    return [phone for phone in phones if phone in PHONES]


def aligned_labels(scores: Tensor, words: Sequence[Sequence[str]]) -> tuple[Label, ...]:
    """Phones with their ends in seconds, from an encoder's scores [frames, phones].

    Raises InputError if there are fewer frames than phones.
    """
    pause = PHONES.index(PAUSE)
    places: list[int] = [pause]
    for word in words:
        places += [*(PHONES.index(phone) for phone in word), pause]
    states = torch.tensor(places)
    skippable = states == pause
    odds = torch.log_softmax(scores.float(), -1)[:, states]
    if len(odds) < int((~skippable).sum()):
        raise InputError(f"A recording of {len(odds)} frames is too short for its {len(states)} phones.")
    never = torch.tensor(float("-inf"))
    best = torch.where(torch.arange(len(states)) < 2, odds[0], never)
    steps = []
    # A pause may be jumped over, so a state is reached from itself, the one before, or the one before a pause.
    jump = torch.zeros(len(states), dtype=torch.bool)
    jump[2:] = skippable[1:-1]
    for frame in odds[1:]:
        one = torch.cat([never[None], best[:-1]])
        two = torch.where(jump, torch.cat([never[None], never[None], best[:-2]]), never)
        best, step = torch.stack([best, one, two]).max(0)
        best = best + frame
        steps.append(step)
    last = len(states) - 1
    place = last if best[last] >= best[last - 1] else last - 1
    path = [place]
    for step in reversed(steps):
        place -= int(step[place])
        path.append(place)
    path.reverse()
    ends = [*(index for index in range(1, len(path)) if path[index] != path[index - 1]), len(path)]
    return tuple(Label(PHONES[int(states[path[end - 1]])], (end * HOP + FIRST - HOP / 2) / RATE) for end in ends)
