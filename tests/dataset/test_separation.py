"""Separation end to end, with the true library on small random models, and what happens when something is wrong.

Random models prove that files are loaded and run as they should be, not that voices are found.
"""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Timer

import numpy as np
import onnx
import psutil
import pytest
import soundfile
import torch
from onnx import TensorProto, numpy_helper

from gsv.audio.io import load
from gsv.dataset.separation import ModelEngine, SeparateOptions, separate, usable
from gsv.dataset.stretches import RATE, writing
from gsv.dataset.uvr5_models import read_model
from gsv.environments import Environment, HelperDied
from gsv.errors import CheckpointError, InputError, MissingLibraryError, MissingWeightsError
from gsv.paths import Project

SECONDS = 2.5
# Names that a program which made commands of them would stumble over; the second is what ran in the original.
NAMES = ("声 'one' (1).wav", "$(touch ran); touch ran #.flac")
QUARTER = 0.25


@pytest.fixture(scope="module")
def models(uvr5: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small models of every family. Do not write to it."""
    folder = tmp_path_factory.mktemp("uvr5_weights")
    maker = Path(__file__).with_name("tiny_uvr5.py")
    command = [str(uvr5.interpreter), "-I", str(maker), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "onnx_dereverb_By_FoxJoy").mkdir()
    write_onnx(folder / "onnx_dereverb_By_FoxJoy" / "vocals.onnx", [4, 3072, 512])
    return folder


def write_onnx(path: Path, shape: list[int]) -> None:
    """A network that leaves a quarter of its input, as a convolution does it."""
    kernel = numpy_helper.from_array((np.eye(4, dtype=np.float32) * QUARTER).reshape(4, 4, 1, 1), "kernel")
    ends = [onnx.helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]) for name in ("input", "output")]
    node = onnx.helper.make_node("Conv", ["input", "kernel"], ["output"])
    graph = onnx.helper.make_graph([node], "quarter", ends[:1], ends[1:], [kernel])
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9), path)


@pytest.fixture
def project(uvr5: Environment, models: Path, tmp_path: Path) -> Project:
    (tmp_path / "pretrained_models").mkdir()
    (tmp_path / "pretrained_models" / "uvr5_weights").symlink_to(models)
    (tmp_path / "environments").symlink_to(uvr5.root.parent)
    return Project(tmp_path)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A mono and a stereo recording of noise that is mostly in the range of voices, at two rates."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, rate, channels in zip(NAMES, (32000, RATE), (1, 2), strict=True):
        soundfile.write(folder / name, noise(rate, channels).T, rate)
    return folder


def noise(rate: int, channels: int) -> np.ndarray:
    white = np.random.default_rng(0).standard_normal((channels, round(SECONDS * rate)))
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(white.shape[1], 1 / rate)
    spectrum[:, (frequencies < 200) | (frequencies > 8000)] = 0
    wave = np.fft.irfft(spectrum, white.shape[1])
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def options(project: Project, **changes: object) -> SeparateOptions:
    base = SeparateOptions(project.root / "in", vocal_root=project.root / "voice", ins_root=project.root / "rest")
    return replace(base, project=project, **changes)


def engine(model: str, project: Project, uvr5: Environment, aggression: int = 10) -> ModelEngine:
    return ModelEngine(read_model(model, project, aggression), uvr5)


def mixed(folder: Path) -> tuple[Path, Path, Path]:
    """A recording as engines take it, and where its parts go."""
    with writing(str(folder / "mix")) as file:
        file.write(noise(RATE, 2).T)
    return folder / "mix", folder / "target", folder / "rest"


def difference(wave: np.ndarray, expected: np.ndarray) -> float:
    """How large a difference is against what was expected, in dB."""
    return float(10 * np.log10(np.mean((wave - expected) ** 2) / np.mean(expected**2)))


@pytest.mark.parametrize(
    ("model", "format", "suffix", "worst"),
    [
        ("HP5_only_main_vocal", "flac", "_10", -20),
        ("VR-DeEchoNormal", "wav", "_10", -20),
        ("onnx_dereverb_By_FoxJoy", "wav", "", -40),
        ("bs_roformer.ckpt", "mp3", "", None),
        ("mel_band_roformer", "m4a", "", None),
    ],
)
def test_every_family_and_format(
    project: Project, recordings: Path, model: str, format: str, suffix: str, worst: float | None
) -> None:
    report = separate(options(project, model=model, format=format))
    assert report.count("done") == 2, report.problems
    for name, channels in zip(NAMES, (1, 2), strict=True):
        mix = load(recordings / name, RATE, mono=False)
        voice, rest = (
            load(project.root / folder / f"{head}_{name}{suffix}.{format}", RATE, mono=False)
            for folder, head in (("voice", "vocal"), ("rest", "instrument"))
        )
        assert len(voice) == len(rest) == channels
        assert np.abs(voice).max() > 0.003 and np.abs(rest).max() > 0.003
        if worst is None:
            assert abs(voice.shape[1] - mix.shape[1]) < 5000 and voice.shape == rest.shape
        else:
            assert voice.shape == rest.shape == mix.shape
            assert difference(voice + rest, mix) < worst
        if model == "onnx_dereverb_By_FoxJoy":
            # What this network finds is the reverberation, which is taken away.
            assert difference(rest, mix * QUARTER) < -40
    assert not (project.root / "ran").exists() and not Path("ran").exists()
    assert not list((project.root / "voice" / ".made" / "unfinished").iterdir())


def test_bad_files_among_good_ones_are_named_and_a_second_run_keeps_what_is_there(
    project: Project, recordings: Path, models: Path
) -> None:
    (recordings / "broken.wav").write_bytes(b"RIFF....WAVEfmt ")
    soundfile.write(recordings / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(recordings / "short.wav", noise(RATE, 1)[0, :300], RATE)
    soundfile.write(recordings / "nothing.wav", np.zeros(0), RATE)
    mine = project.root / "mine"
    mine.mkdir()
    for suffix in ("ckpt", "yaml"):
        (mine / f"r.{suffix}").write_bytes((models / f"mel_band_roformer.{suffix}").read_bytes())
    chosen = options(project, model="mine/r.ckpt", format="wav")
    report = separate(chosen)
    assert report.count("done") == 4
    assert {problem.name for problem in report.problems} == {"broken.wav", "nothing.wav"}
    assert report.log and "broken.wav cannot be decoded" in report.log.read_text(encoding="utf-8")
    assert soundfile.info(project.root / "voice" / "vocal_short.wav.wav").frames == 300
    stamps = {path: path.stat().st_mtime_ns for path in report.files}

    assert separate(chosen).count("kept") == 4
    assert {path: path.stat().st_mtime_ns for path in report.files} == stamps
    # Of what other settings, or another recording of that name, would have made, nothing is kept.
    yaml = (mine / "r.yaml").read_text().replace('"num_overlap": 2', '"num_overlap": 3')
    (mine / "r.yaml").write_text(yaml)
    (recordings / "short.wav").unlink()
    assert separate(chosen).count("done") == 3


def test_where_nothing_comes_out_the_reason_is_said(project: Project, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"made nothing of 1 input.*cannot be decoded"):
        separate(options(project, model="bs_roformer"))


def test_a_model_that_does_not_fit_its_settings_is_refused(
    project: Project, uvr5: Environment, models: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.ckpt"
    path.write_bytes((models / "bs_roformer.ckpt").read_bytes())
    path.with_suffix(".yaml").write_text((models / "bs_roformer.yaml").read_text().replace("dim: 16", "dim: 24", 1))
    with pytest.raises(CheckpointError, match=r"r\.ckpt cannot be used as a roformer model: .*size mismatch"):
        engine(str(path), project, uvr5).start(torch.device("cpu"))
    folder = tmp_path / "onnx_dereverb_By_FoxJoy"
    folder.mkdir()
    write_onnx(folder / "vocals.onnx", [4, 2048, 256])
    (tmp_path / "vocals.json").write_text(
        '{"compensate": 1, "mdx_dim_f_set": 3072, "mdx_dim_t_set": 8, "mdx_n_fft_scale_set": 6144, '
        '"primary_stem": "Vocals"}'
    )
    with pytest.raises(CheckpointError, match=r"takes \[4, 2048, 256\] and its settings say \[4, 3072, 256\]"):
        engine(str(folder / "vocals.onnx"), project, uvr5).start(torch.device("cpu"))
    (folder / "vocals.onnx").write_bytes(b"\x08\x07 no network")
    with pytest.raises(CheckpointError, match="cannot be used as a mdx model"):
        engine(str(folder / "vocals.onnx"), project, uvr5).start(torch.device("cpu"))


def test_aggression_takes_more_away(project: Project, uvr5: Environment, tmp_path: Path) -> None:
    powers = []
    for aggression in (0, 20):
        mix, target, rest = mixed(tmp_path)
        engine("HP5_only_main_vocal", project, uvr5, aggression).start(torch.device("cpu"))(mix, target, rest)
        powers.append(np.mean(load(target, RATE) ** 2))
    # A mask of about a half, raised to 1.2: about 1.2 dB less, and somewhat less than that in the lowest band.
    assert 0.3 < 10 * np.log10(powers[0] / powers[1]) < 3


# CVE-2025-49837 to -49839 once more: even past the first check, the process itself reads weights alone.
def test_the_process_itself_runs_nothing_that_a_weight_file_holds(uvr5: Environment, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch '{tmp_path / 'ran'}'",)

    torch.save({"a": Payload()}, tmp_path / "x.pth")
    settings = {"vr_model_param": "4band_v2", "primary_stem": "Vocals", "size": 31191, "aggression": 10}
    request = {"family": "vr", "path": str(tmp_path / "x.pth"), "settings": settings, "device": "cpu", "threads": 1}
    helper = uvr5.start()
    try:
        (event,) = helper.ask(request)
    finally:
        helper.close()
    assert "Weights only load failed" in event["failed"]
    assert not (tmp_path / "ran").exists()


def test_the_process_reaches_nothing_outside_itself(uvr5: Environment, tmp_path: Path) -> None:
    script = f"""
import importlib.util, os, socket, subprocess, sys
spec = importlib.util.spec_from_file_location("uvr5_process", {str(uvr5.program)!r})
process = importlib.util.module_from_spec(spec)
spec.loader.exec_module(process)
process._import_networks()
process._forbid_the_outside()
def refused(act):
    try:
        act()
    except PermissionError:
        return True
print(
    refused(lambda: socket.create_connection(("127.0.0.1", 9))),
    refused(lambda: socket.getaddrinfo("localhost", 80)),
    refused(lambda: subprocess.run(["true"])),
    refused(lambda: os.system("true")),
    [name for name in ("requests", "torchvision", "gsv") if name in sys.modules],
    file=sys.stderr,
)
os._exit(0)
"""
    command = [str(uvr5.interpreter), "-I", "-W", "ignore", "-c", script]
    # Its input stays open: it ends with it.
    # onnxruntime's reports to its makers wait in the user's cache; in CI it makes none by itself.
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    variables |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stderr
        assert process.stderr.read().splitlines()[-1] == "True True True True []"
    assert not list(tmp_path.rglob("*onnxruntime*"))


def helpers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "uvr5_process.py" in " ".join(child.cmdline())]


def test_a_process_that_dies_costs_its_recording_alone(project: Project, uvr5: Environment, tmp_path: Path) -> None:
    ending = set(helpers())  # Of earlier tests.
    run = engine("bs_roformer", project, uvr5).start(torch.device("cpu"))
    (helper,) = set(helpers()) - ending
    # It dies over its recording, and not before, where it would only be started anew.
    helper.suspend()
    dies = Timer(0.5, helper.kill)
    dies.start()
    with pytest.raises(HelperDied, match="killed by signal 9"):
        run(*mixed(tmp_path))
    dies.join()
    mix, target, rest = mixed(tmp_path)
    run(mix, target, rest)
    assert difference(load(target, RATE) + load(rest, RATE), load(mix, RATE)) < -60


def test_nothing_survives_the_death_of_who_asked_for_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with soundfile.SoundFile(tmp_path / "in" / "long.wav", "w", RATE, 2) as file:  # Longer than this test.
        for _ in range(200):
            file.write(np.random.default_rng(0).standard_normal((RATE, 2)) / 8)
    command = [sys.executable, "-m", "gsv.cli", "--home", str(project.root), "separate", str(tmp_path / "in")]
    with subprocess.Popen([*command, "--model", "bs_roformer"], stderr=subprocess.DEVNULL) as parent:
        family: list[psutil.Process] = []
        while not any("uvr5_process.py" in part for process in family for part in process.cmdline()):
            assert parent.poll() is None
            time.sleep(0.1)
            family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
        # Seconds, where the recording would take minutes; the more, the busier the machine is.
        _, alive = psutil.wait_procs(family, timeout=30)
        for process in alive:
            process.kill()
        assert not alive
    assert not list((tmp_path / "output").rglob("*.flac"))


def test_what_is_missing_is_said_with_the_command_that_gets_it(tmp_path: Path, models: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(RATE, 1)[0], RATE)
    project = Project(tmp_path)
    plain = SeparateOptions(tmp_path / "a.wav", project=project)
    with pytest.raises(MissingWeightsError, match=r"gsv download uvr5\. Without any, method hpss separates roughly"):
        separate(plain)
    assert "gsv install uvr5" in usable(project)
    (tmp_path / "tools" / "uvr5").mkdir(parents=True)
    (tmp_path / "tools" / "uvr5" / "uvr5_weights").symlink_to(models)
    with pytest.raises(MissingWeightsError, match="name one of: HP5_only_main_vocal"):
        separate(plain)
    with pytest.raises(MissingLibraryError, match="gsv install uvr5"):
        separate(replace(plain, model="bs_roformer"))
    assert not (tmp_path / "output").exists()


def test_masks_do_without_a_model_and_say_so(recordings: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Listener:
        def begin(self, title: str, total: int, unit: str, done: int = 0) -> None: ...

        def advance(self, count: int = 1, note: str = "") -> None: ...

        def say(self, message: str) -> None:
            said.append(message)

        def end(self) -> None: ...

    chosen = options(Project(tmp_path), method="hpss", format="wav")
    report = separate(chosen, Listener())
    assert report.count("done") == 2, report.problems
    assert "without a model: rough" in said[0] and "gsv download uvr5" in said[0]
    for name in NAMES:
        voice, rest = (load(path, RATE) for path in report.files if name in path.name)
        assert difference(voice + rest, load(recordings / name, RATE)) < -60
    with pytest.raises(InputError, match="takes no model"):
        separate(replace(chosen, model="bs_roformer"))


def test_results_are_not_put_among_the_recordings(recordings: Path, tmp_path: Path) -> None:
    chosen = options(Project(tmp_path), method="hpss")
    for argument in ("vocal_root", "ins_root"):
        with pytest.raises(InputError, match=f"{argument}: .* is the folder of the inputs"):
            separate(replace(chosen, **{argument: recordings}))
        with pytest.raises(InputError, match=f"{argument}: .* is a file"):
            separate(replace(chosen, **{argument: recordings / NAMES[0]}))
