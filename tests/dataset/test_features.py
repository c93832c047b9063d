"""Preparing an experiment: whole runs through worker processes, resumed, mended, and honest about what failed."""

import shutil
from pathlib import Path

import pytest
import torch

from gsv.dataset.features import PrepareOptions, PrepareReport, prepare
from gsv.errors import InputError, ListError, MissingWeightsError
from gsv.paths import Experiment, Project

from .conftest import TEXTS, WIDTH, Clips

NAMES = list(TEXTS)


def run(clips: Clips, project: Project, *stages: str, version: str = "v2", gpus: str = "0-0") -> PrepareReport:
    options = PrepareOptions(
        clips.list_path, "anna", clips.folder, version, stages or ("1a", "1b", "1c"), gpus, project
    )
    return prepare(options)


def states(report: PrepareReport) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(step.title, sorted((o.name, o.state) for o in step.outcomes)) for step in report.steps]


def snapshot(experiment: Experiment) -> dict[str, bytes]:
    return {str(path.relative_to(experiment.root)): path.read_bytes() for path in experiment.root.rglob("*.*")}


def test_a_list_becomes_the_files_that_training_reads(clips: Clips, project: Project) -> None:
    report = run(clips, project)
    all_done = [(name, "done") for name in NAMES]
    assert states(report) == [("1a text", all_done), ("1b audio", all_done), ("1c semantic", all_done)]
    assert not report.rejected and not any(step.log for step in report.steps)
    assert str(report.steps[0]).startswith("1a text: 4 made in ")

    experiment = project.experiment("anna")
    assert sorted(path.name for path in experiment.root.iterdir()) == [
        ".lock",
        "2-name2text.txt",
        "3-bert",
        "4-cnhubert",
        "5-wav32k",
        "6-name2semantic.tsv",
    ]
    assert sorted(path.name for path in experiment.bert.iterdir()) == ["c.wav.pt", "d.wav.pt"]
    assert sorted(path.name for path in experiment.hubert.iterdir()) == [f"{name}.pt" for name in NAMES]
    assert sorted(path.name for path in experiment.wav32k.iterdir()) == NAMES
    texts = [line.split("\t") for line in experiment.phones.read_text(encoding="utf-8").splitlines()]
    assert [row[0] for row in texts] == NAMES and {len(row) for row in texts} == {4}
    assert [row[2] for row in texts] == ["None", "None", "[2, 2, 1, 2, 2, 1]", "[2, 2, 2, 2, 1]"]
    tokens = experiment.semantic.read_text().splitlines()
    assert tokens[0] == "item_name\tsemantic_audio"
    for line, name in zip(tokens[1:], NAMES, strict=True):
        frames = torch.load(experiment.hubert / f"{name}.pt", weights_only=True).shape
        assert frames[:2] == (1, WIDTH)
        assert line.split("\t")[0] == name and len(line.split("\t")[1].split(" ")) == frames[2] // 2


def test_a_second_run_keeps_what_is_there_and_changes_nothing(clips: Clips, project: Project) -> None:
    run(clips, project)
    before = snapshot(project.experiment("anna"))
    report = run(clips, project, gpus="0")
    assert [(step.count("kept"), step.count("done")) for step in report.steps] == [(4, 0), (4, 0), (0, 4)]
    assert snapshot(project.experiment("anna")) == before


def test_a_broken_off_run_goes_on_where_it_stopped(clips: Clips, project: Project) -> None:
    run(clips, project)
    experiment = project.experiment("anna")
    whole = snapshot(experiment)
    # As a parent that was killed leaves it: parts that were not joined, one with half a row, and files missing.
    rows = experiment.phones.read_text(encoding="utf-8").splitlines(keepends=True)
    experiment.phones.unlink()
    (experiment.root / "2-name2text-0.txt").write_text(rows[0] + rows[2] + rows[1][:20], encoding="utf-8")
    (experiment.root / "6-name2semantic-5.tsv").write_text("a.wav\t1 2 3\n")
    (experiment.hubert / "b.flac.pt").write_bytes(b"")
    (experiment.wav32k / "d.wav").unlink()
    report = run(clips, project)
    assert states(report)[0][1] == [("a.wav", "kept"), ("b.flac", "done"), ("c.wav", "kept"), ("d.wav", "done")]
    assert states(report)[1][1] == [("a.wav", "kept"), ("b.flac", "done"), ("c.wav", "kept"), ("d.wav", "done")]
    assert snapshot(experiment) == whole


def test_a_clip_that_was_recorded_again_is_made_again(clips: Clips, project: Project) -> None:
    clips.write("a.wav|anna|en|Hello there.", "c.wav|anna|en|A second line.")
    run(clips, project, "1b", version="v2Pro")
    experiment = project.experiment("anna")
    before = snapshot(experiment)
    shutil.copy(clips.folder / "c.wav", clips.folder / "a.wav")
    report = run(clips, project, "1b", version="v2Pro")
    assert [states(report)[i][1] for i in (0, 1)] == [[("a.wav", "done"), ("c.wav", "kept")]] * 2
    changed = {name for name, content in snapshot(experiment).items() if before[name] != content}
    assert changed == {"5-wav32k/a.wav", "4-cnhubert/a.wav.pt", "7-sv_cn/a.wav.pt"}


def test_bad_lines_are_reported_each_and_the_others_are_made(clips: Clips, project: Project) -> None:
    (clips.folder / "corrupt.wav").write_bytes(b"this is not sound")
    good = [f"{name}|anna|{language}|{text}" for name, (language, text) in TEXTS.items()]
    clips.write(
        *good,
        "three|fields|en",
        "x.wav|anna|fr|Bonjour.",
        "y.wav|anna|klingon|nuqneH",
        "elsewhere/a.wav|anna|en|The same name again.",
        "..|anna|en|Not a file name.",
        "corrupt.wav|anna|en|A corrupt clip.",
        "missing.wav|anna|en|A missing clip.",
        "silence.wav|anna|en|...",
    )
    report = run(clips, project)
    rejected = {outcome.name: outcome.reason for outcome in report.rejected}
    assert list(rejected) == [f"line {number}" for number in (5, 6, 7, 8, 9)]
    for line, said in zip(rejected, ("3 of 4 fields", "fr", "klingon", "second a.wav", "not a file name"), strict=True):
        assert said in rejected[line]
    problems = [{o.name: (o.state, o.reason) for o in step.problems if o.name not in rejected} for step in report.steps]
    assert [sorted(found) for found in problems] == [
        ["silence.wav"],
        ["corrupt.wav", "missing.wav", "silence.wav"],
        ["corrupt.wav", "missing.wav", "silence.wav"],
    ]
    assert problems[0]["silence.wav"][0] == "failed" and "nothing that can be spoken" in problems[0]["silence.wav"][1]
    assert "cannot be decoded" in problems[1]["corrupt.wav"][1] and "no sound file" in problems[1]["missing.wav"][1]
    assert problems[2]["corrupt.wav"][0] == "skipped"
    for step in report.steps:
        assert step.log is not None and str(step).endswith(f"; see {step.log}")
        logged = step.log.read_text(encoding="utf-8").splitlines()
        assert [line.split("\t") for line in logged] == [[o.state, o.name, o.reason] for o in step.problems]
    assert [step.usable for step in report.steps] == [6, 4, 4]

    clips.write(*good)
    assert not any(step.log for step in run(clips, project).steps)
    assert not list(project.experiment("anna").root.glob("*problems*"))


def test_a_run_that_makes_nothing_is_an_error(clips: Clips, project: Project) -> None:
    shutil.rmtree(clips.folder)
    clips.folder.mkdir()
    with pytest.raises(InputError, match=r"1b audio made nothing of 4 inputs: There is no sound file"):
        run(clips, project)
    with pytest.raises(InputError, match=r"1c semantic made nothing of 4 inputs: Stage 1b has made no content"):
        run(clips, project, "1c")
    clips.write("a.wav|anna|fr|Bonjour.")
    with pytest.raises(InputError, match=r"No line of .* is usable; the first problem: .*fr"):
        run(clips, project)
    clips.write()
    with pytest.raises(ListError, match="is empty"):
        run(clips, project)


def test_missing_weights_and_folders_are_named_before_anything_is_made(clips: Clips, tmp_path: Path) -> None:
    bare = Project(tmp_path / "bare")
    for stage, name in (("1a", "chinese-roberta-wwm-ext-large"), ("1b", "chinese-hubert-base"), ("1c", "s2G2333k.pth")):
        with pytest.raises(MissingWeightsError, match=rf"{name} .*gsv download v2"):
            run(clips, bare, stage)
    clips.write("a.wav|anna|en|Hello there.")
    with pytest.raises(MissingWeightsError, match="chinese-hubert-base"):
        run(clips, bare)
    shutil.rmtree(clips.folder)
    with pytest.raises(InputError, match="audio folder"):
        run(clips, bare)
    assert not (tmp_path / "bare").exists()


def test_without_mandarin_no_text_encoder_is_needed(clips: Clips, project: Project, tmp_path: Path) -> None:
    clips.write("a.wav|anna|en|Hello there.")
    assert run(clips, Project(tmp_path / "bare"), "1a").steps[0].usable == 1


def test_pro_versions_get_speaker_vectors_in_stage_1b(clips: Clips, project: Project) -> None:
    clips.write("a.wav|anna|en|Hello there.", "missing.wav|anna|en|Not there.")
    report = run(clips, project, "1b", version="v2Pro")
    assert states(report) == [
        ("1b audio", [("a.wav", "done"), ("missing.wav", "failed")]),
        ("1b speaker", [("a.wav", "done"), ("missing.wav", "skipped")]),
    ]
    assert [path.name for path in project.experiment("anna").speaker.iterdir()] == ["a.wav.pt"]


def test_without_an_audio_folder_the_list_says_where_files_are(clips: Clips, project: Project) -> None:
    (project.root / "sounds").mkdir()
    shutil.copy(clips.folder / "a.wav", project.root / "sounds" / "a b.wav")
    clips.write("sounds/a b.wav|anna|en|Hello there.", f"'{clips.folder / 'c.wav'}'|anna|zh|你好。")
    report = prepare(PrepareOptions(clips.list_path, "anna", version="v2", stages=("1b",), project=project))
    assert report.steps[0].count("done") == 2
    assert sorted(path.name for path in project.experiment("anna").wav32k.iterdir()) == ["a b.wav", "c.wav"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stages": ("1d",)}, "1d"),
        ({"stages": ()}, "choose from 1a, 1b, 1c"),
        ({"version": "v7"}, "no version"),
        ({"gpus": "x"}, "GPU numbers"),
        ({"experiment": "a/b"}, "experiment name"),
    ],
)
def test_arguments_that_make_no_sense_are_named(
    clips: Clips, project: Project, change: dict[str, object], said: str
) -> None:
    arguments: dict[str, object] = {"list_path": clips.list_path, "experiment": "anna", "project": project} | change
    with pytest.raises(InputError, match=said):
        prepare(PrepareOptions(**arguments))  # type: ignore[arg-type]
