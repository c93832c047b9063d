"""What a page shows of a job: how far it is, the end of its log, and what it made. The same for every browser."""

import mimetypes
from collections.abc import Iterable
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from gsv.jobs.process import Status
from gsv.jobs.registry import Running
from gsv.webui import machine, status
from gsv.webui.companions import address, is_up
from gsv.webui.home import Home

_TAIL_LINES = 12
_TAIL_BYTES = 4096
_PLAYERS = 3
_PROBLEMS = 5
_CLASSES = {"running": "running", "done": "done", "partly done": "partly", "failed": "failed", "cancelled": "closed"}


def panel(home: Home, name: str) -> str:
    """The state of the last job of that name, as HTML; empty if there was none."""
    job = home.jobs.job(name)
    if job is not None:
        return of_status(home, job.status)
    other = next((one for one in home.jobs.running() if one.name == name), None)
    return "" if other is None else of_other(home, other)


def of_status(home: Home, now: Status) -> str:
    words = home.words
    if is_up(now):
        url = escape(address(now))
        link = f'<a href="{url}" target="_blank" rel="noopener">{url}</a>'
        return _box("running", f"<b>{_job(home, now.name)}</b> {link}")
    parts = [f'<div class="gsv-line">{escape(status.text(words, now))}</div>']
    if now.state == "running":
        share = f' style="width:{now.fraction:.1%}"' if now.total else ' class="gsv-waiting"'
        parts.insert(
            0, f'<div class="gsv-bar" role="progressbar" aria-valuenow="{now.fraction:.0%}"><i{share}></i></div>'
        )
    if now.counts:
        counts = " · ".join(f"<b>{count}</b> {escape(words.said(what))}" for what, count in now.counts.items())
        parts.append(f'<div class="gsv-counts">{counts}</div>')
    parts.append(_problems(home, now))
    parts.append(_made(home, now.files))
    if now.state in ("running", "failed", "partly done"):
        parts.append(f'<pre class="gsv-log">{escape(tail(now.log))}</pre>')
    parts.append(f'<div class="gsv-links">{_link(home, now.log, words("panel.log"))}</div>')
    return _box(_CLASSES[now.state], "".join(parts))


def of_other(home: Home, record: Running) -> str:
    """A job that another program started, such as an earlier run of this one."""
    since = f"{datetime.fromtimestamp(record.started_at):%Y-%m-%d %H:%M}"
    line = home.words("panel.other", job=home.words(f"job.{record.name}"), since=since, pid=record.pid)
    log = f'<pre class="gsv-log">{escape(tail(record.log))}</pre>{_link(home, record.log, home.words("panel.log"))}'
    return _box("running", f'<div class="gsv-line">{escape(line)}</div>{log}')


def of_machine(home: Home) -> str:
    """How busy the processors and how full the memories are."""
    words = home.words
    now = machine.load()
    parts = [
        words("machine.cpu", percent=f"{now.cpu:.0f}", cores=now.cores),
        words("machine.memory", used=f"{now.used:.1f}", total=f"{now.total:.1f}"),
        *(
            words(
                "machine.gpu",
                number=card.number,
                name=card.name,
                used=f"{card.used / 1024:.1f}",
                total=f"{card.total / 1024:.0f}",
            )
            for card in now.gpus
        ),
    ]
    if not now.gpus:
        parts.append(words("machine.no_gpu"))
    return '<div class="gsv-machine">' + "".join(f"<span>{escape(part)}</span>" for part in parts) + "</div>"


def tail(path: Path) -> str:
    """The last lines of a log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def url(path: Path) -> str:
    """Where the server gives out a file."""
    return f"gradio_api/file={quote(path.as_posix())}"


def _job(home: Home, name: str) -> str:
    return escape(home.words(f"job.{name}"))


def _box(kind: str, content: str) -> str:
    return f'<div class="gsv-panel gsv-{kind}" data-state="{kind}">{content}</div>'


def _problems(home: Home, now: Status) -> str:
    shown = [problem for problem in now.problems if problem.reason][:_PROBLEMS]
    if not shown:
        return ""
    rows = "".join(f"<li><b>{escape(one.name)}</b>: {escape(home.words.said(one.reason))}</li>" for one in shown)
    links = " ".join(_link(home, path, path.name) for path in now.logs)
    return f"<ul>{rows}</ul>{links}"


def _made(home: Home, files: Iterable[Path]) -> str:
    """Where the results lie, and players for some that are sounds."""
    there = list(files)
    if not there:
        return ""
    folders = list(dict.fromkeys(path.parent for path in there))
    lines = [home.words("panel.made", count=len(there), folder=", ".join(map(str, folders[:_PLAYERS])))]
    sounds = [path for path in there if _is_sound(path) and _is_shown(home, path)][:_PLAYERS]
    players = "".join(
        f'<figure><figcaption>{escape(path.name)}</figcaption><audio controls preload="none" src="{escape(url(path))}">'
        "</audio></figure>"
        for path in sounds
    )
    return f'<div class="gsv-made">{escape(lines[0])}</div><div class="gsv-players">{players}</div>'


def _is_sound(path: Path) -> bool:
    kind, _ = mimetypes.guess_type(path.name)
    return kind is not None and kind.startswith("audio/")


def _is_shown(home: Home, path: Path) -> bool:
    return any(path.resolve().is_relative_to(root) for root in home.roots)


def _link(home: Home, path: Path, title: str) -> str:
    if not _is_shown(home, path):
        return f"{escape(title)}: {escape(str(path))}"
    return f'<a href="{escape(url(path))}" target="_blank" rel="noopener">{escape(title)}</a>'
