"""Puts the methods of the API on the network under the names that scripts call."""

from gsv.webui.api import Api
from gsv.webui.meanings import MEANINGS, RETURNS
from gsv.webui.publishing import publish

NAMES = (
    *("change_lang_choices", "change_size_choices", "change_precision_choices"),
    *("open_asr", "close_asr", "open_slice", "close_slice", "open_denoise", "close_denoise"),
    *("change_label", "change_uvr5", "open1a", "close1a", "open1b", "close1b", "open1c", "close1c"),
    *("open1abc", "close1abc", "open1Ba", "close1Ba", "open1Bb", "close1Bb"),
    *("change_choices", "change_tts_inference", "sync", "switch_version"),
)
# Scripts know these by a second name too.
TWINS = ("change_label", "change_uvr5", "change_tts_inference")


def publish_all(api: Api) -> None:
    """Makes the endpoints, in the Blocks that are being built; each can be called any number of times at once."""
    for name in NAMES:
        for public in (name, f"{name}_1") if name in TWINS else (name,):
            publish(api.home.words, public, getattr(api, name), MEANINGS, RETURNS.get(name, ("status",)))
