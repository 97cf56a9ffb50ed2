"""The index of a folder of nights: how each was judged, how it stands, and what stands out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.trends import LEAST_NIGHTS, LIMIT_SIGMA, NIGHTS_BEFORE
from contimg_lab.cli._qa_figures import LEAST_SHARE, QUANTITIES, RULE, figures_of
from contimg_lab.cli._qa_files import read_report, write_text
from contimg_lab.cli._qa_index_rows import compared_figures, row_of
from contimg_lab.errors import ContimgLabError
from contimg_lab.services._origin import now_utc, versions

if TYPE_CHECKING:
    from contimg_lab.lab import Lab
    from contimg_lab.records.sign_offs import NightState

__all__ = ["FORMAT", "write_index"]

FORMAT = "contimg_lab qa index 1"

_NIGHT = re.compile(r"\d{4}-\d{2}-\d{2}")


async def write_index(
    lab: Lab, out: Path, failures: Mapping[str, str], *, thresholds: str | None
) -> Path:
    """Write ``index.json`` and ``index.html`` of every night in a folder; return the page.

    Nights before them that are not in the folder are judged without a notebook, where a night
    in it must be compared with them.

    Parameters
    ----------
    lab
        The database.
    out
        The folder.
    failures
        Nights that could not be judged now, and why.
    thresholds
        Name of the set to judge earlier nights by.
    """
    from contimg_lab.cli._qa_index_page import index_page

    identity = await lab.identity()
    reports, left_out = await asyncio.to_thread(_reports, out, identity)
    shown = sorted({*reports, *failures})
    held = await lab.nights()
    before = {}
    for night in sorted(_earlier(shown, held) - set(shown)):
        with suppress(ContimgLabError):  # then the others make the comparison
            report = await lab.qa.night(night, thresholds=thresholds)
            before[night] = await asyncio.to_thread(report.to_json)
    states, why_not = await _states(lab, shown)
    compared = await asyncio.to_thread(
        compared_figures, sorted(reports), held, {**before, **reports}
    )
    rows = [
        row_of(night, reports.get(night), failures.get(night, ""), states.get(night))
        | {"figures": compared.get(night)}
        for night in shown
    ]
    told = {
        "format": FORMAT,
        "made_at": now_utc(),
        "versions": versions(),
        "database": {"identity": identity, "layout": lab.layout.name},
        "ledger": await _ledger(lab) if not why_not else _no_ledger(why_not),
        "rule": {
            "words": RULE,
            "nights_before": NIGHTS_BEFORE,
            "least_nights": LEAST_NIGHTS,
            "limit_sigma": LIMIT_SIGMA,
            "least_share": LEAST_SHARE,
        },
        "quantities": {
            name: {"unit": one.unit, "meaning": one.meaning, "worse": one.worse}
            for name, one in QUANTITIES.items()
        },
        "nights": rows,
        "before": [{"night": night, "figures": figures_of(one)} for night, one in before.items()],
        "left_out": left_out,
    }
    page = await asyncio.to_thread(index_page, told)
    path = out / "index.html"
    write_text(out / "index.json", json.dumps(told, indent=1, allow_nan=False) + "\n")
    write_text(path, page)
    return path


def _reports(out: Path, identity: str) -> tuple[dict[str, Any], list[str]]:
    """Reports by night, and the nights whose report is of another database."""
    found, others = {}, []
    for folder in sorted(out.iterdir()):
        if _NIGHT.fullmatch(folder.name) and (report := read_report(folder)) is not None:
            if report["database"]["identity"] == identity and report["night"] == folder.name:
                found[folder.name] = report
            else:
                others.append(folder.name)
    return found, others


def _earlier(shown: Iterable[str], held: tuple[str, ...]) -> set[str]:
    """Nights of the database that some night here is compared with."""
    place = {night: i for i, night in enumerate(held)}
    at = [place[night] for night in shown if night in place]
    return {night for i in at for night in held[max(0, i - NIGHTS_BEFORE) : i]}


async def _states(lab: Lab, shown: list[str]) -> tuple[dict[str, NightState], str]:
    """How each night stands, or why the ledger cannot tell."""
    if not shown:
        return {}, ""
    try:
        states = await lab.qa.states(shown[0], shown[-1])
    except ContimgLabError as error:
        return {}, " ".join(str(error).split())
    return {state.night: state for state in states}, ""


async def _ledger(lab: Lab) -> dict[str, Any]:
    book = await lab.qa.ledger()
    return {"number": book.head.number, "hash": book.head.hash, "why_not": ""}


def _no_ledger(why_not: str) -> dict[str, Any]:
    return {"number": None, "hash": None, "why_not": why_not}
