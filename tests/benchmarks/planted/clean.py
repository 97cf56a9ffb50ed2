"""Nights without a fault: who speaks nevertheless, and whether the truth bears it out."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import contimg_lab as cl
from contimg_lab.records.qa import Outcome
from contimg_lab.services.night_report import NightReport
from contimg_lab.thresholds import packaged_thresholds
from contimg_lab.times import mjd_from_name

from .seasons import Ready

__all__ = ["Clean", "clean"]

_SIDEREAL_D = 0.99726957
_NIGHTS_BACK = 30
_SAME_SKY_D = 310.0 / 86400.0
_WHOLE = range(8, 13)


@dataclass(slots=True, kw_only=True)
class Clean:
    """Counts over clean nights, of their whole hours (8 to 12 tiles) and of the nights.

    Attributes
    ----------
    nights, hours
        How many.
    judged
        Outcomes that pass, warn or fail, by check.
    warned, failed
        Of those, by check.
    false
        Warnings and fails that the truth does not bear out, by check.
    decisions
        Recommended for the hours.
    blamed
        Hours that are not recommended to be accepted, though nothing in truth speaks against it.
    rejected
        Of those, recommended to be rejected.
    """

    nights: int = 0
    hours: int = 0
    judged: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    blamed: int = 0
    rejected: int = 0

    def add(self, other: Clean) -> None:
        """Take in what another counted."""
        for name in ("nights", "hours", "blamed", "rejected"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("judged", "warned", "failed", "false", "decisions"):
            getattr(self, name).update(getattr(other, name))


async def clean(ready: Ready) -> Clean:
    """Judge every clean night of a season."""
    made = Clean()
    async with cl.open(ready.folder) as lab:
        for night in ready.clean:
            _count(made, ready, await lab.qa.night(night))
    return made


def _count(made: Clean, ready: Ready, report: NightReport) -> None:
    tiles = ready.tiles[report.night]
    whole = [one for one in report.judged if len(tiles.get(one.hour, ())) in _WHOLE]
    made.nights += 1
    made.hours += len(whole)
    nightly = [one for one in report.outcomes if one.hour is None]
    for one in [*nightly, *(told for hour in whole for told in hour.outcomes)]:
        if one.word == "not applicable":
            continue
        made.judged[one.check] += 1
        if one.word == "pass":
            continue
        (made.warned if one.word == "warn" else made.failed)[one.check] += 1
        made.false[one.check] += not _is_true(ready, report, one)
    for hour in whole:
        decision = hour.recommendation.decision
        made.decisions[decision] += 1
        bad = [one for one in hour.outcomes if one.word in ("warn", "fail")]
        if bad and not any(_is_true(ready, report, one) for one in bad):
            made.blamed += 1
            made.rejected += decision == "reject"


def _is_true(ready: Ready, report: NightReport, one: Outcome) -> bool:
    """Whether what was drawn for the season passes the limit too, before any measurement."""
    limits = packaged_thresholds().limits
    paths = ready.tiles[report.night].get(one.hour, []) if one.hour is not None else []
    if one.check == "noise":
        levels = [level / ready.truth.array_noise_jy for level in _of(ready, paths, "noise")]
        worst = limits["noise.warn_tile"].value
        return max(levels) > worst or statistics.median(levels) > limits["noise.warn"].value
    if one.check == "flux_ratio":
        middle = statistics.median(_of(ready, paths, "gain"))
        low, high = (limits[f"flux_ratio.{name}"].value for name in ("low", "high"))
        return not low <= middle <= high
    if one.check == "image_gain":
        images = report.columns.images
        (path,) = images["ms_path"][images["id"] == one.key].tolist()
        before = list(_gains_before(ready, path))
        (gain,) = _of(ready, [path], "gain")
        off = abs(gain / statistics.fmean(before) - 1.0)
        return off > limits[f"image_gain.{one.word}"].value
    return False


def _of(ready: Ready, paths: list[str], what: str) -> list[float]:
    """True gain or noise of the images of some tiles."""
    truth = ready.truth
    held: Mapping[str, float] = truth.image_gains if what == "gain" else truth.image_noise_jy
    names = {path.rpartition("/")[2].removesuffix(".ms") for path in paths}
    return [value for name, value in held.items() if name.rpartition("/")[2][:19] in names]


def _gains_before(ready: Ready, path: str) -> Iterator[float]:
    """True gains of the images of the same sky, of the nights before."""
    at = mjd_from_name(path)
    assert at is not None
    for image, gain in ready.truth.image_gains.items():
        taken = mjd_from_name(image)
        if taken is None or not 0.5 < at - taken < _NIGHTS_BACK + 0.5:
            continue
        turns = (at - taken) / _SIDEREAL_D
        if abs(turns - round(turns)) * _SIDEREAL_D < 2.0 * _SAME_SKY_D:
            yield gain
