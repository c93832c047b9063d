"""Saved speakers: the reference is looked at once, and a damaged or foreign file never reaches the networks."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gsv import Engine, SpeechOptions
from gsv.errors import AudioError, InputError
from gsv.paths import Project
from gsv.synthesis.speakers import Speakers, UnknownSpeakerError, file_name
from gsv.synthesis.voice import VoiceMaker

CLIP = Path(__file__).parent.parent / "sample" / "clips" / "01.flac"
OTHER = Path(__file__).parent.parent / "sample" / "clips" / "02.flac"
WORDS = "The morning train left the small station a few minutes late."


pytestmark = pytest.mark.usefixtures("short_takes")


@pytest.fixture(scope="module")
def others(narrow: Project) -> Engine:
    """The same networks after some training of the style encoder and the codebook."""
    engine = Engine.load(project=narrow, device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in engine.sovits.ref_enc.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        engine.sovits.quantizer.codebook.embed.copy_(engine.sovits.quantizer.codebook.embed.flip(0))
    return engine


@pytest.fixture
def speakers(tmp_path: Path) -> Speakers:
    return Speakers(tmp_path / "speakers")


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no sound file is looked at."""

    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError("the reference was processed again")

    monkeypatch.setattr(VoiceMaker, "listen", fail)


def rewritten(path: Path, changes: dict[str, torch.Tensor]) -> None:
    with safe_open(path, "pt") as file:
        header = file.metadata()
    save_file({**load_file(path), **changes}, path, header)


def test_a_saved_speaker_says_what_its_recording_would(engine: Engine, speakers: Speakers) -> None:
    assert speakers.clone(engine, "anna", CLIP, WORDS, "en", [OTHER]).existed is False
    fresh = Speakers(speakers.folder).voice("anna", engine)
    options = SpeechOptions(seed=3)
    expected = engine.speak("Hello there.", "en", engine.voice(CLIP, WORDS, "en", [OTHER]), options).wave
    assert np.array_equal(engine.speak("Hello there.", "en", fresh, options).wave, expected)


def test_the_recording_is_processed_once_even_for_other_weights(
    engine: Engine, others: Engine, speakers: Speakers, monkeypatch: pytest.MonkeyPatch
) -> None:
    speakers.clone(engine, "anna", CLIP, WORDS, "en")
    expected = others.voice(CLIP, WORDS, "en")
    monkeypatch.setattr(VoiceMaker, "listen", None)
    there, here = speakers.voice("anna", others), speakers.voice("anna", engine)
    assert engine.weights_id != others.weights_id
    assert torch.equal(there.timbre, expected.timbre) and torch.equal(there.prompt, expected.prompt)
    assert not torch.equal(there.timbre, here.timbre) and not torch.equal(there.prompt, here.prompt)


@pytest.mark.usefixtures("deaf")
def test_weights_that_listen_otherwise_say_why_they_cannot_take_a_speaker(
    engine: Engine, others: Engine, speakers: Speakers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    speakers.clone(engine, "anna", CLIP, WORDS, "en")
    monkeypatch.setattr(others, "content_module", "another/encoder")
    with pytest.raises(InputError, match="another/encoder; clone it again"):
        Speakers(speakers.folder).voice("anna", others)


def test_a_speaker_without_a_transcript_lends_its_timbre_alone(engine: Engine, speakers: Speakers) -> None:
    speakers.clone(engine, "anna", CLIP)
    voice = speakers.voice("anna", engine)
    assert voice.transcript is None and len(voice.prompt) == 0
    assert torch.equal(voice.timbre, engine.voice(CLIP).timbre)


def test_a_clone_of_a_name_that_is_there_changes_nothing(engine: Engine, speakers: Speakers) -> None:
    speakers.clone(engine, "anna", CLIP, WORDS, "en")
    before = speakers.voice("anna", engine)
    assert speakers.clone(engine, "anna", OTHER).existed is True
    assert torch.equal(Speakers(speakers.folder).voice("anna", engine).timbre, before.timbre)


def test_a_clone_without_a_name_gets_one_of_its_own(engine: Engine, speakers: Speakers) -> None:
    names = [speakers.clone(engine, None, CLIP).name for _ in range(2)]
    assert speakers.names() == names and len(set(names)) == 2


def test_names_may_be_anything_that_can_be_read(engine: Engine, speakers: Speakers) -> None:
    names = ["../../etc/passwd", "张三", "a/b", "a_b", ".", "NUL", "x" * 100]
    for name in names:
        speakers.clone(engine, name, CLIP)
    assert speakers.names() == names
    assert {path.parent for path in speakers.folder.parent.rglob("*.safetensors")} == {speakers.folder}


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "x" * 101])
def test_names_that_cannot_be_read_are_refused(engine: Engine, speakers: Speakers, name: str) -> None:
    with pytest.raises(InputError, match="a name has 1 to 100"):
        speakers.clone(engine, name, CLIP)


def test_removing_takes_all_that_are_named_or_none(engine: Engine, speakers: Speakers) -> None:
    for name in ("anna", "bert", "carl"):
        speakers.clone(engine, name, CLIP)
    with pytest.raises(UnknownSpeakerError, match="'dora'"):
        speakers.remove(["anna", "dora"])
    speakers.remove(["anna", "carl"])
    assert speakers.names() == ["bert"]
    with pytest.raises(UnknownSpeakerError):
        speakers.voice("anna", engine)


def test_a_removed_speaker_is_forgotten_by_the_store_that_had_used_it(engine: Engine, speakers: Speakers) -> None:
    speakers.clone(engine, "anna", CLIP)
    before = speakers.voice("anna", engine)
    Speakers(speakers.folder).remove(["anna"])
    speakers.clone(engine, "anna", OTHER)
    assert not torch.equal(speakers.voice("anna", engine).timbre, before.timbre)


def test_speakers_move_to_another_folder_and_into_another_store(
    engine: Engine, speakers: Speakers, tmp_path: Path
) -> None:
    for name in ("anna", "bert"):
        speakers.clone(engine, name, CLIP, WORDS, "en")
    assert speakers.save(tmp_path / "kept", ["bert"]) == ["bert"]
    assert speakers.save(tmp_path / "kept") == ["anna", "bert"]
    store = Speakers(tmp_path / "another")
    assert store.load(tmp_path / "kept", ["anna"]) == ["anna"]
    assert store.names() == ["anna"]
    assert torch.equal(store.voice("anna", engine).prompt, speakers.voice("anna", engine).prompt)
    with pytest.raises(UnknownSpeakerError, match="'carl'"):
        store.load(tmp_path / "kept", ["bert", "carl"])
    assert store.names() == ["anna"]
    with pytest.raises(InputError, match="no folder"):
        store.load(tmp_path / "nowhere")
    with pytest.raises(UnknownSpeakerError, match="'carl'"):
        speakers.save(tmp_path / "kept", ["carl"])


def test_saving_into_the_own_folder_keeps_the_speakers(engine: Engine, speakers: Speakers) -> None:
    speakers.clone(engine, "anna", CLIP)
    speakers.save(speakers.folder)
    speakers.voice("anna", engine)


def test_many_threads_that_clone_one_name_make_one_speaker(engine: Engine, speakers: Speakers) -> None:
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(speakers.clone(engine, "anna", CLIP).existed)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, True, True, True]


def test_a_reference_that_is_no_sound_leaves_nothing_behind(engine: Engine, speakers: Speakers, tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(AudioError):
        speakers.clone(engine, "anna", bad)
    assert speakers.names() == []


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        ("voice.prompt", torch.tensor([10**9])),
        ("voice.prompt", torch.tensor([0.5])),
        ("voice.phones", torch.tensor([-1])),
        ("voice.timbre", torch.zeros(1, 3, 1)),
        ("recording.spectrogram.0", torch.full((1, 1025, 9), float("nan"))),
        ("recording.bank.0", torch.zeros(9, 81)),
    ],
)
def test_tensors_that_would_break_the_networks_are_refused(
    engine: Engine, speakers: Speakers, tensor: str, value: torch.Tensor
) -> None:
    speakers.clone(engine, "anna", CLIP, WORDS, "en")
    rewritten(speakers.folder / file_name("anna"), {tensor: value})
    with pytest.raises(InputError, match="damaged or is not a saved speaker"):
        Speakers(speakers.folder).voice("anna", engine)


def test_files_that_are_no_speakers_are_named_and_nothing_in_them_runs(
    engine: Engine, speakers: Speakers, tmp_path: Path
) -> None:
    speakers.clone(engine, "anna", CLIP)
    path = speakers.folder / file_name("anna")
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"\x80\x04cos\nsystem\n", json.dumps({"name": "anna"}).encode()):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"anna-.*damaged"):
            speakers.voice("anna", engine)
        assert speakers.names() == []
