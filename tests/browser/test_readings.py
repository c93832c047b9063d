"""The inference tab shows how a text is read, before it is spoken."""

from collections.abc import Callable

from clicking import choose_tab, fill
from playwright.sync_api import Page, expect
from webui_server import Server


def test_a_button_shows_what_the_text_is_read_as(english: Server, look: Callable[..., Page]) -> None:
    page = look(english.url)
    choose_tab(page, "1")
    choose_tab(page, "1C")
    fill(page, "tts_text", 'Dr. Lee is here.<break time="1s"/><phoneme ph="JH IH1 F">GIF</phoneme> it is | so.')
    page.get_by_text("How it will be cut").click()
    page.locator("#tts_read").click()
    rows = page.locator("#tts_readings tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Doctor Lee is here.")
    expect(rows.last).to_contain_text("JH IH1 F IH1 T IH1 Z S OW1 .")
    # What was shown is of another text now.
    fill(page, "tts_text", "Something else.")
    expect(rows).to_have_count(0)
