"""Tokens into sound by flow matching: chunk by chunk, each going on from what was before it."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gsv.audio.io import resample
from gsv.audio.spectral import Stft, flow_scaled, flow_unscaled, log_mel
from gsv.checkpoints import missing_weights, read_content, read_tensors
from gsv.errors import CheckpointError, MissingWeightsError
from gsv.models.bandwidth import BandwidthExtension
from gsv.models.flow_sovits import FlowSovits
from gsv.models.mel_vocoders import MelVocoder, vocoder_of
from gsv.paths import Project
from gsv.synthesis.sound import samples
from gsv.versions import SUPER_SAMPLED_RATE, VERSIONS, FlowFacts


def prompt_mel(wave: Tensor, facts: FlowFacts) -> Tensor:
    """The spectrogram [1, bands, T] of a reference [samples] at the version's rate, scaled for the flow matcher."""
    stft = Stft(facts.sampling_rate, facts.n_fft, facts.hop, facts.n_fft, facts.bands)
    return flow_scaled(log_mel(wave[None], stft))


def mel_rates() -> dict[str, FlowFacts]:
    """The versions that hear a reference's spectrogram, and how they make it."""
    return {version.name: version.flow for version in VERSIONS.values() if version.flow is not None}


def load_vocoder(project: Project, facts: FlowFacts) -> MelVocoder:
    """The version's vocoder, in single precision on the CPU, ready to use.

    Raises MissingWeightsError, UnsafeCheckpointError or CheckpointError.
    """
    path = project.pretrained / facts.vocoder
    if facts.vocoder_config is None:
        config, weights = {}, read_tensors(path)
    else:
        described = project.pretrained / facts.vocoder_config
        if not described.is_file():
            raise missing_weights(described)
        config, weights = _json(described), _generator(path)
    try:
        return vocoder_of(facts.vocoder_kind, config, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def load_super_sampler(project: Project, name: str) -> BandwidthExtension:
    """The network that doubles a version's sampling rate, in single precision on the CPU, ready to use.

    Raises as `load_vocoder`.
    """
    path = project.pretrained / name
    described = path.with_name("config.json")
    if not path.is_file() or not described.is_file():
        raise MissingWeightsError(
            f"Super-sampling needs the files {path.name} and config.json of AP-BWE in the folder {path.parent}; get "
            "them as https://github.com/yxlu-0102/AP-BWE says, or leave super-sampling off."
        )
    config = _json(described)
    try:
        made = BandwidthExtension.from_weights(config, _generator(path))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    if made.config.hr_sampling_rate != SUPER_SAMPLED_RATE:
        raise CheckpointError(f"{path} is not for {SUPER_SAMPLED_RATE} Hz; get the one from 24 to 48 kHz.")
    return made


def super_sampled(network: BandwidthExtension, wave: np.ndarray, sampling_rate: int) -> np.ndarray:
    """[samples] at the version's rate -> [samples] at `SUPER_SAMPLED_RATE`, within [-1, 1], both float32."""
    wider = torch.from_numpy(resample(wave, sampling_rate, SUPER_SAMPLED_RATE)).float()
    made = network(wider[None].to(network.conv_pre_mag.weight.device))[0].cpu().numpy()
    return made / max(1.0, float(np.abs(made).max()))


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is not a JSON object; get the official file.") from error


def _generator(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that has them under `generator`."""
    weights = read_content(path).get("generator")
    if not isinstance(weights, dict):
        raise CheckpointError(f"{path} has no `generator`; get the official file.")
    return weights


@dataclass(frozen=True)
class FlowPrompt:
    """What is gone on from: a reference's tokens [Y], its phonemes [L], timbre [1, G, 1] and mel [1, bands, P]."""

    codes: Tensor
    phones: Tensor
    timbre: Tensor
    mel: Tensor


@dataclass(frozen=True)
class FlowSpeaker:
    """What a piece's sound depends on beside its tokens.

    Args:
        text: [L] of ids.
        steps, guidance: see `FlowMatching.sampling`.
        generator: of the noise.
        turn: what each computation is done within; it may raise to end the whole.
    """

    sovits: FlowSovits
    vocoder: MelVocoder
    prompt: FlowPrompt
    text: Tensor
    speed: float
    steps: int
    guidance: float
    generator: torch.Generator
    turn: Callable[[], AbstractContextManager[None]]

    def whole(self, codes: Tensor) -> np.ndarray:
        """All of a piece, [samples] of float32, from its tokens [N]."""
        prompt, facts = self.prompt, self.sovits.settings.facts
        with self.turn():
            told = self.sovits.condition(prompt.codes[None], prompt.phones[None], prompt.timbre)
            wanted = self.sovits.condition(codes[None], self.text[None], prompt.timbre, self.speed)
        # The reference's sound and its tokens are not of exactly the same length; what both have goes together.
        both = min(prompt.mel.shape[-1], told.shape[-1])
        mel, told = (one[..., :both][..., -facts.prompt_frames :] for one in (prompt.mel.to(told), told))
        # All chunks are of one length, whatever is gone on from.
        size, most = facts.chunk_frames - mel.shape[-1], mel.shape[-1]
        made = []
        for part in wanted.split(size, dim=-1):
            mel = self._sampled(torch.cat([told, part], dim=-1), mel)
            made.append(mel)
            mel, told = mel[..., -most:].to(told), part[..., -most:]
        with self.turn():
            return samples(self.vocoder(flow_unscaled(torch.cat(made, dim=-1)).to(wanted)))

    def _sampled(self, mu: Tensor, prompt: Tensor) -> Tensor:
        """The frames after the prompt, [1, bands, T]; mu [1, width, P + T], prompt [1, bands, P]."""
        # Drawn on the generator's device, so that a seed means the same on every machine.
        shape = 1, prompt.shape[1], mu.shape[-1]
        noise = torch.randn(shape, generator=self.generator, device=self.generator.device).to(mu.device)
        sampling = self.sovits.cfm.sampling(mu, prompt, noise, self.steps, self.guidance)
        for _ in range(self.steps):
            # One by one, so that others get their turn between them.
            with self.turn():
                state = next(sampling)
        return state[..., prompt.shape[-1] :]
