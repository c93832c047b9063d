"""Decoding of semantic tokens with caches: several rows at once, each with its own text, prompt and options.

What a row becomes does not depend on the others: each has its own cache and looks at nothing else, and where
`T2S.for_decoding` has laid the weights out for it, not even the rounding differs. Rows may therefore come and go
between any two steps.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from gsv.models.t2s import T2S, merged_heads, split_heads
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


class Strand:
    """A row while it is continued: what it has become, and the keys and values of [text | prompt | new tokens].

    `logits` [V] are those of its next token; `seen` [V] tells which tokens there were.
    """

    def __init__(self, model: T2S, row: Row):
        config = model.config
        self.row = row
        self.continuation = Continuation()
        self.limit = min(row.limit, TOKENS_AT_MOST)
        self.options = row.options.suited(config.natural_temperature, config.natural_penalty)
        self.seen = torch.zeros(config.vocab_size, dtype=torch.bool, device=model.device)
        self.seen[row.prompt] = True
        self.logits: Tensor
        self.used = 0
        columns = len(row.phonemes) + len(row.prompt) + self.limit
        shape = (config.n_layer, 2, config.head, columns, config.hidden_dim // config.head)
        # All at once: nothing is allocated while others wait, and memory that is not written to is not taken.
        self.cache = torch.empty(shape, dtype=model.dtype, device=model.device)
        # Worked out for this row alone, since a table for several rows might be rounded differently.
        places = torch.arange(len(row.prompt), len(row.prompt) + self.limit, device=model.device)
        self.positions = model.ar_audio_position.table(places).to(model.dtype)

    @property
    def position(self) -> Tensor:
        """What is added to the embedding of the token that comes next into the cache, [1, C]."""
        place = self.used - len(self.row.phonemes) - len(self.row.prompt)
        return self.positions[place : place + 1]

    def write(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Stores keys and values [1, heads, T, D] behind what is there; returns all of them."""
        keys, values = self.cache[layer, :, None, :, : self.used + key.shape[2]].unbind(0)
        keys[:, :, self.used :] = key
        values[:, :, self.used :] = value
        return keys, values


class Decoder:
    """Runs the transformer: once over all that a row is given, then token by token with whichever rows there are."""

    def __init__(self, model: T2S):
        self.model = model
        self._passages = model.passages()
        self._sampler = Sampler([], model.config.vocab_size, model.device)
        self._options: list[SamplingOptions] = []

    @torch.inference_mode()
    def begin(self, row: Row) -> Strand:
        """Reads the row's text and prompt."""
        model = self.model
        strand = Strand(model, row)
        x = model.embed_text(row.phonemes[None], row.bert[None].to(model.dtype))
        text = x.shape[1]
        if len(row.prompt):
            x = torch.cat([x, model.embed_semantics(row.prompt[None])], dim=1)
        columns = torch.arange(x.shape[1], device=model.device)
        mask = ((columns < text) | (columns <= columns[:, None]))[None, None]
        rows = x.shape[1]
        joint = self._passages.enter(x)
        for i in range(model.config.n_layer):
            query, key, value = split_heads(joint, model.config.head)
            attended = F.scaled_dot_product_attention(query, *strand.write(i, key, value), attn_mask=mask)
            x, joint = self._passages.leave(i, x, merged_heads(attended))
        strand.used = rows
        strand.logits = joint[0, -1]
        return strand

    @torch.inference_mode()
    def step(self, strands: Sequence[Strand]) -> None:
        """A token more for every strand.

        A strand ends when the end mark is drawn, when it is the likeliest token, or at the row's limit.
        """
        end_mark = self.model.config.EOS
        logits = torch.stack([strand.logits for strand in strands]).float()
        early = [i for i, strand in enumerate(strands) if len(strand.continuation.tokens) < TOKENS_BEFORE_END]
        logits[early, end_mark] = float("-inf")
        sampler = self._sampler_of([strand.options for strand in strands])
        logits = sampler.penalise(logits, torch.stack([strand.seen for strand in strands]))
        tokens = draw(sampler.probabilities(logits), [strand.row.generator for strand in strands])
        ending = (tokens == end_mark) | (logits.argmax(-1) == end_mark)
        stay = []
        for i, (strand, token, ended) in enumerate(zip(strands, tokens.tolist(), ending.tolist(), strict=True)):
            so_far = strand.continuation
            if ended:
                so_far.ended = "mark"
                continue
            strand.seen[token] = True
            so_far.tokens.append(token)
            if len(so_far.tokens) >= strand.limit:
                so_far.ended = "limit"
            else:
                stay.append(i)
        if stay:
            going = [strands[i] for i in stay]
            for strand, row in zip(going, self.advance(going, tokens[stay]), strict=True):
                strand.logits = row

    @torch.inference_mode()
    def advance(self, strands: Sequence[Strand], tokens: Tensor) -> Tensor:
        """tokens [B], each strand's newest -> logits [B, V] of the next."""
        model = self.model
        x = model.ar_audio_embedding(tokens[:, None]) + torch.stack([strand.position for strand in strands])
        joint = self._passages.enter(x)
        for i in range(model.config.n_layer):
            query, key, value = (one.split(1) for one in split_heads(joint, model.config.head))
            # Each strand's attention by itself: they are of different lengths, and padding would change the rounding.
            heads = [
                F.scaled_dot_product_attention(query[b], *strand.write(i, key[b], value[b]))
                for b, strand in enumerate(strands)
            ]
            x, joint = self._passages.leave(i, x, merged_heads(torch.cat(heads)))
        for strand in strands:
            strand.used += 1
        return joint[:, 0]

    def _sampler_of(self, options: list[SamplingOptions]) -> Sampler:
        if options != self._options:
            self._sampler = Sampler(options, self.model.config.vocab_size, self.model.device)
            self._options = options
        return self._sampler


def generate(model: T2S, rows: Iterable[Row]) -> Iterator[list[Continuation]]:
    """Continues all rows until each has ended; yields the same list of continuations after every step."""
    decoder = Decoder(model)
    strands = [decoder.begin(row) for row in rows]
    while going := [strand for strand in strands if not strand.continuation.ended]:
        decoder.step(going)
        yield [strand.continuation for strand in strands]
