"""The cached decoder says what the plain network says, alone and in batches."""

from dataclasses import replace

import pytest
import torch

from gsv.models.t2s import T2S, T2SConfig
from gsv.synthesis.decoder import TOKENS_BEFORE_END, Decoder, Row, generate
from gsv.synthesis.sampling import SamplingOptions

CONFIG = T2SConfig(vocab_size=33, phoneme_vocab_size=40, hidden_dim=32, embedding_dim=32, head=4, n_layer=2, EOS=32)
GREEDY = SamplingOptions(top_k=1)


@pytest.fixture(scope="module")
def model() -> T2S:
    torch.manual_seed(3)
    model = T2S(CONFIG).eval()
    # Sharper than the initial weights, so that the best token is never a matter of rounding.
    torch.nn.init.normal_(model.ar_predict_layer.weight, 0, 0.5)
    return model


def row(seed: int, phonemes: int, prompt: int, options: SamplingOptions = GREEDY, limit: int = 30) -> Row:
    generator = torch.Generator().manual_seed(seed)
    return Row(
        torch.randint(40, (phonemes,), generator=generator),
        torch.randn(1024, phonemes, generator=generator),
        torch.randint(32, (prompt,), generator=generator),
        generator,
        options,
        limit,
    )


def continued(model: T2S, *rows: Row) -> list[list[int]]:
    return [result.tokens for result in list(generate(model, rows))[-1]]


@torch.inference_mode()
def test_stepping_gives_the_training_forms_logits(model: T2S) -> None:
    one = row(1, phonemes=9, prompt=12)
    whole = model(one.phonemes[None], torch.tensor([9]), one.prompt[None], torch.tensor([12]), one.bert[None])[0]
    decoder = Decoder(model)
    strand = decoder.begin(Row(one.phonemes, one.bert, one.prompt[:5], one.generator))
    stepwise = [decoder.advance([strand], [token]) for token in one.prompt[5:].tolist()]
    torch.testing.assert_close(torch.cat([strand.logits[None], *stepwise]), whole[5:], rtol=1e-4, atol=1e-5)


def test_a_batch_of_unequal_rows_says_what_each_says_alone(model: T2S) -> None:
    rows = [row(1, 9, 12), row(2, 4, 12), row(3, 11, 3), row(4, 6, 0)]
    alone = [continued(model, one)[0] for one in rows]
    assert continued(model, *rows) == alone
    assert len({tuple(tokens) for tokens in alone}) > 1


def test_a_network_says_what_temperature_and_penalty_are_natural_to_it(model: T2S) -> None:
    def said(natural_temperature: float, natural_penalty: float, **options: float) -> list[int]:
        other = T2S(replace(CONFIG, natural_temperature=natural_temperature, natural_penalty=natural_penalty)).eval()
        other.load_state_dict(model.state_dict())
        return continued(other, row(1, 9, 12, SamplingOptions(**{"top_k": 0, **options})))[0]  # type: ignore[arg-type]

    assert said(0.5, 1.0, temperature=2.0) == said(1.0, 1.0) == continued(model, row(1, 9, 12, SamplingOptions(0)))[0]
    assert said(0.5, 1.0) != said(1.0, 1.0)
    assert said(0.0, 0.0, repetition_penalty=1.35) == said(1.0, 1.0, temperature=0.0, repetition_penalty=1.0)
    assert said(0.0, 1.0, repetition_penalty=1.35) != said(0.0, 0.0, repetition_penalty=1.35)


def test_rows_that_end_leave_the_others_unchanged(model: T2S) -> None:
    long = row(1, 9, 12, limit=40)
    assert continued(model, row(2, 4, 6, limit=5), long, row(3, 7, 8, limit=9))[1] == continued(model, long)[0]


def test_the_limit_and_the_end_mark_are_told_apart(model: T2S) -> None:
    limited = list(generate(model, [row(1, 9, 12, limit=7)]))[-1][0]
    assert (limited.ended, len(limited.tokens)) == ("limit", 7)

    eager = T2S(CONFIG).eval()
    torch.nn.init.zeros_(eager.ar_predict_layer.weight)
    # All tokens are equally likely but the end mark, which stands out as soon as it may be drawn.
    hook = eager.ar_predict_layer.register_forward_hook(
        lambda module, given, out: out.index_fill(-1, torch.tensor(32), 9.0)
    )
    ended = list(generate(eager, [row(1, 9, 12, limit=100)]))[-1][0]
    hook.remove()
    assert (ended.ended, len(ended.tokens)) == ("mark", TOKENS_BEFORE_END)
    assert 32 not in ended.tokens


def test_the_same_seed_draws_the_same_tokens(model: T2S) -> None:
    lively = SamplingOptions(top_k=15)

    def tokens(seed: int) -> list[int]:
        one = row(1, 9, 12, lively)
        one.generator.manual_seed(seed)
        return continued(model, one)[0]

    assert tokens(5) == tokens(5)
    assert tokens(5) != tokens(6)


def test_a_network_that_is_stuck_says_something_else_after_as_many_tokens_as_are_natural_to_it() -> None:
    def said(natural_run: int) -> list[int]:
        stuck = T2S(replace(CONFIG, natural_run=natural_run)).eval()
        # Whatever it hears, one token is by far the likeliest, and then another.
        stuck.ar_predict_layer = torch.nn.Linear(CONFIG.hidden_dim, CONFIG.vocab_size).requires_grad_(False)
        stuck.ar_predict_layer.weight.zero_()
        stuck.ar_predict_layer.bias.zero_()
        stuck.ar_predict_layer.bias[[5, 7]] = torch.tensor([50.0, 20.0])
        greedy = replace(GREEDY, repetition_penalty=1.0)
        first, second = continued(stuck, row(1, 9, 12, greedy, limit=8), row(2, 4, 3, greedy, limit=8))
        assert first == second
        return first

    assert said(0) == [5] * 8
    assert said(3) == [5, 5, 5, 7, 5, 5, 5, 7]
