"""Guided attention: where tokens' phonemes are, and that training by it moves attention there."""

from typing import NamedTuple

import pytest
import torch

from gsv.errors import TrainingError
from gsv.models.t2s import T2S, T2SConfig
from gsv.training.data import GptBatch
from tiny.guiding import NOWHERE, Guide, attended, matched, places_of
from tiny.synthesisers import Label

TINY = T2SConfig(
    vocab_size=9, phoneme_vocab_size=20, hidden_dim=16, embedding_dim=16, head=2, n_layer=2, EOS=8, bert_dim=4
)


def test_spoken_phones_go_with_the_nearest_text() -> None:
    assert matched(list("helo"), list("halo")) == [0, 1, 2, 3]
    assert matched(list("helo"), list("elos")) == [1, 2, 3, 3]
    assert matched(list("str"), list("sr")) == [0, 2]


def test_every_token_has_the_phoneme_that_sounds_at_its_middle() -> None:
    phonemes = ["S", "IY1", ",", "S", "OW1", "."]
    ends = {"pau": 0.08, "s": 0.16, "iy": 0.28}
    labels = [*(Label(phone, end) for phone, end in ends.items())]
    labels += [Label("pau", 0.36), Label("s", 0.44), Label("pau", 0.48), Label("ow", 0.56), Label("pau", 0.64)]
    # Of the pauses one is at the comma, one within the word, where nothing is written, and one at the full stop.
    assert places_of(phonemes, labels, 16) == [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, NOWHERE, 4, 4, 5, 5]


class Case(NamedTuple):
    network: T2S
    batch: GptBatch


@pytest.fixture
def case() -> Case:
    torch.manual_seed(0)
    network = T2S(TINY)
    phonemes, tokens = torch.randperm(20)[None, :5], torch.randint(8, (1, 10))
    lengths = torch.tensor([5]), torch.tensor([10])
    return Case(network, GptBatch(phonemes, lengths[0], tokens, lengths[1], torch.zeros(1, 4, 5), ("clip",)))


def test_attention_is_what_the_network_itself_does(case: Case) -> None:
    attention = case.network.h.layers[0].self_attn
    x = torch.randn(1, 15, 16)
    query, key, value = attention.project(x)
    visible = torch.ones(15, 15, dtype=torch.bool).tril()
    visible[:, :5] = True
    wanted = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=visible)[:, 0, 4:]
    weights = attended(attention, x, 5).softmax(-1)
    assert torch.allclose(weights @ value[:, 0], wanted, atol=1e-5)


def test_training_by_the_guide_alone_moves_attention_to_the_phonemes(case: Case) -> None:
    places = [0, 0, 1, 1, 2, NOWHERE, 3, 3, 4, 4]
    loss = Guide({"clip": places}, layers=(1,), weight=1.0).watch(case.network)
    optimizer = torch.optim.Adam(case.network.parameters(), 0.01)
    found = []
    for _ in range(60):
        case.network(*case.batch[:5])
        value = loss(case.batch)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        found.append(value.item())
    assert found[-1] < 0.3 * found[0]


def test_several_clips_at_once_are_refused(case: Case) -> None:
    loss = Guide({"clip": [0] * 10}, layers=(1,)).watch(case.network)
    case.network(*case.batch[:5])
    with pytest.raises(TrainingError, match="batches of one"):
        loss(case.batch._replace(names=("clip", "other")))
