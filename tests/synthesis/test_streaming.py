"""Audio in chunks, on narrow untrained weights: the same speech as without a stream, or nearly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsv import Engine, SpeechOptions
from gsv.errors import InputError, TextError
from gsv.models.sovits import Sovits, SovitsConfig, _at_pace, frames_before
from gsv.synthesis import engine as engine_module
from gsv.synthesis import sound as sound_module
from gsv.synthesis.sound import JOINT_SECONDS, Growing, Noise, Speaker
from gsv.synthesis.streaming import Streaming
from gsv.synthesis.voice import Voice

pytestmark = pytest.mark.usefixtures("short_takes")

TEXT = "One small boat came in today, and then it went out again."
SEEDED = SpeechOptions(seed=3, split="cut0", pause=0.1)
FIXED = Streaming("fixed", overlap_length=2, min_chunk_length=8)


def spectral_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of log spectra in dB, over 20 ms frames."""

    def decibels(wave: np.ndarray) -> torch.Tensor:
        spectrum = torch.stft(
            torch.from_numpy(wave), 2048, 640, window=torch.hann_window(2048), return_complex=True
        ).abs()
        return 20 * spectrum.clamp(min=1e-4).log10()

    size = min(len(one), len(other))
    return float((decibels(one[:size]) - decibels(other[:size])).square().mean(0).sqrt().mean())


def test_chunks_by_piece_are_the_speech_bit_for_bit(engine: Engine, voice: Voice) -> None:
    text = "One small boat. Two very large boats."
    options = SpeechOptions(seed=3)
    chunks = list(engine.stream_audio(text, "en", voice, options))
    assert len(chunks) == 2
    assert np.array_equal(np.concatenate(chunks), engine.speak(text, "en", voice, options).wave)


@pytest.mark.parametrize("mode", ["growing", "fixed"])
def test_chunks_within_a_piece_make_nearly_the_same_speech(engine: Engine, voice: Voice, mode: str) -> None:
    whole = engine.speak(TEXT, "en", voice, SEEDED).wave
    chunks = list(engine.stream_audio(TEXT, "en", voice, SEEDED, replace(FIXED, mode=mode)))
    joined = np.concatenate(chunks)
    assert len(chunks) > 2
    assert joined.dtype == np.float32
    assert len(joined) == len(whole)
    assert not joined[-3200:].any()
    other = engine.speak(TEXT, "en", voice, replace(SEEDED, seed=4)).wave
    assert spectral_distance(joined, whole) < 3
    assert spectral_distance(joined, whole) < spectral_distance(other, whole) / 2
    assert steps_at_joints(chunks, engine.sampling_rate).max() <= np.abs(np.diff(whole)).max()


def steps_at_joints(chunks: list[np.ndarray], sampling_rate: int) -> np.ndarray:
    """From sample to sample, from the last one of each chunk to where the next is all that is heard."""
    steps = np.abs(np.diff(np.concatenate(chunks)))
    ends = np.cumsum([len(chunk) for chunk in chunks])[:-1]
    return np.concatenate([steps[end - 1 : end + int(JOINT_SECONDS * sampling_rate)] for end in ends])


def test_growing_chunks_double_and_fixed_ones_do_not() -> None:
    def first(mode: str) -> list[int]:
        return [length for length, _ in zip(Streaming(mode, 2, 16).lengths(), range(4), strict=False)]  # type: ignore[arg-type]

    assert first("fixed") == [16, 32, 48, 64]
    assert first("growing") == [16, 32, 64, 128]


def test_the_first_chunk_comes_while_tokens_are_still_to_be_drawn(engine: Engine, voice: Voice) -> None:
    drawn: list[int] = []
    step = engine.scheduler._decoder.step

    def counting(strands: list) -> None:
        drawn.append(len(strands))
        step(strands)

    engine.scheduler._decoder.step = counting  # type: ignore[method-assign,assignment]
    try:
        stream = engine.stream_audio(TEXT, "en", voice, SEEDED, FIXED)
        first = next(stream)
        # One token more tells that it does not end here.
        assert len(drawn) == FIXED.min_chunk_length + 1
        assert len(first) == (FIXED.min_chunk_length - FIXED.overlap_length) * 1280
        # Nobody draws for a consumer that does not ask.
        assert len(drawn) == FIXED.min_chunk_length + 1
        next(stream)
        assert len(drawn) == 2 * FIXED.min_chunk_length + 1
        stream.close()
        assert not engine.scheduler._parties
    finally:
        engine.scheduler._decoder.step = step  # type: ignore[method-assign]


def test_chunks_do_not_depend_on_company(engine: Engine, voice: Voice) -> None:
    alone = list(engine.stream_audio(TEXT, "en", voice, SEEDED, FIXED))
    stream = engine.stream_audio(TEXT, "en", voice, SEEDED, FIXED)
    beside = [next(stream)]
    # While the consumer is away another request brings the piece further.
    engine.speak("Two boats.", "en", voice, replace(SEEDED, seed=9))
    beside += stream
    assert [len(chunk) for chunk in beside] == [len(chunk) for chunk in alone]
    assert np.array_equal(np.concatenate(beside), np.concatenate(alone))


def test_a_piece_that_is_shorter_than_a_chunk_is_spoken_whole(engine: Engine, voice: Voice) -> None:
    long_chunks = Streaming("fixed", 2, 400)
    chunks = list(engine.stream_audio("Two boats.", "en", voice, SEEDED, long_chunks))
    assert len(chunks) == 1
    assert np.array_equal(chunks[0], engine.speak("Two boats.", "en", voice, SEEDED).wave)


def test_a_stream_of_chunks_stops_within_a_step(engine: Engine, voice: Voice) -> None:
    asked = 0
    stop_at = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return 0 < stop_at <= asked

    stream = engine.stream_audio(TEXT, "en", voice, SEEDED, FIXED, stopped)
    next(stream)
    stop_at = asked + 3
    assert list(stream) == []
    assert asked == stop_at
    assert not engine.scheduler._parties


@pytest.mark.parametrize("speed", [0.6, 1.7])
def test_pace_keeps_the_chunks_together(engine: Engine, voice: Voice, speed: float) -> None:
    options = replace(SEEDED, speed=speed)
    whole = engine.speak(TEXT, "en", voice, options).wave
    chunks = list(engine.stream_audio(TEXT, "en", voice, options, FIXED))
    joined = np.concatenate(chunks)
    assert abs(len(joined) - len(whole)) <= 640
    assert steps_at_joints(chunks, engine.sampling_rate).max() <= np.abs(np.diff(whole)).max()


@pytest.mark.parametrize("speed", [0.61, 1.0, 1.7])
def test_a_long_piece_costs_no_more_at_its_end_than_at_its_beginning(
    engine: Engine, voice: Voice, speed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(engine.stream_audio(TEXT, "en", voice, replace(SEEDED, speed=speed), FIXED))
    monkeypatch.setattr(sound_module, "PAST_TOKENS", 12)
    looked_at: list[int] = []
    heard: list[int] = []
    prior, part = engine.sovits.prior, engine.sovits.dec.part
    monkeypatch.setattr(engine.sovits, "prior", lambda *given: looked_at.append(given[0].shape[1]) or prior(*given))
    monkeypatch.setattr(engine.sovits.dec, "part", lambda *given: heard.append(given[0].shape[-1]) or part(*given))
    bounded = list(engine.stream_audio(TEXT, "en", voice, replace(SEEDED, speed=speed), FIXED))
    assert [len(chunk) for chunk in bounded] == [len(chunk) for chunk in whole]
    assert np.array_equal(np.concatenate(bounded[:2]), np.concatenate(whole[:2]))
    # 12 before, and at most the rest of a chunk, one that is new, what was kept back and a token in part.
    assert len(looked_at) > 4 and max(looked_at) <= 12 + 2 * 8 + 2 + 1
    assert max(heard) <= engine.sovits.dec.context + frames_before(2 * 8 + 2, speed) + 1
    assert spectral_distance(np.concatenate(bounded), np.concatenate(whole)) < 3


def test_frames_keep_their_places_wherever_one_begins() -> None:
    x = torch.randn(1, 3, 80)
    for speed in (0.6, 0.99, 1.3, 2.0):
        for first in (2, 10, 34):
            start = frames_before(first // 2, speed)
            part = _at_pace(x[..., first:], speed, first)
            # The first one may lie between two, of which one is missing.
            torch.testing.assert_close(part[..., 1:], _at_pace(x, speed, 0)[..., start + 1 :])


def test_nothing_to_say_is_refused_before_the_first_chunk(engine: Engine, voice: Voice) -> None:
    with pytest.raises(TextError):
        next(engine.stream_audio("...", "en", voice, SEEDED, FIXED))


@pytest.mark.parametrize(
    "options", [{"mode": "loud"}, {"overlap_length": -1}, {"overlap_length": 16}, {"min_chunk_length": 501}]
)
def test_impossible_chunks_are_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"mode|_length"):
        Streaming(**options)  # type: ignore[arg-type]


def test_noise_is_the_same_however_much_is_asked_for() -> None:
    def noise() -> Noise:
        return Noise(7, torch.Generator().manual_seed(1))

    growing = noise()
    assert torch.equal(growing(5), noise()(200)[..., :5])
    assert torch.equal(growing(130), noise()(200)[..., :130])
    assert noise()(200).std() == pytest.approx(1, abs=0.1)


CONFIG = SovitsConfig(
    inter_channels=16,
    hidden_channels=32,
    filter_channels=32,
    n_layers=2,
    upsample_initial_channel=32,
    gin_channels=16,
    ssl_dim=24,
    codebook_size=32,
    mrte_channels=16,
    flow_layers=2,
    posterior_layers=2,
)


@pytest.mark.parametrize("vocoder", ["hifi", "source_filter"])
@torch.inference_mode()
def test_where_the_frames_are_known_a_part_is_what_the_whole_is(vocoder: str) -> None:
    """With latent frames that do not depend on what follows, parts differ from the whole at their very ends alone."""
    torch.manual_seed(2)
    config = replace(CONFIG, vocoder=vocoder, vocoder_channels=16, vocoder_blocks=2)  # type: ignore[arg-type]
    sovits = Sovits(config).for_inference()
    noise = Noise(16, torch.Generator().manual_seed(1))
    speaker = Speaker(sovits, torch.arange(5), torch.randn(1, 16, 1), 1.0, None, noise)
    known = torch.randn(1, 16, 200)

    def latent(tokens: range, first: int | None = None) -> torch.Tensor:
        return known[..., 2 * (first or 0) :][..., : 2 * len(tokens)]

    object.__setattr__(speaker, "latent", latent)
    whole = speaker.whole(range(60))
    growing = Growing(speaker, overlap=8)
    parts = [growing.grown(range(20)), growing.grown(range(40)), growing.grown(range(60), last=True)]
    joined = np.concatenate(parts)
    assert [len(part) for part in parts] == [12 * 1280, 20 * 1280, 28 * 1280]
    # 16 frames are kept back, more than the vocoders look ahead.
    np.testing.assert_allclose(joined[: 12 * 1280], whole[: 12 * 1280], atol=1e-5 * np.abs(whole).max() + 1e-7)
    # Harmonics far up make much of what is lost in counting a pulse train's cycles.
    assert np.abs(joined - whole).max() < (1e-4 if vocoder == "hifi" else 0.03) * np.abs(whole).max()
    assert np.abs(np.diff(joined)).max() <= 1.05 * np.abs(np.diff(whole)).max()


def test_what_went_wrong_before_the_first_chunk_is_drawn_again(
    engine: Engine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "most_tokens", lambda _: 6)
    tries: list[int] = []
    row = engine._row
    monkeypatch.setattr(engine, "_row", lambda plan, place, attempt: tries.append(attempt) or row(plan, place, attempt))
    chunks = list(engine.stream_audio("Two boats.", "en", voice, SEEDED, Streaming("fixed", 2, 16)))
    assert tries == [0, 0, 1, 2]
    assert len(chunks) == 1
