"""What the halves of the bundled voice are trained to see through: tokens misheard, and references recorded badly."""

import torch

from gsv.models.sovits import Sovits, SovitsConfig
from gsv.models.t2s import T2S, T2SConfig
from tiny.mishearing import mishear, misheard
from tiny.sounds import record_badly, recorded

TINY = T2SConfig(vocab_size=65, phoneme_vocab_size=20, hidden_dim=16, embedding_dim=16, head=2, n_layer=1, EOS=64)
NARROW = SovitsConfig(hidden_channels=16, inter_channels=8, filter_channels=16, gin_channels=8, mrte_channels=8)


def test_prompts_are_misheard_often_and_what_follows_seldom_and_marks_never() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(64, (400, 100))
    tokens[:, ::10] = 64
    heard = misheard(tokens, 64)
    assert (heard[:, ::10] == 64).all() and heard.max() == 64
    wrong = (heard != tokens).float().mean(0) / 0.9
    assert 0.05 < wrong[:25].mean() < 0.2
    assert 0.01 < wrong[60:].mean() < 0.03


def test_a_network_mishears_in_training_alone() -> None:
    torch.manual_seed(0)
    network = T2S(TINY)
    mishear(network)
    tokens = torch.randint(64, (8, 200))
    clean = torch.nn.functional.embedding(tokens, network.ar_audio_embedding.word_embeddings.weight)
    assert not torch.equal(network.train().ar_audio_embedding(tokens), clean)
    assert torch.equal(network.eval().ar_audio_embedding(tokens), clean)


def test_a_bad_recording_is_noisier_and_stays_inside_its_mask() -> None:
    torch.manual_seed(0)
    spec = torch.zeros(40, 704, 30)
    spec[:, 50:300, ::3] = 1.0
    mask = torch.ones(40, 1, 30)
    mask[:, :, 20:] = 0
    heard = recorded(spec * mask, mask)
    assert heard.shape == spec.shape and heard.isfinite().all()
    assert not heard[:, :, 20:].any()
    # Between the beats there was nothing.
    assert (heard[:, 50:300, 1:20:3].mean((1, 2)) > 1e-3).all()
    # And what was loud is still loudest.
    assert (heard[:, 100:200, 0:20:3].mean((1, 2)) > heard[:, 100:200, 1:20:3].mean((1, 2))).all()


def test_voices_are_taken_from_bad_recordings_in_training_alone() -> None:
    torch.manual_seed(0)
    network = Sovits(NARROW)
    spec = torch.rand(16, 1025, 40)
    clean = network.eval().voice(spec)
    record_badly(network)
    assert torch.equal(network.eval().voice(spec), clean)
    # Dropout alone would change all of them.
    for module in network.ref_enc.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    network.ref_enc.slf_attn.dropout = 0.0
    changed = (network.train().voice(spec) - clean).abs().amax((1, 2)) > 1e-4
    assert 3 < int(changed.sum()) < 16
