"""The inference page as scripts use it, on a narrow untrained model: the way is real, what it says is noise."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import soundfile
import takes
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from webui_app import client_of

from gsv.checkpoints import read_generator, write_generator
from gsv.errors import InputError
from gsv.jobs.registry import Jobs
from gsv.paths import BUNDLED_NOTICE, Project
from gsv.synthesis import decoder as decoder_module
from gsv.synthesis import engine as engine_module
from gsv.text.languages import CODES
from gsv.versions import version_named
from gsv.webui import inference
from gsv.webui.abilities import Abilities
from gsv.webui.home import Home
from gsv.webui.performing import MEANINGS, Performer
from gsv.webui.speaking import Request, Studio, language_named, split_named
from gsv.webui.words import words_of

SAMPLE = Path(__file__).parents[1] / "sample"
CLIP = SAMPLE / "clips" / "01.flac"
WORDS = "The morning train left the small station a few minutes late."


@pytest.fixture(scope="module", autouse=True)
def short_takes() -> Iterator[None]:
    with takes.short():
        yield


@pytest.fixture(scope="module")
def client(narrow: Project) -> Iterator[Client]:
    with client_of(lambda home: inference.build(home, True), narrow) as running:
        yield running


def test_the_standard_endpoint_speaks_with_an_uploaded_reference_and_chinese_names(client: Client) -> None:
    made = client.predict(
        ref_wav_path=handle_file(CLIP),
        prompt_text=WORDS,
        prompt_language="英文",
        text="Hello there. Good day.",
        text_language="English",
        how_to_cut="按标点符号切",
        api_name="/get_tts_wav",
    )
    info = soundfile.info(made)
    assert info.samplerate == 32000
    assert info.duration > 0.8


def test_a_reference_may_be_a_path_and_everything_else_left_out(client: Client) -> None:
    made = client.predict(ref_wav_path=str(CLIP), text="Hello there.", api_name="/get_tts_wav")
    assert soundfile.info(made).duration > 0.3


def test_the_batched_endpoint_tells_its_seed_and_the_same_seed_says_the_same(client: Client) -> None:
    given = {
        "text": "One small boat. Two boats.",
        "text_lang": "en",
        "ref_audio_path": str(CLIP),
        "aux_ref_audio_paths": [handle_file(SAMPLE / "clips" / "02.flac")],
        "text_split_method": "cut5",
    }
    first, seed = client.predict(**given, api_name="/inference")
    again, same = client.predict(**given, seed=seed, keep_random=False, api_name="/inference")
    assert same == seed
    assert Path(first).read_bytes() == Path(again).read_bytes()
    _, other = client.predict(**given, seed=seed, api_name="/inference")
    assert other != seed, "keep_random is on unless a script switches it off"


def test_freezing_says_it_the_same_way_at_another_pace(client: Client) -> None:
    given = {"ref_wav_path": str(CLIP), "text": "Hello there.", "text_language": "en", "pause_second": 0}
    first = client.predict(**given, api_name="/get_tts_wav")
    frozen = client.predict(**given, if_freeze=True, api_name="/get_tts_wav")
    faster = client.predict(**given, if_freeze=True, speed=2, api_name="/get_tts_wav")
    assert Path(first).read_bytes() == Path(frozen).read_bytes()
    assert soundfile.info(faster).duration == pytest.approx(soundfile.info(first).duration / 2, rel=0.1)


def test_stopping_ends_what_is_spoken(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that it speaks for much longer than stopping takes.
    monkeypatch.setattr(engine_module, "ALLOWANCE", 1500)
    monkeypatch.setattr(decoder_module, "TOKENS_BEFORE_END", 1500)
    job = client.submit(ref_wav_path=str(CLIP), text="Hello there.", text_language="en", api_name="/get_tts_wav")
    while not job.done():
        assert client.predict(api_name="/stop") == "Stopped."
        time.sleep(0.1)
    with pytest.raises(AppError, match="stopped before anything was spoken"):
        job.result()


def test_weights_are_listed_chosen_and_refused(
    client: Client, narrow: Project, narrow_projects: Callable[[str], Project], tmp_path: Path
) -> None:
    sovits, gpt = client.predict(api_name="/change_choices")
    assert len(sovits) == len(gpt) == 1
    assert gpt[0] in client.predict(gpt_path=gpt[0], api_name="/change_gpt_weights")
    known, same, first, second, steps, several, message = client.predict(
        sovits_path=sovits[0], prompt_language="中文", text_language="日文", api_name="/change_sovits_weights"
    )
    assert known == same and sorted(known) == sorted(CODES)
    assert (first, second, steps, several) == ("all_zh", "all_ja", False, True)
    assert "v2" in message
    flow = narrow_projects("v3").base(version_named("v3")).generator
    known, _, _, _, steps, several, message = client.predict(sovits_path=str(flow), api_name="/change_sovits_weights")
    assert (steps, several) == (True, False) and "v3" in message
    client.predict(sovits_path=sovits[0], api_name="/change_sovits_weights")
    with pytest.raises(AppError, match=r"gpt_path: The weights none\.ckpt are not in the folder"):
        client.predict(gpt_path="none.ckpt", api_name="/change_gpt_weights")
    with pytest.raises(AppError, match=r"sovits_path: .*GPT file"):
        client.predict(sovits_path=gpt[0], api_name="/change_sovits_weights")
    damaged = tmp_path / "voice.pth"
    damaged.write_bytes(b"no weights")
    with pytest.raises(AppError, match=r"sovits_path: .*voice\.pth"):
        client.predict(sovits_path=str(damaged), api_name="/change_sovits_weights")


@pytest.mark.parametrize("language", ["en_US", "zh_CN"])
@pytest.mark.parametrize("version", ["v2", "v3", "v4"])
def test_what_a_version_has_no_use_for_is_grey_and_says_why(version: str, language: str) -> None:
    words = words_of(language)
    able = Abilities(version_named(version), words)
    flow = version in {"v3", "v4"}
    assert able.ref_free().interactive is able.auxiliary().interactive is not flow
    assert able.steps().interactive is flow
    assert able.super_sampling().interactive is (version == "v3")
    if flow:
        why_not = words.said(version_named(version).no_reference_free)
        assert able.ref_free().info == why_not and able.ref_free().value is False
        assert (why_not == version_named(version).no_reference_free) is (language == "en_US")
        assert able.why_no_auxiliary().value == words.said(version_named(version).no_auxiliary)
    else:
        assert able.steps().info == words("inference.steps_none")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ref_wav_path": "gone.wav"}, r"ref_wav_path: there is no file or folder .*gone\.wav"),
        ({"ref_wav_path": ""}, "ref_wav_path is empty"),
        ({"text": "  "}, "text is empty"),
        ({"text_language": "klingon"}, "text_language is 'klingon'; it must be one of"),
        ({"prompt_language": "火星文"}, "prompt_language is '火星文'"),
        ({"how_to_cut": "cut9"}, "how_to_cut is 'cut9'; it must be one of auto, cut0"),
        ({"pause_second": -1}, "pause_second is -1; it must be a number from 0 to 60"),
        ({"top_k": "many"}, "top_k is 'many'; it must be a whole number"),
        ({"temperature": 1000}, "temperature is 1000; it must be a number from 0 to 100"),
        ({"inp_refs": ["gone.wav"]}, "inp_refs: there is no file or folder"),
        ({"text": "Привет", "text_language": "auto"}, "'Привет', which gsv cannot read"),
    ],
)
def test_bad_input_is_refused_by_a_sentence_that_names_the_argument(
    client: Client, wrong: dict[str, object], sentence: str
) -> None:
    given = {"ref_wav_path": str(CLIP), "text": "Hello.", "text_language": "en", **wrong}
    with pytest.raises(AppError, match=sentence):
        client.predict(**given, api_name="/get_tts_wav")


def test_a_list_is_no_sound_and_nothing_of_it_is_told(client: Client) -> None:
    with pytest.raises(AppError, match="cannot be decoded as sound") as told:
        client.predict(ref_wav_path=str(SAMPLE / "sample.list"), text="Hello.", api_name="/get_tts_wav")
    assert "train" not in str(told.value)


def test_a_text_is_cut_as_it_will_be_spoken(client: Client) -> None:
    pieces = client.predict(text="One boat. Two boats.", text_language="en", how_to_cut="cut5", api_name="/cut_text")
    assert pieces == ["One boat.", " Two boats."]


def test_it_is_shown_how_a_text_is_read(client: Client) -> None:
    text = 'He met Dr. Lee.<break time="1s"/><phoneme ph="JH IH1 F">GIF</phoneme> it is.'
    pieces = client.predict(text=text, text_language="en", how_to_cut="auto", api_name="/phones")
    assert [piece["text"] for piece in pieces] == [
        'He met Dr. Lee.<break time="1000ms"/>',
        '<phoneme ph="JH IH1 F">GIF</phoneme> it is.',
    ]
    (segment,) = pieces[1]["segments"]
    assert segment["norm_text"] == "GIF it is."
    assert segment["phones"] == ["JH", "IH1", "F", "IH1", "T", "IH1", "Z", "."]
    assert len(segment["ids"]) == len(segment["phones"])


def test_markup_that_is_not_written_right_is_told(client: Client) -> None:
    with pytest.raises(AppError, match="not complete or not written as it should be"):
        client.predict(text="One <break> boat.", text_language="en", api_name="/phones")


def test_a_reference_is_checked_for_length_and_loudness(client: Client, tmp_path: Path) -> None:
    assert "good length" in client.predict(ref_wav_path=handle_file(CLIP), api_name="/check_ref")
    wave, rate = soundfile.read(CLIP)
    soundfile.write(tmp_path / "soft.wav", wave[: 2 * rate] / 100, rate)
    found = client.predict(ref_wav_path=str(tmp_path / "soft.wav"), api_name="/check_ref")
    assert "Short" in found and "Quiet" in found


def test_references_come_from_a_list_with_their_words(client: Client, tmp_path: Path) -> None:
    rows = (f"{CLIP}|ann|en|{WORDS}", f"{tmp_path}/gone.wav|ann|en|The train is gone.")
    (tmp_path / "voice.list").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    given = {"path_list": str(tmp_path / "voice.list"), "api_name": "/references"}
    assert client.predict(**given, find="TRAIN") == [[str(CLIP), WORDS, "en"]]
    assert client.predict(**given, find="no such words") == []


def test_every_parameter_has_a_meaning(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert {"/get_tts_wav", "/inference", "/stop", "/change_choices"} <= endpoints.keys()
    for name, endpoint in endpoints.items():
        assert endpoint["description"], name
        for parameter in endpoint["parameters"]:
            assert MEANINGS[parameter["parameter_name"]] in str(parameter), (name, parameter)


def test_the_page_shows_pieces_as_they_come_and_makes_one_anew(narrow: Project) -> None:
    home = Home(narrow, words_of("en_US"), Jobs(narrow))
    studio = Studio(narrow)
    page = inference._Page(home, Performer(home, studio), studio, batched=False)
    fields = {
        "text": "One small boat. Two large boats.",
        "language": "en",
        "reference": str(CLIP),
        "transcript": WORDS,
        "transcript_language": "en",
        "ref_free": False,
        "auxiliary": None,
        "split": "cut5",
        "seed": 7,
    }
    steps = list(page._speak(inference.Result(), fields))
    assert [len(step[1]["takes"]) for step in steps] == [0, 1, 2, 2]
    assert "seed 7" in steps[-1][0]
    result = steps[-1][4]

    class Event:
        index = 1

    again = list(page._again(result, Event()))  # type: ignore[arg-type]
    takes = again[-1][4].takes
    assert takes[0] == result.takes[0]
    assert takes[1].text == result.takes[1].text and takes[1].clip.file != result.takes[1].clip.file
    assert again[-1][1]["fresh"] == 1
    with pytest.raises(InputError, match="not there any more"):
        list(page._again(inference.Result(), Event()))  # type: ignore[arg-type]


def test_stopping_takes_back_what_waits_but_not_what_comes_later(narrow: Project) -> None:
    studio = Studio(narrow)
    request = Request(text="One small boat. Two large boats.", language="en", reference=CLIP, project=narrow)
    stream = studio.speak(request)
    next(stream)
    studio.stop()
    assert list(stream) == []
    assert len(list(studio.speak(request))) == 2


def test_a_stream_that_nobody_reads_to_the_end_leaves_the_studio_free(narrow: Project) -> None:
    studio = Studio(narrow)
    request = Request(text="One small boat. Two large boats.", language="en", reference=CLIP, project=narrow)
    stream = studio.speak(request)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert len(list(studio.speak(request))) == 2


def test_base_models_of_another_version_speak_where_only_they_are_there(tmp_path: Path) -> None:
    weights = tmp_path / "pretrained_models" / "s2G488k.pth"
    weights.parent.mkdir(parents=True)
    weights.touch()
    studio = Studio(Project(tmp_path))
    assert studio.version is not None and studio.version.name == "v1"
    assert studio.sovits == weights
    assert studio.gpt.name.startswith("s1bert25hz-2kh")


@pytest.fixture
def bundled(tmp_path: Path) -> Project:
    """A project folder that has the bundled voice alone, as it is after a fresh start."""
    weights = tmp_path / "pretrained_models" / "gsv-tiny" / "s2G.pth"
    weights.parent.mkdir(parents=True)
    weights.touch()
    return Project(tmp_path)


def test_the_bundled_voice_says_that_it_is_one(bundled: Project, narrow: Project) -> None:
    assert Studio(bundled).notice == BUNDLED_NOTICE
    assert Studio(narrow).notice == ""


@pytest.mark.parametrize(
    ("language", "notice"), [("zh_CN", "当前为内置演示音色，仅支持英文"), ("en_US", "bundled demo voice, English only")]
)
def test_on_a_fresh_machine_the_bundled_voice_speaks_what_the_page_is_filled_with(
    narrow: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, notice: str
) -> None:
    """Nothing is there but what came with the program; here narrow weights stand for the bundled ones."""
    base, tiny = narrow.base(version_named("v2")), tmp_path / "pretrained_models" / "gsv-tiny"
    shutil.copytree(narrow.hubert, tiny / "content")
    generator = read_generator(base.generator)
    config = {**generator.config, "content_module": "gsv-tiny/content"}
    write_generator(tiny / "s2G.pth", replace(generator, config=config))
    shutil.copy(base.gpt, tiny / "s1.ckpt")
    shutil.copy(CLIP, tiny)
    told = {"audio": CLIP.name, "text": WORDS, "language": "en"}
    (tiny / "reference.json").write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    home = Home(project, words_of(language), Jobs(project))
    with gr.Blocks() as blocks:
        inference.build(home, False)
    assert notice in str(blocks.get_config_file())
    studio = Studio(project)
    performer = Performer(home, studio)
    example = performer.example()
    assert example is not None and example.audio.parent == tiny
    # Whatever language the page is in.
    assert performer.page_language == "en"
    # It would end after the first of several sentences.
    assert performer.cut_text("Hello there! How are you?", "en") == ["Hello there!", " How are you?"]
    page = inference._Page(home, performer, studio, batched=False)
    fields = {
        "text": "Hello there!",
        "language": performer.page_language,
        "reference": str(example.audio),
        "transcript": example.transcript,
        "transcript_language": performer.page_language,
        "ref_free": False,
        "auxiliary": None,
        "split": "cut1",
        "seed": -1,
    }
    *_, (status, shown, *_) = page._speak(inference.Result(), fields)
    assert len(shown["takes"]) == 1, status
    assert soundfile.info(shown["takes"][0]["file"]).duration > 0.3
    assert notice in page._notice()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("中文", "all_zh"),
        ("all_zh", "all_zh"),
        ("zh", "zh"),
        ("中英混合", "zh"),
        ("EnGlish", "en"),
        ("多语种混合", "auto"),
        ("日文", "all_ja"),
        ("yue", "yue"),
        ("多语种混合（粤语）", "auto_yue"),
    ],
)
def test_languages_go_by_code_and_by_name(name: str, code: str) -> None:
    assert language_named(name, "text_language") == code


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("不切", "cut0"),
        ("cut0", "cut0"),
        ("凑四句一切", "cut1"),
        ("自动", "auto"),
        ("Slice per 50 characters", "cut2"),
        ("按英文句号.切", "cut4"),
    ],
)
def test_ways_of_cutting_go_by_code_and_by_name(name: str, method: str) -> None:
    assert split_named(name, "how_to_cut") == method
