"""One part of a night's report, which carries what it was computed from wherever it is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.checks import Check
from contimg_lab.errors import InvalidInput
from contimg_lab.ledger.canonical import digest_of
from contimg_lab.services._part_blocks import blocks_html, blocks_text
from contimg_lab.services._part_values import MEANINGS, SEVERAL, check_of, part_value
from contimg_lab.services._part_views import part_view
from contimg_lab.services._proof import FORMAT, METADATA, seal, shown_digests, value_digest
from contimg_lab.services._proof_rows import EVERY, tables_of_check, tables_of_seen, told_tables

if TYPE_CHECKING:
    from contimg_lab.services.night_report import NightReport

__all__ = ["ReportPart", "make_part", "part_names"]

_MODULE = "contimg_lab.services.night_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPart:
    """One part of a night's report: a value, how it is shown, and what proves it.

    In a notebook what proves it is saved in the metadata of the output, under ``contimg_lab``;
    ``contimg-lab verify`` computes it again.

    Attributes
    ----------
    night, name
        UTC date, and name of the part.
    value
        What is shown, of JSON's kinds, numbers as they were computed.
    html, text
        How it is shown.
    proof
        What it was computed from: the question, the limits, the formula, the rows of each table
        (keys and SHA-256), and SHA-256 of the value.
    """

    night: str
    name: str
    value: Any = field(repr=False)
    html: str = field(repr=False)
    text: str = field(repr=False)
    proof: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        data = {"text/plain": self.text, "text/html": self.html}
        data = {
            kind: held
            for kind, held in data.items()
            if (include is None or kind in include) and kind not in (exclude or ())
        }
        return data, self.proved(data)

    def proved(self, data: Mapping[str, str]) -> dict[str, Any]:
        """Return the metadata of an output that shows this part.

        Parameters
        ----------
        data
            What is shown, by media type: text, and pictures as base64.
        """
        shown = shown_digests(data)
        told = {**self.proof, "shown": shown, "output_digest": digest_of(shown)}
        return {METADATA: {**told, "seal": seal(told)}}


def part_names(report: NightReport) -> tuple[str, ...]:
    """Return the names of the parts of a report: the views, then the checks."""
    return (*MEANINGS, *dict.fromkeys(one.check for one in report.outcomes))


def make_part(report: NightReport, name: str, seen: Iterable[str] = ()) -> ReportPart:
    """Make one part of a report.

    Parameters
    ----------
    report, name
        As for `contimg_lab.services.night_report.NightReport.part`.
    seen
        Tables of the night that are shown besides what the part itself looks at.

    Raises
    ------
    InvalidInput
        There is no part of that name.
    """
    names = part_names(report)
    for one in name.split(SEVERAL):
        if one not in names or (one in MEANINGS and one != name):
            raise InvalidInput(f"no part {one!r} of a report; there are {', '.join(names)}")
    checks = [] if name in MEANINGS else name.split(SEVERAL)
    check = check_of(name)
    value = part_value(report, name)
    title, blocks = part_view(report.night, name, value, check)
    return ReportPart(
        night=report.night,
        name=name,
        value=value,
        html=blocks_html(title, blocks),
        text=blocks_text(title, blocks),
        proof={
            "format": FORMAT,
            "question": f"lab.qa.night({report.night!r}).part({name!r})",
            "night": report.night,
            "part": name,
            "thresholds": _limits(report, name),
            "formula": _formulas(name, checks),
            "tables": told_tables(
                report.evidence,
                _tables(report, name, checks, seen),
                each=name == "evidence" or name not in MEANINGS,
            ),
            "value_digest": value_digest(value),
            "as_of_unix_s": report.columns.as_of_unix_s,
            "database": dict(report.database),
            "versions": dict(report.versions),
        },
    )


def _tables(
    report: NightReport, name: str, checks: Sequence[str], seen: Iterable[str]
) -> tuple[str, ...]:
    if name == "thresholds":
        return ()
    if name == "stage grade":
        return ("ms_index",)
    if not checks:
        return EVERY
    found = set(tables_of_seen(seen))
    for check in map(check_of, checks):
        stands_on = EVERY
        if check is not None:
            stands_on = tables_of_check(check, report.columns, report.thresholds)
        found.update(stands_on)
    return tuple(table for table in EVERY if table in found)


def _limits(report: NightReport, name: str) -> dict[str, Any]:
    """The set, and the values that the part needs; whose they are where it is shown."""
    held = report.thresholds
    told: dict[str, Any] = {"name": held.name, "digest": held.digest, "values": held.values}
    if name not in MEANINGS:
        own = {limit: value for limit, value in held.values.items() if _is_of(limit, name)}
        told["values"] = own
    if name not in MEANINGS or name == "thresholds":
        told["sources"] = {limit: held.limits[limit].source for limit in told["values"]}
    return told


def _is_of(limit: str, check: str) -> bool:
    return any(limit.startswith(f"{one}.") for one in check.split(SEVERAL))


def _formulas(name: str, checks: Sequence[str]) -> dict[str, str]:
    """The formula of a part; of several checks each word by check."""
    if len(checks) < 2:
        return _formula(name, check_of(name))
    of_each = {one: _formula(one, check_of(one)) for one in checks}
    words = dict.fromkeys(word for told in of_each.values() for word in told)
    return {
        word: "; ".join(f"{one}: {told[word]}" for one, told in of_each.items() if word in told)
        for word in words
    }


def _formula(name: str, check: Check | None) -> dict[str, str]:
    if name in MEANINGS:
        return {"computes": MEANINGS[name], "by": f"{_MODULE}.NightReport"}
    if check is None:  # the package that it was from is not installed any more
        return {"computes": "not known", "by": "not known"}
    return {
        "computes": check.metric,
        "unit": check.unit,
        "of each": check.scope,
        "severity": check.severity,
        "protects against": check.protects_against,
        "by": f"{check.function.__module__}.{check.function.__qualname__}",
    }
