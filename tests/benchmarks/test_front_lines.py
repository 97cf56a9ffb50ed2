"""The table of the front-end benchmark says what was measured."""

from __future__ import annotations

from .front.lines import Line, spread, table, value


def test_table_of_figures() -> None:
    """Both sides, their ratio, and whether the goal is reached at the percentile it is for."""
    many = spread([float(n) for n in range(1, 101)])
    lines = [
        Line(what="slow", ours=many, naive=value(190.0), goal=60.0, at="p95"),
        Line(what="fast", ours=many, naive=value(500.0), goal=60.0),
        Line(what="plain", unit="kB", ours=value(7.0)),
    ]
    assert (many.p50, many.p95) == (50.0, 95.0)
    assert [line.is_reached for line in lines] == [False, True, None]
    told = table(lines).splitlines()
    assert told[2].split() == ["slow", "ms", "50", "95", "190", "2", "p95", "60", "NO"]
    assert told[3].split() == ["fast", "ms", "50", "95", "500", "10", "p50", "60", "yes"]
    assert told[4].split() == ["plain", "kB", "7"]
