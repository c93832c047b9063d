"""The endpoints of the inference pages: what scripts call, and the page's buttons too."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gsv.audio.io import duration
from gsv.dataset.listing import Line, read_list
from gsv.errors import AudioError, GsvError, InputError, SynthesisError
from gsv.jobs.parameters import read_options
from gsv.synthesis.reference import Reference, check_length, check_reference
from gsv.text import split
from gsv.text.frontend import Frontend
from gsv.text.preview import Piece, preview
from gsv.text.symbols import TableName
from gsv.webui.clips import clip_of_wave
from gsv.webui.home import Home
from gsv.webui.speaking import (
    Request,
    Studio,
    language_named,
    languages_of,
    naming,
    split_named,
)
from gsv.webui.weights import gpt_weights, relative, sovits_weights

Json = dict[str, Any]

# What scripts of the standard and of the batched page call the values of a request.
_STANDARD = {
    "language": "text_language",
    "reference": "ref_wav_path",
    "transcript": "prompt_text",
    "transcript_language": "prompt_language",
    "auxiliary": "inp_refs",
    "split": "how_to_cut",
    "pause": "pause_second",
    "super_sampling": "if_sr",
}
_BATCHED = {
    "language": "text_lang",
    "reference": "ref_audio_path",
    "transcript": "prompt_text",
    "transcript_language": "prompt_lang",
    "auxiliary": "aux_ref_audio_paths",
    "split": "text_split_method",
    "speed": "speed_factor",
    "pause": "fragment_interval",
    "bucket": "split_bucket",
}
# A list offers no more references than one wants to look through.
_REFERENCES_AT_MOST = 200

MEANINGS = {
    "gpt_path": "The GPT weights (.ckpt) to speak with.",
    "sovits_path": "The SoVITS weights (.pth) to speak with.",
    "prompt_language": "Language of the reference, by code or name; empty: that of the page.",
    "text_language": "Language of the text, by code or name; empty: that of the page.",
    "ref_wav_path": "Recording of the voice, 3 to 10 seconds: an uploaded file or a path.",
    "prompt_text": "What is said in the reference; empty: only its timbre is used.",
    "text": "What to say.",
    "how_to_cut": "How a long text is cut, auto, cut0 to cut5 or by name; empty: auto, or cut5 for the bundled voice.",
    "top_k": "Draw from the k likeliest tokens; 0: from all.",
    "top_p": "Draw from the likeliest tokens with this total; 1: from all.",
    "temperature": "Lower is steadier, higher livelier; 1 is natural.",
    "ref_free": "Use only the timbre of the reference, not what is said in it.",
    "speed": "Pace; 1 is natural.",
    "if_freeze": "Draw the same as the last time, so that only pace and timbre change.",
    "inp_refs": "Further recordings, whose timbre is averaged in.",
    "sample_steps": "For versions that sample in steps (v3, v4) alone.",
    "if_sr": "For version v3 alone.",
    "pause_second": "Seconds of silence after each piece of text.",
    "text_lang": "Language of the text, by code or name; empty: that of the page.",
    "ref_audio_path": "Recording of the voice, 3 to 10 seconds: an uploaded file or a path.",
    "aux_ref_audio_paths": "Further recordings, whose timbre is averaged in.",
    "prompt_lang": "Language of the reference, by code or name; empty: that of the page.",
    "text_split_method": "How a long text is cut, cut0 to cut5 or by name; empty: cut1, or cut5 for the bundled voice.",
    "batch_size": "Pieces of text that are spoken at once.",
    "speed_factor": "Pace; 1 is natural.",
    "ref_text_free": "Use only the timbre of the reference, not what is said in it.",
    "split_bucket": "Only pieces of like length are spoken at once: less is computed in vain.",
    "fragment_interval": "Seconds of silence after each piece of text.",
    "seed": "Of all random draws; -1 draws one.",
    "keep_random": "Draw a new seed every time, whatever `seed` says.",
    "parallel_infer": "Speak several pieces at once; otherwise one by one.",
    "repetition_penalty": "Above 1 makes repetition less likely.",
    "super_sampling": "For version v3 alone.",
    "path_list": "A list file.",
    "find": "Only rows with this in their text or path.",
}


class Performer:
    """Turns what scripts send into requests to the studio, and speech into files."""

    def __init__(self, home: Home, studio: Studio) -> None:
        self.home = home
        self.studio = studio
        # The front end of each symbol table, which reads for one visitor at a time; speaking has its own.
        self._frontends: dict[TableName, Frontend] = {}
        self._reading = threading.Lock()

    @property
    def page_language(self) -> str:
        """What a text is taken to be in if nobody says: the page's language, English where that is all there is."""
        chinese = self.home.words.language.startswith("zh") and not self.studio.notice
        return "all_zh" if chinese else "en"

    @property
    def usual_split(self) -> str:
        """How a text is cut if nobody says. The bundled voice was trained on single sentences, and ends after one."""
        return "cut5" if self.studio.notice else "auto"

    def example(self) -> Reference | None:
        """A reference for who has none yet: that of the bundled voice; None for other weights."""
        return Reference.of(self.home.project.base(self.studio.base_version))

    def change_choices(self) -> tuple[list[str], list[str]]:
        """The weights there are to speak with, now: those of SoVITS, and those of GPT."""
        return sovits_weights(self.home.project), gpt_weights(self.home.project)

    def change_gpt_weights(self, gpt_path: str) -> str:
        """Speaks with these GPT weights from now on."""
        path = self._weights(gpt_path, "gpt_path")
        try:
            self.studio.choose_gpt(path)
        except GsvError as error:
            raise naming("gpt_path", error) from None
        return self.home.words("inference.gpt_chosen", path=relative(self.home.project, path))

    def change_sovits_weights(
        self, sovits_path: str, prompt_language: str = "", text_language: str = ""
    ) -> tuple[list[str], list[str], str, str, bool, bool, str]:
        """Speaks with these SoVITS weights from now on, and says which languages they know.

        The 7 values: languages for the reference, languages for the text, the given two if they are among these or else
        the first, whether sampling steps matter, whether several references can be used, and what came of it.
        """
        wanted = [
            language_named(name or self.page_language, argument)
            for name, argument in ((prompt_language, "prompt_language"), (text_language, "text_language"))
        ]
        path = self._weights(sovits_path, "sovits_path")
        try:
            version = self.studio.choose_sovits(path)
        except GsvError as error:
            raise naming("sovits_path", error) from None
        known = languages_of(version)
        first, second = (code if code in known else known[0] for code in wanted)
        shown = relative(self.home.project, path)
        message = self.home.words("inference.sovits_chosen", path=shown, version=version.name)
        return known, known, first, second, version.uses_flow, not version.no_auxiliary, message

    def get_tts_wav(
        self,
        ref_wav_path: Any,
        prompt_text: str = "",
        prompt_language: str = "",
        text: str = "",
        text_language: str = "",
        how_to_cut: str = "",
        top_k: int = 15,
        top_p: float = 1,
        temperature: float = 1,
        ref_free: bool = False,
        speed: float = 1,
        if_freeze: bool = False,
        inp_refs: Any = None,
        sample_steps: int = 8,
        if_sr: bool = False,
        pause_second: float = 0.3,
    ) -> Any:
        """Says a text in the voice of a reference; returns the sound file."""
        values = {
            "text": text,
            "language": text_language,
            "reference": ref_wav_path,
            "transcript": "" if ref_free else prompt_text,
            "transcript_language": prompt_language,
            "auxiliary": inp_refs,
            "split": how_to_cut,
            "top_k": top_k,
            "top_p": top_p,
            "temperature": temperature,
            "speed": speed,
            "pause": pause_second,
            "sample_steps": sample_steps,
            "super_sampling": if_sr,
            "seed": self.studio.last_seed if if_freeze else -1,
        }
        return self._spoken(self.request(values, _STANDARD))[0]

    def inference(
        self,
        text: str,
        text_lang: str = "",
        ref_audio_path: Any = None,
        aux_ref_audio_paths: Any = None,
        prompt_text: str = "",
        prompt_lang: str = "",
        top_k: int = 15,
        top_p: float = 1,
        temperature: float = 1,
        text_split_method: str = "",
        batch_size: int = 20,
        speed_factor: float = 1.0,
        ref_text_free: bool = False,
        split_bucket: bool = True,
        fragment_interval: float = 0.3,
        seed: int = -1,
        keep_random: bool = True,
        parallel_infer: bool = True,
        repetition_penalty: float = 1.35,
        sample_steps: int = 32,
        super_sampling: bool = False,
    ) -> tuple[Any, int]:
        """Says a text, many pieces of it at once; returns the sound file and the seed that was used."""
        values = {
            "text": text,
            "language": text_lang,
            "reference": ref_audio_path,
            "transcript": "" if ref_text_free else prompt_text,
            "transcript_language": prompt_lang,
            "auxiliary": aux_ref_audio_paths,
            "split": text_split_method,
            "top_k": top_k,
            "top_p": top_p,
            "temperature": temperature,
            "repetition_penalty": repetition_penalty,
            "speed": speed_factor,
            "pause": fragment_interval,
            "batch_size": batch_size if parallel_infer else 1,
            "bucket": split_bucket,
            "sample_steps": sample_steps,
            "super_sampling": super_sampling,
            "seed": -1 if keep_random else seed,
        }
        return self._spoken(self.request(values, _BATCHED))

    def stop(self) -> str:
        """Ends what is being spoken, within one decoding step; what was finished of it by then is returned there."""
        self.studio.stop()
        return self.home.words("inference.stopped")

    def cut_text(self, text: str, text_language: str = "", how_to_cut: str = "") -> list[str]:
        """The pieces in which a text would be spoken."""
        language = language_named(text_language or self.page_language, "text_language")
        return split.pieces(text, language, split_named(how_to_cut or self.usual_split, "how_to_cut"))

    def phones(self, text: str, text_language: str = "", how_to_cut: str = "") -> list[dict[str, Any]]:
        """How a text would be read: its pieces, and of each the stretches of a language, as spoken and in phones."""
        return [piece.as_json() for piece in self.reading(text, text_language, how_to_cut)]

    def reading(self, text: str, text_language: str, how_to_cut: str) -> list[Piece]:
        """The pieces of a text as they would be read."""
        language = language_named(text_language or self.page_language, "text_language")
        method = split_named(how_to_cut or self.usual_split, "how_to_cut")
        symbols = (self.studio.version or self.studio.base_version).symbols
        with self._reading:
            if symbols not in self._frontends:
                self._frontends[symbols] = Frontend.of(self.home.project, symbols)
            return preview(self._frontends[symbols], text, language, method)

    def check_ref(self, ref_wav_path: Any) -> str:
        """Whether a recording is good as a reference: its length and loudness, and what to do about them."""
        words = self.home.words
        found = check_reference(self._reference(ref_wav_path, "ref_wav_path"))
        first = words("inference.reference", seconds=f"{found.seconds:.1f}", loudness=f"{found.loudness:.0f}")
        faults = [words(f"inference.reference_{fault}") for fault in found.faults]
        return " ".join((first, *(faults or [words("inference.reference_good")])))

    def references(self, path_list: str, find: str = "") -> list[list[str]]:
        """Rows of a list that can be references: audio file, text and language of each."""
        return [[line.audio, line.text, line.language] for line in self.reference_lines(path_list, find)]

    def reference_lines(self, path_list: str, find: str) -> list[Line]:
        """The first rows of a list in which `find` occurs and whose files are there, those with paths as found."""
        path = self.home.existing(path_list, "path_list")
        wanted = find.casefold().strip()
        found: list[Line] = []
        for line in read_list(path):
            if wanted in f"{line.text}\n{line.audio}".casefold():
                audio = self._recording(path, line)
                if audio is not None:
                    found.append(Line(str(audio), line.speaker, line.language, line.text))
            if len(found) == _REFERENCES_AT_MOST:
                break
        return found

    def request(self, values: Mapping[str, Any], labels: Mapping[str, str]) -> Request:
        """A request of values as they come from a page or script; `labels` are what it calls them.

        Raises InputError, which names the argument, for what is not right.
        """
        known = dict(values)

        def label(name: str) -> str:
            return labels.get(name, name)

        for name, argument in (("text", "text"), ("reference", label("reference"))):
            if not known[name] or (isinstance(known[name], str) and not known[name].strip()):
                what = "what to say" if name == "text" else "a recording of the voice, 3 to 10 seconds long"
                raise InputError(f"{argument} is empty; give {what}.")
        for name in ("language", "transcript_language"):
            known[name] = language_named(known[name] or self.page_language, label(name))
        known["split"] = split_named(known["split"] or self.usual_split, label("split"))
        known["reference"] = self._reference(known["reference"], label("reference"))
        auxiliary = known.pop("auxiliary", None) or []
        more = auxiliary if isinstance(auxiliary, list) else [auxiliary]
        known["auxiliary"] = tuple(self._reference(one, label("auxiliary")) for one in more)
        return read_options(Request, known, self.home.project, labels)

    def _spoken(self, request: Request) -> tuple[Json, int]:
        fragments = list(self.studio.speak(request))
        if not fragments:
            raise SynthesisError("It was stopped before anything was spoken.")
        wave = np.concatenate([fragment.wave for fragment in fragments])
        clip = clip_of_wave(wave, fragments[0].sampling_rate, "speech.wav")
        return file_data(clip.file), fragments[0].seed

    def _recording(self, path: Path, line: Line) -> Path | None:
        """The recording of a line, as written or beside the list; None if it is not there, or not to be touched."""
        for written in (line.audio, str(path.parent / line.audio)):
            try:
                audio = self.home.path(written, "path_list")
            except InputError:  # Outside the folders that a public page may use.
                continue
            if audio.is_file():
                return audio
        return None

    def _file(self, value: Any, argument: str) -> Path:
        """A recording that was uploaded, or that a path names."""
        given = value.get("path") if isinstance(value, dict) else value
        if not isinstance(given, str):
            raise InputError(f"{argument} is {value!r}; it must be a sound file, uploaded or by its path.")
        path = self.home.existing(given, argument)
        if not path.is_file():
            raise InputError(f"{argument}: {path} is a folder; name a sound file in it.")
        return path

    def _reference(self, value: Any, argument: str) -> Path:
        """A file that sounds, and for long enough to be a reference."""
        path = self._file(value, argument)
        try:
            check_length(path, duration(path))
        except AudioError as error:
            raise naming(argument, error) from None
        return path

    def _weights(self, text: str, argument: str) -> Path:
        path = self.home.path(text, argument)
        if path.is_dir():
            raise InputError(f"{argument}: {path} is a folder; name the weight file in it.")
        if not path.is_file():
            from gsv.checkpoints import missing_weights

            raise naming(argument, missing_weights(path))
        return path


def file_data(path: Path) -> Json:
    """A file as it is sent to scripts, which fetch it."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
