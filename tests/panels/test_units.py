"""Units of fluxes and positions: one switch for all panels, and nothing read anew."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import contimg_lab as cl
from contimg_lab.analysis.positions import read_position
from contimg_lab.errors import InvalidInput
from contimg_lab.panels._base import Panel
from contimg_lab.panels._rows import Rows
from contimg_lab.panels._table import Table
from contimg_lab.panels._units import UnitColumns
from contimg_lab.units import FLUX_UNITS, Units

FLUX_JY = [0.0123, float("nan"), 2.5, 1e-4]
DEC_DEG = [16.2, -0.5, float("nan"), 89.99]


class Fluxes(Panel):
    """A panel with fluxes and positions that counts its readings."""

    title = "Fluxes"
    has_flux = True
    has_positions = True

    def _build(self) -> tuple[list[Any], list[Any]]:
        self.readings = 0
        self.details: list[str] = []
        self._table = Table("sources", 100, self._choose)
        self._watch(*self._table.watched)
        return [], [self._table.widget, ipywidgets.HTML()]

    async def _fetch(self) -> pd.DataFrame:
        self.readings += 1
        return pd.DataFrame({"flux_jy": FLUX_JY, "dec_deg": DEC_DEG})

    def _show(self, value: pd.DataFrame) -> str:
        self._frame = value
        columns = [
            self._units.flux("flux", value["flux_jy"].to_numpy()),
            self._units.dec(value["dec_deg"].to_numpy()),
        ]
        self._table.show(columns, list("abcd"), total=4, selected=self.selected)
        return f"4 of 4 sources in {self._units.flux_unit}"

    async def _fetch_detail(self, key: str) -> float:
        return FLUX_JY["abcd".index(key)]

    def _show_detail(self, key: str | None, value: Any) -> None:
        self.details.append("" if key is None else self._units.flux_words(value))


@pytest.fixture
def units(demo: cl.Lab) -> Iterator[Units]:
    """The units of a Lab, as they were at first again afterwards."""
    yield demo.view.units
    demo.view.units.choose(**Units().to_dict())


def titles(panel: Fluxes) -> list[str]:
    return [column.title for column in panel._table.rows.columns]


async def test_one_switch_moves_every_panel_and_reads_nothing(demo: cl.Lab, units: Units) -> None:
    """All panels must write the new unit at once, details too, without a reading."""
    panels = [Fluxes(demo), Fluxes(demo)]
    for panel in panels:
        await panel.settled()
        panel.select("c")
        await panel.settled()
    units.choose(flux="Jy", positions="sexagesimal")
    for panel in panels:
        assert titles(panel) == ["flux (Jy)", "Dec (d m s)"]
        assert panel._table.rows.page(0, 2)[0]["cells"] == ["0.01230", "+16:12:00.0"]
        assert panel._table.rows.page(0, 2)[1]["cells"] == ["-", "-00:30:00.0"]
        assert panel.details[-1] == "2.500 Jy"
        assert "4 of 4 sources in Jy" in panel._head.status.value
        assert (panel.readings, panel.selected) == (1, "c")
        assert panel.to_pandas()["flux_jy"].iloc[2] == 2.5  # what leaves a panel stays in Jy
        panel.close()
    units.flux = "uJy"
    assert titles(panels[0]) == ["flux (Jy)", "Dec (d m s)"]  # a closed one is told no more


async def test_the_order_stays_when_the_header_changes(demo: cl.Lab, units: Units) -> None:
    """A table sorted by flux must stay so in another unit, though the header is another."""
    panel = Fluxes(demo)
    await panel.settled()
    panel._table.sort("flux (mJy)", down=True)
    units.flux = "Jy"
    assert [row["key"] for row in panel._table.rows.page(0, 4)] == ["c", "a", "d", "b"]
    assert "sorted by flux (Jy), down" in panel._table.to_html()
    panel.close()


async def test_a_panel_that_was_not_read_yet_waits(demo: cl.Lab, units: Units) -> None:
    """A unit chosen before the first reading must be the one that is shown after it."""
    panel = Fluxes(demo, start=False)
    units.flux = "Jy"
    assert panel.state == "idle"
    await panel.settled()
    assert titles(panel)[0] == "flux (Jy)"
    panel.close()


async def test_a_saved_view_keeps_the_units(demo: cl.Lab, units: Units) -> None:
    """Save and restore must bring units back; an older view without any leaves them."""
    units.choose(flux="Jy", positions="sexagesimal")
    saved = json.loads(json.dumps(await demo.view.save()))
    units.choose(flux="mJy", positions="deg")
    await demo.view.restore(saved)
    assert units.to_dict() == {"flux": "Jy", "positions": "sexagesimal"}
    del saved["units"]
    await demo.view.restore(saved)
    assert units.flux == "Jy"
    with pytest.raises(InvalidInput, match="mJy, Jy, uJy"):
        await demo.view.restore({**saved, "units": {"flux": "erg"}})


@pytest.mark.parametrize("wrong", [{"flux": "W"}, {"positions": "rad"}, {"time": "s"}])
def test_what_is_no_unit_is_refused(wrong: dict[str, str]) -> None:
    """A unit that does not exist must be an error that names those that do."""
    with pytest.raises(InvalidInput, match=r"flux|positions"):
        Units().choose(**wrong)


def test_an_observer_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """What one observer raises must be logged, and the next one told all the same."""
    units, told = Units(), []

    def fails() -> None:
        raise ValueError("no")

    units.observe(fails)
    units.observe(lambda: told.append(units.flux))
    units.flux = "Jy"
    units.flux = "Jy"  # no change, nobody is told
    assert told == ["Jy"]
    assert "failed" in caplog.text


@given(
    st.lists(st.floats(min_value=-1e3, max_value=1e3) | st.just(math.nan), min_size=1),
    st.sampled_from(sorted(FLUX_UNITS)),
)
def test_fluxes_sort_alike_in_every_unit(flux_jy: list[float], unit: str) -> None:
    """The order must be that of the numbers in Jy, and each text the number in the unit."""
    units = Units()
    units.flux = unit
    column = UnitColumns(units).flux("f", flux_jy)
    rows = Rows([column], [str(i) for i in range(len(flux_jy))]).order(column.title)
    order = [flux_jy[int(row["key"])] for row in rows.page(0, len(flux_jy))]
    known = [value for value in order if not math.isnan(value)]
    assert known == sorted(known)
    assert all(math.isnan(value) for value in order[len(known) :])
    for text, value in zip(column.texts, flux_jy, strict=True):
        if not math.isnan(value):
            assert float(text) == pytest.approx(value * FLUX_UNITS[unit], rel=1e-3, abs=1e-300)


@given(st.floats(min_value=0.0, max_value=359.99), st.floats(min_value=-89.9, max_value=89.9))
def test_sexagesimal_columns_can_be_read_back(ra_deg: float, dec_deg: float) -> None:
    """What a column writes in hours and degrees must be the position, to its last digit."""
    units = Units()
    units.positions = "sexagesimal"
    shown = UnitColumns(units)
    texts = shown.ra([ra_deg]).texts[0], shown.dec([dec_deg]).texts[0]
    read = read_position(*texts)
    assert read[0] == pytest.approx(ra_deg, abs=15 * 0.006 / 3600)
    assert read[1] == pytest.approx(dec_deg, abs=0.06 / 3600)
