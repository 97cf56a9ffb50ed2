"""How each part of a night's report is shown: its title, its sentences and its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contimg_lab.analysis.checks import Check
from contimg_lab.services._part_blocks import Block, Lines, Table
from contimg_lab.services._part_values import SEVERAL, check_of

__all__ = ["part_view"]

_MOST = 200  # outcomes that are listed
_MOST_KEYS = 5


def part_view(
    night: str, name: str, value: Any, check: Check | None
) -> tuple[str, tuple[Block, ...]]:
    """Return the title and the blocks of one part, made of its value alone."""
    if name in _VIEWS:
        title, blocks = _VIEWS[name](value)
    elif SEVERAL in name:
        held = [(one, check_of(one), outcomes) for one, outcomes in value.items()]
        title, blocks = name, [b for n, c, v in held for b in (Lines((n,)), *_check(c, v))]
    else:
        title, blocks = name, _check(check, value)
    return f"Night {night} (UTC): {title}", tuple(blocks)


_Made = tuple[str, Sequence[Block]]


def _verdict(value: Any) -> _Made:
    told = value["recommendation"]
    rows = tuple(
        (word, ", ".join(c if n == 1 else f"{c} ({n})" for c, n in counts.items()) or "none")
        for word, counts in value["outcomes"].items()
    )
    recommended = Lines((f"Recommended: {told['decision']}, since {told['rule']}.",))
    return value["verdict"], (recommended, Table(("word", "checks (outcomes)"), rows))


def _hours(value: Any) -> _Made:
    headings = (
        "hour (UTC)", "verdict", "recommended", "rule", "class", "since", "MS", "tiles",
        "failed runs", "median noise (mJy/beam)",
    )  # fmt: skip
    rows = tuple(
        (
            f"{one['hour']:02d}",
            one["verdict"],
            one["recommendation"]["decision"],
            one["recommendation"]["rule"],
            one["classes"][0] if one["classes"] else "none",
            "; ".join(held["why"] for held in one["conditions"].values()),
            str(one["summary"]["n_ms"]),
            str(one["summary"]["n_tiles"]),
            str(one["summary"]["n_failed"]),
            _milli(one["summary"]["noise_median_jy"]),
        )
        for one in value
    )
    return "hours", [_table(headings, rows, "none that has a tile")]


def _milli(value: float | None) -> str:
    return "-" if value is None else f"{value * 1e3:.1f}"


def _checks(value: Any) -> _Made:
    headings = ("check", *(f"{hour:02d}" for hour in value["hours"]), "night")
    rows = tuple(
        (check if check in value["gates"] else f"{check} (notice)", *(w or "-" for w in words))
        for check, words in value["words"].items()
    )
    return "checks by hour", [Table(headings, rows)]


def _listed(title: str) -> Callable[[Any], _Made]:
    def made(value: Any) -> _Made:
        return title, _outcomes(value, ("check",))

    return made


def _unjudged(value: Any) -> _Made:
    """One row for each reason of a check, with all that it holds for."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in value:
        where = one["scope"] if one["hour"] is None else f"{one['hour']:02d}"
        places.setdefault((one["check"], one["why"]), []).append(where)
    rows = tuple(
        (check, why, ", ".join(dict.fromkeys(held)), str(len(held)))
        for (check, why), held in places.items()
    )
    table = _table(("check", "why", "hours (UTC)", "outcomes"), rows, "nothing")
    return "not applicable, and why", [table]


def _outcomes(value: Any, first: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> list[Block]:
    rows = tuple(
        (
            *(one[name] for name in first),
            f"{one['scope']} {one['key']}",
            "-" if one["hour"] is None else f"{one['hour']:02d}",
            one["word"],
            one["why"],
            _number(one["value"], one["unit"]),
            _number(one["threshold"], one["unit"]),
            *(one[name] or "-" for name in last),
            _keys(one["rows"]),
        )
        for one in value[:_MOST]
    )
    whose = ("whose limit",) if last else ()
    headings = (*first, "of", "hour", "word", "why", "value", "limit", *whose, "rows")
    left = len(value) - len(rows)
    more = [Lines((f"and {left} more",))] if left else []
    return [_table(headings, rows, "nothing"), *more]


def _number(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.4g} {'' if unit == '1' else unit}".strip()


def _keys(rows: Mapping[str, Sequence[str]]) -> str:
    told = []
    for table, keys in rows.items():
        more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
        told.append(f"{table}: {', '.join(keys[:_MOST_KEYS])}{more}")
    return "; ".join(told)


def _check(check: Check | None, value: Any) -> list[Block]:
    about = () if check is None else (
        f"protects against {check.protects_against}",
        f"{check.metric} ({check.unit}), of each {check.scope}; a {check.severity}",
    )  # fmt: skip
    return [Lines(about), *_outcomes(value, last=("threshold_source",))]


def _withdraw(value: Any) -> _Made:
    rows = tuple((one["scope"], one["key"], ", ".join(one["checks"])) for one in value)
    table = _table(("what", "which", "gates that fail because of it"), rows, "nothing")
    return "to be withdrawn for it to pass", [table]


def _stage_grade(value: Any) -> _Made:
    rows = tuple((grade, str(n)) for grade, n in value.items())
    told = Lines(("the older system's grade, told from the stage alone: no measurement",))
    return "stage grade", [told, Table(("grade", "MS"), rows)]


def _thresholds(value: Any) -> _Made:
    rows = tuple(
        (name, f"{one['value']:g}", "" if one["unit"] == "1" else one["unit"], one["source"])
        for name, one in value["limits"].items()
    )
    told = Lines((f"set {value['name']}, SHA-256 {value['digest']}",))
    return "thresholds", [told, Table(("limit", "value", "unit", "whose"), rows)]


def _evidence(value: Any) -> _Made:
    rows = tuple(
        (name, str(table["rows"]), table["digest"]) for name, table in value["tables"].items()
    )
    told = Lines((f"every row that it stands on, SHA-256 {value['digest']}",))
    return "evidence", [told, Table(("table", "rows", "SHA-256"), rows)]


def _table(headings: Sequence[str], rows: tuple[tuple[str, ...], ...], none: str) -> Block:
    return Table(tuple(headings), rows) if rows else Lines((none,))


_VIEWS: Mapping[str, Callable[[Any], _Made]] = {
    "verdict": _verdict,
    "hours": _hours,
    "checks": _checks,
    "fails": _listed("what fails"),
    "warns": _listed("what warns"),
    "not applicable": _unjudged,
    "withdraw": _withdraw,
    "stage grade": _stage_grade,
    "thresholds": _thresholds,
    "evidence": _evidence,
}
