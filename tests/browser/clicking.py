"""What people do with the page."""

import re

from playwright.sync_api import Locator, Page, expect

# All stages here take seconds; a busy machine takes longer.
LONG = 300_000
ENDED = re.compile(r"gsv-(done|partly|failed|closed)")


def wait_until_it_works(page: Page) -> None:
    """The first look at the machine comes from the server, so events work by then."""
    page.wait_for_selector(".gsv-machine span")


def choose_tab(page: Page, name: str) -> None:
    """Clicks on a tab by its id, also where a narrow page has put it into a menu."""
    tab = page.locator(f"#tab_{name}-button:visible")
    if tab.count():
        tab.first.click()
        return
    menus = page.locator(".overflow-menu > button:visible")
    for number in range(menus.count()):
        menus.nth(number).click()
        entry = page.locator(".overflow-dropdown button:visible").filter(has_text=re.compile(rf"^\s*{name}\b"))
        if entry.count():
            entry.first.click()
            return
        menus.nth(number).click()
    raise AssertionError(f"There is no tab {name}.")


def fill(page: Page, name: str, text: str) -> None:
    page.locator(f"#{name}").locator("textarea:visible, input:visible").first.fill(text)


def set_number(page: Page, name: str, number: int) -> None:
    field = page.locator(f"#{name} input[type=number]")
    field.fill(str(number))
    field.press("Enter")


def pick(page: Page, name: str, choice: str) -> None:
    """Chooses from a dropdown."""
    page.locator(f"#{name} input").click()
    page.get_by_role("option", name=choice).click()


def run(page: Page, job: str) -> Locator:
    """Starts a job and waits for its end; the panel."""
    page.locator(f"#open_{job}").click()
    panel = page.locator(f"#panel_{job} .gsv-panel")
    expect(panel).to_have_class(re.compile("gsv-running"), timeout=LONG)
    expect(panel).to_have_class(ENDED, timeout=LONG)
    return panel


def value(page: Page, name: str) -> str:
    return page.locator(f"#{name}").locator("textarea, input").first.input_value()
