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

from gsv.models.t2s import T2S, Passages, merged_heads, split_heads
from gsv.synthesis.sampling import Sampler, SamplingOptions, draw

# What the trained models expect: no end mark among the first tokens, and never more than this many.
TOKENS_BEFORE_END = 11
TOKENS_AT_MOST = 1500

# Attention is computed for so many new tokens and so many earlier ones at a time, the rest masked: whatever is read
# together with a token, its attention is computed in the same way, and so to the last bit.
QUERIES = 8
COLUMNS = 64

# How many tokens are guessed at once, where they are.
FIRST_GUESSES = 4
MOST_GUESSES = QUERIES - 1


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
        self.longest_run = config.natural_run
        self.options = row.options.suited(config.natural_temperature, config.natural_penalty)
        self.seen = torch.zeros(config.vocab_size, dtype=torch.bool, device=model.device)
        self.seen[row.prompt] = True
        self.logits: Tensor
        self.used = 0
        # Tokens that may come next, one after the other, with the logits after each; and how many to guess at once.
        self.foreseen: list[tuple[int, Tensor]] = []
        self.guesses = FIRST_GUESSES
        columns = -(-(len(row.phonemes) + len(row.prompt) + self.limit) // COLUMNS) * COLUMNS
        shape = (config.n_layer, 2, config.head, columns, config.hidden_dim // config.head)
        # All at once: nothing is allocated while others wait, and memory that is not written to is not taken. So zeros,
        # as what is masked must be numbers, are written only as far as somebody reads.
        self.cache = torch.empty(shape, dtype=model.cache_dtype, device=model.device)
        self._readable = 0
        # Worked out for this row alone, since a table for several rows might be rounded differently.
        places = torch.arange(len(row.prompt), len(row.prompt) + self.limit, device=model.device)
        self.positions = model.ar_audio_position.table(places).to(model.dtype)

    def places(self, count: int) -> Tensor:
        """What is added to the embeddings of the tokens that come next into the cache, [count, C]."""
        place = self.used - len(self.row.phonemes) - len(self.row.prompt)
        return self.positions[place : place + count]

    def slots(self, count: int) -> Sequence[Tensor]:
        """Where keys and values of the next so many tokens belong, for each layer [2, heads, count, D]."""
        return self.cache[..., self.used : self.used + count, :].unbind(0)

    def memory(self, end: int, columns: int) -> Sequence[Tensor]:
        """The first keys and values, for each layer [1, heads, columns, D] of the one and then of the other.

        They are numbers even behind `end`, which is as far as the caller will have written.
        """
        unwritten = max(self._readable, end)
        if columns > unwritten:
            self.cache[..., unwritten:columns, :] = 0
        self._readable = max(self._readable, columns)
        return self.cache[:, :, None, :, :columns].flatten(0, 1).unbind(0)

    def is_stuck(self) -> bool:
        """Whether its newest token has been said as often in a row as is natural to the network."""
        tokens = self.continuation.tokens
        return 0 < self.longest_run <= len(tokens) and len(set(tokens[-self.longest_run :])) == 1

    def foresaw(self, token: int) -> bool:
        """Whether the logits after this token, the newest, are known already; then they are the strand's logits now."""
        if self.foreseen and self.foreseen[0][0] == token:
            _, self.logits = self.foreseen.pop(0)
            self.used += 1
            return True
        # All were right, or the rest is not worth anything: more or fewer guesses the next time.
        self.guesses = max(1, min(self.guesses + (-1 if self.foreseen else 1), MOST_GUESSES))
        self.foreseen.clear()
        return False


class Outlook:
    """What a strand's newest tokens may look at: all that is before them, and themselves.

    Args:
        steady: whether a token's attention must be the same, to the last bit, whatever it is read together with.
    """

    def __init__(self, strand: Strand, count: int, steady: bool):
        self.count = count
        size = -(-count // QUERIES) * QUERIES if steady else count
        end = strand.used + count
        columns = -(-end // COLUMNS) * COLUMNS if steady else end
        self._slots, self._memory = strand.slots(count), strand.memory(end, columns)
        self._missing = size - count
        self._mask: Tensor | None = None
        if size > 1:
            places = torch.arange(columns, device=strand.cache.device)
            lasts = strand.used + torch.arange(size, device=strand.cache.device).clamp(max=count - 1)
            hidden = torch.where(places > lasts[:, None], float("-inf"), 0.0)
            self._mask = hidden.to(strand.cache.dtype)

    def attend(self, layer: int, rows: Tensor) -> Tensor:
        """Query, key and value of each token, [count, 3, heads, D] -> what the heads found, [count, heads * D]."""
        slot, (keys, values) = self._slots[layer], self._memory[2 * layer : 2 * layer + 2]
        slot.copy_(rows[:, 1:].permute(1, 2, 0, 3))
        queries = rows[:, 0].to(keys.dtype).transpose(0, 1)[None]
        if self._missing:
            queries = F.pad(queries, (0, 0, 0, self._missing))
        found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=self._mask)
        return found[0, :, : self.count].transpose(0, 1).flatten(1)


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
        slots = strand.slots(rows)
        joint = self._passages.enter(x)
        for i in range(model.config.n_layer):
            query, key, value = split_heads(joint, model.config.head)
            slots[i].copy_(torch.cat([key, value]))
            attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            x, joint = self._passages.leave(i, x, merged_heads(attended))
        strand.used = rows
        strand.logits = joint[0, -1]
        return strand

    @torch.inference_mode()
    def step(self, strands: Sequence[Strand]) -> None:
        """A token more for every strand.

        A strand ends when the end mark is drawn, when it is the likeliest token, or at the row's limit.
        """
        sampler = self._sampler_of([strand.options for strand in strands])
        counts = [len(strand.continuation.tokens) for strand in strands]
        logits, seen = (torch.stack([getattr(strand, name) for strand in strands]) for name in ("logits", "seen"))
        for place, strand in enumerate(strands):
            if strand.is_stuck():
                logits[place, strand.continuation.tokens[-1]] = float("-inf")
        tokens, ending = self._draw(sampler, logits, seen, counts, [strand.row.generator for strand in strands])
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
            elif not strand.foresaw(token):
                going.append(strand)
                newest.append(token)
        if len(strands) == 1 and going and self.model.rough is not None:
            self._look_ahead(going[0], newest[0], sampler, self.model.rough)
        elif going:
            for strand, (row,) in zip(going, self.advance(going, [[token] for token in newest]), strict=True):
                strand.logits = row

    def _draw(
        self,
        sampler: Sampler,
        logits: Tensor,
        seen: Tensor,
        counts: Sequence[int],
        generators: Sequence[torch.Generator],
    ) -> tuple[Tensor, Tensor]:
        """logits and seen [B, V] after so many tokens -> the next tokens [B], and whether they are the end [B]."""
        end_mark = self.model.config.EOS
        logits = logits.float()
        early = [i for i, count in enumerate(counts) if count < TOKENS_BEFORE_END]
        logits[early, end_mark] = float("-inf")
        logits = sampler.penalise(logits, seen)
        tokens = draw(sampler.probabilities(logits), generators)
        return tokens, (tokens == end_mark) | (logits.argmax(-1) == end_mark)

    def _look_ahead(self, strand: Strand, token: int, sampler: Sampler, rough: Passages) -> None:
        """Logits after the newest token, and in the same pass after those that probably follow it.

        What follows is guessed by a rough form of the network, with the luck that drawing will have (speculative
        decoding, arXiv 2211.17192, with the draws in common). Nothing but time depends on the guesses: the network
        itself then reads all of them at once, which takes little longer than reading one, and a guess that drawing
        does not confirm is forgotten with all behind it.
        """
        count = len(strand.continuation.tokens)
        used, seen = strand.used, strand.seen[None].clone()
        chance = torch.Generator(self.model.device)
        chance.set_state(strand.row.generator.get_state())
        tokens = [token]
        while len(tokens) <= min(strand.guesses, strand.limit - count - 1):
            (logits,) = self.advance([strand], [tokens[-1:]], rough)
            guess, ended = self._draw(sampler, logits, seen, [count + len(tokens) - 1], [chance])
            if ended.item():
                break
            seen[0, guess] = True
            tokens.append(int(guess))
        strand.used = used
        (logits,) = self.advance([strand], [tokens])
        strand.used = used + 1
        strand.logits = logits[0]
        strand.foreseen = list(zip(tokens[1:], logits[1:], strict=True))

    @torch.inference_mode()
    def advance(
        self, strands: Sequence[Strand], tokens: Sequence[Sequence[int]], passages: Passages | None = None
    ) -> list[Tensor]:
        """Each strand's newest tokens -> its logits after each of them, [tokens, V]; its cache holds them then.

        Every row is one token, whichever strand it is of; so it makes no difference which are read together.
        """
        model, own = self.model, passages is None
        passages = passages or self._passages
        ids = torch.tensor([token for newest in tokens for token in newest], device=model.device)
        places = torch.cat([strand.places(len(newest)) for strand, newest in zip(strands, tokens, strict=True)])
        x = model.ar_audio_embedding(ids) + places
        sizes = [len(newest) for newest in tokens]
        # Guesses are nobody's result, and without guesses there is but one way for a token to be read.
        steady = own and model.rough is not None
        outlooks = [Outlook(strand, size, steady) for strand, size in zip(strands, sizes, strict=True)]
        joint = passages.enter(x)
        for i in range(model.config.n_layer):
            rows = joint.unflatten(-1, (3, model.config.head, -1)).split(sizes)
            found = [outlook.attend(i, row) for outlook, row in zip(outlooks, rows, strict=True)]
            x, joint = passages.leave(i, x, found[0] if len(found) == 1 else torch.cat(found))
        for strand, size in zip(strands, sizes, strict=True):
            strand.used += size
        return list(joint.split(sizes))

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
