"""Quality, tiers and calibrators of every database against plain SQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import contimg_lab as cl

from .test_against_plain_sql import rows


async def test_quality_is_what_the_registry_holds(lab: cl.Lab, database_folder: Path) -> None:
    """Every table must have its SNR and flags as recorded, and the word that the limits give."""
    quality = (await lab.caltables.quality()).set_index("path")
    tables = rows(database_folder, "caltables")
    assert len(quality) == len(tables)
    for table in tables:
        try:
            told = json.loads(table.get("quality_metrics") or "{}")
        except ValueError:
            told = {}
        mine = quality.loc[table["path"]]
        snr, flagged = told.get("snr_mean"), told.get("flagged_fraction")
        assert mine["snr_mean"] == pytest.approx(snr) or snr is None
        words = [
            None if snr is None else "fail" if snr < 5 else "warn" if snr < 10 else "pass",
            None if flagged is None
            else "fail" if flagged > 0.5 else "warn" if flagged > 0.3 else "pass",
        ]  # fmt: skip
        assert [mine["snr_mean_word"], mine["flagged_fraction_word"]] == [
            word or "not recorded" for word in words
        ]


async def test_tiers_are_told_for_every_ms(lab: cl.Lab, database_folder: Path) -> None:
    """Every MS must have one tier, which the dates of its two tables decide."""
    tiers = await lab.caltables.tiers()
    night = (await lab.ms.table()).set_index("path")["night"]
    assert sorted(tiers["ms_path"]) == sorted(night.index)
    for row in tiers.astype(object).where(tiers.notna(), None).itertuples():
        dates, day = (row.bandpass_date, row.gain_date), night[row.ms_path]
        if None in dates or not isinstance(day, str):
            wanted = "unknown"
        else:
            wanted = "C" if dates[0] != day else "A" if dates[1] == day else "B"
        assert row.tier == wanted, row


async def test_calibrators_are_those_of_the_catalogue(lab: cl.Lab, database_folder: Path) -> None:
    """Names and places must be those of whichever table has some; none where none has."""
    found = await lab.caltables.calibrators()
    wanted = {
        row["calibrator_name"]: (row["ra_deg"], row["dec_deg"])
        for row in rows(database_folder, "bandpass_calibrators")
    } or {
        row["name"]: (row["ra_deg"], row["dec_deg"])
        for row in rows(database_folder, "calibrator_catalog")
    }
    places = zip(found["ra_deg"].tolist(), found["dec_deg"].tolist(), strict=True)
    assert dict(zip(found["name"].tolist(), places, strict=True)) == wanted


async def test_calibrators_without_a_place_are_left_out(copy_of: Callable[..., Path]) -> None:
    """A calibrator whose place is text or off the sky must not be drawn anywhere."""
    folder = copy_of()
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("UPDATE bandpass_calibrators SET dec_deg = 'north' WHERE id = 1")
        db.execute("UPDATE bandpass_calibrators SET dec_deg = 95.0 WHERE id = 2")
    db.close()
    async with cl.open(folder) as lab:
        found = await lab.caltables.calibrators()
        assert set(found["name"]) == {"3C454.3", "J0738+1742"}  # of the other table
    with sqlite3.connect(folder / "pipeline.sqlite3") as db:
        db.execute("DELETE FROM calibrator_catalog")
    db.close()
    async with cl.open(folder) as lab:
        assert (await lab.caltables.calibrators()).empty
