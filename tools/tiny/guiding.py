"""Where a text-to-semantic model should look: guided attention, for training alone.

The corpus says which phone is spoken at each token. One head of some layers is taught to attend, from the row that
predicts a token, to the phoneme of the text that sounds there: cross entropy of the head's whole row of attention.
Networks that learn text and speech from nothing find that by themselves late or never (arXiv 1710.08969 guides by
the diagonal; here the truth is known). The network and what is exported are as ever.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gsv.errors import TrainingError
from gsv.models.t2s import T2S, SelfAttention
from gsv.training.data import GptBatch
from tiny.synthesisers import PAUSE, PHONES, Label

TOKENS_PER_SECOND = 25
# No phoneme sounds there.
NOWHERE = -1


def matched(text: Sequence[str], spoken: Sequence[str]) -> list[int]:
    """For every spoken phone the index of the text's phone that it stands for, by the least edits.

    One that the text does not have goes with the one before it.
    """
    rows, columns = len(text) + 1, len(spoken) + 1
    cost = [[0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            if i == 0 or j == 0:
                cost[i][j] = i + j
            else:
                other = cost[i - 1][j - 1] + (text[i - 1] != spoken[j - 1])
                cost[i][j] = min(other, cost[i - 1][j] + 1, cost[i][j - 1] + 1)
    places = [0] * len(spoken)
    i, j = rows - 1, columns - 1
    while j > 0:
        if i > 0 and cost[i][j] == cost[i - 1][j - 1] + (text[i - 1] != spoken[j - 1]):
            i, j = i - 1, j - 1
            places[j] = i
        elif i > 0 and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
            places[j] = max(i - 1, 0)
    return places


def places_of(phonemes: Sequence[str], labels: Sequence[Label], tokens: int) -> list[int]:
    """For each token the index of the phoneme in the text that sounds at its middle, or NOWHERE in a pause.

    A pause belongs to the mark in the text behind the phone before it, if there is one, and silence before the first
    phone to that.
    """
    plain = [phoneme.rstrip("012").lower() for phoneme in phonemes]
    known = [index for index, phoneme in enumerate(plain) if phoneme in PHONES]
    spoken = [label.phone for label in labels if label.phone != PAUSE]
    if not known or not spoken:
        return [NOWHERE] * tokens
    counterpart = iter(matched([plain[index] for index in known], spoken))
    places, last = [], NOWHERE
    for label in labels:
        if label.phone != PAUSE:
            last = known[next(counterpart)]
            places.append(last)
        elif last == NOWHERE:
            places.append(known[0])
        else:
            is_mark = last + 1 < len(plain) and plain[last + 1] not in PHONES
            places.append(last + 1 if is_mark else NOWHERE)
    ends = torch.tensor([label.end for label in labels[:-1]])
    moments = (torch.arange(tokens) + 0.5) / TOKENS_PER_SECOND
    return torch.tensor(places)[torch.searchsorted(ends, moments, right=True)].tolist()


@dataclass(frozen=True)
class Guide:
    """The loss that teaches one head of each of some layers.

    Args:
        places: by the clip's name, for each of its tokens, an index among its phonemes or NOWHERE.
        layers: counted from 0.
        weight: of the cross entropy, summed over tokens and layers, beside that of the tokens.
    """

    places: Mapping[str, Sequence[int]]
    layers: tuple[int, ...] = (1, 2)
    weight: float = 0.5

    def watch(self, network: T2S) -> Callable[[GptBatch], Tensor]:
        """What gives the loss of the batch that the network was just called with; of one clip, so nothing is hidden."""
        seen: dict[int, Tensor] = {}

        def noting(number: int) -> Callable[[Any, tuple[Tensor, Tensor]], None]:
            def note(_layer: Any, inputs: tuple[Tensor, Tensor]) -> None:
                seen[number] = inputs[0]

            return note

        for number in self.layers:
            network.h.layers[number].register_forward_pre_hook(noting(number))

        def loss(batch: GptBatch) -> Tensor:
            if len(batch.names) != 1:
                raise TrainingError(f"A batch has {len(batch.names)} clips; attention is guided in batches of one.")
            places = torch.tensor(self.places[batch.names[0]], device=batch.tokens.device)
            texts = batch.phonemes.shape[1]
            losses = []
            for number in self.layers:
                rows = attended(network.h.layers[number].self_attn, seen.pop(number), texts)[0, : len(places)]
                losses.append(F.cross_entropy(rows, places, ignore_index=NOWHERE, reduction="sum"))
            return self.weight * torch.stack(losses).sum()

        return loss


def attended(attention: SelfAttention, x: Tensor, texts: int) -> Tensor:
    """Scores of the first head, before the softmax, from the rows that predict tokens: x [B, T, C] -> [B, Y + 1, T].

    Of the T rows the first `texts` are text. What a row may not see is -inf.
    """
    query, key, _ = attention.project(x)
    scores = query[:, 0, texts - 1 :].float() @ key[:, 0].float().transpose(1, 2) / query.shape[-1] ** 0.5
    # The last text row sees all text, as the others do; row t behind it sees t tokens besides.
    hidden = torch.ones(scores.shape[1:], dtype=torch.bool, device=x.device).triu(texts)
    return scores.masked_fill(hidden, float("-inf"))
