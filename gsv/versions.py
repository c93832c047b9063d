"""What differs between the model versions, in one table. Nothing else in gsv asks which version it is dealing with.

Source of the facts: the official checkpoints' layouts and the hyper-parameters they were trained with.
"""

from dataclasses import dataclass
from typing import Literal

from gsv.errors import InputError

SymbolTableName = Literal["v1", "v2"]
VocoderKind = Literal["bigvgan", "hifi"]

# What several versions share, relative to `pretrained_models/`.
HUBERT = "chinese-hubert-base"
ROBERTA = "chinese-roberta-wwm-ext-large"
SPEAKER_ENCODER = "sv/pretrained_eres2netv2w24s4ep4.ckpt"

SUPER_SAMPLED_RATE = 48000


@dataclass(frozen=True)
class BaseWeights:
    """Paths of a version's base models, relative to `pretrained_models/`. Flow matching knows no discriminator."""

    generator: str
    discriminator: str | None
    gpt: str


@dataclass(frozen=True)
class FlowFacts:
    """What a version that speaks by flow matching does in Mel frames.

    Args:
        sampling_rate, n_fft, hop, bands: of the Mel spectrogram; windows are as long as `n_fft`.
        frames_per_hidden: how many frames a hidden frame, of which there are 50 a second, is stretched to.
        frames_at_most: how many frames a token makes before what is more is blank.
        prompt_frames: how much of a reference's end is heard before each chunk, at most.
        chunk_frames: a chunk, its prompt included.
        samples_per_frame: of what the vocoder makes.
        vocoder_kind: which network it is.
        vocoder, vocoder_config: its files, relative to `pretrained_models/`; one without a configuration has the
            official widths.
        sample_steps: unless somebody says otherwise.
    """

    sampling_rate: int
    n_fft: int
    hop: int
    frames_per_hidden: float
    frames_at_most: float
    prompt_frames: int
    chunk_frames: int
    samples_per_frame: int
    vocoder_kind: VocoderKind
    vocoder: str
    vocoder_config: str | None = None
    bands: int = 100
    sample_steps: int = 32


@dataclass(frozen=True)
class FineTuning:
    """What training SoVITS begins with unless somebody says otherwise.

    Args:
        epochs, save_every: official programs' own.
        gib_a_clip: memory that each clip of a batch may take.
    """

    epochs: int = 8
    save_every: int = 4
    gib_a_clip: int = 2


# Flow matching learns a voice in fewer epochs, and draws all of a clip where a GAN makes a slice of it.
_FLOW_TUNING = FineTuning(epochs=2, save_every=1, gib_a_clip=8)


@dataclass(frozen=True)
class Version:
    """One family member: its symbol table, its files, and what it can do."""

    name: str
    symbols: SymbolTableName
    sovits_symbols: int
    gpt_symbols: int
    languages: tuple[str, ...]
    base: BaseWeights
    # Two digits that mark an exported file in place of the archive's "PK". Those of v1, v2 and v3 are reserved, but
    # exporters never write them; v4 has none.
    header: bytes | None
    header_is_written: bool = False
    # The same for files that hold a LoRA to be put on the version's base model.
    lora_header: bytes | None = None
    # MD5 of the first 8192 bytes of the official base model, where nothing inside a file tells the version.
    base_md5: str | None = None
    # Official hyper-parameters, in `configs/`.
    sovits_config: str = "s2.json"
    gpt_config: str = "s1longer-v2.yaml"
    # Rows of the spectrogram that the style encoder is given.
    reference_bins: int = 704
    # Width of the speaker encoder's vector; None: the version takes none.
    speaker_dim: int | None = None
    discriminator_periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    sampling_rate: int = 32000
    folder_suffix: str = ""
    fine_tuning: FineTuning = FineTuning()
    # None: the version makes waves straight from tokens.
    flow: FlowFacts | None = None
    # Why the version cannot do these, in a sentence for whoever asks; empty where it can.
    no_reference_free: str = ""
    no_auxiliary: str = ""
    no_streaming: str = ""
    # The network that makes `SUPER_SAMPLED_RATE` of the version's own; None: the version has no use for one.
    super_sampler: str | None = None
    # The demo voice in the repository, which takes the place of base models that are not there.
    bundled: BaseWeights | None = None

    @property
    def uses_speaker_vector(self) -> bool:
        return self.speaker_dim is not None

    @property
    def uses_flow(self) -> bool:
        return self.flow is not None

    @property
    def trains_lora(self) -> bool:
        return self.lora_header is not None

    @property
    def weights(self) -> tuple[str, ...]:
        """The version's own files, relative to `pretrained_models/`."""
        of_flow = (self.flow.vocoder, self.flow.vocoder_config) if self.flow else ()
        named = (self.base.gpt, self.base.generator, self.base.discriminator, *of_flow)
        return tuple(name for name in named if name is not None)

    @property
    def sovits_folder(self) -> str:
        """Folder of finished SoVITS weights, e.g. `SoVITS_weights_v2`."""
        return "SoVITS_weights" + self.folder_suffix

    @property
    def gpt_folder(self) -> str:
        """Folder of finished GPT weights, e.g. `GPT_weights_v2`."""
        return "GPT_weights" + self.folder_suffix


_V1_LANGUAGES = ("auto", "en", "zh", "ja", "all_zh", "all_ja")
_V2_LANGUAGES = (
    "auto",
    "auto_yue",
    "en",
    "zh",
    "ja",
    "yue",
    "ko",
    "all_zh",
    "all_ja",
    "all_yue",
    "all_ko",
)
_SPEAKER_DIM = 20480
_PRO_PERIODS = (2, 3, 5, 7, 11, 17, 23)

_BIGVGAN = "models--nvidia--bigvgan_v2_24khz_100band_256x"
_NO_REFERENCE_FREE = (
    "Versions v3 and v4 go on from the reference's sound and words, so they cannot do without its transcript; "
    "write down what is said in the reference."
)
_NO_AUXILIARY = (
    "Versions v3 and v4 go on from the sound of one reference, so further ones cannot be averaged in; "
    "give one reference, or use v2, v2Pro or v2ProPlus."
)
_NO_STREAMING = (
    "Versions v3 and v4 make the sound of a whole piece of text at once, so there are no chunks within it; "
    "stream by pieces, or use v2, v2Pro or v2ProPlus."
)

_TABLE = (
    Version(
        name="v1",
        symbols="v1",
        sovits_symbols=322,
        gpt_symbols=512,
        languages=_V1_LANGUAGES,
        base=BaseWeights(
            "s2G488k.pth",
            "s2D488k.pth",
            "s1bert25hz-2kh-longer-epoch=68e-step=50232.ckpt",
        ),
        header=b"00",
        gpt_config="s1longer.yaml",
        reference_bins=1025,
    ),
    Version(
        name="v2",
        symbols="v2",
        sovits_symbols=732,
        gpt_symbols=732,
        languages=_V2_LANGUAGES,
        base=BaseWeights(
            "gsv-v2final-pretrained/s2G2333k.pth",
            "gsv-v2final-pretrained/s2D2333k.pth",
            "gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt",
        ),
        header=b"01",
        folder_suffix="_v2",
        bundled=BaseWeights("gsv-tiny/s2G.pth", "gsv-tiny/s2D.pth", "gsv-tiny/s1.ckpt"),
    ),
    Version(
        name="v2Pro",
        symbols="v2",
        sovits_symbols=732,
        gpt_symbols=732,
        languages=_V2_LANGUAGES,
        base=BaseWeights("v2Pro/s2Gv2Pro.pth", "v2Pro/s2Dv2Pro.pth", "s1v3.ckpt"),
        header=b"05",
        header_is_written=True,
        sovits_config="s2v2Pro.json",
        speaker_dim=_SPEAKER_DIM,
        discriminator_periods=_PRO_PERIODS,
        folder_suffix="_v2Pro",
    ),
    Version(
        name="v2ProPlus",
        symbols="v2",
        sovits_symbols=732,
        gpt_symbols=732,
        languages=_V2_LANGUAGES,
        base=BaseWeights("v2Pro/s2Gv2ProPlus.pth", "v2Pro/s2Dv2ProPlus.pth", "s1v3.ckpt"),
        header=b"06",
        header_is_written=True,
        sovits_config="s2v2ProPlus.json",
        speaker_dim=_SPEAKER_DIM,
        discriminator_periods=_PRO_PERIODS,
        folder_suffix="_v2ProPlus",
    ),
    Version(
        name="v3",
        symbols="v2",
        sovits_symbols=732,
        gpt_symbols=732,
        languages=_V2_LANGUAGES,
        base=BaseWeights("s2Gv3.pth", None, "s1v3.ckpt"),
        header=b"02",
        lora_header=b"03",
        base_md5="43797be674a37c1c83ee81081941ed0f",
        sampling_rate=24000,
        folder_suffix="_v3",
        fine_tuning=_FLOW_TUNING,
        flow=FlowFacts(
            sampling_rate=24000,
            n_fft=1024,
            hop=256,
            frames_per_hidden=1.875,
            frames_at_most=3.875,
            prompt_frames=468,
            chunk_frames=934,
            samples_per_frame=256,
            vocoder_kind="bigvgan",
            vocoder=f"{_BIGVGAN}/bigvgan_generator.pt",
            vocoder_config=f"{_BIGVGAN}/config.json",
        ),
        no_reference_free=_NO_REFERENCE_FREE,
        no_auxiliary=_NO_AUXILIARY,
        no_streaming=_NO_STREAMING,
        super_sampler="24kto48k/g_24kto48k.zip",
    ),
    Version(
        name="v4",
        symbols="v2",
        sovits_symbols=732,
        gpt_symbols=732,
        languages=_V2_LANGUAGES,
        base=BaseWeights("gsv-v4-pretrained/s2Gv4.pth", None, "s1v3.ckpt"),
        header=None,
        lora_header=b"04",
        base_md5="4f26b9476d0c5033e04162c486074374",
        sampling_rate=48000,
        folder_suffix="_v4",
        fine_tuning=_FLOW_TUNING,
        flow=FlowFacts(
            sampling_rate=32000,
            n_fft=1280,
            hop=320,
            frames_per_hidden=2.0,
            frames_at_most=4.0,
            prompt_frames=500,
            chunk_frames=1000,
            samples_per_frame=480,
            vocoder_kind="hifi",
            vocoder="gsv-v4-pretrained/vocoder.pth",
        ),
        no_reference_free=_NO_REFERENCE_FREE,
        no_auxiliary=_NO_AUXILIARY,
        no_streaming=_NO_STREAMING,
    ),
)

VERSIONS: dict[str, Version] = {version.name: version for version in _TABLE}


def version_named(name: str) -> Version:
    """The table's row of that name; InputError names the versions there are."""
    if name in VERSIONS:
        return VERSIONS[name]
    known = ", ".join(VERSIONS)
    raise InputError(f"There is no version {name!r}; choose one of {known}.")
