"""From recordings to a voice that speaks, by a script that talks to a running WebUI as scripts do."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
from gradio_client import Client
from gradio_client.exceptions import AppError
from webui_server import home_like, served

from gsv.paths import Project

SPHINX = "PocketSphinx (English, rough, no download)"
CLIPS = ("LJ001-0002", "LJ001-0004", "LJ001-0006", "LJ001-0008")


@pytest.fixture(scope="module")
def recordings(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("it's raw 声音")
    for name in CLIPS:
        shutil.copy(shared / "data" / "ljspeech-mini" / f"{name}.wav", folder)
    return folder


def test_a_script_goes_from_recordings_to_speech(narrow: Project, recordings: Path, tmp_path: Path) -> None:
    with served(home_like(narrow.root, tmp_path / "home"), "zh") as server:
        client = Client(server.url, verbose=False)

        def call(name: str, **given: Any) -> Any:
            return client.predict(**given, api_name=f"/{name}")

        status, for_asr, _, wavs = call("open_slice", inp=str(recordings), min_length="1500", n_parts=1)
        assert "语音切分完成" in status
        assert Path(wavs) == server.home / "output" / "slicer_opt"

        # The default recogniser needs a model that is not there; it says what gets it.
        with pytest.raises(AppError, match=r"gsv download asr|pip install"):
            call("open_asr", asr_inp_dir=for_asr)
        status, list_file, inp_text, inp_wav_dir = call(
            "open_asr", asr_inp_dir=for_asr, asr_model=SPHINX, asr_lang="en", asr_precision="float32"
        )
        assert "完成" in status
        assert list_file == inp_text
        lines = Path(list_file).read_text(encoding="utf-8").splitlines()
        assert len(lines) >= len(CLIPS) - 1

        status = call("open1abc", inp_text=inp_text, inp_wav_dir=inp_wav_dir, exp_name="journey")
        assert "一键三连完成" in status
        experiment = server.home / "logs" / "journey"
        assert len((experiment / "2-name2text.txt").read_text(encoding="utf-8").splitlines()) == len(lines)

        quick = {"batch_size": 2, "total_epoch": 1, "save_every_epoch": 1, "exp_name": "journey"}
        assert "SoVITS训练完成" in call("open1Ba", **quick, pretrained_s2G=_official("s2G2333k.pth"))
        assert "GPT训练完成" in call("open1Bb", **quick)

        sovits, gpt = call("change_choices")
        mine_s, mine_g = (next(one for one in names if "journey" in one) for names in (sovits, gpt))
        assert mine_s.startswith("SoVITS_weights_v2/") and mine_g.startswith("GPT_weights_v2/")
        call("change_gpt_weights", gpt_path=mine_g)
        call("change_sovits_weights", sovits_path=mine_s, prompt_language="en", text_language="en")
        reference = recordings / "LJ001-0004.wav"
        made = call(
            "get_tts_wav",
            ref_wav_path=str(reference),
            prompt_text="produced the block books, which were the immediate predecessors of the true printed book,",
            prompt_language="en",
            text="Hello there.",
            text_language="en",
            how_to_cut="cut0",
        )
        sound = soundfile.info(made)
        assert sound.samplerate == 32000
        assert sound.duration > 0.2


def _official(name: str) -> str:
    """A path as the original's scripts have it."""
    return f"GPT_SoVITS/pretrained_models/gsv-v2final-pretrained/{name}"
