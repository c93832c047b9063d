"""The one-endpoint API: GET and POST / with a default reference, and wav as it is spoken."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from gsv.errors import InputError
from gsv.servers.answers import Output, Sound, SpokenAnswer
from gsv.servers.bridge import Stopped
from gsv.servers.configurations import Configuration, Engines
from gsv.servers.interface import Service, either_way, interface
from gsv.servers.speaking import References, Words, language_known, speak
from gsv.synthesis.engine import SpeechOptions
from gsv.synthesis.reference import Reference

NAME = "api2"
LANGUAGES = ("zh", "ja", "en")
_NO_REFERENCE = "未指定参考音频且接口无预设"


class SpeakRequest(BaseModel):
    """A text, and perhaps the reference whose voice says it."""

    text: str | None = Field(None, description="What to say.")
    text_language: str | None = Field(None, description="zh, ja or en, each with English mixed in.")
    refer_wav_path: str | None = Field(None, description="Recording of the voice; the default reference's.")
    prompt_text: str | None = Field(None, description="What is said in the recording.")
    prompt_language: str | None = Field(None, description="Language of the recording: zh, ja or en.")


@dataclass(frozen=True)
class Setup:
    """What the server was started with: weights, splitting, and the reference of requests that give none."""

    configuration: Configuration
    reference: Reference | None = None
    split: str = "cut5"


def build(service: Service, setup: Setup) -> FastAPI:
    app = interface("GPT-SoVITS api2", service, lambda status, message: {"code": status, "message": message})
    engines = Engines(setup.configuration, service.pool)
    references = References()

    def answer(given: SpeakRequest, request: Request) -> Response:
        """Says a text."""
        text = service.limits.check_text(given.text or "", "text")
        language = language_known(given.text_language or "", "text_language", LANGUAGES)
        whole = given.refer_wav_path and given.prompt_text and given.prompt_language
        if not whole and setup.reference is None:
            raise InputError(_NO_REFERENCE)
        prompt_language = language_known(given.prompt_language or "", "prompt_language", LANGUAGES) if whole else ""
        words = Words(text, language, SpeechOptions(split=setup.split))

        def reference() -> Reference:
            if whole:
                assert given.refer_wav_path and given.prompt_text
                audio = service.files.recording(given.refer_wav_path, "refer_wav_path")
                transcript = service.limits.check_text(given.prompt_text, "prompt_text")
                return Reference(audio, transcript, prompt_language)
            assert setup.reference is not None
            return setup.reference

        def spoken(stopped: Stopped) -> Iterator[Sound]:
            chosen = reference()
            engine = engines.engine(setup.configuration)
            yield from speak(engine, references.voice(engine, chosen), words, stopped)

        return SpokenAnswer(service, NAME, spoken, Output("wav", live=True))

    either_way(app, "/", SpeakRequest, answer)
    return app
