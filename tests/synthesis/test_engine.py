"""From text and a voice to audio, on a narrow untrained model: the way is real, what it says is noise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from gsv import Engine, SamplingOptions, SpeechOptions
from gsv.errors import AudioError, CheckpointError, InputError, MissingWeightsError, TextError
from gsv.models.sovits import Sovits
from gsv.models.t2s import T2S
from gsv.paths import Project
from gsv.synthesis import engine as engine_module
from gsv.synthesis.decoder import TOKENS_BEFORE_END, Continuation, Row
from gsv.synthesis.engine import Fragment, batches, doubt_of, fault_of
from gsv.synthesis.sound import faded
from gsv.synthesis.voice import Voice
from gsv.versions import version_named

pytestmark = pytest.mark.usefixtures("short_takes")

CLIP = Path(__file__).parent.parent / "sample" / "clips" / "01.flac"
WORDS = "The morning train left the small station a few minutes late."


SEEDED = SpeechOptions(seed=3)


def test_speech_is_a_finite_wave_of_the_models_rate(engine: Engine, voice: Voice) -> None:
    speech = engine.speak("Hello there, my friend.", "en", voice, SEEDED)
    assert speech.sampling_rate == 32000
    assert speech.seconds > 0.5
    assert np.isfinite(speech.wave).all()
    assert 0 < np.abs(speech.wave).max() <= 1


def test_the_same_seed_gives_the_same_wave_and_another_seed_another(engine: Engine, voice: Voice) -> None:
    def wave(seed: int) -> np.ndarray:
        return engine.speak("Hello there.", "en", voice, replace(SEEDED, seed=seed)).wave

    assert np.array_equal(wave(5), wave(5))
    assert not np.array_equal(wave(5), wave(6))


def test_a_fast_engine_is_as_steady_and_in_company_too(narrow: Project, voice: Voice) -> None:
    fast = Engine.load(project=narrow, device="cpu", fast=True)
    assert not hasattr(fast.t2s, "h")
    options = replace(SEEDED, batch_size=2, bucket_threshold=0)
    texts = ("Hello there, my friend.", "The train is late.")
    alone = [fast.speak(text, "en", voice, SEEDED) for text in texts]
    assert all(np.isfinite(speech.wave).all() and speech.seconds > 0.5 for speech in alone)
    together = list(fast.stream("\n".join(texts), "en", voice, replace(options, split="cut0")))
    assert np.array_equal(together[0].wave, alone[0].fragments[0].wave)


def test_without_a_seed_one_is_drawn_and_told(engine: Engine, voice: Voice) -> None:
    speech = engine.speak("Hello there.", "en", voice)
    again = engine.speak("Hello there.", "en", voice, SpeechOptions(seed=speech.seed))
    assert np.array_equal(speech.wave, again.wave)


def test_minus_one_draws_a_seed_as_it_does_elsewhere(engine: Engine, voice: Voice) -> None:
    seeds = {engine.speak("Hello there.", "en", voice, SpeechOptions(seed=-1)).seed for _ in range(2)}
    assert len(seeds) == 2
    assert min(seeds) >= 0


def test_a_stream_yields_the_pieces_in_order_and_joins_to_the_speech(engine: Engine, voice: Voice) -> None:
    text = "One small boat. Two very large boats came in today. Three boats."
    options = replace(SEEDED, batch_size=3)
    fragments = list(engine.stream(text, "en", voice, options))
    assert [fragment.text.split()[0] for fragment in fragments] == ["One", "Two", "Three"]
    joined = engine.speak(text, "en", voice, options).wave
    assert np.array_equal(np.concatenate([fragment.wave for fragment in fragments]), joined)


def test_the_first_fragment_comes_before_the_rest_is_made(engine: Engine, voice: Voice) -> None:
    made: list[int] = []
    hook = engine.sovits.dec.register_forward_hook(lambda *_: made.append(1))
    next(engine.stream("One small boat. Two large boats.", "en", voice, SEEDED))
    hook.remove()
    assert len(made) == 1


def test_a_stream_that_is_stopped_ends_within_one_decoding_step(engine: Engine, voice: Voice) -> None:
    asked = 0
    stop_at = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return 0 < stop_at <= asked

    text = "One small boat. Two large boats."
    stream = engine.stream(text, "en", voice, SEEDED, stopped)
    next(stream)
    stop_at = asked + 3
    assert list(stream) == []
    assert asked == stop_at


def test_every_fragment_ends_in_the_pause_and_joins_without_a_step(engine: Engine, voice: Voice) -> None:
    fragment = next(engine.stream("Hello there.", "en", voice, replace(SEEDED, pause=0.25)))
    pause = int(0.25 * fragment.sampling_rate)
    assert not fragment.wave[-pause:].any()
    assert fragment.wave[-pause - 1] == pytest.approx(0, abs=0.01)
    assert fragment.wave[0] == 0


def test_speed_shortens_the_speech(engine: Engine, voice: Voice) -> None:
    def seconds(speed: float) -> float:
        return engine.speak("Hello there.", "en", voice, replace(SEEDED, speed=speed, pause=0)).seconds

    assert seconds(2.0) == pytest.approx(seconds(1.0) / 2, rel=0.1)
    assert seconds(0.5) == pytest.approx(seconds(1.0) * 2, rel=0.1)


def test_reference_free_mode_speaks_without_a_transcript(engine: Engine) -> None:
    voice = engine.voice(CLIP)
    assert len(voice.prompt) == 0
    assert engine.speak("Hello there.", "en", voice, SEEDED).seconds > 0.3


def test_auxiliary_references_change_the_timbre(engine: Engine, voice: Voice) -> None:
    mixed = engine.voice(CLIP, WORDS, "en", [CLIP.with_name("02.flac")])
    assert torch.equal(mixed.prompt, voice.prompt)
    assert not torch.allclose(mixed.timbre, voice.timbre)


@pytest.mark.parametrize("text", ["\n\n", "   ", "...", "？！", ""])
def test_text_with_nothing_to_say_is_refused(engine: Engine, voice: Voice, text: str) -> None:
    with pytest.raises(TextError):
        engine.speak(text, "en", voice, SEEDED)


@pytest.mark.parametrize("text", ["Hi", "a", "No.", "7"])
def test_very_short_texts_are_spoken(engine: Engine, voice: Voice, text: str) -> None:
    assert engine.speak(text, "en", voice, SEEDED).seconds > 0.3


def test_mandarin_without_its_text_encoder_names_what_is_missing(engine: Engine, voice: Voice) -> None:
    with pytest.raises(MissingWeightsError, match=r"chinese-roberta-wwm-ext-large.*gsv download"):
        engine.speak("你好，世界。", "zh", voice, SEEDED)


def test_a_reference_below_a_second_is_refused(engine: Engine, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.random.default_rng(0).normal(0, 0.1, 3200), 16000)
    with pytest.raises(AudioError, match=r"0\.20 s"):
        engine.voice(tmp_path / "short.wav", "Hi", "en")


def test_a_silent_reference_is_refused(engine: Engine, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(48000), 16000)
    with pytest.raises(AudioError, match="silent from end to end"):
        engine.voice(tmp_path / "silent.wav")


def test_a_reference_outside_the_advised_length_is_used_with_a_warning(engine: Engine, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "brief.wav", np.random.default_rng(0).normal(0, 0.1, 32000), 16000)
    voice = engine.voice(tmp_path / "brief.wav", "Hi there", "en")
    assert "3 to 10 s" in voice.warnings[0]


def test_a_run_that_does_not_end_is_drawn_again_twice_and_reported(
    engine: Engine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer tokens than have to come before the end mark, so that no seed and no weights can end by themselves.
    monkeypatch.setattr(engine_module, "most_tokens", lambda _: TOKENS_BEFORE_END - 1)
    fragment = next(engine.stream("Hello there.", "en", voice, SEEDED))
    assert fragment.retries == 2
    assert "did not come to an end" in fragment.warning


class Told:
    """A scheduler whose rows become what a function says, given how many there are."""

    def __init__(self, say: Callable[[int], list[Continuation]]):
        self.say = say

    @contextmanager
    def party(self, rows: list[Row], stopped: object) -> Iterator["Told"]:
        self.said = self.say(len(rows))
        yield self

    def wait(self) -> list[Continuation]:
        return self.said


def test_a_good_take_is_kept_at_once(engine: Engine, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def ends(rows: int) -> list[Continuation]:
        calls.append(rows)
        return [Continuation([1] * 20, "mark")] * rows

    monkeypatch.setattr(engine, "scheduler", Told(ends))
    fragment = next(engine.stream("Hello there.", "en", voice, SEEDED))
    assert (calls, fragment.retries, fragment.warning) == ([1], 0, "")


def test_of_takes_that_all_went_wrong_the_likeliest_length_is_kept(
    engine: Engine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = iter([1, 3, 2])

    monkeypatch.setattr(engine, "scheduler", Told(lambda _: [Continuation([1] * next(lengths), "mark")]))
    fragment = next(engine.stream("Hello there, my friend.", "en", voice, SEEDED))
    assert (fragment.tokens, fragment.retries) == (3, 2)
    assert "too early" in fragment.warning


def test_only_the_faulty_piece_of_a_batch_is_drawn_again(
    engine: Engine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def first_stops_early(rows: int) -> list[Continuation]:
        calls.append(rows)
        results = [Continuation([1] * 40, "mark")] * rows
        if len(calls) == 1:
            results[0] = Continuation([1], "mark")
        return results

    monkeypatch.setattr(engine, "scheduler", Told(first_stops_early))
    options = replace(SEEDED, batch_size=2, bucket_threshold=0)
    fragments = list(engine.stream("Hello there my friend. Hello here my friend.", "en", voice, options))
    assert calls == [2, 1]
    assert [fragment.retries for fragment in fragments] == [1, 0]


def test_a_take_that_says_too_much_for_the_voices_pace_is_drawn_again_and_not_reported(
    engine: Engine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "She opened the window and looked at the garden."
    pace, phonemes = 2.5, len(engine.reader.read(text, "en"))
    monkeypatch.setattr(Voice, "pace", pace)
    once, twice = int(pace * phonemes), int(2 * pace * phonemes)

    def fragment(*lengths: int) -> Fragment:
        following = iter(lengths)
        monkeypatch.setattr(engine, "scheduler", Told(lambda _: [Continuation([1] * next(following), "mark")]))
        return next(engine.stream(text, "en", voice, SEEDED))

    good = fragment(twice, once)
    assert (good.tokens, good.retries, good.warning) == (once, 1, "")
    best = fragment(twice, twice - 4, twice - 2)
    assert (best.tokens, best.retries, best.warning) == (twice - 4, 2, "")
    monkeypatch.setattr(Voice, "pace", None)
    kept = fragment(twice)
    assert (kept.tokens, kept.retries) == (twice, 0)


@pytest.mark.parametrize("pace", [1.2, 2.0, 3.9])
def test_lengths_are_doubted_beside_the_usual_pace_and_the_references(pace: float) -> None:
    slow, fast = max(pace, 2.0), min(pace, 2.0)
    assert doubt_of(int(1.3 * slow * 50), 50, pace) == doubt_of(int(0.7 * fast * 50), 50, pace) == 0
    assert doubt_of(int(1.8 * slow * 50), 50, pace) > 0
    assert 0 < doubt_of(int(0.2 * fast * 50), 50, pace) < doubt_of(0, 50, pace)
    # A pause, in a text so short that it is most of it.
    assert doubt_of(int(slow * 3) + 12, 3, pace) == 0


def test_takes_are_what_is_made_sound_of(engine: Engine, voice: Voice) -> None:
    text, options = "Hello there my friend. Hello here my friend.", replace(SEEDED, split="cut4")
    takes = engine.takes(text, "en", voice, options)
    assert [len(take.tokens) for take in takes] == [one.tokens for one in engine.stream(text, "en", voice, options)]
    assert len(takes) == 2


def test_the_pace_of_a_voice_is_that_of_its_reference_without_the_silence_behind_it(voice: Voice) -> None:
    assert voice.transcript is not None
    assert voice.pace == pytest.approx((len(voice.prompt) - 15) / len(voice.transcript))
    assert replace(voice, transcript=None).pace is None


def test_faults_are_told_by_length() -> None:
    assert fault_of(Continuation([0] * 40, "mark"), phonemes=20) == ""
    assert "too early" in fault_of(Continuation([0] * 3, "mark"), phonemes=20)
    assert "did not come to an end" in fault_of(Continuation([0] * 300, "limit"), phonemes=20)


def test_batches_hold_pieces_of_like_length_in_the_order_of_need() -> None:
    assert batches([10, 40, 11, 39, 12], size=3, threshold=0.75) == [[0, 2, 4], [1, 3]]
    assert batches([10, 40, 11], size=1, threshold=0.0) == [[0], [1], [2]]
    assert batches([10] * 5, size=2, threshold=0.75) == [[0, 1], [2, 3], [4]]


def test_fading_leaves_the_middle_and_the_source_alone() -> None:
    wave = np.ones(1000, np.float32)
    made = faded(wave, 32000)
    assert (made[0], made[-1], made[500]) == (0, 0, 1)
    assert wave.all()
    assert np.abs(np.diff(made)).max() < 0.01


def test_gpt_weights_of_another_version_are_refused(narrow: Project, engine: Engine) -> None:
    config = replace(engine.t2s.config, phoneme_vocab_size=512)
    with pytest.raises(CheckpointError, match=r"512 phonemes.*version, v2"):
        Engine(version_named("v2"), Sovits(engine.sovits.config), T2S(config), narrow, engine.device, engine.dtype)


def test_missing_base_weights_name_the_file_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"s2G2333k\.pth.*gsv download v2"):
        Engine.load(project=Project(tmp_path))


@pytest.mark.parametrize(
    "options",
    [
        {"speed": 0.0},
        {"pause": -1.0},
        {"batch_size": 0},
        {"noise_scale": -1.0},
        {"split": "cut9"},
        {"seed": 10**30},
        {"seed": -2},
    ],
)
def test_impossible_options_are_refused_by_name(engine: Engine, voice: Voice, options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=str(next(iter(options.values()))) + "|" + next(iter(options))):
        engine.speak("Hello there.", "en", voice, SpeechOptions(**options))  # type: ignore[arg-type]


def test_greedy_options_reach_the_decoder(engine: Engine, voice: Voice) -> None:
    greedy = SpeechOptions(SamplingOptions(top_k=1), seed=1, noise_scale=0)
    first = engine.speak("Hello there.", "en", voice, greedy).wave
    second = engine.speak("Hello there.", "en", voice, replace(greedy, seed=2)).wave
    assert np.array_equal(first, second)
