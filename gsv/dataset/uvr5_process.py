"""The separation process: networks of the UVR5 family on long recordings.

It runs under the interpreter of the environment `uvr5` and is started as a file, so it imports nothing of gsv. Each
line on stdin is a request and each line on stdout an event, as JSON. The first request names the network:

    {"family": "vr" | "mdx" | "roformer", "path": FILE, "settings": {...}, "device": "cpu" | "cuda:0", "threads": 2}

and every further one a recording, 44.1 kHz stereo, and the files to write (RF64, float32, as long as the recording):

    {"mix": FILE, "target": FILE, "rest": FILE}

Each is answered by any number of {"fraction": 0.5}, then by {"done": true} or {"failed": REASON}. The request {} asks
whether the process works at all. When its input ends, the process does.

`target` is what the network was made to find and `rest` is the other part.
"""

import importlib.util
import json
import logging
import os
import signal
import sys
import threading
import types
import warnings
from pathlib import Path
from queue import SimpleQueue
from typing import Any

_REQUESTS: SimpleQueue[str] = SimpleQueue()


def _read_requests() -> None:
    for line in sys.stdin:
        _REQUESTS.put(line)
    # Nobody waits for this process any more, whatever it is doing.
    os._exit(0)


# Before the slow imports: a parent that is gone by then is noticed too.
threading.Thread(target=_read_requests, daemon=True).start()
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer; this process ends with its input.
# Otherwise onnxruntime reports its use to its makers.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# What libraries print must not come between the events.
_EVENTS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
warnings.filterwarnings("ignore")

# Not a package for this interpreter; last, so that the names beside this file hide no library.
sys.path.append(str(Path(__file__).parent))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from stretches import RATE, Separator, separate_file  # noqa: E402

# The VR networks of 5.1 are told from the older ones by their size in this library; any but 218409 takes given widths.
VR_51 = 56817


def main() -> None:
    _import_networks()
    _forbid_the_outside()
    network: Separator | None = None
    while True:
        request = json.loads(_REQUESTS.get())
        try:
            if "family" in request:
                network = _network(request)
            elif network and "mix" in request:
                separate_file(
                    network,
                    request["mix"],
                    request["target"],
                    request["rest"],
                    lambda fraction: _tell(fraction=fraction),
                )
        except Exception as error:  # Whatever a library raises is the failure of this request alone.
            _tell(failed=_sentence(error))
        else:
            _tell(done=True)


def _tell(**event: Any) -> None:
    _EVENTS.write(json.dumps(event) + "\n")
    _EVENTS.flush()


def _import_networks() -> None:
    """Imports the library's network classes past its front door, which fetches lists of models from the internet.

    onnx and onnx2torch (which brings torchvision) are imported by it and called only for networks run at another length
    than they were made for, which never happens here; a bare module stands in for each.
    """
    load = torch.load

    def load_weights(*arguments: Any, **options: Any) -> Any:
        return load(*arguments, **{**options, "weights_only": True})

    torch.load = load_weights
    logging.getLogger().setLevel(logging.ERROR)
    found = importlib.util.find_spec("audio_separator")
    assert found and found.origin
    package = types.ModuleType("audio_separator.separator")
    package.__path__ = [str(Path(found.origin).parent / "separator")]
    sys.modules[package.__name__] = package
    for name in ("onnx", "onnx2torch"):
        sys.modules[name] = types.ModuleType(name)
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # For Windows, where the variable above means nothing.
    from audio_separator.separator.architectures import mdx_separator, mdxc_separator, vr_separator  # noqa: F401
    from audio_separator.separator.uvr_lib_v5.roformer import bs_roformer, mel_band_roformer  # noqa: F401


def _forbid_the_outside() -> None:
    """From here on this process opens no connection and starts no program, whatever a file or a library may want."""
    forbidden = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if event in forbidden:
            raise PermissionError(f"{event} is not for the separation process")

    sys.addaudithook(refuse)


def _network(request: dict[str, Any]) -> Separator:
    torch.set_num_threads(request["threads"])
    torch.set_grad_enabled(False)
    families = {"vr": _vr, "mdx": _mdx, "roformer": _roformer}
    return families[request["family"]](request["path"], request["settings"], torch.device(request["device"]))


def _common(path: str, settings: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {
        "logger": logging.getLogger("uvr5"),
        "log_level": logging.ERROR,
        "torch_device": device,
        "torch_device_cpu": torch.device("cpu"),
        "torch_device_mps": device if device.type == "mps" else None,
        "onnx_execution_provider": ["CPUExecutionProvider"],
        "model_name": Path(path).stem,
        "model_path": path,
        "model_data": settings,
        "normalization_threshold": 1.0,
        "amplification_threshold": 0.0,
        "sample_rate": RATE,
    }


def _vr(path: str, settings: dict[str, Any], device: torch.device) -> Separator:
    """A network that gives a mask over the magnitudes of both channels. `size` chooses its layout."""
    from audio_separator.separator.architectures.vr_separator import VRSeparator

    # As in GPT-SoVITS, the mask is raised to 1 + aggression / 100, whichever part it is of, but not in networks of 5.1.
    # The library doubles what it is given, and does something else for stems that it knows as voices.
    settings = {**settings, "primary_stem": "target"}
    separator = VRSeparator(_common(path, settings, device), {"high_end_process": True})
    separator.aggressiveness["value"] = settings["aggression"] / 200 if "size" in settings else 0
    separator.wav_subtype = "FLOAT"
    separator._ensure_model_loaded(settings.get("size", VR_51))

    def run(mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        separator.audio_file_path = mix.T
        spectra = separator.inference_vr(separator.loading_mix(), device, separator.aggressiveness)
        target, rest = (separator.spec_to_wav(spectrum) for spectrum in spectra)
        if separator.model_samplerate != RATE:
            import librosa

            target, rest = (
                librosa.resample(wave, orig_sr=separator.model_samplerate, target_sr=RATE) for wave in (target, rest)
            )
        return target, rest

    return run


def _mdx(path: str, settings: dict[str, Any], device: torch.device) -> Separator:
    """An ONNX network that maps a spectrum to the target's. It always runs on the CPU."""
    import onnxruntime
    from audio_separator.separator.architectures.mdx_separator import MDXSeparator

    frames = 2 ** settings["mdx_dim_t_set"]
    wanted = [4, settings["mdx_dim_f_set"], frames]
    shape = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_inputs()[0].shape
    if len(shape) != 4 or any(isinstance(n, int) and n != m for n, m in zip(shape[1:], wanted, strict=True)):
        raise ValueError(f"the network takes {shape[1:]} and its settings say {wanted}")
    options = {
        "segment_size": frames,
        "hop_length": 1024,
        "overlap": 0.25,
        "batch_size": 1,
        "enable_denoise": settings.get("denoise", False),
    }
    separator = MDXSeparator(_common(path, settings, torch.device("cpu")), options)

    def run(mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        target = separator.demix(mix)
        return target, mix - target * settings["compensate"]

    return run


def _roformer(path: str, settings: dict[str, Any], device: torch.device) -> Separator:
    """A transformer over frequency bands. `stem` is the one of its instruments that is the target."""
    from audio_separator.separator.architectures.mdxc_separator import MDXCSeparator

    model = {name: tuple(value) if isinstance(value, list) else value for name, value in settings["model"].items()}
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    try:
        separator = MDXCSeparator(_common(path, {**settings, "model": model}, device), {})
    except SystemExit:  # How the library ends when weights and settings do not fit.
        raise ValueError(errors.first) from None
    finally:
        logging.getLogger().removeHandler(errors)

    def run(mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = separator.demix(mix)
        if isinstance(found, dict):
            only = settings["training"].get("target_instrument")
            found = found[separator.primary_stem_name if only else settings["stem"]]
        return found, mix - found

    return run


class _Errors(logging.Handler):
    """Keeps what the library logs about its failure and then does not raise."""

    first = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


def _sentence(error: Exception) -> str:
    """The first line or two of what a library says, which can be pages."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= 300 else f"{words[:300]} ..."


if __name__ == "__main__":
    main()
