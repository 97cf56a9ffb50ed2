"""Planted faults in small: one placement of each kind, and the clean nights of two seasons."""

from __future__ import annotations

import pytest

from contimg_lab.analysis.checks import all_checks
from contimg_lab.demo import Season
from contimg_lab.records.qa import Outcome

from .planted import KINDS
from .planted.clean import Clean, clean
from .planted.judged import judge
from .planted.report import Row, clean_table, fault_table, reaches, sweep_table
from .planted.seasons import Ready, ready

GATES = frozenset(one.name for one in all_checks(others=[]) if one.severity == "gate")
PLACES = 1
# every third kind at each run; the others take as long again twice, in the slow profile
NAMES = [
    pytest.param(name, marks=() if at % 3 == 0 else pytest.mark.slow)
    for at, name in enumerate(KINDS)
]


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """A season with as many sources as an hour of the telescope has."""
    cache = tmp_path_factory.mktemp("cache")
    return ready(cache / "ready", Season(seed=7, nights=32, n_sources=600), cache)


@pytest.fixture(scope="module")
def before() -> dict[str, tuple[Outcome, ...]]:
    """What was said of nights before anything was planted."""
    return {}


@pytest.mark.parametrize("name", NAMES)
async def test_a_planted_fault_is_told(season: Ready, before, name: str) -> None:
    """Each fault in the database's own rows is told by its check, at its hour, with its rows."""
    kind = KINDS[name]
    told = [await judge(season, kind, place, kind.size, before) for place in range(PLACES)]
    assert [one.is_told for one in told] == [True] * PLACES
    assert frozenset().union(*(one.aside for one in told)) & GATES == frozenset()


async def test_no_gate_fails_on_a_clean_night(season: Ready) -> None:
    """No whole hour is to be rejected without a reason in truth, and the counts add up."""
    made = await clean(season)
    assert made.nights > 3
    assert made.hours == sum(made.decisions.values()) > made.nights
    assert made.rejected == 0
    assert sum(made.judged.values()) > 30 * made.hours
    total = Clean()
    for _ in range(2):
        total.add(made)
    assert total.judged["noise"] == 2 * made.judged["noise"] == total.hours
    assert f"{total.nights} clean nights" in clean_table(total, GATES)


def test_every_check_has_a_fault() -> None:
    """A new check gets a kind of fault in the database."""
    assert {kind.check for kind in KINDS.values()} == {one.name for one in all_checks(others=[])}


def test_the_tables_say_what_was_counted() -> None:
    """Counts stand in the tables, and the sizes are found between those that were tried."""
    kind = KINDS["noisy_hour"]
    rows = [Row(kind=kind, size=s, n=50, told=t) for s, t in ((1.1, 0), (1.5, 40), (2.0, 50))]
    rows[2].aside["pointing"] = 3
    assert "50 of 50 | 0 | pointing 3" in fault_table(rows, GATES)
    assert "all 150 placements: pointing 3" in fault_table(rows, GATES)
    assert reaches([(1.1, 0.0), (1.5, 0.8)], 0.5) == pytest.approx(1.35)
    assert reaches([(1.1, 0.0), (1.5, 0.8)], 0.95) is None
    assert "1.1: 0%, 1.5: 80%, 2: 100% | 1.35 | 1.87" in sweep_table({"noisy_hour": rows})
