"""FRCRN, the speech enhancement network of ModelScope's speech_frcrn_ans_cirm_16k, by the code in modelscope.

Only modelscope's network is used, not its pipeline: that would load the weights unsafely, and long files whole.
Source: Zhao et al., FRCRN: Boosting Feature Representation using Frequency Recurrence (2022).
"""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from gsv.audio.io import Samples
from gsv.checkpoints import read_network
from gsv.errors import CheckpointError, MissingLibraryError
from gsv.paths import Project

RATE = 16000
NAME = "speech_frcrn_ans_cirm_16k"

_WEIGHTS = "pytorch_model.bin"
_CONFIG = "configuration.json"
_INSTALL = 'pip install "gsv[frcrn]"'
# The level of speech that the network was trained with.
_SPEECH_LEVEL = 10 ** (-25 / 20)


def find(project: Project) -> Path | None:
    """The folder of the model, or None where it is not there."""
    places = (project.pretrained / "denoise" / NAME, project.root / "tools" / "denoise-model" / NAME)
    return next((place for place in places if (place / _WEIGHTS).is_file()), None)


def problem(project: Project) -> str:
    """Why FRCRN cannot be used, in a sentence with the command that helps; empty if it can."""
    if find(project) is None:
        folder = project.pretrained / "denoise" / NAME
        return (
            f"FRCRN's weights are not in the folder {folder}; with modelscope installed ({_INSTALL}), get them with: "
            f"modelscope download --model iic/{NAME} --local_dir {folder}"
        )
    if find_spec("modelscope") is None:
        return f"FRCRN's weights are there, but the library that runs them is not; install it with: {_INSTALL}"
    return ""


class Frcrn:
    """The network, ready to work on 16 kHz sound."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Raises MissingLibraryError without modelscope, CheckpointError if the files are not what they should be."""
        try:
            from modelscope.models.audio.ans.frcrn import FRCRN
        except ImportError as error:
            raise MissingLibraryError(f"FRCRN needs the library modelscope ({error}); {_INSTALL}") from error
        try:
            settings = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))["model"]
            network = FRCRN(**settings)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{folder / _CONFIG} does not describe an FRCRN network ({error}); get the model's files again."
            ) from error
        _fill(network, folder / _WEIGHTS)
        self.device = device
        self.network = network.eval().to(device)

    @torch.inference_mode()
    def __call__(self, samples: Samples) -> Samples:
        """Mono speech [T, 1] at 16 kHz without noise, of the same shape and level."""
        energy = np.square(samples[:, 0], dtype=np.float64)
        speech = energy[energy > energy.mean()]
        if not len(speech):
            return samples
        louder = _SPEECH_LEVEL / float(np.sqrt(speech.mean()))
        noisy = torch.from_numpy(samples[:, 0] * np.float32(louder))[None].to(self.device)
        *_, wave, _ = self.network(noisy)
        clean = np.zeros_like(samples)
        made = wave[0, : len(samples)].float().cpu().numpy()
        clean[: len(made), 0] = made / np.float32(louder)
        return clean


def _fill(network: torch.nn.Module, path: Path) -> None:
    """Puts the file's weights into the network; CheckpointError if one is missing or has another shape."""
    # A network that was trained on in modelscope is stored with its wrapper's prefix.
    weights = {name.removeprefix("model."): tensor for name, tensor in read_network(path).items()}
    # Each layer has two names, and a file may hold either; the transforms are computed, not trained.
    trained = {id(parameter) for parameter in network.parameters() if parameter.requires_grad}
    found = {id(value) for name, value in network.named_parameters(remove_duplicate=False) if name in weights}
    if trained - found:
        raise CheckpointError(f"{path} lacks {len(trained - found)} of FRCRN's {len(trained)} tensors; get it again.")
    try:
        network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit the network that its {_CONFIG} describes.") from error
