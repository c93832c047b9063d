"""The training graph of SoVITS beside its synthesis."""

import torch

from gsv.models.sovits import Sovits, SovitsConfig

NARROW = SovitsConfig(
    hidden_channels=16,
    inter_channels=8,
    filter_channels=16,
    n_layers=2,
    gin_channels=8,
    mrte_channels=8,
    ssl_dim=8,
    codebook_size=16,
    posterior_layers=1,
    vocoder="source_filter",
    vocoder_channels=16,
    vocoder_blocks=1,
    noise_scale=0.0,
)


def test_clips_from_the_prior_are_spoken_as_in_synthesis() -> None:
    torch.manual_seed(0)
    network = Sovits(NARROW).eval()
    for coupling in network.flow.flows[::2]:
        torch.nn.init.normal_(coupling.post.weight, std=0.1)
    ssl, spec = torch.randn(3, 8, 20), torch.rand(3, 1025, 20)
    text, lengths = torch.randint(700, (3, 9)), torch.full((3,), 20)
    with torch.no_grad():
        made, plain = (
            network(ssl, spec, lengths, text, torch.full((3,), 9), segment_frames=20, from_prior=count).audio
            for count in (2, 0)
        )
        synthesised = network.decode(network.quantize(ssl), text, network.voice(spec))
    torch.testing.assert_close(made[:2], synthesised[:2])
    assert not torch.allclose(plain[:2], synthesised[:2])
    # The posterior is drawn from, each time anew; the length and the voice are those of its own clip.
    assert made[2].shape == synthesised[2].shape and not torch.allclose(made[2], synthesised[2])
