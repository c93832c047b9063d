"""Text-to-semantic transformer (the "GPT" of GPT-SoVITS): phonemes and a prompt's tokens in, further tokens out.

Rows are [text | semantic]. Text rows see all text; semantic rows see all text and the semantics up to themselves.
Decoding with a cache is in `gsv.synthesis.decoder`; this module knows the network and its training form only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.devices import give_back_memory
from gsv.models.layers import SinusoidalPosition, length_mask, merged_heads, split_heads, take_over
from gsv.models.passages import OwnPassages, Passages

# What every tensor's name starts with in official files.
PREFIX = "model."


@dataclass(frozen=True)
class T2SConfig:
    """Widths; the defaults are the official v2 ones. Names are those of the official `config.model`."""

    vocab_size: int = 1025
    phoneme_vocab_size: int = 732
    embedding_dim: int = 512
    hidden_dim: int = 512
    head: int = 16
    n_layer: int = 24
    dropout: float = 0.0
    EOS: int = 1024
    bert_dim: int = 1024
    # Not official, for networks too small for the usual way of drawing tokens: what is natural to this one, as a factor
    # of the temperature that is asked for and as a power of the repetition penalty; 0 takes no penalty. And how often
    # at most it says one token in a row, without which it is stuck in a pause now and then; 0 for any number.
    natural_temperature: float = 1.0
    natural_penalty: float = 1.0
    natural_run: int = 0
    # Not official either: the dropout in training, since `dropout` is 0 in official files, whose networks had this one.
    training_dropout: float = 0.1

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "T2SConfig":
        """From the `model` group of a checkpoint's or yaml file's configuration; other entries are ignored.

        `linear_units` is one of those: the official networks are always 4 * hidden_dim wide there.
        """
        return cls(**{field.name: config[field.name] for field in fields(cls) if field.name in config})


class TokenEmbedding(nn.Module):
    def __init__(self, count: int, width: int):
        super().__init__()
        self.word_embeddings = nn.Embedding(count, width)

    def forward(self, ids: Tensor) -> Tensor:
        return self.word_embeddings(ids)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one fused input projection, as torch's own module stores it."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, T, C] -> query, key and value, each [B, heads, T, C / heads]."""
        return split_heads(self.joint(x), self.heads)

    def joint(self, x: Tensor) -> Tensor:
        """x [B, T, C] -> query, key and value beside each other, [B, T, 3 C]."""
        return F.linear(x, self.in_proj_weight, self.in_proj_bias)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float = 0.0) -> Tensor:
        """mask [B or 1, 1, T, S] of bool, True where a row may look -> [B, T, C]."""
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        return self.out_proj(merged_heads(out))


class Layer(nn.Module):
    """Post-norm transformer layer with ReLU."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.self_attn = SelfAttention(width, heads)
        self.linear1 = nn.Linear(width, 4 * width)
        self.linear2 = nn.Linear(4 * width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        dropout = self.drop.p if self.training else 0.0
        return self.finish(x, self.self_attn.attend(*self.self_attn.project(x), mask, dropout))

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Everything after attention, given the layer's input and attention's output."""
        x = self.norm1(x + self.drop(attended))
        return self.norm2(x + self.drop(self.linear2(self.drop(self.linear1(x).relu()))))


class Stack(nn.Module):
    def __init__(self, config: T2SConfig):
        super().__init__()
        self.layers: Any = nn.ModuleList(
            Layer(config.hidden_dim, config.head, config.dropout) for _ in range(config.n_layer)
        )


class T2S(nn.Module):
    """The network. Its `forward` is the training form; `embed_*`, `h.layers` and `ar_predict_layer` serve decoding."""

    def __init__(self, config: T2SConfig):
        super().__init__()
        self.config = config
        width = config.hidden_dim
        self.bert_proj = nn.Linear(config.bert_dim, width)
        self.ar_text_embedding = TokenEmbedding(config.phoneme_vocab_size, width)
        self.ar_text_position = SinusoidalPosition(width)
        self.ar_audio_embedding = TokenEmbedding(config.vocab_size, width)
        self.ar_audio_position = SinusoidalPosition(width)
        self.h = Stack(config)
        self.ar_predict_layer = nn.Linear(width, config.vocab_size, bias=False)
        # What takes the place of the layers for decoding, if anything does.
        self._passages: Passages | None = None

    @classmethod
    def from_weights(cls, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "T2S":
        """The network of a GPT file: its configuration's `model` group, and its tensors, named `model....`."""
        weights = {name.removeprefix(PREFIX): tensor for name, tensor in weights.items()}
        shapes = {}
        for field, name, axis in (
            ("phoneme_vocab_size", "ar_text_embedding.word_embeddings.weight", 0),
            ("vocab_size", "ar_audio_embedding.word_embeddings.weight", 0),
            ("bert_dim", "bert_proj.weight", 1),
        ):
            if name in weights:
                shapes[field] = weights[name].shape[axis]
        model = cls(T2SConfig.from_dict({**config, **shapes}))
        take_over(model, weights)
        return model

    @property
    def device(self) -> torch.device:
        return self.ar_audio_embedding.word_embeddings.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.ar_audio_embedding.word_embeddings.weight.dtype

    def passages(self) -> Passages:
        return OwnPassages(self) if self._passages is None else self._passages

    def for_decoding(self, brief: bool = False) -> "T2S":
        """The same network where it is now, laid out for speed if that is a CPU; it stays there.

        On a CPU a row of a batch then gets what it would get alone, to the last bit.

        Args:
            brief: on a CPU, compute with weights of 8 bits: another rounding, and now and then another token.
        """
        self.requires_grad_(False).eval()
        if self.device.type == "cpu" and self.dtype == torch.float32:
            # What it loads machine code with is needed by nothing else.
            from gsv.models.compiled import CompiledPassages

            self._passages = CompiledPassages(self, brief)
        give_back_memory(self.device)
        return self

    def embed_text(self, phonemes: Tensor, bert: Tensor) -> Tensor:
        """phonemes [B, X] of int64, bert [B, 1024, X] -> [B, X, C]."""
        return self.ar_text_position(self.ar_text_embedding(phonemes) + self.bert_proj(bert.transpose(1, 2)))

    def embed_semantics(self, tokens: Tensor, start: int = 0) -> Tensor:
        """tokens [B, Y] of int64 whose first has the position `start` -> [B, Y, C]."""
        return self.ar_audio_position(self.ar_audio_embedding(tokens), start)

    def forward(
        self, phonemes: Tensor, phoneme_lengths: Tensor, semantics: Tensor, semantic_lengths: Tensor, bert: Tensor
    ) -> Tensor:
        """Logits for every semantic token and the end mark, each from the rows before it.

        Args:
            phonemes: [B, X], padded on the right with 0.
            semantics: [B, Y], padded on the right with anything.
            bert: [B, 1024, X].

        Returns:
            [B, Y + 1, V]; row t is the prediction of token t, the last valid row that of the end mark. In a ragged
            batch the text mask hides as many rows on the *left* as were padded on the right. The official models were
            trained so, and fine-tuning keeps to it.
        """
        x_size, y_size = phonemes.shape[1], semantics.shape[1]
        inside = length_mask(semantic_lengths, y_size)
        semantics = torch.where(inside, semantics, self.config.EOS)
        rows = torch.cat([self.embed_text(phonemes, bert), self.embed_semantics(semantics)], dim=1)
        mask = self._training_mask(phoneme_lengths, x_size, inside)
        for layer in self.h.layers:
            rows = layer(rows, mask)
        return self.ar_predict_layer(rows[:, x_size - 1 :])

    @staticmethod
    def _training_mask(phoneme_lengths: Tensor, x_size: int, semantics_inside: Tensor) -> Tensor:
        y_size = semantics_inside.shape[1]
        device = semantics_inside.device
        text_visible = torch.arange(x_size, device=device)[None] >= (x_size - phoneme_lengths)[:, None]
        columns = torch.cat([text_visible, semantics_inside], dim=1)
        order = torch.ones(x_size + y_size, x_size + y_size, dtype=torch.bool, device=device).tril()
        order[:, :x_size] = True
        return (order & columns[:, None])[:, None]
