"""Official weight files: each layout survives a round trip, nothing in a file is run, errors are plain sentences."""

import io
import json
import os
import pickle
import subprocess
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gsv.checkpoints import (
    DiscriminatorFile,
    GeneratorFile,
    GptFile,
    ResumeFile,
    export_generator,
    export_gpt,
    missing_weights,
    read_discriminator,
    read_generator,
    read_gpt,
    read_resume,
    read_tensors,
    write_discriminator,
    write_generator,
    write_gpt,
    write_resume,
    write_tensors,
)
from gsv.errors import CheckpointError, MissingWeightsError, UnsafeCheckpointError
from gsv.versions import VERSIONS

TYPES = {"f16": torch.float16, "f32": torch.float32, "i64": torch.int64}
CONFIG = {"model": {"version": "v2", "upsample_rates": [10, 8, 2]}, "data": {"hop_length": 640}, "train": {"seed": 1}}

# Two letters of its table and a few more are enough to know a kind of file.
SMALL_GENERATOR = {"enc_p.text_embedding.weight": torch.randn(732, 4).half(), "dec.conv_pre.bias": torch.ones(3).half()}


def layout(shared: Path, table: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors of the official names, shapes and types, with values of their own, and the table's settings.

    Large ones repeat a small random piece through a stride of zero, so that a file of any layout is small.
    """
    description = json.loads((shared / "reference/checkpoints" / table).read_text())
    draw = torch.Generator().manual_seed(len(table))
    weight = {}
    for name, (shape, kind) in description["tensors"].items():
        small = list(shape)
        for axis in range(len(shape)):
            if torch.Size(small).numel() > 4096:
                small[axis] = 1
        piece = torch.randint(-1000, 1000, small, generator=draw).to(TYPES[kind]) / (1 if kind == "i64" else 512)
        weight[name] = piece.to(TYPES[kind]).expand(shape)
    config = {key.removeprefix("config_"): value for key, value in description.items() if key.startswith("config_")}
    return weight, config or description.get("config", {})


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert found[name].shape == tensor.shape, name
        assert torch.equal(found[name], tensor), name


GENERATORS = [
    ("s2G_v1.json", "v1"),
    ("s2G_v2.json", "v2"),
    ("s2G_v2Pro.json", "v2Pro"),
    ("s2G_v2ProPlus.json", "v2ProPlus"),
]


@pytest.mark.parametrize(("table", "version"), GENERATORS)
def test_base_generators_survive_a_round_trip(shared: Path, tmp_path: Path, table: str, version: str) -> None:
    weight, config = layout(shared, table)
    torch.save({"weight": weight, "config": config, "info": "4epoch_120iteration"}, tmp_path / "official.pth")
    first = read_generator(tmp_path / "official.pth")
    assert (first.version, first.head, first.lora_rank, first.info) == (version, b"PK", None, "4epoch_120iteration")
    assert first.config == config
    write_generator(tmp_path / "again.pth", first)
    assert_same(read_generator(tmp_path / "again.pth").weight, weight)
    assert list(torch.load(tmp_path / "again.pth", weights_only=True)) == ["weight", "config", "info"]


@pytest.mark.parametrize(("table", "version"), GENERATORS)
def test_exports_have_the_official_names_types_and_head(shared: Path, tmp_path: Path, table: str, version: str) -> None:
    weight, config = layout(shared, table)
    trained = {name: tensor.float() for name, tensor in weight.items()}
    exported = export_generator(trained, config, "8epoch_64iteration", version)
    assert_same(exported.weight, {name: tensor for name, tensor in weight.items() if "enc_q" not in name})
    totals = json.loads((shared / "reference/checkpoints" / table).read_text())["totals_export_without_enc_q"]
    assert len(exported.weight) == totals["n_keys"]

    path = tmp_path / "export.pth"
    write_generator(path, exported)
    head = path.read_bytes()[:2]
    assert head == {"v1": b"PK", "v2": b"PK", "v2Pro": b"05", "v2ProPlus": b"06"}[version]
    assert totals["payload_bytes"] < path.stat().st_size < totals["payload_bytes"] * 1.01
    back = read_generator(path)
    assert (back.version, back.head, back.config, back.info) == (version, head, config, "8epoch_64iteration")
    assert_same(back.weight, exported.weight)


@pytest.mark.parametrize(
    ("table", "head", "version"),
    [
        ("s2G_v3.json", b"PK", "v3"),
        ("s2G_v4.json", b"PK", "v4"),
        ("s2G_v3_v4_lora_rank32.json", b"03", "v3"),
        ("s2G_v3_v4_lora_rank32.json", b"04", "v4"),
    ],
)
def test_flow_matching_files_are_told_apart_by_their_labels(
    shared: Path, tmp_path: Path, table: str, head: bytes, version: str
) -> None:
    weight, config = layout(shared, table)
    rank = 32 if "lora" in table else None
    write_generator(tmp_path / "a.pth", GeneratorFile(weight, config, "", version, rank, head))
    first = read_generator(tmp_path / "a.pth")
    assert (first.version, first.lora_rank, first.head) == (version, rank, head)
    write_generator(tmp_path / "b.pth", first)
    assert (tmp_path / "b.pth").read_bytes()[:2] == head
    assert_same(read_generator(tmp_path / "b.pth").weight, weight)


def test_a_lora_rank_that_is_not_stated_is_read_from_the_adapters(tmp_path: Path) -> None:
    name = "cfm.base_model.model.estimator.transformer_blocks.0.attn.to_q.lora_A.default.weight"
    write_generator(tmp_path / "a.pth", GeneratorFile({name: torch.ones(16, 8)}, {}, "", "v3", None, b"03"))
    assert read_generator(tmp_path / "a.pth").lora_rank == 16


def test_an_unmarked_flow_matching_export_counts_as_v3(tmp_path: Path) -> None:
    torch.save({"weight": {"cfm.estimator.x": torch.ones(1)}, "config": {}, "info": ""}, tmp_path / "a.pth")
    assert read_generator(tmp_path / "a.pth").version == "v3"


def test_digits_on_v1_and_v2_files_are_read_though_nobody_writes_them(tmp_path: Path) -> None:
    for digits in (b"00", b"01", b"05"):
        write_generator(tmp_path / "a.pth", GeneratorFile(SMALL_GENERATOR, CONFIG, "", "v2", None, digits))
        # The content decides; a mark that contradicts it does not.
        assert read_generator(tmp_path / "a.pth").version == "v2"


@pytest.mark.parametrize("table", ["s2D_v1_v2.json", "s2D_v2Pro_v2ProPlus.json"])
def test_discriminators_survive_a_round_trip(shared: Path, tmp_path: Path, table: str) -> None:
    weight, _ = layout(shared, table)
    torch.save({"weight": weight}, tmp_path / "official.pth")
    write_discriminator(tmp_path / "again.pth", read_discriminator(tmp_path / "official.pth"))
    assert_same(read_discriminator(tmp_path / "again.pth").weight, weight)
    assert list(torch.load(tmp_path / "again.pth", weights_only=True)) == ["weight"]


@pytest.mark.parametrize("table", ["s1_v1.json", "s1_v2_v3_v4_v2Pro.json"])
def test_gpt_files_survive_a_round_trip(shared: Path, tmp_path: Path, table: str) -> None:
    weight, config = layout(shared, table)
    content = OrderedDict(weight=OrderedDict(weight), config=config, info="GPT-e15")
    torch.save(content, tmp_path / "official.ckpt")
    first = read_gpt(tmp_path / "official.ckpt")
    assert (first.config, first.info) == (config, "GPT-e15")
    exported = export_gpt({name: tensor.float() for name, tensor in first.weight.items()}, first.config, first.info)
    write_gpt(tmp_path / "again.ckpt", exported)
    assert_same(read_gpt(tmp_path / "again.ckpt").weight, weight)


@pytest.mark.parametrize("table", ["eres2netv2_w24s4ep4.json", "v4_vocoder.json"])
@pytest.mark.parametrize("half", [False, True])
def test_plain_tensor_files_survive_a_round_trip(shared: Path, tmp_path: Path, table: str, half: bool) -> None:
    weight, _ = layout(shared, table)
    if half:
        weight = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weight.items()}
    torch.save(OrderedDict(weight), tmp_path / "official.ckpt")
    write_tensors(tmp_path / "again.ckpt", read_tensors(tmp_path / "official.ckpt"))
    assert_same(read_tensors(tmp_path / "again.ckpt"), weight)


def test_a_trainers_resume_file_survives_a_round_trip(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    optimizer = torch.optim.AdamW(
        [{"params": model[0].parameters(), "lr": 1e-4}, {"params": model[1].parameters(), "lr": 4e-5}],
        betas=(0.8, 0.99),
        eps=1e-9,
    )
    model(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    content = {"model": model.state_dict(), "iteration": 4, "optimizer": optimizer.state_dict(), "learning_rate": 1e-4}
    torch.save(content, tmp_path / "G_233333333333.pth")

    first = read_resume(tmp_path / "G_233333333333.pth")
    write_resume(tmp_path / "G_again.pth", first)
    again = read_resume(tmp_path / "G_again.pth")
    assert (again.iteration, again.learning_rate) == (4, 1e-4)
    assert_same(again.model, dict(model.state_dict()))
    other = torch.optim.AdamW([{"params": model[0].parameters()}, {"params": model[1].parameters()}])
    other.load_state_dict(again.optimizer)
    assert other.param_groups[1]["lr"] == 4e-5
    assert other.param_groups[0]["betas"] == (0.8, 0.99)
    moment = again.optimizer["state"][0]["exp_avg"]
    assert torch.equal(moment, optimizer.state_dict()["state"][0]["exp_avg"]) and moment.abs().sum() > 0


def official_settings(values: dict[str, Any]) -> Any:
    """The object that the original trainer stores as `config`, of a class by the name that its files hold."""
    cls = getattr(sys.modules["utils"], "HParams")  # noqa: B009
    result = cls()
    for name, value in values.items():
        setattr(result, name, official_settings(value) if isinstance(value, dict) else value)
    return result


@pytest.fixture
def settings_class(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("utils")
    module.HParams = type("HParams", (), {"__module__": "utils"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "utils", module)


@pytest.mark.parametrize("old_format", [False, True])
@pytest.mark.usefixtures("settings_class")
def test_pickled_trainer_settings_become_plain_dictionaries(tmp_path: Path, old_format: bool) -> None:
    content = OrderedDict(weight=SMALL_GENERATOR, config=official_settings(CONFIG), info="x")
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=not old_format)
    config = read_generator(tmp_path / "a.pth").config
    assert config == CONFIG
    assert type(config["model"]) is dict
    # What is written from it needs no such class to be read.
    write_generator(tmp_path / "b.pth", read_generator(tmp_path / "a.pth"))
    assert torch.load(tmp_path / "b.pth", weights_only=True)["config"] == CONFIG


def test_a_view_is_exported_without_the_storage_behind_it(tmp_path: Path) -> None:
    big = torch.zeros(1_000_000)
    state = {"enc_p.text_embedding.weight": big[:732].reshape(732, 1).half()}
    write_generator(tmp_path / "a.pth", export_generator(state, CONFIG, "", "v2"))
    assert (tmp_path / "a.pth").stat().st_size < 10_000


def test_equal_contents_make_equal_files_under_any_name(tmp_path: Path) -> None:
    for head in (b"PK", b"05"):
        for name in ("a.pth", "b.pth"):
            write_generator(tmp_path / name, GeneratorFile(SMALL_GENERATOR, CONFIG, "", "v2", None, head))
        assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    write_tensors(path, {"x": torch.ones(2)})
    with pytest.raises(AttributeError):
        write_tensors(path, {"x": lambda: None})  # type: ignore[dict-item]
    assert_same(read_tensors(path), {"x": torch.ones(2)})
    assert list(tmp_path.iterdir()) == [path]


# --- Safety ---------------------------------------------------------------------------------------------------------


class Call:
    """Pickles as a call of any function: what an attacker puts into a weight file."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def attacks(marker: Path) -> dict[str, tuple[Call, str]]:
    touch = f"import pathlib; pathlib.Path({str(marker)!r}).touch()"
    return {
        "shell": (Call(os.system, f"touch '{marker}'"), f"{os.system.__module__}.system"),
        "eval": (Call(eval, f"exec({touch!r})"), "eval"),
        "exec": (Call(exec, touch), "exec"),
        "getattr": (Call(getattr, Path(marker), "touch"), "getattr"),
        "subprocess": (Call(subprocess.Popen, ["touch", str(marker)]), ".Popen"),
        "open": (Call(open, str(marker), "w"), "open"),
        "torch.load": (Call(torch.load, str(marker.with_name("inner"))), "torch.serialization.load"),
        "torch.save": (Call(torch.save, {}, str(marker)), "torch.serialization.save"),
        "torch.hub": (Call(torch.hub.load, str(marker.parent), "touch"), "torch.hub.load"),
        "from_file": (Call(torch.UntypedStorage.from_file, str(marker), True, 8), "getattr"),
    }


NAMES = sorted(attacks(Path("x")))
READERS = [read_generator, read_discriminator, read_gpt, read_resume, read_tensors]


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["top", "weight", "config", "deep"])
@pytest.mark.parametrize("form", ["zip", "digits", "old", "raw"])
def test_code_in_a_file_is_refused_by_name_and_never_run(tmp_path: Path, name: str, place: str, form: str) -> None:
    marker = tmp_path / "marker"
    attack, refused = attacks(marker)[name]
    content: Any = {
        "top": attack,
        "weight": {"weight": {"model.x": attack}, "config": CONFIG, "info": ""},
        "config": {"weight": SMALL_GENERATOR, "config": attack, "info": ""},
        "deep": {"weight": SMALL_GENERATOR, "config": {"train": [{"seed": (attack,)}]}, "info": ""},
    }[place]
    path = tmp_path / "weights.pth"
    if form == "raw":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form != "old")
    if form == "digits":
        path.write_bytes(b"05" + path.read_bytes()[2:])
    for read in READERS:
        with pytest.raises(UnsafeCheckpointError) as caught:
            read(path)
        message = str(caught.value)
        assert refused in message and str(path) in message
        assert "\n" not in message
    assert not marker.exists()


@pytest.mark.parametrize("name", ["shell", "open"])
def test_the_attacks_would_work_on_an_unrestricted_reader(tmp_path: Path, name: str) -> None:
    """Keeps the test above honest: these files do run code where a reader lets them."""
    marker = tmp_path / "marker"
    torch.save({"weight": attacks(marker)[name][0]}, tmp_path / "weights.pth")
    torch.load(tmp_path / "weights.pth", weights_only=False)
    assert marker.exists()


def test_the_settings_stand_in_cannot_be_called_with_arguments_or_carry_behaviour(tmp_path: Path) -> None:
    # utils.HParams("x"), then state with a name that means something to Python.
    for body in (b"cutils\nHParams\n(X\x01\x00\x00\x00xtR.", b"cutils\nHParams\n)\x81X\x01\x00\x00\x00xb."):
        with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
            archive.writestr("a/data.pkl", b"\x80\x02" + body)
            archive.writestr("a/version", b"3\n")
        with pytest.raises(CheckpointError, match="damaged"):
            read_generator(tmp_path / "a.pth")


def test_settings_that_contain_themselves_are_refused(tmp_path: Path) -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    torch.save({"weight": SMALL_GENERATOR, "config": loop, "info": ""}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="damaged"):
        read_generator(tmp_path / "a.pth")


@pytest.mark.filterwarnings("ignore:.*TorchScript archive")
def test_torchscript_archives_are_refused(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "a.pth")
    with pytest.raises(CheckpointError):
        read_generator(tmp_path / "a.pth")


# --- Mistakes -------------------------------------------------------------------------------------------------------


def damaged_files() -> dict[str, bytes]:
    whole = io.BytesIO()
    torch.save({"weight": SMALL_GENERATOR, "config": CONFIG, "info": ""}, whole)
    data = whole.getvalue()
    return {
        "empty": b"",
        "one byte": b"P",
        "two bytes": b"PK",
        "digits alone": b"05",
        "text": b"<!DOCTYPE html><html>404 Not Found</html>",
        "git lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 105777914\n",
        "sound": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(200),
        "zeros": bytes(5000),
        "half": data[: len(data) // 2],
        "without its end": data[:-20],
        "without its start": data[100:],
        "end of pickle stream": b"\x80\x02}.",
        "pickle of a number": pickle.dumps(1, protocol=2),
        "array longer than any memory": b"\x80\x05\x96" + (1 << 60).to_bytes(8, "little") + bytes(50),
    }


@pytest.mark.parametrize("name", sorted(damaged_files()))
@pytest.mark.parametrize("read", READERS)
def test_damaged_files_are_one_plain_sentence(tmp_path: Path, name: str, read: Any) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(damaged_files()[name])
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert not isinstance(caught.value, UnsafeCheckpointError)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_mark_of_an_unknown_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"17" + bytes(100))
    with pytest.raises(CheckpointError, match="marked 17"):
        read_generator(tmp_path / "a.pth")


def kinds(folder: Path) -> dict[str, Path]:
    paths = {name: folder / f"{name}.pth" for name in ("generator", "discriminator", "gpt", "resume", "tensors")}
    write_generator(paths["generator"], GeneratorFile(SMALL_GENERATOR, CONFIG, "", "v2"))
    write_discriminator(paths["discriminator"], DiscriminatorFile({"discriminators.0.x": torch.ones(1)}))
    write_gpt(paths["gpt"], GptFile({"model.bert_proj.weight": torch.ones(1)}, CONFIG, ""))
    write_resume(paths["resume"], ResumeFile({"x": torch.ones(1)}, {}, 1, 1e-4))
    write_tensors(paths["tensors"], {"x": torch.ones(1)})
    return paths


@pytest.mark.parametrize(
    ("read", "given", "said"),
    [
        (read_generator, "gpt", "is a GPT file; a SoVITS generator"),
        (read_generator, "discriminator", "is a discriminator file"),
        (read_generator, "resume", "is a trainer resume file"),
        (read_generator, "tensors", "is a plain tensor file"),
        (read_gpt, "generator", "is a SoVITS generator file; a GPT"),
        (read_discriminator, "generator", "is a SoVITS generator file; a discriminator"),
        (read_resume, "gpt", "is a GPT file"),
        (read_tensors, "gpt", "is a GPT file"),
    ],
)
def test_the_wrong_kind_of_file_is_named(tmp_path: Path, read: Any, given: str, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read(kinds(tmp_path)[given])


def test_a_generator_of_another_symbol_table_is_refused(tmp_path: Path) -> None:
    weight = {"enc_p.text_embedding.weight": torch.ones(500, 2)}
    write_generator(tmp_path / "a.pth", GeneratorFile(weight, CONFIG, "", "v2"))
    with pytest.raises(CheckpointError, match="500 phonemes"):
        read_generator(tmp_path / "a.pth")


def test_weights_without_settings_or_with_other_things_among_them_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": SMALL_GENERATOR}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="config"):
        read_generator(tmp_path / "a.pth")
    torch.save({"weight": SMALL_GENERATOR | {"dec.x": 3}, "config": CONFIG}, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match="tensors"):
        read_generator(tmp_path / "b.pth")


def test_a_folder_is_not_a_weight_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="folder"):
        read_generator(tmp_path)


@pytest.mark.parametrize("version", list(VERSIONS.values()), ids=list(VERSIONS))
def test_missing_official_weights_come_with_the_command_that_gets_them(tmp_path: Path, version: Any) -> None:
    path = tmp_path / version.base.generator
    with pytest.raises(MissingWeightsError) as caught:
        read_generator(path)
    message = str(caught.value)
    assert path.name in message and str(path.parent) in message
    assert message.endswith(f"gsv download {version.name}")


def test_missing_weights_of_ones_own_name_just_the_path(tmp_path: Path) -> None:
    for name in ("mine.ckpt", "my-s1v3.ckpt"):
        message = str(missing_weights(tmp_path / name))
        assert name in message and str(tmp_path) in message and "download" not in message
    assert "gsv download" in str(missing_weights(Path("s1v3.ckpt")))
