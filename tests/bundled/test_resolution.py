"""Which base models and which content encoder are used: one place decides, by what is there and by what is named."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gsv.checkpoints import export_generator, read_generator, write_generator
from gsv.cli import main
from gsv.dataset.features import PrepareOptions, prepare
from gsv.dataset.listing import Line, write_list
from gsv.errors import CheckpointError, InputError
from gsv.paths import BUNDLED_NOTICE, Project
from gsv.synthesis.engine import Engine
from gsv.versions import version_named

SAMPLE = Path(__file__).parent.parent / "sample"
V1, V2 = version_named("v1"), version_named("v2")


def place(project: Project, name: str) -> Path:
    path = project.pretrained / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_bundled_voice_takes_the_place_of_base_models_that_are_not_there(tmp_path: Path) -> None:
    project = Project(tmp_path)
    # Nothing is there: what is missed is the official model.
    assert project.base(V2).generator == project.pretrained / V2.base.generator
    bundled = place(project, "gsv-tiny/s2G.pth")
    assert project.base(V2).generator == bundled
    assert project.base(V2).notice == BUNDLED_NOTICE
    # It is of that version alone.
    assert project.base(V1).generator == project.pretrained / V1.base.generator
    official = place(project, V2.base.generator)
    assert project.base(V2).generator == official
    assert not project.base(V2).notice


def test_a_generator_goes_with_the_models_that_its_encoder_belongs_to(tmp_path: Path) -> None:
    project = Project(tmp_path)
    place(project, "gsv-tiny/s2G.pth")
    place(project, V2.base.generator)
    assert project.base_of(V2, "cnhubert").gpt == project.pretrained / V2.base.gpt
    assert project.base_of(V2, None).gpt == project.pretrained / V2.base.gpt
    assert project.base_of(V2, "gsv-tiny/content").gpt == project.pretrained / "gsv-tiny" / "s1.ckpt"


def test_the_configuration_names_the_content_encoder(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for official in (None, "cnhubert"):
        assert project.content_encoder(official) == project.hubert
    assert project.content_encoder("gsv-tiny/content") == project.pretrained / "gsv-tiny" / "content"
    for outside in ("../elsewhere/content", "/etc/content", "gsv-tiny/../../content"):
        with pytest.raises(InputError, match="not in pretrained_models"):
            project.content_encoder(outside)


@pytest.fixture
def bundled(narrow: Project, tmp_path: Path) -> Project:
    """A project with a narrow set in the place of the bundled voice, and no other weights."""
    project = Project(tmp_path)
    folder = project.pretrained / "gsv-tiny"
    shutil.copytree(narrow.hubert, folder / "content")
    base = narrow.base(V2)
    shutil.copyfile(base.discriminator, folder / "s2D.pth")
    shutil.copyfile(base.gpt, folder / "s1.ckpt")
    file = read_generator(base.generator)
    write_generator(folder / "s2G.pth", replace(file, config={**file.config, "content_module": "gsv-tiny/content"}))
    return project


def test_an_engine_without_arguments_speaks_with_the_bundled_voice_and_says_so(bundled: Project) -> None:
    engine = Engine.load(project=bundled, device="cpu")
    assert engine.notice == BUNDLED_NOTICE
    voice = engine.voice(next((SAMPLE / "clips").iterdir()), "Some words.", "en")
    assert len(voice.prompt)


def test_nobody_need_have_a_recording_to_hear_the_bundled_voice(
    bundled: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundled.root)
    command = ["--home", str(bundled.root), "tts", "--text", "Hello there."]
    with pytest.raises(SystemExit, match="Name a recording of the voice with --ref"):
        main(command)
    clip = next((SAMPLE / "clips").iterdir())
    shutil.copy(clip, bundled.pretrained / "gsv-tiny")
    described = {"audio": clip.name, "text": "Some words.", "language": "en"}
    (bundled.pretrained / "gsv-tiny" / "reference.json").write_text(json.dumps(described))
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert not ended.value.code
    assert (bundled.root / "output.wav").is_file()


def test_a_voice_made_from_the_bundled_one_keeps_its_encoder(bundled: Project) -> None:
    file = read_generator(bundled.base(V2).generator)
    voice = bundled.root / "SoVITS_weights_v2" / "mine.pth"
    write_generator(voice, export_generator(file.weight, file.config, "1epoch", "v2"))
    # Official weights have come in the meantime; they are no part of this voice.
    place(bundled, V2.base.generator)
    place(bundled, V2.base.gpt)
    engine = Engine.load(sovits=voice, project=bundled, device="cpu")
    assert engine.notice == BUNDLED_NOTICE
    engine.voice(next((SAMPLE / "clips").iterdir()), "Some words.", "en")


def test_prepare_hears_with_the_encoder_of_the_generator(bundled: Project) -> None:
    clip = next((SAMPLE / "clips").iterdir())
    listed = bundled.root / "one.list"
    write_list(listed, [Line(clip.name, "", "en", "Some words.")])
    report = prepare(PrepareOptions(listed, "one", audio_folder=clip.parent, project=bundled, stages=("1b", "1c")))
    assert [step.usable for step in report.steps] == [1, 1]


def test_models_that_do_not_belong_together_are_refused(bundled: Project, narrow: Project) -> None:
    file = read_generator(bundled.base(V2).generator)
    wide = {**file.config, "model": {**file.config["model"], "codebook_size": 64}}
    weight = {name: tensor[:64] if "_codebook.embed" in name else tensor for name, tensor in file.weight.items()}
    weight = {name: tensor[:64] if name.endswith("cluster_size") else tensor for name, tensor in weight.items()}
    other = bundled.root / "other.pth"
    write_generator(other, replace(file, weight=weight, config=wide))
    with pytest.raises(CheckpointError, match="tokens"):
        Engine.load(sovits=other, project=bundled, device="cpu")
