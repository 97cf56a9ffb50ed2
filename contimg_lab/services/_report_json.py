"""A night's report as JSON: canonical text can be made of it, and a published schema tells it."""

from __future__ import annotations

import dataclasses
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from contimg_lab.services._origin import plain

if TYPE_CHECKING:
    from contimg_lab.services.night_report import NightReport

__all__ = ["FORMAT", "report_json", "report_schema"]

FORMAT = "contimg_lab night report 1"

_COUNTS = ("n_ms", "n_tiles", "n_calibrators", "n_twins", "status_counts", "cause_counts")
_NOISE = ("noise_median_jy", "noise_max_jy", "noisiest_path", "coverage")


def report_json(report: NightReport) -> dict[str, Any]:
    """Write a report as JSON has it; a number that is not finite becomes null."""
    told: dict[str, Any] = {
        "format": FORMAT,
        "night": report.night,
        "as_of": report.as_of.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "as_of_unix_s": report.as_of.timestamp(),
        "verdict": report.verdict,
        "recommendation": dataclasses.asdict(report.recommendation),
        "withdraw": [dataclasses.asdict(one) for one in report.withdraw],
        "hours": [f"{one.hour:02d}" for one in report.judged],
        "judged": {
            f"{one.hour:02d}": {
                "verdict": one.verdict,
                "recommendation": dataclasses.asdict(one.recommendation),
                "promotion": one.promotion.candidate,
                "conditions": {
                    name: dataclasses.asdict(held)
                    for name, held in one.promotion.conditions.items()
                },
                "summary": dataclasses.asdict(one.summary),
            }
            for one in report.judged
        },
        "promotions": {f"{o.hour:02d}": list(o.promotion.classes) for o in report.judged},
        "outcomes": [one.to_json() for one in report.outcomes],
        "gates": sorted(report.gates),
        "stage_grade": {
            "means": "the older system's grade, told from the stage alone: no measurement",
            "counts": dict(report.stage_grades),
        },
        "summary": {
            **{name: getattr(report, name) for name in (*_COUNTS, *_NOISE)},
            "failed": [
                {name: getattr(run, name) for name in ("run_id", "ms_path", "cause", "message")}
                for run in report.failed
            ],
            "gaps": [dataclasses.asdict(gap) for gap in report.gaps],
        },
        "thresholds": {
            "name": report.thresholds.name,
            "digest": report.thresholds.digest,
            "values": report.thresholds.values,
        },
        "versions": dict(report.versions),
        "database": dict(report.database),
        "evidence": report.evidence.summary,
    }
    made: dict[str, Any] = plain(told)
    return made


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of a report: ``report.schema.json`` of the package."""
    text = resources.files("contimg_lab").joinpath("report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
