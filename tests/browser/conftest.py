"""A browser that nobody sees, and pages that may not complain."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clicking import wait_until_it_works
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright
from webui_server import Server, home_like, served

from gsv.paths import Project

# A busy machine may take its time; nothing is waited for longer than needed.
PATIENCE = 60_000
# Gradio's own script says the first of every event stream that it closes by itself, having heard all, and the second of
# one that a reload of the page cuts off. A server that fails shows itself by what is then missing on the page.
_STREAM_CLOSED = ("AbortError: signal is aborted", "Unexpected error Connection errored out.")
expect.set_options(timeout=PATIENCE)
# The browser of the system, where playwright has none of its own.
_SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, _SYSTEM_BROWSERS)), None)
        try:
            # Without a sandbox, because in containers there is none to be had.
            running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except Error as error:
            message = f"needs a Chromium: apt install chromium, or playwright install chromium ({error})"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        yield running
        running.close()


@pytest.fixture(scope="session")
def home(narrow: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project folder of all servers here: what is made by clicking in one language is there in the other."""
    return home_like(narrow.root, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def chinese(home: Path) -> Iterator[Server]:
    with served(home, "zh") as running:
        yield running


@pytest.fixture(scope="session")
def english(home: Path) -> Iterator[Server]:
    with served(home, "en") as running:
        yield running


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of a width, in a browser of a language; a page that writes errors to its console fails the test."""
    errors: list[str] = []
    pages: list[Page] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_STREAM_CLOSED):
            errors.append(f"{message.text} ({message.location.get('url')})")

    def open_page(url: str, width: int = 1280, locale: str = "zh-CN") -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900}, locale=locale)
        pages.append(page)
        page.set_default_timeout(2 * PATIENCE)
        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        wait_until_it_works(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert errors == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go, to be looked at."""
    folder = Path(__file__).parents[2] / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
