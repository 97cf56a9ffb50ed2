"""The rows of the jobs panel, which are shown without pandas."""

from __future__ import annotations

import pytest

import contimg_lab as cl


async def test_the_frame_of_the_jobs_panel_is_the_table(demo: cl.Lab) -> None:
    """The panel's DataFrame must be that of the service, in the panel's order, with its origin."""
    panel = demo.jobs.panel(sort="latest")
    await panel.settled()
    wanted = await demo.jobs.table(night=await demo.last_night())
    shown = panel.to_pandas()
    assert shown.equals(wanted.iloc[::-1].reset_index(drop=True))
    origin, told = wanted.attrs["provenance"], shown.attrs["provenance"]
    assert {k: told[k] for k in told if k != "read_at"} == {
        k: origin[k] for k in origin if k != "read_at"
    }
    assert shown.attrs["units"] == wanted.attrs["units"]
    panel.close()


@pytest.mark.parametrize("by", ["duration_s", "attempts"])
async def test_the_jobs_panel_sorts_highest_first(by: str, demo: cl.Lab) -> None:
    """Runs must stand by falling value, those without one last, ties in order of time."""
    panel = demo.jobs.panel(night="all", sort=by)
    await panel.settled()
    every = await demo.jobs.table()
    wanted = every.sort_values(by, ascending=False, kind="stable", ignore_index=True)
    assert list(panel.to_pandas()["run_id"]) == list(wanted["run_id"])
    panel.close()
