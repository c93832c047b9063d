"""Controls of the speaking page that some versions have no use for: then they are grey and say why."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from gsv.versions import Version
from gsv.webui.words import Words


@dataclass(frozen=True)
class Abilities:
    """What a version can do. Each control serves to build the page, and to change it when other weights are chosen.

    What cannot be asked for any more is not asked for either.
    """

    version: Version
    words: Words

    def ref_free(self) -> gr.Checkbox:
        why_not = self.version.no_reference_free
        return gr.Checkbox(
            label=self.words("inference.ref_free"),
            info=self.words.said(why_not) if why_not else self.words("inference.ref_free_info"),
            interactive=not why_not,
            elem_id="tts_ref_free",
            **_reset(bool(why_not), False),
        )

    def auxiliary(self) -> gr.File:
        return gr.File(
            file_count="multiple",
            file_types=["audio"],
            label=self.words("inference.auxiliary_files"),
            height=140,
            interactive=not self.version.no_auxiliary,
            elem_id="tts_auxiliary",
            **_reset(bool(self.version.no_auxiliary), None),
        )

    def why_no_auxiliary(self) -> gr.Markdown:
        return gr.Markdown(self.words.said(self.version.no_auxiliary))

    def steps(self, **given: Any) -> gr.Slider:
        able = self.version.uses_flow
        return gr.Slider(
            minimum=4,
            maximum=128,
            step=4,
            label=self.words("inference.steps"),
            info=self.words("inference.steps_info" if able else "inference.steps_none"),
            interactive=able,
            elem_id="tts_steps",
            **given,
        )

    def super_sampling(self) -> gr.Checkbox:
        able = self.version.super_sampler is not None
        return gr.Checkbox(
            label=self.words("inference.super_sampling"),
            info=self.words("inference.super_sampling_info" if able else "inference.super_sampling_none"),
            interactive=able,
            elem_id="tts_super_sampling",
            **_reset(not able, False),
        )


def _reset(needed: bool, value: Any) -> dict[str, Any]:
    return {"value": value} if needed else {}
