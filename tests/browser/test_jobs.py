"""The jobs panel in a real JupyterLab: filtered by causes, a log followed, steps that lead on.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
RUN = "job-2025-11-06-064333"  # the one that is running
OPEN = """
import contimg_lab as cl
lab = await cl.open({folder!r})
jobs = lab.jobs.panel()
jobs
"""
TABLES = "tables = lab.caltables.panel(night='all')\ntables"


@pytest.fixture(scope="module")
def log(season_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the running run, in a private copy of the season."""
    folder = tmp_path_factory.mktemp("jobs") / "season"
    shutil.copytree(season_folder(), folder)
    path = folder / "logs" / f"{RUN}.log"
    path.write_text("".join(f"line {i:03d} of the run\n" for i in range(150)))
    return path


@pytest.fixture(scope="module")
def book(log: Path, notebook: Callable[..., Page]) -> Page:
    """A notebook with the jobs of that copy, and its cal tables."""
    page = notebook("jobs", OPEN.format(folder=str(log.parent.parent)), TABLES)
    expect(jobs(page)).to_contain_text("36 of 36 runs", timeout=60_000)
    return page


def panel(page: Page, title: str) -> Locator:
    named = page.locator(".contimg-title", has_text=re.compile(rf"^{title}$"))
    return page.locator(".contimg-panel").filter(has=named).first


def jobs(page: Page) -> Locator:
    return panel(page, "Jobs")


def chip(page: Page, name: str) -> Locator:
    return jobs(page).get_by_role("button", name=re.compile(name))


def append(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def scroller(page: Page) -> Locator:
    return jobs(page).get_by_role("log")


def theme(page: Page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Theme").first.hover()
    page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^JupyterLab {name}$")).click()
    light = "true" if name == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def test_a_click_on_a_cause_filters_by_it(book: Page) -> None:
    """A cause stands with its number and an example; a click leaves its runs, another all."""
    cause = chip(book, r"conversion 1$")
    expect(cause).to_have_attribute("aria-pressed", "false")
    expect(jobs(book)).to_contain_text("incomplete subband group (11/16)")
    cause.click()
    expect(jobs(book)).to_contain_text("1 of 36 runs")
    expect(cause).to_have_attribute("aria-pressed", "true")
    cause.click()
    expect(jobs(book)).to_contain_text("36 of 36 runs")


def test_a_keyboard_filters_as_well(book: Page) -> None:
    """Arrows go along the states, Space and Enter press, and the focus stays on the chip."""
    chip(book, r"^all 36$").focus()
    book.keyboard.press("ArrowRight")
    failed = chip(book, r"failed 4$")
    expect(failed).to_be_focused()
    book.keyboard.press("Enter")
    expect(jobs(book)).to_contain_text("4 of 36 runs")
    expect(failed).to_be_focused()
    expect(failed).to_have_attribute("aria-pressed", "true")
    for key in "ddx":  # commands of JupyterLab that change or delete cells
        book.keyboard.press(key)
    book.keyboard.press("Space")
    expect(jobs(book)).to_contain_text("36 of 36 runs")
    chip(book, r"timeout 1$").focus()
    book.keyboard.press("ArrowDown")
    book.keyboard.press("Space")
    expect(jobs(book)).to_contain_text("1 of 36 runs")
    book.keyboard.press("Enter")
    expect(jobs(book)).to_contain_text("36 of 36 runs")
    expect(book.locator(".jp-CodeCell")).to_have_count(2)


def test_unusual_durations_are_marked_with_their_rule(book: Page) -> None:
    """A duration far from the median bears a sign, and the rule stands beside."""
    expect(jobs(book)).to_contain_text("⚠ marks 2 of them: further than 5 × 1.4826 MAD")
    expect(jobs(book).locator("tbody td").filter(has_text="⚠ 31 min 51 s")).to_be_visible()


def test_the_log_of_a_running_run_is_followed(book: Page, log: Path) -> None:
    """New lines come by themselves, and the end stays in sight."""
    jobs(book).locator("tbody tr").filter(has_text="running").first.click()
    expect(jobs(book)).to_contain_text(f"the run's own file {RUN}.log")
    expect(scroller(book)).to_contain_text("line 149 of the run")
    expect(chip(book, "follow")).to_have_class(re.compile("mod-active"))
    append(log, "a new line", "ERROR of it")
    expect(scroller(book)).to_contain_text("a new line")
    expect(scroller(book).locator(".contimg-bad")).to_have_text("ERROR of it\n")
    left = scroller(book).evaluate("(e) => e.scrollHeight - e.scrollTop - e.clientHeight")
    assert left < 6


def test_who_has_scrolled_up_stays_there(book: Page, log: Path) -> None:
    """Lines that are added below move nothing, and are counted on a button that leads to them."""
    scroller(book).evaluate("(e) => { e.scrollTop = 300 }")
    append(log, *(f"later {i}" for i in range(3)))
    news = jobs(book).get_by_role("button", name="3 new lines below")
    expect(news).to_be_visible()
    assert scroller(book).evaluate("(e) => e.scrollTop") == 300
    append(log, "and one more")
    expect(jobs(book).get_by_role("button", name="4 new lines below")).to_be_visible()
    assert scroller(book).evaluate("(e) => e.scrollTop") == 300
    jobs(book).get_by_role("button", name="new lines below").click()
    expect(jobs(book).get_by_role("button", name="new lines below")).to_have_count(0)
    left = scroller(book).evaluate("(e) => e.scrollHeight - e.scrollTop - e.clientHeight")
    assert left < 6


def test_following_ends_with_the_toggle(book: Page, log: Path) -> None:
    """Without the toggle nothing is added; with it what was missed comes."""
    chip(book, "follow").click()
    expect(chip(book, "follow")).not_to_have_class(re.compile("mod-active"))
    append(log, "unheard")
    book.wait_for_timeout(2_500)
    expect(scroller(book)).not_to_contain_text("unheard")
    chip(book, "follow").click()
    expect(scroller(book)).to_contain_text("unheard")


def test_a_step_moves_the_other_panel(book: Page) -> None:
    """From the MS to its cal table: a press on the step chooses it there."""
    jobs(book).locator("tbody tr").filter(has_text="conversion").first.click()
    expect(scroller(book)).to_contain_text("RuntimeError")
    expect(chip(book, "MS ok: 2025-11-06T05:26:15")).to_be_visible()
    expect(chip(book, "images missing")).to_have_attribute("aria-disabled", "true")
    step = chip(book, "cal table nearest 1.7 h: .*bpcal")
    step.click()
    expect(panel(book, "Cal tables")).to_contain_text("calibrators/2025-11-06T03:43:40.ms")
    chosen = panel(book, "Cal tables").locator("tr[aria-selected=true]")
    expect(chosen).to_contain_text("bpcal")


@pytest.mark.parametrize("name", ["Dark", "Light"])
def test_both_themes(book: Page, name: str) -> None:
    """Screenshots of both, to be looked at, wide and narrow."""
    theme(book, name)
    ARTEFACTS.mkdir(exist_ok=True)
    for width in (1400, 900):
        book.set_viewport_size({"width": width, "height": 1000})
        jobs(book).scroll_into_view_if_needed()
        book.wait_for_timeout(500)
        expect(chip(book, r"failed 4$")).to_be_visible()
        book.screenshot(path=ARTEFACTS / f"jobs-{name.lower()}-{width}.png")
    book.set_viewport_size({"width": 1400, "height": 1000})
