"""Decoding with weights of 8 bits."""

import pytest
import torch

from gsv.errors import MissingLibraryError
from gsv.models import brief
from gsv.models.brief import GROUP, BriefPassages, eight_bits
from gsv.models.t2s import T2S, T2SConfig

# Of widths that are no multiples of a group.
CONFIG = T2SConfig(
    vocab_size=65, phoneme_vocab_size=40, hidden_dim=72, embedding_dim=72, head=4, n_layer=3, EOS=64, bert_dim=64
)


@pytest.fixture(scope="module")
def model() -> T2S:
    torch.manual_seed(3)
    return T2S(CONFIG).requires_grad_(False).eval()


def test_a_weight_is_off_by_half_a_step_at_most() -> None:
    weight = torch.randn(5, 70)
    rounded, scales = eight_bits(weight)
    assert rounded.shape == (5, 3, GROUP)
    steps = torch.from_numpy(scales).view(5, 3, 1)
    back = ((torch.from_numpy(rounded).float() - 128) * steps).flatten(1)
    assert (back[:, :70] - weight).abs().le(steps.expand(5, 3, GROUP).flatten(1)[:, :70] / 2 + 1e-6).all()
    assert not back[:, 70:].any()


@torch.inference_mode()
def test_rows_are_nearly_those_of_the_network_and_the_same_in_company(model: T2S) -> None:
    own, brief_ones = model.passages(), BriefPassages(model)
    x, attended = torch.randn(2, 5, 72), torch.randn(2, 5, 72)
    assert (brief_ones.enter(x) - own.enter(x)).norm() < 0.02 * own.enter(x).norm()
    for layer in range(CONFIG.n_layer):
        for mine, theirs in zip(brief_ones.leave(layer, x, attended), own.leave(layer, x, attended), strict=True):
            assert mine.shape == theirs.shape
            assert 0 < (mine - theirs).norm() < 0.03 * theirs.norm()
    together = brief_ones.leave(2, x, attended)[1]
    alone = brief_ones.leave(2, x[1:, 3:4], attended[1:, 3:4])[1]
    assert torch.equal(alone[0, 0], together[1, 3])


def test_a_missing_library_is_named_with_the_line_that_brings_it(model: T2S, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brief, "find_spec", lambda name: None)
    with pytest.raises(MissingLibraryError, match=r'onnx; install it with: pip install "gsv\[fast\]"'):
        BriefPassages(model)
