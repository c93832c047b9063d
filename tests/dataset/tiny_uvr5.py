"""Writes small separation models with random weights, in the true formats, into the folder that it is given.

It runs under the interpreter of the environment `uvr5`, whose library knows the networks.
"""

import importlib.util
import json
import sys
import types
from pathlib import Path

import torch

PARTS = {"instruments": ["vocals", "other"], "target_instrument": "vocals"}
ROFORMER = {
    "dim": 16,
    "depth": 1,
    "stereo": True,
    "num_stems": 1,
    "time_transformer_depth": 1,
    "freq_transformer_depth": 1,
    "dim_head": 8,
    "heads": 2,
    "attn_dropout": 0.1,
    "ff_dropout": 0.1,
    "flash_attn": True,
    "dim_freqs_in": 1025,
    "stft_n_fft": 2048,
    "stft_hop_length": 441,
    "stft_win_length": 2048,
    "stft_normalized": False,
    "mask_estimator_depth": 2,
    "multi_stft_resolutions_window_sizes": (4096, 2048, 1024, 512, 256),
}
BANDS = (2,) * 24 + (4,) * 12 + (12,) * 8 + (24,) * 8 + (48,) * 8 + (128, 129)


def main(folder: Path) -> None:
    found = importlib.util.find_spec("audio_separator")
    assert found and found.origin
    package = types.ModuleType("audio_separator.separator")
    package.__path__ = [str(Path(found.origin).parent / "separator")]
    sys.modules[package.__name__] = package
    from audio_separator.separator.uvr_lib_v5.roformer.bs_roformer import BSRoformer
    from audio_separator.separator.uvr_lib_v5.roformer.mel_band_roformer import MelBandRoformer
    from audio_separator.separator.uvr_lib_v5.vr_network import nets, nets_new

    torch.manual_seed(1)
    # The older VR networks have one width that is small, at 32 MB; in half precision, as official ones are.
    narrow = nets.determine_model_capacity(672 * 2, 31191).half().state_dict()
    torch.save(narrow, folder / "HP5_only_main_vocal.pth", _use_new_zipfile_serialization=False)
    torch.save(nets_new.CascadedNet(672 * 2, 0, nout=8, nout_lstm=8).state_dict(), folder / "VR-DeEchoNormal.pth")
    bs = {**ROFORMER, "linear_transformer_depth": 0, "freqs_per_bands": BANDS}
    mel = {**ROFORMER, "num_bands": 60, "sample_rate": 44100}
    torch.save(BSRoformer(**bs).state_dict(), folder / "bs_roformer.ckpt")
    torch.save({"state_dict": MelBandRoformer(**mel).state_dict()}, folder / "mel_band_roformer.ckpt")
    _write_yaml(folder / "bs_roformer.yaml", bs, {"dim_t": 201, "num_overlap": 2})
    _write_yaml(folder / "mel_band_roformer.yaml", mel, {"num_overlap": 2})


def _write_yaml(path: Path, model: dict, inference: dict) -> None:
    """As the public files are: JSON is YAML too, but for the tuples, which they mark as Python's."""
    lines = [f"  {name}: {json.dumps(value)}" for name, value in model.items() if not isinstance(value, tuple)]
    for name, value in model.items():
        if isinstance(value, tuple):
            lines += [f"  {name}: !!python/tuple", *(f"  - {item}" for item in value)]
    text = "\n".join(["audio:", "  chunk_size: 88200", "  sample_rate: 44100", "model:", *lines])
    path.write_text(f"{text}\ntraining: {json.dumps(PARTS)}\ninference: {json.dumps(inference)}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
