"""One row of the index of nights: how a night was judged, and what of it stands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.checks import WORDS
from contimg_lab.analysis.trends import NIGHTS_BEFORE
from contimg_lab.cli._qa_figures import compare, figures_of, floors_of
from contimg_lab.cli._qa_files import PAGE

if TYPE_CHECKING:
    from contimg_lab.records.sign_offs import NightState

__all__ = ["compared_figures", "row_of", "worst_words"]


def worst_words(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the worst word of each check of a report, in order of the checks."""
    worst: dict[str, str] = {}
    for one in report["outcomes"]:
        words = (one["word"], worst.get(one["check"], one["word"]))
        worst[one["check"]] = max(words, key=WORDS.index)
    return worst


def row_of(
    night: str, report: Mapping[str, Any] | None, why_not: str, state: NightState | None
) -> dict[str, Any]:
    """Write the row of a night, without its figures; what is not known is None."""
    row: dict[str, Any] = {
        "night": night,
        "why_not": why_not,
        "verdict": None,
        "recommendation": None,
        "checks": {},
        "as_of": None,
        "thresholds": None,
        "evidence": None,
        "report": None,
        "sign_off": None,
    }
    if report is not None:
        limits = report["thresholds"]
        row |= {
            "verdict": report["verdict"],
            "recommendation": report["recommendation"],
            "checks": worst_words(report),
            "as_of": report["as_of"],
            "thresholds": {"name": limits["name"], "digest": limits["digest"]},
            "evidence": report["evidence"]["digest"],
            "report": f"{night}/{PAGE}",
        }
    if state is not None:
        names = ("state", "decision", "reviewer", "signed_at", "number", "is_signed", "is_listed")
        row["sign_off"] = {name: getattr(state, name) for name in (*names, "change")}
    return row


def compared_figures(
    shown: Sequence[str], held: Sequence[str], reports: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Tell the figures of nights, each beside those of the nights before it.

    Parameters
    ----------
    shown
        The nights, of those that have a report.
    held
        Every night of the database, ascending.
    reports
        Of these nights, and of nights before them.
    """
    figures = {night: figures_of(report) for night, report in reports.items()}
    told: dict[str, dict[str, Any]] = {}
    for night in shown:
        earlier = [figures.get(one, {}) for one in held if one < night][-NIGHTS_BEFORE:]
        least = floors_of(reports[night])
        told[night] = {}
        for name, value in figures[night].items():
            before = [one.get(name) for one in earlier]
            against = compare(name, before, value, least.get(name, 0.0))
            told[night][name] = {"value": value, **against._asdict()}
    return told
