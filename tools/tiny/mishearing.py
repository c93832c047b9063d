"""What goes wrong with the tokens that a text-to-semantic model is given, so that it learns to speak well all the same.

Of an unknown human's recording the content encoder hears many phones wrong, mostly the same ones for others each time;
and in decoding, the model's own slips are what it goes on from. A model that has seen true tokens alone loses its place
in the text at either. So the tokens that go into the network are spoilt in training; those that it should predict are
not.
"""

from typing import Any

import torch
from torch import Tensor

from gsv.models.t2s import T2S

# In this part of the examples the beginning, where the prompt is, was misheard.
PROMPTS = 0.5
# How much of an example that is, which has a prompt and one or two clips behind it.
BEGINNING = (0.25, 0.6)
# Of all kinds of tokens so many are always taken for another one, and of all tokens so many for any, at most.
KINDS = 0.5
STRAY = 0.25
# Of all tokens anywhere.
SLIPS = 0.02


def mishear(network: T2S) -> None:
    """From here on, the network's tokens are spoilt in training."""
    network.ar_audio_embedding.register_forward_pre_hook(_hook(network.config.EOS))


def _hook(count: int) -> Any:
    def spoil(module: torch.nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor] | None:
        return (misheard(inputs[0], count),) if module.training else None

    return spoil


def misheard(tokens: Tensor, count: int) -> Tensor:
    """Tokens [B, Y] below `count` (others, which are marks, stay) -> as many, some of them others."""
    size = tokens.shape[1]
    like = {"device": tokens.device}
    chances = torch.full(tokens.shape, SLIPS, **like)
    for row, chance in zip(tokens, chances, strict=True):
        if torch.rand(()) < PROMPTS:
            beginning = int(size * torch.empty(()).uniform_(*BEGINNING))
            kinds = torch.where(torch.rand(count, **like) < KINDS * torch.rand(()), 1.0, STRAY * torch.rand(()))
            chance[:beginning] = kinds[row[:beginning].clamp(max=count - 1)]
    # Half of what is taken for another one is always taken for the same.
    always = torch.randint(count, (count,), **like)[tokens.clamp(max=count - 1)]
    others = torch.where(torch.rand(tokens.shape, **like) < 0.5, always, torch.randint(count, tokens.shape, **like))
    return torch.where((torch.rand(tokens.shape, **like) < chances) & (tokens < count), others, tokens)
