"""The page that speaks: models, a reference, a text, how to say it, and what came of it, piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from gsv.audio.io import load
from gsv.dataset.listing import Line
from gsv.errors import InputError
from gsv.paths import BUNDLED_NOTICE, Placed
from gsv.synthesis.reference import Reference
from gsv.text.split import METHODS
from gsv.webui.abilities import Abilities
from gsv.webui.clips import Clip, clip_of_wave
from gsv.webui.drawn import drawn
from gsv.webui.errors import told
from gsv.webui.home import Home
from gsv.webui.performing import MEANINGS, Performer
from gsv.webui.pictures import draw_speech
from gsv.webui.publishing import publish
from gsv.webui.speaking import Request, Studio, languages_of
from gsv.webui.weights import relative

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# Pieces at once where many are wanted.
_BATCH_SIZE = 20
# For the bundled voice, which knows English alone, in whatever language the page is.
_EXAMPLE = "Hello there! This voice came with the program. Write here what it should say."

Json = dict[str, Any]


@dataclass(frozen=True)
class Take:
    """A piece of text as it was spoken: its clip, and what to say about it."""

    text: str
    clip: Clip
    rate: int
    seed: int
    warning: str

    def as_json(self) -> Json:
        return {"text": self.text, "seed": self.seed, "warning": self.warning, **self.clip.as_json()}


@dataclass(frozen=True)
class Result:
    """What a visitor has on the page: the takes of the last text, and the request that they answer."""

    run: int = 0
    request: Request | None = None
    takes: tuple[Take, ...] = ()

    def shown(self, working: bool, fresh: int | None = None) -> Json:
        """What the table of takes draws; `fresh` is a take that was made anew."""
        return {
            "run": self.run,
            "working": working,
            "fresh": fresh,
            "takes": [take.as_json() for take in self.takes],
        }


def build(
    home: Home,
    alone: bool,
    gpt_path: str = "",
    sovits_path: str = "",
    batched: bool = False,
    roberta: str = "",
    hubert: str = "",
) -> None:
    """Adds the page and its endpoints to the Blocks that are being built.

    `alone` says that it is an app of its own, with all endpoints; in the main app some are there already. `batched`
    fills in what many pieces at once need.
    """
    project = home.project
    if roberta or hubert:
        project = Placed(project.root, Path(roberta) if roberta else None, Path(hubert) if hubert else None)
    studio = Studio(project, Path(gpt_path) if gpt_path else None, Path(sovits_path) if sovits_path else None)
    performer = Performer(home, studio)
    # Before the page, whose events would otherwise take their names.
    for name, returns in _ENDPOINTS.items():
        publish(home.words, name, getattr(performer, name), MEANINGS, returns)
    if alone:
        publish(home.words, "change_choices", performer.change_choices, MEANINGS, ["SoVITS weights", "GPT weights"])
    _Page(home, performer, studio, batched).build(alone)


_ENDPOINTS = {
    "change_gpt_weights": ["what came of it"],
    "change_sovits_weights": [
        "languages for the reference",
        "languages for the text",
        "language of the reference",
        "language of the text",
        "whether sampling steps matter",
        "whether several references can be used",
        "what came of it",
    ],
    "get_tts_wav": ["sound file"],
    "inference": ["sound file", "seed that was used"],
    "stop": ["what came of it"],
    "cut_text": ["pieces"],
    "phones": ["pieces, each with its text and segments"],
    "check_ref": ["what it is like"],
    "references": ["rows: audio file, text, language"],
}


class _Page:
    """The components of the page, and what happens between them."""

    def __init__(self, home: Home, performer: Performer, studio: Studio, batched: bool) -> None:
        self.home = home
        self.words = home.words
        self.performer = performer
        self.studio = studio
        self.batched = batched

    def build(self, alone: bool) -> None:
        words = self.words
        # Who has nothing but what came with the program can speak at once.
        example = self.performer.example() if self.studio.notice else None
        if alone:
            gr.Markdown(f"## {words('inference.title_batched' if self.batched else 'inference.title')}")
        self.notice = gr.Markdown(self._notice(), elem_classes="notice", elem_id="tts_notice")
        self._models()
        with gr.Row():
            with gr.Column(min_width=300):
                self._reference(example)
            with gr.Column(min_width=300):
                self._text(_EXAMPLE if example else "")
                self._options()
        self._result()
        self._wire()

    def _notice(self) -> str:
        notice = self.studio.notice
        return f"**{self.words('inference.bundled')}**" if notice == BUNDLED_NOTICE else notice

    def _models(self) -> None:
        words = self.words
        sovits, gpt = self.performer.change_choices()
        with gr.Row(equal_height=True):
            self.sovits = gr.Dropdown(
                sovits,
                value=self._chosen(self.studio.sovits, sovits),
                label=words("inference.sovits"),
                min_width=240,
                elem_id="tts_sovits",
            )
            self.gpt = gr.Dropdown(
                gpt,
                value=self._chosen(self.studio.gpt, gpt),
                label=words("inference.gpt"),
                min_width=240,
                elem_id="tts_gpt",
            )
            self.refresh = gr.Button(
                words("inference.refresh"), min_width=110, scale=0, elem_id="tts_refresh", elem_classes="gsv-low"
            )
        self.model_status = gr.Markdown("", elem_id="tts_model_status")

    def _chosen(self, path: Path, choices: list[str]) -> str | None:
        """The dropdown's name of the weights; weights from elsewhere are added to it."""
        if not path.is_file():
            return None
        name = relative(self.home.project, path)
        if name not in choices:
            choices.append(name)
        return name

    def _languages(self) -> list[tuple[str, str]]:
        return [(self.words(f"language.{code}"), code) for code in languages_of(self.studio.version)]

    def _reference(self, example: Reference | None) -> None:
        words = self.words
        gr.Markdown(f"### {words('inference.reference_title')}")
        self.reference = gr.Audio(
            str(example.audio) if example else None,
            type="filepath",
            sources=["upload", "microphone"],
            label=words("inference.reference_audio"),
            elem_id="tts_reference",
        )
        self.check = gr.Markdown(self._check(str(example.audio)) if example else "", elem_id="reference_check")
        with gr.Accordion(words("inference.from_list"), open=False):
            self.list_path = gr.Dropdown(
                self._lists(), value=None, allow_custom_value=True, label=words("inference.list_path")
            )
            self.find = gr.Textbox(label=words("inference.find"), max_lines=1)
            self.rows = gr.Dropdown([], label=words("inference.rows"))
            self.lines = gr.State([])
        self.prompt_text = gr.Textbox(
            example.transcript if example else "",
            label=words("inference.prompt_text"),
            info=words("inference.prompt_text_info"),
            lines=2,
        )
        self.prompt_language = gr.Dropdown(
            self._languages(), value=self.performer.page_language, label=words("inference.prompt_language")
        )
        able = self._abilities
        self.ref_free = able.ref_free()
        with gr.Accordion(words("inference.auxiliary"), open=False):
            self.auxiliary = able.auxiliary()
            self.no_auxiliary = able.why_no_auxiliary()

    @property
    def _abilities(self) -> Abilities:
        """Of the version of the chosen weights."""
        return Abilities(self.studio.version or self.studio.base_version, self.words)

    def _lists(self) -> list[str]:
        """List files where the app writes them."""
        found = sorted((self.home.project.root / "output").glob("*/*.list"))
        return [relative(self.home.project, path) for path in found]

    def _text(self, example: str) -> None:
        words = self.words
        gr.Markdown(f"### {words('inference.text_title')}")
        self.text = gr.Textbox(example, label=words("inference.text"), lines=8, max_lines=20, elem_id="tts_text")
        self.text_language = gr.Dropdown(
            self._languages(),
            value=self.performer.page_language,
            label=words("inference.text_language"),
            elem_id="tts_language",
        )
        self.split = gr.Dropdown(
            [(words(f"inference.{method}"), method) for method in METHODS],
            value=self.performer.usual_split,
            label=words("inference.split"),
        )
        with gr.Accordion(words("inference.preview"), open=False):
            self.preview = gr.Markdown(words("inference.preview_empty"))
            self.read = gr.Button(words("inference.read"), size="sm", elem_id="tts_read")
            self.readings = gr.Markdown("", elem_id="tts_readings")

    def _options(self) -> None:
        words = self.words

        def slider(name: str, low: float, high: float, step: float, value: float) -> gr.Slider:
            return gr.Slider(
                low, high, value, step=step, label=words(f"inference.{name}"), info=words(f"inference.{name}_info")
            )

        with gr.Accordion(words("inference.options"), open=False):
            with gr.Row():
                self.speed = slider("speed", 0.5, 2, 0.05, 1)
                self.pause = slider("pause", 0, 2, 0.05, 0.3)
            with gr.Row():
                self.top_k = slider("top_k", 0, 100, 1, 15)
                self.top_p = slider("top_p", 0.05, 1, 0.05, 1)
            with gr.Row():
                self.temperature = slider("temperature", 0, 2, 0.05, 1)
                self.penalty = slider("repetition_penalty", 0.1, 2, 0.05, 1.35)
            with gr.Row():
                self.batch_size = slider("batch_size", 1, 200, 1, _BATCH_SIZE if self.batched else 1)
                self.seed = gr.Number(
                    -1, precision=0, minimum=-1, maximum=2**32 - 1, label=words("inference.seed"),
                    info=words("inference.seed_info"),
                )  # fmt: skip
            self.bucket = gr.Checkbox(True, label=words("inference.bucket"), info=words("inference.bucket_info"))
            with gr.Row():
                self.steps = self._abilities.steps(value=32 if self.batched else 8)
                self.super_sampling = self._abilities.super_sampling()

    def _result(self) -> None:
        words = self.words
        with gr.Row():
            self.start = gr.Button(words("inference.start"), variant="primary", min_width=160, elem_id="tts_start")
            self.stop = gr.Button(words("inference.stop"), variant="stop", min_width=100, scale=0, elem_id="tts_stop")
        self.status = gr.Markdown("", elem_id="tts_status")
        self.state = gr.State(Result())
        self.takes = drawn("takes", Result().shown(False), words)
        self.speech = gr.Audio(
            label=words("inference.result"), interactive=False, type="filepath", visible=False, elem_id="tts_speech"
        )
        self.picture = gr.Image(
            label=words("inference.picture"), interactive=False, visible=False, buttons=["download", "fullscreen"],
            elem_id="tts_picture",
        )  # fmt: skip

    def _wire(self) -> None:
        self.refresh.click(
            told(self.words, self._refresh),
            [self.sovits, self.gpt],
            [self.sovits, self.gpt, self.list_path],
            **_PRIVATE,
        )
        chosen = [self.prompt_language, self.text_language, self.model_status, self.notice, self.gpt]
        chosen += [self.ref_free, self.auxiliary, self.no_auxiliary, self.steps, self.super_sampling]
        self.sovits.input(
            told(self.words, self._choose_sovits),
            [self.sovits, self.prompt_language, self.text_language],
            chosen,
            **_PRIVATE,
        )
        self.gpt.input(told(self.words, self.performer.change_gpt_weights), self.gpt, self.model_status, **_PRIVATE)
        self.reference.change(told(self.words, self._check), self.reference, self.check, **_PRIVATE)
        gr.on(
            [self.list_path.change, self.find.submit],
            told(self.words, self._rows),
            [self.list_path, self.find],
            [self.rows, self.lines],
            **_PRIVATE,
        )
        self.rows.input(
            told(self.words, self._row),
            [self.rows, self.lines],
            [self.reference, self.prompt_text, self.prompt_language],
            **_PRIVATE,
        )
        gr.on(
            [self.text.change, self.text_language.change, self.split.change],
            self._preview,
            [self.text, self.text_language, self.split],
            [self.preview, self.readings],
            trigger_mode="always_last",
            **_PRIVATE,
        )
        self.read.click(
            told(self.words, self._readings),
            [self.text, self.text_language, self.split],
            self.readings,
            **_PRIVATE,
        )
        fields = {
            "text": self.text,
            "language": self.text_language,
            "reference": self.reference,
            "transcript": self.prompt_text,
            "transcript_language": self.prompt_language,
            "ref_free": self.ref_free,
            "auxiliary": self.auxiliary,
            "split": self.split,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "temperature": self.temperature,
            "repetition_penalty": self.penalty,
            "speed": self.speed,
            "pause": self.pause,
            "batch_size": self.batch_size,
            "bucket": self.bucket,
            "seed": self.seed,
            "sample_steps": self.steps,
            "super_sampling": self.super_sampling,
        }
        outputs = [self.status, self.takes, self.speech, self.picture, self.state, self.notice]

        def speak(state: Result, *values: Any) -> Iterator[tuple[Any, ...]]:
            yield from self._speak(state, dict(zip(fields, values, strict=True)))

        self.start.click(told(self.words, speak), [self.state, *fields.values()], outputs, **_PRIVATE)
        self.takes.again(told(self.words, self._again), self.state, outputs, **_PRIVATE)
        self.stop.click(self.performer.stop, None, self.status, queue=False, **_PRIVATE)

    def _refresh(self, sovits: str | None, gpt: str | None) -> tuple[Any, Any, Any]:
        all_sovits, all_gpt = self.performer.change_choices()
        return (
            gr.Dropdown(
                all_sovits, value=sovits if sovits in all_sovits else self._chosen(self.studio.sovits, all_sovits)
            ),
            gr.Dropdown(all_gpt, value=gpt if gpt in all_gpt else self._chosen(self.studio.gpt, all_gpt)),
            gr.Dropdown(self._lists()),
        )

    def _choose_sovits(self, path: str, prompt_language: str, text_language: str) -> tuple[Any, ...]:
        known, _, first, second, _, _, message = self.performer.change_sovits_weights(
            path, prompt_language, text_language
        )
        choices = [(self.words(f"language.{code}"), code) for code in known]
        weights = self.performer.change_choices()[1]
        # Unless other GPT weights were chosen, those of the version go with it.
        gpt = gr.Dropdown(weights, value=self._chosen(self.studio.gpt, weights))
        able = self._abilities
        return (
            gr.Dropdown(choices, value=first),
            gr.Dropdown(choices, value=second),
            message,
            self._notice(),
            gpt,
            able.ref_free(),
            able.auxiliary(),
            able.why_no_auxiliary(),
            able.steps(),
            able.super_sampling(),
        )

    def _check(self, reference: str | None) -> str:
        return self.performer.check_ref(reference) if reference else ""

    def _rows(self, path: str | None, find: str) -> tuple[Any, Any]:
        lines = self.performer.reference_lines(path, find) if path else []
        choices = [(f"{Path(line.audio).name} · {line.text[:60]}", index) for index, line in enumerate(lines)]
        return gr.Dropdown(choices, value=None), lines

    def _row(self, index: int | None, lines: list[Line]) -> tuple[Any, Any, Any]:
        if index is None:
            return gr.skip(), gr.skip(), gr.skip()
        line = lines[index]
        known = {code for _, code in self._languages()}
        # A list says zh or en; either is a code too, of a text that may hold English words.
        code = line.language.lower() if line.language.lower() in known else gr.skip()
        return line.audio, line.text, code

    def _preview(self, text: str, language: str, method: str) -> tuple[str, str]:
        """The pieces of the text; how an earlier one is read goes."""
        from gsv.errors import GsvError

        try:
            pieces = self.performer.cut_text(text, language, method)
        except GsvError:  # Nothing to say yet; if it stays so, speaking tells.
            return self.words("inference.preview_empty"), ""
        numbered = "\n".join(f"{number}. {_plain(piece)}" for number, piece in enumerate(pieces, start=1))
        return f"{self.words('inference.preview_count', count=len(pieces))}\n\n{numbered}", ""

    def _readings(self, text: str, language: str, method: str) -> str:
        """A table of how the text is read."""
        heads = [self.words(f"inference.read_{column}") for column in ("piece", "language", "spoken", "phones")]
        rows = [
            (str(number), reading.language, " ".join(reading.norm_text.split()), " ".join(reading.phones))
            for number, piece in enumerate(self.performer.reading(text, language, method), start=1)
            for reading in piece.readings
        ]
        lines = (heads, ["---"] * len(heads), *([_plain(cell) for cell in row] for row in rows))
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _speak(self, state: Result, given: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        """Speaks what the fields say, and shows every piece as soon as it is there."""
        if given.pop("ref_free"):
            given["transcript"] = ""
        if not self._abilities.version.uses_flow:
            given["sample_steps"] = None
        seed = given["seed"]
        given["seed"] = -1 if seed is None else int(seed)
        request = self.performer.request(given, _FIELDS)
        result = Result(state.run + 1, request)
        hidden = gr.Audio(visible=False), gr.Image(visible=False)
        yield self.words("inference.loading"), result.shown(True), *hidden, result, gr.skip()
        notes: list[str] = []
        count = len(self.performer.cut_text(request.text, request.language, request.split))
        for take in self._takes(request, notes):
            result = replace(result, takes=(*result.takes, take))
            line = self.words("inference.speaking", done=len(result.takes), total=count)
            yield line, result.shown(True), gr.skip(), gr.skip(), result, self._notice()
        yield self._finished(result, notes, None, count)

    def _again(self, state: Result, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        """Speaks one piece anew, with another seed, and puts it in its place."""
        index = int(event.index)
        if state.request is None or not 0 <= index < len(state.takes):
            raise InputError("That piece is not there any more; speak the text again.")
        old = state.takes[index]
        request = replace(state.request, text=old.text, split="cut0", seed=-1, batch_size=1)
        yield self.words("inference.speaking_again", place=index + 1), gr.skip(), *[gr.skip() for _ in range(4)]
        notes: list[str] = []
        made = list(self._takes(request, notes))
        result = state
        if made:
            takes = (*state.takes[:index], made[0], *state.takes[index + 1 :])
            result = replace(state, takes=takes)
        yield self._finished(result, notes, index if made else None, len(result.takes))

    def _takes(self, request: Request, notes: list[str]) -> Iterator[Take]:
        for number, fragment in enumerate(self.studio.speak(request, notes.append), start=1):
            clip = clip_of_wave(fragment.wave, fragment.sampling_rate, f"piece{number}.wav")
            yield Take(fragment.text, clip, fragment.sampling_rate, fragment.seed, self.words.said(fragment.warning))

    def _finished(self, result: Result, notes: list[str], fresh: int | None, count: int) -> tuple[Any, ...]:
        """The whole speech with its picture, and what is to say about it."""
        words = self.words
        if not result.takes:
            nothing = words("inference.stopped")
            return nothing, result.shown(False), gr.skip(), gr.skip(), result, self._notice()
        rate = result.takes[0].rate
        wave = np.concatenate([load(take.clip.file, rate) for take in result.takes])
        whole = clip_of_wave(wave, rate, f"speech-{result.takes[0].seed}.wav")
        picture = whole.file.with_suffix(".png")
        draw_speech(picture, wave, rate)
        line = words(
            "inference.done", seconds=f"{whole.seconds:.2f}", pieces=len(result.takes), seed=result.takes[0].seed
        )
        if len(result.takes) < count:
            line = f"{words('inference.stopped_after', done=len(result.takes), total=count)} {line}"
        notes = [*notes, *(take.warning for take in result.takes if take.warning)]
        status = "\n\n".join([line, *(f"⚠ {_plain(words.said(note))}" for note in notes)])
        audio = gr.Audio(str(whole.file), visible=True)
        return status, result.shown(False, fresh), audio, gr.Image(str(picture), visible=True), result, self._notice()


# What the fields of the page are called in sentences about them.
_FIELDS = {
    "language": "text_language",
    "reference": "ref_wav_path",
    "transcript": "prompt_text",
    "auxiliary": "inp_refs",
}


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|~$" else character for character in text)
