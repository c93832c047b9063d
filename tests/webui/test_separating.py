"""The separation page as scripts use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from webui_app import client_of

from gsv.paths import Project
from gsv.webui import separating

CLIPS = Path(__file__).parents[1] / "sample" / "clips"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("separating")


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[Client]:
    with client_of(lambda given: separating.build(given, True), Project(home)) as running:
        yield running


def test_uploaded_recordings_are_parted_into_voice_and_rest(client: Client, home: Path) -> None:
    job = client.submit(
        model_name="hpss",
        paths=[handle_file(CLIPS / "04.flac"), handle_file(CLIPS / "09.flac")],
        format0="wav",
        api_name="/uvr_convert",
    )
    lines = list(job)
    assert "done" in lines[-1]
    made = home / "output" / "uvr5_opt"
    for name in ("04.flac", "09.flac"):
        for part in ("vocal", "instrument"):
            assert soundfile.info(made / f"{part}_{name}.wav").duration > 2


def test_models_are_listed_with_the_way_that_needs_none(client: Client, home: Path) -> None:
    folder = home / "pretrained_models" / "uvr5_weights"
    folder.mkdir(parents=True)
    (folder / "HP2_all_vocals.pth").touch()
    assert client.predict(api_name="/uvr_models") == ["HP2_all_vocals", "hpss"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"model_name": "hpss"}, "inp_root is empty"),
        ({"model_name": "hpss", "inp_root": "gone"}, "inp_root: there is no file or folder .*gone"),
        ({"model_name": " ", "inp_root": "."}, "model_name is empty; choose one of .*hpss"),
        ({"model_name": "hpss", "inp_root": ".", "agg": 99}, "agg is 99; it must be a whole number from 0 to 20"),
        ({"model_name": "hpss", "inp_root": ".", "format0": "ogg"}, "format0 is 'ogg'; it must be wav, flac"),
        ({"model_name": "hpss", "paths": [3]}, "paths holds 3; it must be sound files"),
    ],
)
def test_bad_input_is_refused_before_anything_is_started(
    client: Client, home: Path, given: dict[str, object], sentence: str
) -> None:
    before = sorted((home / "logs").glob("jobs/*.log"))
    with pytest.raises(AppError, match=sentence):
        client.predict(**given, api_name="/uvr_convert")
    assert sorted((home / "logs").glob("jobs/*.log")) == before


def test_closing_what_does_not_run_says_so(client: Client) -> None:
    assert client.predict(api_name="/close_uvr_convert") == "Separation is not running."
