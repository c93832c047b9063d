"""The pretrained encoders that look at sound and text: HuBERT, RoBERTa, and the speaker encoder.

HuBERT (arXiv 2106.07447) and RoBERTa (BERT's network) come from `transformers`, as folders in its layout: `config.json`
with `model.safetensors` or `pytorch_model.bin`. All widths are read from the folder. The library is imported when a
network is loaded: that takes as long as all other imports together, and those who speak in a known voice need none.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from gsv.checkpoints import missing_weights, read_tensors
from gsv.errors import AudioError, CheckpointError, TextError
from gsv.models.speaker import SpeakerConfig, SpeakerEncoder

if TYPE_CHECKING:
    from transformers import BertModel, HubertModel

# Samples a second that HuBERT listens to.
HUBERT_RATE = 16000
# The text feature is the output of this many layers before the last; those behind it need not run.
_LAYERS_LEFT_OUT = 2


class ContentEncoder(nn.Module):
    """HuBERT: what is said in a 16 kHz wave, 50 times a second."""

    def __init__(self, network: "HubertModel") -> None:
        super().__init__()
        self.network = network

    @classmethod
    def load(cls, folder: Path) -> "ContentEncoder":
        """From a folder, in single precision on the CPU.

        Raises MissingWeightsError, UnsafeCheckpointError or CheckpointError.
        """
        from transformers import HubertConfig, HubertModel

        return cls(_network(HubertModel, HubertConfig, folder)).eval()

    @property
    def width(self) -> int:
        """Values per frame; 768 in the official encoder."""
        return int(self.network.config.hidden_size)

    @property
    def shortest(self) -> int:
        """Samples that one frame is made of; 400 in the official encoder."""
        samples = 1
        config = self.network.config
        for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
            samples = (samples - 1) * stride + kernel
        return samples

    def forward(self, wave: Tensor) -> Tensor:
        """wave [B, T] at 16 kHz, as it is: the usual normalisation is left out -> [B, width, frames].

        Raises AudioError for a wave that is shorter than one frame.
        """
        if wave.shape[-1] < self.shortest:
            raise AudioError(f"The sound has {wave.shape[-1]} samples at 16 kHz; at least {self.shortest} are needed.")
        return self.network(wave).last_hidden_state.transpose(1, 2)

    def layers(self, wave: Tensor) -> list[Tensor]:
        """As `forward`, what each layer gives, from the first to the last: [B, frames, width]."""
        return list(self.network(wave, output_hidden_states=True).hidden_states[1:])


class TextEncoder(nn.Module):
    """RoBERTa: a vector for each character of a text, repeated for the character's phonemes."""

    def __init__(self, network: "BertModel", tokenizer: Any) -> None:
        super().__init__()
        self.network = network
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path) -> "TextEncoder":
        """From a folder, in single precision on the CPU, without the layers whose output is not used.

        Raises MissingWeightsError, UnsafeCheckpointError or CheckpointError.
        """
        from transformers import AutoTokenizer, BertConfig, BertModel

        network = _network(BertModel, BertConfig, folder, leave_out=_LAYERS_LEFT_OUT, add_pooling_layer=False)
        # Looked for here because `transformers` makes an empty tokenizer of a folder that has none.
        if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
            raise CheckpointError(f"{folder} has neither tokenizer.json nor vocab.txt; get the folder again.")
        return cls(network, AutoTokenizer.from_pretrained(folder, local_files_only=True)).eval()

    @property
    def width(self) -> int:
        """Values per phoneme; 1024 in the official encoder."""
        return int(self.network.config.hidden_size)

    @torch.no_grad()
    def features(self, norm_text: str, word2ph: Sequence[int]) -> Tensor:
        """Features [width, phonemes] of a text whose i-th character is spoken with `word2ph[i]` phonemes.

        Raises TextError if the text is too long for the encoder or the two do not fit together.
        """
        if len(word2ph) != len(norm_text):
            raise TextError(f"The text has {len(norm_text)} characters, but {len(word2ph)} phoneme counts are given.")
        longest = int(self.network.config.max_position_embeddings) - 2
        if len(norm_text) > longest:
            raise TextError(f"A text of {len(norm_text)} characters is too long; cut it to {longest} or fewer.")
        tokenizer, device = self.tokenizer, self.network.device
        # Characters are looked up one by one, so that there is a row for each, whatever the text.
        inner = tokenizer.convert_tokens_to_ids(list(norm_text.lower()))
        ids = torch.tensor([[tokenizer.cls_token_id, *inner, tokenizer.sep_token_id]], device=device)
        rows = self.network(ids).last_hidden_state[0, 1:-1]
        return rows.repeat_interleave(torch.tensor(word2ph, device=device), dim=0).T


def load_speaker_encoder(path: Path) -> SpeakerEncoder:
    """The ERes2NetV2 of the Pro versions, from its official file, in single precision on the CPU, ready to use.

    Raises MissingWeightsError, UnsafeCheckpointError or CheckpointError.
    """
    weight = read_tensors(path)
    try:
        encoder = SpeakerEncoder(SpeakerConfig.from_weights(weight))
        encoder.load_state_dict(weight)
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not hold the ERes2NetV2 speaker encoder; get the official file.") from error
    return encoder.eval()


def _network(cls: Any, config_class: Any, folder: Path, leave_out: int = 0, **options: Any) -> Any:
    """A network of `transformers` from a folder, without its last `leave_out` layers."""
    if not folder.is_dir():
        raise missing_weights(folder)
    try:
        config = config_class.from_json_file(folder / "config.json")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder} has no usable config.json; get the folder again.") from error
    config.num_hidden_layers -= leave_out
    state = _state(folder)
    try:
        with _quiet():
            network, report = cls.from_pretrained(
                None, config=config, state_dict=state, output_loading_info=True, **options
            )
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"The weights in {folder} do not fit its config.json; get the folder again.") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(f"The weights in {folder} lack {len(missing)} tensors, {missing[0]} for one.")
    return network.float()


def _state(folder: Path) -> dict[str, Tensor]:
    safe = folder / "model.safetensors"
    if not safe.is_file():
        return read_tensors(folder / "pytorch_model.bin")
    try:
        return safetensors.torch.load_file(safe)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{safe} is damaged or is not a weight file; get or copy it again.") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps `transformers` from reporting the unused layers and drawing a progress bar of its own."""
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
