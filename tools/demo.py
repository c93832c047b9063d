"""The whole job on the sample in the repository, on a CPU, in a few minutes: python tools/demo.py

Prepares a dozen clips, fine-tunes the bundled demo voice on them, and speaks in the sample's voice. All of it lies in
`logs/demo/`, a project folder of its own, which every run makes anew. The commands are those that a user types, and
each is printed before it runs. The bundled voice is small and rough, and so is what comes out; it shows that everything
works here.
"""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
HOME = PROJECT / "logs" / "demo"
SAMPLE = PROJECT / "tests" / "sample"
BUNDLED = PROJECT / "pretrained_models" / "gsv-tiny"
OUTPUT = PROJECT / "output" / "demo.wav"
SOVITS_EPOCHS = 12
GPT_EPOCHS = 4
REFERENCE = SAMPLE / "clips" / "05.flac"
WORDS = "We walked along the river until the sun went down."
TEXT = "The morning train left the quiet harbour. She read a short story about winter."


def run(*command: object) -> None:
    """Runs a command in the project's folder and ends the demo with its status if it fails."""
    words = [str(word) for word in command]
    print("\n$ " + shlex.join([Path(words[0]).name, *words[1:]]), flush=True)
    status = subprocess.run(words, cwd=PROJECT, check=False).returncode
    if status:
        sys.exit(status)


def main() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    # In a project of its own the bundled voice is what training starts from, whatever else has been downloaded.
    shutil.copytree(BUNDLED, HOME / "pretrained_models" / BUNDLED.name)
    gsv = (sys.executable, "-m", "gsv.cli", "--home", HOME)
    run(*gsv, "prepare", SAMPLE / "sample.list", "--audio", SAMPLE / "clips", "--exp", "demo")
    run(*gsv, "train", "sovits", "--exp", "demo", "--epochs", SOVITS_EPOCHS, "--only-final")
    run(*gsv, "train", "gpt", "--exp", "demo", "--epochs", GPT_EPOCHS, "--only-final")
    (sovits,) = (HOME / "SoVITS_weights_v2").glob("demo_*.pth")
    (gpt,) = (HOME / "GPT_weights_v2").glob("demo-*.ckpt")
    OUTPUT.parent.mkdir(exist_ok=True)
    voice = ("--sovits", sovits, "--gpt", gpt, "--ref", REFERENCE, "--prompt-text", WORDS)
    run(*gsv, "tts", *voice, "--text", TEXT, "--text-lang", "en", "--seed", 1, "-o", OUTPUT)
    print(f"\nThe demo's speech, in a small and rough voice, is in {OUTPUT};")
    print(f"the training curves are in {HOME / 'logs' / 'demo'}.")


if __name__ == "__main__":
    main()
