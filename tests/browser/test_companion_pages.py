"""Correcting a list and speaking, as people do it: with keyboard, mouse and a second browser."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from clicking import LONG, choose_tab, fill
from playwright.sync_api import Page, Route, expect
from webui_server import Server

from gsv.dataset.listing import read_list

SAMPLE = Path(__file__).parents[1] / "sample"

Look = Callable[..., Page]
# What the page asks the server for.
SERVER_CALL = re.compile("component_server")


@pytest.fixture(scope="module")
def server(english: Server) -> Server:
    home = english.home
    shutil.copytree(SAMPLE / "clips", home / "clips")
    lines = (SAMPLE / "sample.list").read_text(encoding="utf-8").replace("tests/sample/clips", str(home / "clips"))
    (home / "voice.list").write_text(lines, encoding="utf-8")
    return english


def labelling(look: Look, server: Server, width: int = 1280) -> Page:
    page = look(server.url, width=width, locale="en-US")
    choose_tab(page, "0d")
    fill(page, "path_list", "voice.list")
    page.locator("#path_list button").first.click()
    expect(page.locator(".labelling article")).to_have_count(10)
    return page


def test_a_list_is_corrected_with_keyboard_and_mouse_while_a_second_browser_watches(look: Look, server: Server) -> None:
    path = server.home / "voice.list"
    before = path.read_bytes()
    first, second = labelling(look, server), labelling(look, server)
    rows, note = first.locator(".labelling article"), first.locator(".labelling .note")

    rows.nth(0).locator("textarea").fill("The evening train left.")
    first.keyboard.press("Enter")
    expect(rows.nth(1).locator("textarea")).to_be_focused()
    expect(second.locator(".labelling article textarea").first).to_have_value("The evening train left.")

    rows.nth(1).locator("canvas").click()
    first.keyboard.press("Alt+x")
    expect(note).to_contain_text("Split in two")
    expect(first.locator(".labelling .count")).to_contain_text("13 rows")
    first.keyboard.press("Alt+m")
    expect(note).to_contain_text("Merged")
    first.keyboard.press("Alt+z")
    expect(note).to_contain_text("Taken back")
    first.keyboard.press("Alt+Delete")
    expect(note).to_contain_text("Deleted")
    rows.nth(0).locator(".play").click()
    assert path.read_bytes() == before
    first.keyboard.press("Control+s")
    expect(note).to_contain_text("Saved 12 rows")
    assert read_list(path)[0].text == "The evening train left."
    assert next(server.home.glob("voice.*.bak")).read_bytes() == before

    first.keyboard.press("Alt+PageDown")
    expect(rows).to_have_count(2)
    first.locator(".labelling input[type=search]").fill("evening")
    expect(rows).to_have_count(1)


def test_a_page_that_is_turned_while_an_answer_is_under_way_stays_turned(look: Look, server: Server) -> None:
    page = labelling(look, server)
    rows = page.locator(".labelling article")
    held: list[Route] = []
    page.route(SERVER_CALL, lambda route: held.append(route), times=1)
    rows.nth(0).locator("canvas").click()
    with page.expect_request(SERVER_CALL):
        page.keyboard.press("Alt+Delete")
    page.keyboard.press("Alt+PageDown")
    (route,) = held
    route.continue_()
    expect(rows).to_have_count(1)
    expect(page.locator(".labelling input.page")).to_have_value("2")


def test_a_text_is_spoken_piece_by_piece_and_a_piece_is_made_anew(look: Look, server: Server) -> None:
    page = look(server.url, locale="en-US")
    choose_tab(page, "1")
    choose_tab(page, "1C")
    page.locator("#tts_reference input[type=file]").first.set_input_files(SAMPLE / "clips" / "01.flac")
    expect(page.locator("#reference_check")).to_contain_text("good length")
    fill(page, "tts_text", "One. Two. Three. Four. Five boats came in today.")
    page.locator("#tts_start").click()
    status, takes = page.locator("#tts_status"), page.locator("#takes .take")
    expect(status).to_contain_text(re.compile(r"\d s in \d+ pieces, seed"), timeout=LONG)
    expect(page.locator("#tts_speech audio, #tts_speech canvas, #tts_speech [data-testid]").first).to_be_attached()
    expect(page.locator("#tts_picture img")).to_be_visible()
    count = takes.count()
    old = takes.first.locator("a").get_attribute("href")
    assert page.request.get(str(old)).body()[:4] == b"RIFF"
    takes.first.locator("button").last.click()
    expect(takes.first.locator("a")).not_to_have_attribute("href", str(old), timeout=LONG)
    assert takes.count() == count


@pytest.mark.parametrize("width", [380, 1920])
def test_rows_fit_on_narrow_and_wide_screens(look: Look, server: Server, width: int, pictures: Path) -> None:
    page = labelling(look, server, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=pictures / f"labelling-rows-{width}.png", full_page=True)
