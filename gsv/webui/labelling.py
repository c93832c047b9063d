"""The page on which list files are corrected: rows with a player, their text, language and speaker.

The rows are drawn by `pages/labelling.js`, one page of them at a time, so that a list of thousands is as quick as a
short one. Browsers that look at the same list share one `Labels`, and see each other's changes within seconds.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from gsv.errors import GsvError, InputError, sentence
from gsv.webui.clips import clip_of
from gsv.webui.drawn import drawn
from gsv.webui.errors import told
from gsv.webui.home import Home
from gsv.webui.labels import Labels, Row
from gsv.webui.publishing import publish
from gsv.webui.weights import relative

LANGUAGES = ("zh", "en", "ja", "ko", "yue")
ROWS = 10
_ROWS_AT_MOST = 100

Json = dict[str, Any]

MEANINGS = {
    "path_list": "The list file that is corrected.",
    "page": "Which page of rows, from 1.",
    "rows": f"Rows of a page, 1 to {_ROWS_AT_MOST}.",
    "find": "Only rows with this in their text, speaker, language or path.",
    "row": "The row's number, its `id` in label_page.",
    "text": "What is said; left out: as it is.",
    "language": "Its language; left out: as it is.",
    "speaker": "Who says it; left out: as it is.",
    "seconds": "Where to split, in seconds from the clip's beginning.",
    "caret": "How many characters of the text go to the first part; left out: where the time suggests.",
    "pause": "Seconds of silence between the merged clips.",
}


class Desk:
    """The lists that are open in this program. Every method is an endpoint, and what the page's buttons call."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._open: dict[Path, Labels] = {}
        self._lock = threading.Lock()

    def label_open(self, path_list: str) -> str:
        """Opens a list file, or reads it anew if another program has changed it; says how many rows it has."""
        path = self._path(path_list)
        with self._lock:
            labels = self._open.get(path)
            if labels is None:
                labels = self._open[path] = Labels(path, self._audio)
            else:
                labels.refresh()
        words = self.home.words
        message = words("labelling.opened", count=len(labels.rows), path=relative(self.home.project, path))
        return f"{message} {words('labelling.restored')}" if labels.restored else message

    def label_page(self, path_list: str, page: int = 1, rows: int = ROWS, find: str = "") -> Json:
        """A page of rows: their ids, places, fields, lengths, outlines, and clips that a browser can play."""
        labels = self._labels(path_list)
        shown = labels.page(page, max(1, min(rows, _ROWS_AT_MOST)), find)
        return {
            "page": shown.number,
            "pages": shown.pages,
            "found": shown.found,
            "total": len(labels.rows),
            "changed": labels.changed,
            "revision": labels.revision,
            "rows": [
                _shown(self.home, labels, row, place) for row, place in zip(shown.rows, shown.places, strict=True)
            ],
        }

    def label_edit(
        self,
        path_list: str,
        row: int,
        text: str | None = None,
        language: str | None = None,
        speaker: str | None = None,
    ) -> str:
        """Changes fields of a row."""
        self._labels(path_list).edit(row, text=text, language=language, speaker=speaker)
        return self.home.words("labelling.edited")

    def label_delete(self, path_list: str, row: int) -> str:
        """Takes a row out of the list; its recording stays."""
        self._labels(path_list).delete([row])
        return self.home.words("labelling.deleted")

    def label_split(self, path_list: str, row: int, seconds: float, caret: int | None = None) -> str:
        """Parts a row in two at that time; two clips are written beside the old one, which stays."""
        self._labels(path_list).split(row, seconds, caret)
        return self.home.words("labelling.split_done")

    def label_merge(self, path_list: str, row: int, pause: float = 0.0) -> str:
        """Joins a row and the next one; a clip is written beside the first, and both stay."""
        self._labels(path_list).merge(row, pause)
        return self.home.words("labelling.merged")

    def label_undo(self, path_list: str) -> str:
        """Takes back the last change that anybody has made to the list."""
        done = self._labels(path_list).undo()
        return self.home.words("labelling.undone" if done else "labelling.nothing_to_undo")

    def label_save(self, path_list: str) -> str:
        """Writes the list, whole or not at all; what it was is kept beside it."""
        labels = self._labels(path_list)
        backup = labels.save()
        if backup is None:
            return self.home.words("labelling.nothing_to_save")
        return self.home.words("labelling.saved", count=len(labels.rows), backup=relative(self.home.project, backup))

    def answer(self, request: Mapping[str, Any]) -> Json:
        """What the page asks for: {"do": a method or "look", "with": its arguments, "view": those of label_page}.

        The answer is the page of rows as it is then, with a `message`; or an `error`, a sentence, and the page.
        """
        view = dict(request["view"])
        answer: Json = {}
        try:
            labels = self._labels(view["path_list"])
            if request["do"] == "look":
                if request["with"].get("revision") == labels.revision:
                    return {"same": True}
            else:
                answer["message"] = self._actions[request["do"]](view["path_list"], **request["with"])
        except Exception as error:
            answer["error"] = self._sentence(error)
        try:
            return {**self.label_page(**view), **answer}
        except GsvError as error:
            return {"error": self._sentence(error), **answer}

    @property
    def _actions(self) -> dict[str, Callable[..., str]]:
        actions = (self.label_edit, self.label_delete, self.label_split, self.label_merge, self.label_undo)
        return {action.__name__: action for action in (*actions, self.label_save)}

    def _sentence(self, error: Exception) -> str:
        known = sentence(error)
        if known is None:
            raise error
        return self.home.words.said(known)

    def _path(self, path_list: str) -> Path:
        path = self.home.existing(path_list, "path_list").resolve()
        if path.is_dir():
            raise InputError(f"path_list: {path} is a folder; name a list file in it.")
        return path

    def _labels(self, path_list: str) -> Labels:
        path = self._path(path_list)
        if path not in self._open:
            self.label_open(path_list)
        labels = self._open[path]
        labels.follow()
        return labels

    def _audio(self, written: str) -> Path:
        return self.home.path(written, "audio path")


def build(home: Home, alone: bool, path_list: str = "") -> gr.Textbox:
    """Adds the page and its endpoints to the Blocks that are being built; returns the field for the list's path.

    `alone` says that it is an app of its own, which opens `path_list` at once.
    """
    words = home.words
    desk = Desk(home)
    first = {"path": path_list, "message": desk.label_open(path_list) if alone and path_list else "", "opened": 0}
    if alone:
        gr.Markdown(f"## {words('labelling.title')}")
    path = gr.Textbox(
        path_list,
        label=words("labelling.path"),
        placeholder=words("labelling.path_example"),
        submit_btn=words("labelling.open"),
        max_lines=1,
        elem_id="path_list",
    )

    def answer(request: Json) -> Json:  # gradio marks the function, which a bound method does not let it.
        return desk.answer(request)

    table = drawn("labelling", first, words, answer, languages=list(LANGUAGES), page_rows=ROWS)

    def show(written: str, now: Json) -> Json:
        return {"path": written, "message": desk.label_open(written), "opened": now["opened"] + 1}

    path.submit(told(words, show), [path, table], table, api_visibility="private", show_progress="hidden")
    for name in ("open", "edit", "delete", "split", "merge", "undo", "save"):
        publish(words, f"label_{name}", getattr(desk, f"label_{name}"), MEANINGS, ["what came of it"])
    publish(words, "label_page", desk.label_page, MEANINGS, ["the page of rows"])
    return path


def _shown(home: Home, labels: Labels, row: Row, place: int) -> Json:
    line = row.line
    name = line.audio.replace("\\", "/").rpartition("/")[2]
    shown: Json = {"id": row.id, "place": place, "name": name, "audio": line.audio}
    shown |= {"speaker": line.speaker, "language": line.language, "text": line.text}
    try:
        return {**shown, "problem": "", **clip_of(labels.audio(row.id)).as_json()}
    except InputError as error:
        return {**shown, "problem": home.words.said(str(error)), "file": "", "seconds": 0, "peaks": []}
