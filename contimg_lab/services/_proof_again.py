"""A value that was shown, computed again from the rows of today; and which of them differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.checks import run_checks
from contimg_lab.errors import ConfigError, InvalidInput
from contimg_lab.ledger.evidence import Evidence, Key
from contimg_lab.records.jobs import Run
from contimg_lab.services._part_values import MEANINGS, SEVERAL, check_of, part_value
from contimg_lab.services._proof_keys import in_order
from contimg_lab.services._proof_read import Proof, Stood
from contimg_lab.services._proof_rows import rows_of
from contimg_lab.services.jobs import JobsService
from contimg_lab.services.night_columns import NightRead, read_night
from contimg_lab.services.night_report import NightReport, make_report
from contimg_lab.thresholds import Threshold, Thresholds, packaged_thresholds, read_thresholds
from contimg_lab.times import parse_night

if TYPE_CHECKING:
    from contimg_lab.services._context import Context

__all__ = ["Again", "Starts", "row_differences"]

Starts = Callable[[str, str], Mapping[Key, str] | None]
"""Finds the start of each row's digest by the table and its digest, where any part told it."""

_MOST_KEYS = 5


class Again:
    """Nights of one database read again, each once, as of the moments that proofs name."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._reads: dict[tuple[str, float], NightRead] = {}
        self._reports: dict[tuple[object, ...], NightReport] = {}

    async def read(self, proof: Proof) -> NightRead:
        """Read the night of a proof; raises as `read_night`, and for what is no date."""
        night = parse_night(proof.night).isoformat()
        at = night, proof.as_of_unix_s
        if at not in self._reads:

            async def runs() -> tuple[Run, ...]:
                return await JobsService(self.context, None).list_jobs(night=night, limit=None)

            self._reads[at] = await read_night(self.context, *at, runs)
        return self._reads[at]

    async def value(self, proof: Proof) -> Any:
        """Compute the value of a proof again, by the limits that it recorded.

        Raises
        ------
        InvalidInput
            This version has no part of that name.
        ConfigError
            It has no such limit.
        NotFound, DatabaseBusy
            As `read_night`.
        """
        read = await self.read(proof)
        limits = await asyncio.to_thread(self._limits, proof)
        if proof.part in MEANINGS:
            report = await self._report(read, limits)
            return part_value(report, proof.part)
        return await asyncio.to_thread(_outcomes, read, limits, proof.part)

    async def _report(self, read: NightRead, limits: Thresholds) -> NightReport:
        at = id(read), *sorted(limits.limits.items(), key=lambda held: held[0])
        if at not in self._reports:
            identity = await self.context.identity()
            layout = self.context.database.layout.name
            self._reports[at] = await asyncio.to_thread(make_report, read, limits, identity, layout)
        return self._reports[at]

    def _limits(self, proof: Proof) -> Thresholds:
        """The recorded limits; those of its set where a part names only its own."""
        try:
            base = read_thresholds(self.context.config, proof.thresholds_name)
        except ConfigError:
            base = packaged_thresholds()
        held = dict(base.limits)
        if proof.part == "thresholds":  # what a later version judges by besides was not shown
            held = {name: limit for name, limit in held.items() if name in proof.threshold_values}
        for name, value in proof.threshold_values.items():
            if name not in held:
                raise ConfigError(f"this version has no threshold {name!r}")
            source = proof.threshold_sources.get(name, held[name].source)
            held[name] = Threshold(value, held[name].unit, source)
        return Thresholds(proof.thresholds_name, MappingProxyType(held), "the recorded set")


def _outcomes(read: NightRead, limits: Thresholds, part: str) -> Any:
    """As `part_value` has them of one check, or of several."""
    if SEVERAL in part:
        return {name: _outcomes(read, limits, name) for name in part.split(SEVERAL)}
    check = check_of(part)
    if check is None:
        raise InvalidInput(f"no check {part!r} is installed here")
    return [one.to_json() for one in run_checks(read.night, limits, [check])]


def row_differences(
    tables: Mapping[str, Stood], now: Evidence, starts: Starts
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the rows that differ from those that a value stood on.

    Parameters
    ----------
    tables
        What was recorded.
    now
        The rows of today.
    starts
        Where the digests of single rows are found that the tables themselves do not hold.

    Returns
    -------
    differ
        A text for each table whose rows differ: their keys, or the hours they are of.
    unknown
        A text for each table that cannot be compared.
    """
    differ, unknown = [], []
    for name, stood in tables.items():
        try:
            held = rows_of(now, name, stood.fields)
        except KeyError as error:
            unknown.append(f"this version does not read {name}.{error.args[0]}")
            continue
        if held.summary["digest"] == stood.digest:
            continue
        found = held.starts
        then = stood.starts or starts(name, stood.digest)
        named = {
            "changed": [k for k in stood.keys if then and k in found and then.get(k) != found[k]],
            "vanished": [key for key in stood.keys if key not in found],
            "appeared": in_order(found.keys() - set(stood.keys)),
        }
        told = [f"{_some(keys)} {word}" for word, keys in named.items() if keys]
        if not told and then:
            told = ["rows count to other hours"]
        elif not told:
            hours = sorted({*stood.hours, *held.summary["hours"]})
            moved = [h for h in hours if stood.hours.get(h) != held.summary["hours"].get(h)]
            told = [f"rows of hours {_some(moved)}"]
        differ.append(f"{name} {', '.join(told)}")
    return tuple(differ), tuple(unknown)


def _some(keys: Sequence[Key]) -> str:
    more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
    return ", ".join(map(str, keys[:_MOST_KEYS])) + more
