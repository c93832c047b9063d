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

from gsv.models.layers import merged_heads, split_heads
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


class Strand:
    """A row while it is continued: what it has become, and the keys and values of [text | prompt | new tokens].

    `logits` [V] are those of its next token; `seen` [V] tells which tokens there were.
    """

    def __init__(self, model: T2S, row: Row, cache_dtype: torch.dtype):
        config = model.config
        self.row = row
        self.continuation = Continuation()
        self.limit = min(row.limit, TOKENS_AT_MOST)
        self.longest_run = config.natural_run
        self.options = row.options.suited(config.natural_temperature, config.natural_penalty)
        self.seen = torch.zeros(config.vocab_size, dtype=torch.bool, device=model.device)
        self.seen[row.prompt] = True
        self.logits: Tensor
        self.used = 0
        columns = len(row.phonemes) + len(row.prompt) + self.limit
        shape = (config.n_layer, 2, config.head, columns, config.hidden_dim // config.head)
        # All at once: nothing is allocated while others wait, and memory that is not written to is not taken.
        self.cache = torch.empty(shape, dtype=cache_dtype, device=model.device)
        # Worked out for this row alone, since a table for several rows might be rounded differently.
        places = torch.arange(len(row.prompt), len(row.prompt) + self.limit, device=model.device)
        self.positions = model.ar_audio_position.table(places).to(model.dtype)

    @property
    def place(self) -> Tensor:
        """What is added to the embedding of the next token, [C]."""
        return self.positions[self.used - len(self.row.phonemes) - len(self.row.prompt)]

    def is_stuck(self) -> bool:
        """Whether its newest token has been said as often in a row as is natural to the network."""
        tokens = self.continuation.tokens
        return 0 < self.longest_run <= len(tokens) and len(set(tokens[-self.longest_run :])) == 1


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
        strand = Strand(model, row, self._passages.cache_dtype)
        x = model.embed_text(row.phonemes[None], row.bert[None].to(model.dtype))
        text = x.shape[1]
        if len(row.prompt):
            x = torch.cat([x, model.embed_semantics(row.prompt[None])], dim=1)
        columns = torch.arange(x.shape[1], device=model.device)
        visible = (columns < text) | (columns <= columns[:, None])
        # Numbers to be added; of a mask of bool each layer would make its own.
        mask = torch.zeros_like(visible, dtype=x.dtype).masked_fill_(~visible, float("-inf"))[None, None]
        rows = x.shape[1]
        joint = self._passages.enter(x)
        for i in range(model.config.n_layer):
            query, key, value = split_heads(joint, model.config.head)
            strand.cache[i, 0, :, :rows], strand.cache[i, 1, :, :rows] = key[0], value[0]
            attended = merged_heads(F.scaled_dot_product_attention(query, key, value, attn_mask=mask))
            if i == model.config.n_layer - 1:
                # Nothing is asked of the other rows any more.
                x, attended = x[:, -1:], attended[:, -1:]
            x, joint = self._passages.leave(i, x, attended)
        strand.used = rows
        strand.logits = joint[0, -1]
        return strand

    @torch.inference_mode()
    def step(self, strands: Sequence[Strand]) -> None:
        """A token more for every strand.

        A strand ends when the end mark is drawn, when it is the likeliest token, or at the row's limit.
        """
        sampler = self._sampler_of([strand.options for strand in strands])
        logits, seen = (torch.stack([getattr(strand, name) for strand in strands]) for name in ("logits", "seen"))
        logits, end_mark = logits.float(), self.model.config.EOS
        for place, strand in enumerate(strands):
            if strand.is_stuck():
                logits[place, strand.continuation.tokens[-1]] = float("-inf")
            if len(strand.continuation.tokens) < TOKENS_BEFORE_END:
                logits[place, end_mark] = float("-inf")
        logits = sampler.penalise(logits, seen)
        tokens = draw(sampler.probabilities(logits), [strand.row.generator for strand in strands])
        ending = (tokens == end_mark) | (logits.argmax(-1) == end_mark)
        going, newest = [], []
        for strand, token, ended in zip(strands, tokens.tolist(), ending.tolist(), strict=True):
            so_far = strand.continuation
            if ended:
                so_far.ended = "mark"
                continue
            strand.seen[token] = True
            so_far.tokens.append(token)
            if len(so_far.tokens) >= strand.limit:
                so_far.ended = "limit"
            else:
                going.append(strand)
                newest.append(token)
        if going:
            for strand, logits_of_it in zip(going, self.advance(going, newest), strict=True):
                strand.logits = logits_of_it

    @torch.inference_mode()
    def advance(self, strands: Sequence[Strand], tokens: Sequence[int]) -> Tensor:
        """Each strand's newest token -> the logits after it, [N, V]; its cache holds it then."""
        ids = torch.tensor(tokens, device=self.model.device)
        x = self.model.ar_audio_embedding(ids) + torch.stack([strand.place for strand in strands])
        logits = self._passages.step(x, [strand.cache for strand in strands], [strand.used for strand in strands])
        for strand in strands:
            strand.used += 1
        return logits

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
