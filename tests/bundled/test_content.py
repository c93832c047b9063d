"""The content encoder learns, goes on where it was stopped, and is shipped as gsv loads it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gsv.models.encoders import ContentEncoder
from gsv.training.loop import Machine
from tiny.content import Clip, ContentPlan, targets, train_content
from tiny.corpus import Corpus
from tiny.humans import FIRST, HOP, Recording
from tiny.sounds import RATE, spoilt
from tiny.synthesisers import PHONES

PLAN = ContentPlan(1, 4, 2, 0.2, 5, 0.6, 0.01, 4, 0.25, 0.2, 0.5)
CPU = Machine(accelerator="cpu")
WIDTHS = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "apply_spec_augment": False,
    "mask_time_prob": 0.0,
    "layerdrop": 0.0,
}


@pytest.fixture
def widths(tmp_path: Path) -> Path:
    path = tmp_path / "hubert.json"
    path.write_text(json.dumps(WIDTHS))
    return path


def test_targets_are_those_of_the_moment() -> None:
    aa, iy = PHONES.index("aa"), PHONES.index("iy")
    hertz = torch.tensor([0.0] * 5 + [100.0] * 5 + [200.0] * 5)
    clip = Clip(
        torch.zeros(15 * HOP, dtype=torch.int16), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, aa, iy]), hertz
    )
    phone, movement, voiced = targets(clip, torch.tensor([0.05, 0.15, 0.25, 0.35]))
    assert phone.tolist() == [0, aa, iy, 0]
    assert voiced.tolist() == [0, 1, 1, 0]
    # Relative to the clip's median, which is the lower of two here.
    assert movement.tolist() == pytest.approx([0, 0, 0.6931, 0], abs=1e-3)


def test_what_is_done_to_a_sound_keeps_its_length_and_leaves_no_gap() -> None:
    torch.manual_seed(0)
    heard = spoilt(torch.randn(4, RATE // 2) * 0.1)
    assert heard.shape == (4, RATE // 2)
    assert heard.isfinite().all()


def test_the_first_frame_is_where_the_targets_expect_it() -> None:
    assert FIRST == 400 // 2
    assert HOP == RATE // 50


def test_training_lowers_the_loss_and_goes_on_as_if_never_stopped(corpus: Corpus, widths: Path, tmp_path: Path) -> None:
    whole = train_content(corpus, tmp_path / "whole", widths, PLAN, tmp_path / "whole" / "content", machine=CPU)
    phones = [epoch["loss/phones"] for epoch in whole.history]
    assert phones[-1] < 0.7 * phones[0]

    # The rate depends on how many epochs there are to be, so the stopped one is cut off rather than planned shorter.
    stopped = replace(PLAN, epochs=2, final_part=0.01)
    unbroken = replace(PLAN, epochs=4, final_part=0.01)
    train_content(corpus, tmp_path / "parts", widths, stopped, tmp_path / "parts" / "content", machine=CPU)
    parts = train_content(corpus, tmp_path / "parts", widths, unbroken, tmp_path / "parts" / "content", machine=CPU)
    other = train_content(corpus, tmp_path / "other", widths, unbroken, tmp_path / "other" / "content", machine=CPU)
    assert parts.resumed_from == 2
    assert [epoch["loss/phones"] for epoch in parts.history] == pytest.approx(
        [epoch["loss/phones"] for epoch in other.history[2:]], rel=0.02
    )


def test_recordings_join_once_the_encoder_can_align_them(corpus: Corpus, widths: Path, tmp_path: Path) -> None:
    humans = [Recording(corpus.wavs / "a-00022.wav", (("iy", "s"), ("aa", "iy", "s", "aa")))]
    outcome = train_content(corpus, tmp_path, widths, PLAN, tmp_path / "content", humans, CPU)
    # Twenty clips in batches of five, and from the third epoch on a fifth of what is heard is the recording.
    assert outcome.steps == 4 + 4 + 5 + 5


def test_the_encoder_is_shipped_as_gsv_loads_it(corpus: Corpus, widths: Path, tmp_path: Path) -> None:
    train_content(corpus, tmp_path, widths, replace(PLAN, epochs=1), tmp_path / "content", machine=CPU)
    encoder = ContentEncoder.load(tmp_path / "content")
    assert encoder.width == 16
    assert encoder(torch.randn(1, RATE)).shape == (1, 16, 49)
