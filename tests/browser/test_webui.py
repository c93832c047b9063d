"""The page as people use it: from recordings to a voice by clicking, on wide and narrow screens, in two languages."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from clicking import LONG, choose_tab, fill, pick, run, set_number, value, wait_until_it_works
from playwright.sync_api import Page, expect
from webui_server import Server

CLIPS = Path(__file__).parents[1] / "sample" / "clips"
TABS = {"0": ("0a", "0b", "0bb", "0c", "0d"), "1": ("1A", "1B", "1C"), "2": ()}

Look = Callable[..., Page]


def test_a_voice_is_trained_and_speaks_by_clicking(look: Look, chinese: Server, pictures: Path) -> None:
    page = look(chinese.url)
    choose_tab(page, "0b")
    fill(page, "inp", str(CLIPS))
    fill(page, "min_length", "500")
    panel = run(page, "slice")
    expect(panel).to_contain_text("语音切分完成")
    expect(panel.locator("audio")).to_have_count(3)
    # The log can be read from beginning to end.
    log = panel.locator("a").last.get_attribute("href")
    assert "slice" in page.request.get(chinese.url + str(log)).text()

    choose_tab(page, "0c")
    # Filled in by the slicing.
    assert value(page, "asr_inp_dir").endswith("output/slicer_opt")
    pick(page, "asr_model", "PocketSphinx")
    expect(page.locator("#asr_state")).to_contain_text("可用（en）")
    expect(run(page, "asr")).to_contain_text(re.compile("完成"))

    choose_tab(page, "1")
    fill(page, "exp_name", "clicked")
    choose_tab(page, "1A")
    assert value(page, "inp_text").endswith("slicer_opt.list")
    assert value(page, "inp_wav_dir").endswith("output/slicer_opt")
    expect(run(page, "1abc")).to_contain_text("一键三连完成")

    choose_tab(page, "1B")
    for job in ("1Ba", "1Bb"):
        set_number(page, f"total_epoch_{job}", 1)
        set_number(page, f"save_every_epoch_{job}", 1)
        set_number(page, f"batch_size_{job}", 4)
        expect(run(page, job)).to_contain_text("训练完成")
    page.reload()
    wait_until_it_works(page)
    # Fields and states are those of before.
    choose_tab(page, "1")
    expect(page.locator("#exp_name textarea, #exp_name input").first).to_have_value("clicked")
    choose_tab(page, "1B")
    expect(page.locator("#panel_1Ba")).to_contain_text("训练完成")
    for job in ("1Ba", "1Bb"):
        expect(page.locator(f"#curves_{job} canvas, #curves_{job} svg.marks").first).to_be_visible(timeout=LONG)
    expect(page.locator("#samples_1Ba img")).to_have_count(2)
    expect(page.locator("#samples_1Ba audio")).to_have_count(2)

    choose_tab(page, "1C")
    page.locator("#tts_refresh").click()
    pick(page, "tts_sovits", "clicked_e1")
    expect(page.locator("#tts_model_status")).to_contain_text("clicked_e1")
    pick(page, "tts_gpt", "clicked-e1")
    expect(page.locator("#tts_model_status")).to_contain_text("clicked-e1.ckpt")
    page.locator("#tts_reference input[type=file]").first.set_input_files(CLIPS / "01.flac")
    expect(page.locator("#reference_check")).to_contain_text("长度和音量合适")
    fill(page, "tts_text", "Hello there.")
    pick(page, "tts_language", "英文")
    page.locator("#tts_start").click()
    expect(page.locator("#tts_status")).to_contain_text(re.compile(r"共 1 段 [\d.]+ 秒，种子 \d+"), timeout=LONG)
    take = page.locator("#takes .take")
    expect(take).to_have_count(1)
    assert page.request.get(str(take.locator("a").get_attribute("href"))).body()[:4] == b"RIFF"
    expect(page.locator("#tts_speech audio, #tts_speech canvas, #tts_speech [data-testid]").first).to_be_attached()
    expect(page.locator("#tts_picture img")).to_be_visible()
    page.screenshot(path=pictures / "spoken.png", full_page=True)


def test_a_second_browser_sees_the_same_job_and_can_stop_it(look: Look, chinese: Server) -> None:
    first, second = look(chinese.url), look(chinese.url)
    for page in (first, second):
        choose_tab(page, "1")
        choose_tab(page, "1A")
    fill(first, "inp_text", str(CLIPS.parent / "sample.list"))
    fill(first, "inp_wav_dir", str(CLIPS))
    fill(first, "exp_name", "stopped")
    first.locator("#open_1abc").click()
    running = re.compile("gsv-running")
    for page in (first, second):
        expect(page.locator("#panel_1abc .gsv-panel")).to_have_class(running, timeout=LONG)
    second.locator("#close_1abc").click()
    for page in (first, second):
        expect(page.locator("#panel_1abc")).to_contain_text("一键三连已终止", timeout=LONG)


def test_what_is_wrong_is_said_on_the_page(look: Look, english: Server) -> None:
    page = look(english.url, locale="en-US")
    choose_tab(page, "0b")
    fill(page, "inp", "/not/there")
    page.locator("#open_slice").click()
    expect(page.locator(".toast-wrap, [data-testid=toast-body]").first).to_contain_text(
        "inp: there is no file or folder"
    )


def test_the_page_stays_dark_or_light(look: Look, english: Server) -> None:
    page = look(english.url, locale="en-US")
    page.locator("#dark").click()
    expect(page.locator("body")).to_have_class(re.compile("dark"))
    page.reload()
    wait_until_it_works(page)
    expect(page.locator("body")).to_have_class(re.compile("dark"))
    page.locator("#dark").click()
    expect(page.locator("body")).not_to_have_class(re.compile("dark"))


@pytest.mark.parametrize("language", ["chinese", "english"])
def test_every_tab_fits_screens_of_every_width(
    look: Look, request: pytest.FixtureRequest, pictures: Path, language: str
) -> None:
    server: Server = request.getfixturevalue(language)
    page = look(server.url, locale="zh-CN" if language == "chinese" else "en-US")
    for width in (380, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for top, inner in TABS.items():
            choose_tab(page, top)
            for tab in inner or (top,):
                if inner:
                    choose_tab(page, tab)
                # Shown at last, and drawn.
                expect(page.locator(f"#tab_{tab}")).to_be_visible()
                page.wait_for_timeout(300)
                page.screenshot(path=pictures / f"{language}-{width}-{tab}.png", full_page=True)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, tab)
