"""Decoding of semantic tokens with a cache: several rows at once, each with its own text, prompt and options.

A row lies in the cache as [padding | text | prompt | new tokens]; rows are padded on the left, so that all of them
write their next token to the same column. A row that has ended leaves the batch, and the others go on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from gsv.models.t2s import T2S
from gsv.synthesis.sampling import Sampler, SamplingOptions, draw

# What the trained models expect: no end mark among the first tokens, and never more than this many.
TOKENS_BEFORE_END = 11
TOKENS_AT_MOST = 1500


@dataclass(frozen=True)
class Row:
    """One sequence to continue.

    Args:
        phonemes: [X] of int64, those of the prompt's transcript included.
        bert: [1024, X].
        prompt: [Y] semantic tokens of the reference; empty for none.
        limit: the most new tokens.
        generator: the source of this row's random draws, on the model's device.
    """

    phonemes: Tensor
    bert: Tensor
    prompt: Tensor
    generator: torch.Generator
    options: SamplingOptions = field(default_factory=SamplingOptions)
    limit: int = TOKENS_AT_MOST


@dataclass
class Continuation:
    """What a row has become so far: new tokens without the prompt and end mark, and how it ended, if it has."""

    tokens: list[int] = field(default_factory=list)
    ended: Literal["", "mark", "limit"] = ""


class Cache:
    """Keys and values of every layer, [layers, B, heads, columns, head width], grown in blocks."""

    BLOCK = 512

    def __init__(self, model: T2S, rows: int, columns: int):
        self.model = model
        weight = model.ar_predict_layer.weight
        config = model.config
        columns = -(-columns // self.BLOCK) * self.BLOCK
        shape = (config.n_layer, rows, config.head, columns, config.hidden_dim // config.head)
        self.keys = torch.zeros(shape, dtype=weight.dtype, device=weight.device)
        self.values = torch.zeros_like(self.keys)
        self.used = 0

    def write(self, layer: int, start: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Stores [B, heads, T, D] from column `start` on; returns all columns up to there."""
        end = start + key.shape[2]
        self.keys[layer, :, :, start:end] = key
        self.values[layer, :, :, start:end] = value
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def reserve(self, columns: int) -> None:
        if columns > self.keys.shape[3]:
            wider = [*self.keys.shape]
            wider[3] += self.BLOCK
            for name in ("keys", "values"):
                old: Tensor = getattr(self, name)
                new = old.new_zeros(wider)
                new[:, :, :, : old.shape[3]] = old
                setattr(self, name, new)

    def keep(self, rows: Tensor) -> None:
        self.keys, self.values = self.keys[:, rows], self.values[:, rows]


class Decoder:
    """Runs the transformer over a batch of rows: once over all that is given, then token by token."""

    def __init__(self, model: T2S, rows: Sequence[Row]):
        self.model = model
        self.device = model.ar_predict_layer.weight.device
        texts = [len(row.phonemes) for row in rows]
        prompts = [len(row.prompt) for row in rows]
        self.size = max(text + prompt for text, prompt in zip(texts, prompts, strict=True))
        self.padding = torch.tensor(
            [self.size - t - p for t, p in zip(texts, prompts, strict=True)], device=self.device
        )
        self.padded = bool(self.padding.any())
        self.text_ends = self.padding + torch.tensor(texts, device=self.device)
        # The position of the next semantic token, counted from the prompt's first.
        self.positions = torch.tensor(prompts, device=self.device)
        self.cache = Cache(model, len(rows), self.size + min(256, max(row.limit for row in rows)))
        self.rows = rows

    def prefill(self) -> Tensor:
        """Reads texts and prompts; logits [B, V] of the first new token."""
        model = self.model
        dtype = model.ar_predict_layer.weight.dtype
        x = torch.zeros(len(self.rows), self.size, model.config.hidden_dim, dtype=dtype, device=self.device)
        for i, row in enumerate(self.rows):
            text = model.embed_text(row.phonemes[None], row.bert[None].to(dtype))[0]
            start = self.size - len(row.prompt)
            x[i, start - len(text) : start] = text
            if len(row.prompt):
                x[i, start:] = model.embed_semantics(row.prompt[None])[0]
        columns = torch.arange(self.size, device=self.device)
        visible = (columns < self.text_ends[:, None, None]) | (columns <= columns[:, None])
        mask = (visible & (columns >= self.padding[:, None, None]))[:, None]
        return self._run(x, mask)

    def advance(self, tokens: Tensor) -> Tensor:
        """tokens [B], the newest of each row -> logits [B, V] of the next."""
        x = self.model.ar_audio_embedding(tokens[:, None])
        x = x + self.model.ar_audio_position.table(self.positions[:, None]).to(x.dtype)
        self.positions = self.positions + 1
        self.cache.reserve(self.cache.used + 1)
        mask = None
        if self.padded:
            columns = torch.arange(self.cache.used + 1, device=self.device)
            mask = (columns >= self.padding[:, None])[:, None, None]
        return self._run(x, mask)

    def keep(self, rows: Tensor) -> None:
        """Goes on with these rows of the batch only."""
        self.padding, self.positions = self.padding[rows], self.positions[rows]
        self.cache.keep(rows)

    def _run(self, x: Tensor, mask: Tensor | None) -> Tensor:
        start = self.cache.used
        for i, layer in enumerate(self.model.h.layers):
            query, key, value = layer.self_attn.project(x)
            key, value = self.cache.write(i, start, key, value)
            x = layer.finish(x, layer.self_attn.attend(query, key, value, mask))
        self.cache.used = start + x.shape[1]
        return self.model.ar_predict_layer(x[:, -1])


@torch.inference_mode()
def generate(model: T2S, rows: Sequence[Row]) -> Iterator[list[Continuation]]:
    """Continues all rows until each has ended; yields the same list of continuations after every step.

    A row ends when the end mark is drawn, when it is the likeliest token, or at the row's limit.
    """
    end_mark = model.config.EOS
    results = [Continuation() for _ in rows]
    running = list(range(len(rows)))
    decoder = Decoder(model, rows)
    natural = model.config.natural_temperature, model.config.natural_penalty
    options = [row.options.suited(*natural) for row in rows]
    sampler = Sampler(options, model.config.vocab_size, decoder.device)
    seen = torch.zeros(len(rows), model.config.vocab_size, dtype=torch.bool, device=decoder.device)
    for i, row in enumerate(rows):
        seen[i, row.prompt] = True

    logits = decoder.prefill()
    for step in range(TOKENS_AT_MOST):
        logits = logits.float()
        if step < TOKENS_BEFORE_END:
            logits[:, end_mark] = float("-inf")
        logits = sampler.penalise(logits, seen)
        tokens = draw(sampler.probabilities(logits), [rows[i].generator for i in running])
        ending = (tokens == end_mark) | (logits.argmax(-1) == end_mark)
        seen.scatter_(1, tokens[:, None], True)

        stay = []
        for position, (index, token, ended) in enumerate(zip(running, tokens.tolist(), ending.tolist(), strict=True)):
            result = results[index]
            if ended:
                result.ended = "mark"
                continue
            result.tokens.append(token)
            if len(result.tokens) >= min(rows[index].limit, TOKENS_AT_MOST):
                result.ended = "limit"
            else:
                stay.append(position)
        yield results
        if not stay:
            return
        if len(stay) < len(running):
            kept = torch.tensor(stay, device=decoder.device)
            running = [running[position] for position in stay]
            decoder.keep(kept)
            sampler.keep(kept)
            seen, tokens = seen[kept], tokens[kept]
        logits = decoder.advance(tokens)
