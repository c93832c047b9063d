"""What differs between the model versions, in one table. Nothing else in gsv asks which version it is dealing with.

Source of the facts: the official checkpoints' layouts and the hyper-parameters they were trained with.
"""

from dataclasses import dataclass
from typing import Literal

from gsv.errors import InputError

SymbolTableName = Literal["v1", "v2"]

# What several versions share, relative to `pretrained_models/`.
HUBERT = "chinese-hubert-base"
ROBERTA = "chinese-roberta-wwm-ext-large"
SPEAKER_ENCODER = "sv/pretrained_eres2netv2w24s4ep4.ckpt"


@dataclass(frozen=True)
class BaseWeights:
    """Paths of a version's base models, relative to `pretrained_models/`."""

    generator: str
    discriminator: str
    gpt: str


@dataclass(frozen=True)
class Version:
    """One family member: its symbol table, its files, and what it can do."""

    name: str
    symbols: SymbolTableName
    sovits_symbols: int
    gpt_symbols: int
    languages: tuple[str, ...]
    base: BaseWeights
    # Two digits that mark an exported file in place of the archive's "PK". Those of v1 and v2 are reserved, but
    # exporters never write them.
    header: bytes
    header_is_written: bool = False
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
    # The demo voice in the repository, which takes the place of base models that are not there.
    bundled: BaseWeights | None = None

    @property
    def uses_speaker_vector(self) -> bool:
        return self.speaker_dim is not None

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
)

VERSIONS: dict[str, Version] = {version.name: version for version in _TABLE}

# Versions that exist in the field and are told apart when a file is read, but that gsv cannot run yet.
KNOWN_BUT_NOT_BUILT = ("v3", "v4")


def version_named(name: str) -> Version:
    """The table's row of that name; InputError names the versions there are."""
    if name in VERSIONS:
        return VERSIONS[name]
    known = ", ".join(VERSIONS)
    if name in KNOWN_BUT_NOT_BUILT:
        raise InputError(f"Version {name} is not built yet; choose one of {known}.")
    raise InputError(f"There is no version {name!r}; choose one of {known}.")
