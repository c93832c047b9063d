"""The published weaknesses of the original program, each with a test that would have caught it.

CVE-2025-49833  open_slice: parameters in a shell command          here
CVE-2025-49834  open_denoise: the same                             here
CVE-2025-49835  open_asr: the same                                 here
CVE-2025-49836  change_label: the same                             here, and in tests/webui
CVE-2025-49837  uvr5 VR models: torch.load runs code of the file   tests/dataset/test_uvr5_models.py
CVE-2025-49838  uvr5 VR de-echo models: the same                   tests/dataset/test_uvr5_models.py
CVE-2025-49839  uvr5 Roformer models: the same                     tests/dataset/test_uvr5_models.py
CVE-2025-49840  GPT weights: the same                              here, and in tests/test_checkpoints.py
CVE-2025-49841  SoVITS weights: the same                           here, and in tests/test_checkpoints.py
CVE-2025-71429, CVE-2026-63766
    Their descriptions were not to be had; the last report of the kind (issue 2793 of June 2026) is of the folders that
    are given to slicing, denoising, transcribing and separating. So every other place of the original that hands a
    user's text to a shell (the stages 1a, 1b, 1c, both trainings, uvr5's conversions, ending a process) or a file to an
    unpickler has a test here.
"""

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml

from gsv.cli import main
from gsv.dataset import uvr5_models
from gsv.errors import GsvError, InputError
from gsv.jobs.process import Status
from gsv.jobs.registry import Jobs
from gsv.jobs.stages import STAGES
from gsv.paths import Project
from gsv.progress import TerminalProgress

from .toys import TOY

PROJECT = Path(__file__).parents[2]
CLIPS = PROJECT / "tests" / "sample" / "clips"
CANARY = "canary"
INJECTIONS = (
    f'"; touch {CANARY}; echo "',
    f"'; touch {CANARY}; '",
    f"$(touch {CANARY})",
    f"`touch {CANARY}`",
    f"x | touch {CANARY} & touch {CANARY}",
    f"x\ntouch {CANARY}\n",
    f'" & type nul > {CANARY} & "',
    "--help",
    "-rf",
)

Attack = Callable[..., None]


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    (tmp_path / "here").mkdir()
    # Where a command that gets through would do its work.
    monkeypatch.chdir(tmp_path / "here")
    jobs = Jobs(Project(tmp_path / "home"))
    yield jobs
    jobs.close_all()
    assert not list(tmp_path.rglob(CANARY))


def outcome(jobs: Jobs, stage: str, values: dict[str, Any]) -> Status | None:
    """How a stage ends with these values; None if it refused them and started nothing."""
    try:
        return jobs.open(STAGES[stage], values).wait(120)
    except InputError:
        return None


def attack_paths(jobs: Jobs, stage: str, given: dict[str, Any], paths: tuple[str, ...]) -> None:
    """Tries all injections in every one of the stage's path parameters at once, the worst of them up to the end."""
    for injection in INJECTIONS:
        options = STAGES[stage].read({**given, **dict.fromkeys(paths, injection)}, jobs.project)
        assert {getattr(options, name) for name in paths} == {jobs.project.resolve(injection).absolute()}
    status = outcome(jobs, stage, {**given, **dict.fromkeys(paths, f"-{''.join(INJECTIONS)}")})
    assert status is not None and status.state == "failed"


def attack_others(jobs: Jobs, stage: str, given: dict[str, Any], fixed: tuple[str, ...] = ()) -> None:
    """Tries every injection in every parameter that is neither path nor free text: all are refused."""
    for parameter in STAGES[stage].parameters():
        if parameter.is_path or parameter.name in fixed:
            continue
        for injection in INJECTIONS:
            with pytest.raises(InputError, match=parameter.name):
                jobs.open(STAGES[stage], {**given, parameter.name: injection})


def test_cve_2025_49833_slicing_hands_nothing_to_a_shell(jobs: Jobs) -> None:
    attack_paths(jobs, "slice", {}, ("inp", "opt_root"))
    attack_others(jobs, "slice", {"inp": CLIPS})


def test_cve_2025_49834_denoising_hands_nothing_to_a_shell(jobs: Jobs) -> None:
    attack_paths(jobs, "denoise", {}, ("denoise_inp_dir", "denoise_opt_dir"))
    attack_others(jobs, "denoise", {"denoise_inp_dir": CLIPS})


def test_cve_2025_49835_transcribing_hands_nothing_to_a_shell(jobs: Jobs) -> None:
    attack_paths(jobs, "transcribe", {}, ("asr_inp_dir", "asr_opt_dir"))
    attack_others(jobs, "transcribe", {"asr_inp_dir": CLIPS})


def test_cves_2025_71429_and_2026_63766_separating_hands_nothing_to_a_shell(jobs: Jobs) -> None:
    attack_paths(jobs, "separate", {"method": "hpss"}, ("inp", "vocal_root", "ins_root"))
    attack_others(jobs, "separate", {"inp": CLIPS}, fixed=("model",))
    for injection in INJECTIONS:
        options = STAGES["separate"].read({"inp": CLIPS, "model": injection}, jobs.project)
        with pytest.raises(GsvError):
            STAGES["separate"].run(options, TerminalProgress())


def test_cve_2025_49836_what_a_user_gives_stands_on_no_command_line_and_in_no_environment(jobs: Jobs) -> None:
    """Whatever the stage or companion app: all are started in the same way."""
    folder = f"secret; touch {CANARY}"
    job = jobs.open(TOY, {"folder": folder, "pause": 50})
    process = psutil.Process(job.pid)
    assert not any("secret" in word for word in process.cmdline())
    assert not any("secret" in value for value in process.environ().values())
    # Not even a shell in between.
    assert process.ppid() == os.getpid()
    job.close()


def test_cve_2025_49840_gpt_weights_are_refused_if_they_hold_code(jobs: Jobs, evil: Path, refuse: Attack) -> None:
    refuse("tts", "--text", "Hi.", "--ref", CLIPS / "01.flac", "--gpt", evil)
    refuse("train", "gpt", "--exp", "mine", "--pretrained", evil)
    status = outcome(jobs, "train-gpt", {"exp": "mine", "pretrained": evil})
    assert status is not None and status.state == "failed"


def test_cve_2025_49841_sovits_weights_are_refused_if_they_hold_code(
    evil: Path, refuse: Attack, tmp_path: Path
) -> None:
    refuse("tts", "--text", "Hi.", "--ref", CLIPS / "01.flac", "--sovits", evil)
    list_file = tmp_path / "my.list"
    list_file.write_text(f"{CLIPS / '01.flac'}|me|en|Hello there.\n", encoding="utf-8")
    refuse("prepare", list_file, "--exp", "mine", "--generator", evil)


@pytest.mark.parametrize("exp", INJECTIONS)
def test_cves_2025_71429_and_2026_63766_names_of_experiments_are_only_names(jobs: Jobs, exp: str) -> None:
    (jobs.project.root).mkdir(exist_ok=True)
    for stage, given in (("prepare", {"list_path": "x.list", "experiment": exp}), ("train-gpt", {"exp": exp})):
        status = outcome(jobs, stage, given) if exp == INJECTIONS[0] else read_only(jobs, stage, given)
        assert status is None or status.state == "failed"


def read_only(jobs: Jobs, stage: str, values: dict[str, Any]) -> None:
    """The cheap part: what the parameter is read as is what was given."""
    options = STAGES[stage].read(values, jobs.project)
    name = options.experiment if stage == "prepare" else options.exp
    assert name in values.values()


def test_cves_2025_71429_and_2026_63766_preparing_hands_nothing_to_a_shell(jobs: Jobs) -> None:
    paths = ("list_path", "audio_folder", "hubert", "roberta", "generator", "speaker_encoder")
    attack_paths(jobs, "prepare", {"experiment": "mine"}, paths)
    attack_others(jobs, "prepare", {"list_path": "x.list", "experiment": "mine"}, fixed=("experiment",))


@pytest.mark.parametrize("half", ["sovits", "gpt"])
def test_cves_2025_71429_and_2026_63766_training_hands_nothing_to_a_shell(jobs: Jobs, half: str) -> None:
    attack_others(jobs, f"train-{half}", {"exp": "mine"}, fixed=("exp",))


def test_cves_2025_71429_and_2026_63766_a_job_is_ended_by_its_name_never_by_a_text(jobs: Jobs) -> None:
    for name in INJECTIONS:
        assert jobs.close(name) is None
        with pytest.raises(InputError):
            jobs.open(TOY, {"folder": "made"}, name)


class Code:
    """Pickles as a command."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.canary),)


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    path = tmp_path / "evil.pth"
    torch.save({"weight": {"x": Code(tmp_path / CANARY)}, "config": {}, "info": ""}, path)
    return path


def test_the_evil_file_would_do_it_where_it_is_let(evil: Path, tmp_path: Path) -> None:
    torch.load(evil, weights_only=False)
    assert (tmp_path / CANARY).is_dir()


@pytest.fixture
def refuse(narrow: Project, tmp_path: Path) -> Attack:
    """Runs a command that must refuse the evil file because of what is in it."""

    def run(*words: object) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(["--home", str(narrow.root), *map(str, words)])
        assert "evil.pth" in str(stopped.value.code)
        assert "mkdir" in str(stopped.value.code)

    return run


# ruff sees to most of this too, but a comment could silence it.
_NEVER = {"system", "popen", "eval", "exec", "spawnl", "spawnlp", "spawnv", "execv", "execvp", "getoutput"}


@pytest.mark.parametrize("folder", ["gsv", "tools"])
def test_nowhere_does_the_program_use_a_shell_or_run_what_a_file_says(folder: str) -> None:
    found = []
    for path in sorted((PROJECT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (problem := _problem(node)):
                found.append(f"{path.relative_to(PROJECT)}:{node.lineno} {problem}")
    assert not found


def _problem(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
    last = name.rpartition(".")[2]
    module = name.rpartition(".")[0]
    # A program may begin itself anew.
    itself = last == "execv" and ast.unparse(call.args[0]) == "sys.executable"
    if last in _NEVER and module in {"", "os", "subprocess", "builtins"} and not itself:
        return name
    if keywords.get("shell", "False") != "False":
        return f"{name} with a shell"
    if name in {"torch.load", "torch.jit.load"} and keywords.get("weights_only") != "True":
        return f"{name} without weights_only"
    if module in {"pickle", "dill", "joblib", "cloudpickle", "marshal", "shelve"} and last in {"load", "loads", "open"}:
        return name
    if name in {"yaml.unsafe_load", "yaml.full_load"} or (name == "yaml.load" and not _loads_data_alone(call)):
        return name
    return "numpy with pickles" if keywords.get("allow_pickle", "False") != "False" else ""


def _loads_data_alone(call: ast.Call) -> bool:
    """Whether the loader that yaml is given is a safe one."""
    loaders = {"yaml.SafeLoader": yaml.SafeLoader, "_DataLoader": uvr5_models._DataLoader}
    loader = loaders.get(ast.unparse(call.args[1])) if len(call.args) > 1 else None
    return loader is not None and issubclass(loader, yaml.SafeLoader)


def test_the_search_would_find_what_the_original_does() -> None:
    original = (
        "os.system('ffmpeg -i %s' % path)",
        "Popen(cmd, shell=True)",
        "subprocess.run(cmd, shell=True, stdout=x)",
        "torch.load(path, map_location='cpu')",
        "torch.load(path, weights_only=False)",
        "eval(value)",
        "pickle.load(file)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(file, yaml.Loader)",
    )
    for line in original:
        expression = ast.parse(line, mode="eval").body
        assert isinstance(expression, ast.Call) and _problem(expression)
