"""What each step of a start imports: a count of modules, which no machine makes faster or slower.

A step may import what its budget allows and none of the heavy packages that later steps need.
Packages that others import where they find them (pyarrow, polars) are not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PROBE = """
import json, sys
seen = set(sys.modules)
steps = {}

def step(name):
    steps[name] = sorted(set(sys.modules) - seen)
    seen.update(sys.modules)

import contimg_lab as cl
step("import")

import asyncio

async def main():
    lab = await cl.demo(cache=sys.argv[1])
    step("open")
    panel = PANEL
    step("frame")
    table = getattr(panel, "_table", None) or panel.panels["night"]._matrix
    rows = asyncio.get_running_loop().create_future()
    show = table.show

    def told(columns, given, **options):
        show(columns, given, **options)
        if len(given) and not rows.done():
            rows.set_result(step("rows"))

    table.show = told
    curve = getattr(panel, "_curve", None)
    if panel.selected is not None:
        first = curve.show

        def shown(*given, **options):
            first(*given, **options)
            step("curve")
            curve.show = first

        curve.show = shown
    await rows  # they are on their way to the browser
    await panel.settled()
    step("all")
    panel.close()
    await lab.close()

asyncio.run(main())
print(json.dumps(steps))
"""
PANELS = {
    "jobs": "lab.jobs.panel()",
    "variability": "lab.sources.panel()",
    "first curve": "lab.sources.panel(source='NVSS J231235+152416')",
    "dashboard": "lab.dashboard()",
}
OPTIONAL = ("polars", "pyarrow")

# packages by who needs them, last first
DRAWS = ("astropy", "matplotlib", "PIL")
SHOWS = ("anywidget",)
FRAMES = ("pandas", "scipy")
WIDGETS = ("IPython", "ipywidgets", "traitlets")
ROOMS = ("numpy", "aiosqlite", "asyncio", "sqlite3")

# what must not have been imported when a step is done
FORBIDDEN = {
    ("jobs", "import"): (*ROOMS, *WIDGETS, *FRAMES, *SHOWS, *DRAWS, *OPTIONAL),
    ("jobs", "open"): (*WIDGETS, *FRAMES, *SHOWS, *DRAWS, *OPTIONAL),
    ("jobs", "frame"): (*FRAMES, *DRAWS, *OPTIONAL),
    ("jobs", "rows"): (*FRAMES, *DRAWS, *OPTIONAL),
    ("jobs", "all"): (*FRAMES, *DRAWS),
    ("dashboard", "frame"): (*FRAMES, *DRAWS, *OPTIONAL),
    ("dashboard", "rows"): (*FRAMES, *DRAWS, *OPTIONAL),
    ("dashboard", "all"): (*FRAMES, *DRAWS),
    ("first curve", "curve"): (*FRAMES, *DRAWS, *OPTIONAL),
    ("first curve", "rows"): (*DRAWS, "polars"),
    ("variability", "frame"): (*FRAMES, *DRAWS, *OPTIONAL),
    ("variability", "rows"): (*DRAWS, "polars"),
    ("variability", "all"): ("astropy",),
}
# modules that a step adds to those before it: what it does today and a tenth
BUDGET = {
    ("jobs", "import"): 14,
    ("jobs", "open"): 425,
    ("jobs", "frame"): 232,
    ("jobs", "rows"): 10,
    ("jobs", "all"): 10,
    ("dashboard", "frame"): 285,
    ("dashboard", "rows"): 10,
    ("first curve", "frame"): 260,
    ("first curve", "curve"): 60,
    ("variability", "frame"): 262,
    ("variability", "rows"): 540,
    ("variability", "all"): 195,
}


@pytest.fixture(scope="module")
def steps(season_folder) -> dict[str, dict[str, list[str]]]:
    """Modules that each step added, of each panel, each in a process of its own."""
    cache = str(Path(season_folder()).parent)
    found = {}
    for name, panel in PANELS.items():
        said = subprocess.run(
            [sys.executable, "-c", PROBE.replace("PANEL", panel), cache],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        found[name] = json.loads(said.stdout)
    return found


def by_package(names: list[str]) -> str:
    """Top-level packages with how many modules of each, the twelve largest first."""
    counts = Counter(name.partition(".")[0] for name in names).most_common(12)
    return ", ".join(f"{package} {count}" for package, count in counts) + " ..."


@pytest.mark.parametrize(("panel", "step"), list(FORBIDDEN))
def test_nothing_heavy_is_imported_before_it_is_needed(steps, panel, step) -> None:
    """Each step must leave alone the heavy packages that only later steps need."""
    order = list(steps[panel])
    had = {
        name.partition(".")[0]
        for earlier in order[: order.index(step) + 1]
        for name in steps[panel][earlier]
    }
    early = sorted(had & set(FORBIDDEN[panel, step]))
    assert not early, f"imported too early: {early}; this step: {by_package(steps[panel][step])}"


@pytest.mark.parametrize(("panel", "step"), list(BUDGET))
def test_a_step_keeps_to_its_budget(steps, panel, step) -> None:
    """Each step must import no more modules than its budget, or say which packages came in."""
    new = [n for n in steps[panel][step] if n.partition(".")[0] not in OPTIONAL]
    assert len(new) <= BUDGET[panel, step], f"{len(new)} modules: {by_package(new)}"
