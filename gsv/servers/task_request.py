"""What a task is asked for: the fields of the task-based interface, and what is to be said of their effect."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gsv.synthesis.engine import SpeechOptions
from gsv.synthesis.manner import EMOTIONS
from gsv.synthesis.sampling import SamplingOptions

SEEDS = 2**32
Real = Annotated[float, Field(allow_inf_nan=False)]


class SpeechRequest(BaseModel):
    """A text, a voice, and the emotion to say it with."""

    # Fields that are none are not ignored without a word.
    model_config = ConfigDict(extra="allow")

    text: str = Field(description="What to say.")
    prompt_audio_id: str | None = Field(
        None, description="Upload with the voice; where it is left out, the recording that the weights bring along."
    )
    emo_control_method: Literal[0, 1, 2, 3] = Field(
        0, description="The manner: 0 of the voice's recording, 1 of another, 2 by numbers, 3 by words."
    )
    emo_audio_id: str | None = Field(None, description="Upload with the manner, for method 1.")
    emo_audio_path: str | None = Field(None, description="Or its path on the server.")
    emo_weight: Real = Field(0.8, ge=0, le=1, description="How much of the emotion.")
    emo_text: str | None = Field(None, max_length=2000, description="The manner in words, for method 3.")
    emo_random: bool = Field(False, description="Of no effect, see the answer's message.")
    emo_vector: Annotated[list[Annotated[Real, Field(ge=0, le=1)]], Field(min_length=8, max_length=8)] | None = Field(
        None, description=f"For method 2: {', '.join(EMOTIONS)}."
    )
    max_text_tokens_per_segment: int = Field(120, ge=20, le=500, description="Length of what is spoken in one go.")
    do_sample: bool = Field(True, description="false: always the likeliest.")
    top_p: Real = Field(0.8, ge=0, le=1)
    top_k: int = Field(30, ge=0, le=100, description="0: from all.")
    temperature: Real = Field(0.8, ge=0.1, le=2)
    length_penalty: Real = Field(0.0, ge=-2, le=2, description="Of no effect, see the answer's message.")
    num_beams: int = Field(3, ge=1, le=10, description="Of no effect, see the answer's message.")
    repetition_penalty: Real = Field(10.0, ge=0.1, le=20)
    max_mel_tokens: int = Field(1500, ge=50, le=3000, description="Of a segment; 25 are a second.")
    # What GPT-SoVITS can use and the original interface has no field for.
    prompt_text: str | None = Field(None, max_length=2000, description="What the voice's recording says.")
    emo_prompt_text: str | None = Field(None, max_length=2000, description="What the emotion's recording says.")
    seed: int = Field(-1, ge=-1, lt=SEEDS, description="Of all random draws; -1 draws one.")

    def effects(self) -> list[str]:
        """What is to be said of fields whose effect is not what the client may think."""
        told = []
        if self.model_extra:
            names = ", ".join(ascii(name)[:40] for name in list(self.model_extra)[:8])
            told.append(f"These are no fields of this interface and have no effect: {names}.")
        if self.emo_random:
            told.append("emo_random has no effect: the nearest emotion reference is always used.")
        if "num_beams" in self.model_fields_set and self.num_beams != 1:
            told.append("num_beams has no effect: one sequence is drawn.")
        if self.length_penalty != 0:
            told.append("length_penalty has no effect, because it belongs to beam search.")
        if "repetition_penalty" in self.model_fields_set:
            told.append(f"repetition_penalty acts as {self.penalty:.2f} on this model, whose natural value is 1.35.")
        method = self.emo_control_method
        unused = {
            "emo_audio_id": 1, "emo_audio_path": 1, "emo_prompt_text": 1, "emo_vector": 2, "emo_text": 3,
        }  # fmt: skip
        given = [name for name, needed in unused.items() if getattr(self, name) is not None and needed != method]
        if method == 0 and "emo_weight" in self.model_fields_set:
            given.append("emo_weight")
        if given:
            told.append(f"{', '.join(given)} has no effect with emo_control_method {method}.")
        return told

    @property
    def penalty(self) -> float:
        """The other model's penalty of 10, its default, is this one's 1.35; both are nothing at 1."""
        return 1 + (self.repetition_penalty - 1) * 0.35 / 9

    @property
    def files(self) -> tuple[str, ...]:
        """The uploads that are needed."""
        emotion = self.emo_audio_id if self.emo_control_method == 1 else None
        return tuple(id for id in (self.prompt_audio_id, emotion) if id is not None)

    def options(self) -> SpeechOptions:
        """How a segment is spoken."""
        likeliest = not self.do_sample or self.top_p == 0
        sampling = SamplingOptions(
            1 if likeliest else self.top_k, 1.0 if likeliest else self.top_p, self.temperature, self.penalty
        )
        return SpeechOptions(sampling, split="cut0", seed=self.seed)
