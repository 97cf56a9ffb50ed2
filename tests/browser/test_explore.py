"""The explore notebook as a person meets it: opened, run, clicked, reloaded.

The tests follow one another on one page, as a person would.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shot")]


def panel(page: Page, title: str) -> Locator:
    """First live panel of this title."""
    named = page.locator(".contimg-title", has_text=re.compile(rf"^{title}$"))
    return page.locator(".contimg-panel").filter(has=named).first


def row(where: Locator, text: str) -> Locator:
    """First row that holds a text; the table is scrolled until it is in sight, as a person does."""
    found = where.locator("tbody tr").filter(has_text=text).first
    grid = where.locator("[role=grid]").first
    for _ in range(5):  # a busy machine draws later than it scrolls
        grid.evaluate("(grid) => { grid.scrollTop = 0 }")
        for _ in range(40):
            where.page.wait_for_timeout(100)
            if found.count():
                return found
            ended = grid.evaluate(
                "(grid) => { const was = grid.scrollTop; grid.scrollTop += grid.clientHeight / 2;"
                " return grid.scrollTop === was }"
            )
            if ended:
                break
    return found


def test_the_command_opens_the_notebook_with_what_was_saved(page):
    """Before any cell is run the notebook shows its saved tables and figures, and no widget."""
    page.wait_for_selector(".jp-Notebook")
    expect(page.get_by_role("heading", name="Explore a season")).to_be_visible()
    expect(page.locator(".jp-OutputArea-output table").first).to_be_visible()
    expect(page.locator(".contimg-panel")).to_have_count(0)
    expect(page.get_by_text("model not found")).to_have_count(0)


def test_every_cell_runs(page):
    """Run All ends with the dashboard on screen and no cell in error."""
    # before the kernel answers, JupyterLab would ask which one to run
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Run All Cells").first.click()
    expect(panel(page, "Dashboard")).to_contain_text("Measurement Sets", timeout=90_000)
    expect(page.locator(".jp-RenderedText[data-mime-type*='stderr']")).to_have_count(0)
    panel(page, "Dashboard").scroll_into_view_if_needed()


def test_a_failed_job_shows_its_log_and_what_it_links(page):
    """A click on a failed run shows the error in its log, which log that is, and its MS."""
    jobs = panel(page, "Jobs")
    jobs.scroll_into_view_if_needed()
    expect(jobs).to_contain_text(re.compile(r"\d+ runs: \d+ completed, 4 failed"))
    row(jobs, "conversion").click()
    log = jobs.locator(".contimg-log")
    expect(log).to_contain_text("incomplete subband group (11/16)")
    expect(log).to_contain_text("RuntimeError")
    expect(jobs).to_contain_text("the run's own file job-2025-11-06-052615.log")
    expect(jobs).to_contain_text("/stage/dsa110-contimg/ms/2025-11-06T05:26:15.ms")
    expect(jobs).to_contain_text("failed: conversion")


def test_a_filter_narrows_the_table_and_says_of_how_many(page):
    """Typing a cause leaves the runs that have it; clearing it brings all back."""
    jobs = panel(page, "Jobs")
    box = jobs.get_by_placeholder(re.compile("cause"))
    box.fill("memory")
    expect(jobs).to_contain_text("1 of 36 runs")
    expect(box).to_be_focused()
    box.fill("")
    expect(jobs).to_contain_text("36 of 36 runs")


def test_a_measurement_set_is_shown_on_the_sky(page):
    """A click on an MS marks it on the sky plot and tells where it looked."""
    pointings = panel(page, "Pointings")
    pointings.scroll_into_view_if_needed()
    expect(pointings).to_contain_text("36 Measurement Sets")
    row(pointings, "2025-11-06T04:50:10").click()
    expect(pointings).to_contain_text("0.2393")
    expect(pointings.locator(".contimg-plot")).to_have_attribute("data-selected", "1")
    expect(pointings.get_by_role("img", name=re.compile("Sky plot: completed"))).to_be_attached()


def test_cal_tables_show_windows_and_quality(page):
    """A click on a cal table shows its window, its quality and the MS it was solved on."""
    tables = panel(page, "Cal tables")
    tables.scroll_into_view_if_needed()
    expect(tables).to_contain_text("11 inside, 25 nearest (max 3.1 h), 0 none")
    row(tables, "bpcal").click()
    expect(tables).to_contain_text("calibrators/2025-11-06T03:43:40.ms")
    windows = tables.get_by_role("img", name=re.compile("BP 11 inside a window, 25 nearest"))
    expect(windows).to_be_attached()


def test_a_source_shows_its_light_curve(page):
    """A click on a source shows its light curve with numbers, in text for who cannot see it."""
    sources = panel(page, "Variability")
    sources.scroll_into_view_if_needed()
    expect(sources).to_contain_text("200 of 200 sources")
    row(sources, "NVSS J231235+152416").click()
    told = re.compile(r"Light curve of NVSS J231235\+152416: detection \(54\).* mJy")
    curve = sources.get_by_role("img", name=told)
    expect(curve).to_be_attached()
    expect(sources).to_contain_text("54 detections")
    curve.scroll_into_view_if_needed()


def test_the_dashboard_shows_another_night(page):
    """Choosing the night without calibration tells at once that its runs were skipped."""
    dashboard = panel(page, "Dashboard")
    dashboard.scroll_into_view_if_needed()
    dashboard.locator("select").first.select_option(label="2025-10-20")
    expect(dashboard).to_contain_text("35 skipped_no_caltables")
    for tab in ("Pointings", "Cal tables", "Variability", "Jobs", "Night"):
        dashboard.get_by_role("tab", name=tab).click()
        expect(dashboard.locator("tbody tr:visible").first).to_be_visible()


def test_a_reload_and_a_fresh_kernel_bring_it_back(page):
    """After a reload, and after restart and run all, the panels answer again."""
    with page.expect_response(lambda r: r.request.method == "PUT" and "/api/contents/" in r.url):
        page.keyboard.press("Control+s")
    page.reload()
    page.wait_for_selector(".jp-Notebook")
    expect(panel(page, "Jobs")).to_contain_text("36 of 36 runs", timeout=90_000)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator(".lm-Menu-item").filter(has_text="Restart Kernel and Run All Cells").first.click()
    page.locator(".jp-Dialog button.jp-mod-accept").click()
    last = page.locator(".jp-CodeCell .jp-InputPrompt").last
    expect(last).to_have_text("[*]:")
    expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=90_000)
    expect(panel(page, "Dashboard")).to_contain_text("Measurement Sets", timeout=90_000)
    jobs = panel(page, "Jobs")
    row(jobs, "memory").click()
    expect(jobs.locator(".contimg-log")).to_contain_text("MemoryError")
