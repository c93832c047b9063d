"""The finished parts as the folder that gsv looks for, `pretrained_models/gsv-tiny/`, in half precision."""

import json
import shutil
from pathlib import Path

import safetensors.torch
import soundfile

from gsv.audio.io import load
from gsv.checkpoints import (
    DiscriminatorFile,
    GeneratorFile,
    export_gpt,
    halved,
    read_discriminator,
    read_generator,
    read_gpt,
    read_resume,
    write_discriminator,
    write_generator,
    write_gpt,
)
from gsv.dataset.listing import read_list
from gsv.errors import InputError
from gsv.models.encoders import HUBERT_RATE
from gsv.models.t2s import PREFIX
from gsv.paths import Project, written_whole
from gsv.synthesis.engine import Engine
from gsv.training.resume import LATEST
from tiny.codes import MODULE, VERSION, TinyFiles
from tiny.references import advised

# Not the mark of untrained files: fine-tuning runs at the rates of the configuration's group `fine_tune`.
INFO = "gsv-tiny"
LARGEST = 25e6
# What reads the content encoder's frames in its training; gsv has no use for it, further training has.
HEADS = "heads.safetensors"


def ship(files: TinyFiles, project: Project, speaker: str) -> list[Path]:
    """Writes the set, posterior encoder included, so that it can be fine-tuned; returns its files.

    A held-out clip of the speaker goes with it, for those who have no recording at hand.

    Raises InputError if a part is not trained, or if the set would be larger than a repository should carry.
    """
    bundled = VERSION.bundled
    assert bundled is not None
    sovits = files.project.experiment("train").sovits_logs(VERSION)
    gpt = files.project.experiment("pairs").gpt_logs(VERSION)
    states = {name: folder / f"{name}_{LATEST}.pth" for name, folder in (("G", sovits), ("D", sovits), ("T", gpt))}
    for path in states.values():
        if not path.is_file():
            raise InputError(f"{path} is missing; train all parts before they are shipped.")
    start, start_gpt = read_generator(files.generator), read_gpt(files.gpt)
    base = project.base_of(VERSION, MODULE)
    content = project.content_encoder(MODULE)
    shutil.copytree(files.content, content, dirs_exist_ok=True)
    generator = halved(read_resume(states["G"]).model)
    write_generator(base.generator, GeneratorFile(generator, start.config, INFO, VERSION.name))
    # Discriminators that never judged are shipped as they began; fine-tuning may use them later.
    discriminator = read_resume(states["D"]).model
    assert discriminator.keys() == read_discriminator(files.discriminator).weight.keys()
    write_discriminator(base.discriminator, DiscriminatorFile(halved(discriminator)))
    state = {PREFIX + name: tensor for name, tensor in read_resume(states["T"]).model.items()}
    write_gpt(base.gpt, export_gpt(state, start_gpt.config, INFO))
    heads = base.generator.parent / HEADS
    encoder = read_resume(files.work / "content" / f"E_{LATEST}.pth").model
    with written_whole(heads) as temporary:
        own = {name.removeprefix("heads."): tensor for name, tensor in encoder.items() if name.startswith("heads.")}
        safetensors.torch.save_file(halved(own), temporary)
    written = [base.generator, base.discriminator, base.gpt, heads, *sorted(content.iterdir())]
    written += _ship_reference(files, project, speaker)
    size = sum(path.stat().st_size for path in written)
    if size > LARGEST:
        raise InputError(f"The set has {size / 1e6:.1f} MB and may have {LARGEST / 1e6:.0f}; make a part narrower.")
    return written


def _ship_reference(files: TinyFiles, project: Project, speaker: str) -> list[Path]:
    """A clip as a small sound file, and what describes it; the weights leave room for no more."""
    lines = [line for line in read_list(files.corpus.held) if line.speaker == speaker]
    clip, text = advised([(files.corpus.wavs / line.audio, line.text) for line in lines], speaker)
    base = project.base_of(VERSION, MODULE)
    assert base.reference is not None
    audio = base.reference.with_suffix(".ogg")
    with written_whole(audio) as temporary:
        soundfile.write(
            temporary, load(clip, HUBERT_RATE), HUBERT_RATE, format="OGG", subtype="VORBIS", compression_level=0.8
        )
    describe(project, audio, text)
    return [audio, base.reference]


def describe(project: Project, audio: Path, text: str) -> None:
    """Writes what is said in the set's reference, and what the set hears in it."""
    base = project.base_of(VERSION, MODULE)
    assert base.reference is not None
    engine = Engine.load(base.gpt, base.generator, project=project, device="cpu")
    tokens = engine.voice(audio, text, "en").prompt.tolist()
    told = {
        "audio": audio.name,
        "text": text,
        "language": "en",
        "heard": {"weights": engine.weights_id, "tokens": tokens},
    }
    with written_whole(base.reference) as temporary:
        temporary.write_text(json.dumps(told) + "\n", encoding="utf-8")
