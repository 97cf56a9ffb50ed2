"""What broke last night and which sources vary, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from contimg_lab.errors import AbsentFeature, NotFound
from contimg_lab.lab import Lab
from contimg_lab.records.jobs import Run
from contimg_lab.services.images import tile_images
from contimg_lab.services.night_summary import NightSummary
from contimg_lab.times import datetime_from_mjd

__all__ = ["tell_night", "tell_sources"]

_NOISY = 2.0
"""An image is called noisy above this many medians of its night's tiles."""

_MOST = 10
_MIN_EPOCHS = 3
_MOST_ROWS = 1_000_000
_WIDTH = 160


async def tell_night(lab: Lab) -> list[str]:
    """Say what broke on the latest night that has an MS."""
    try:
        night = await lab.qa.summary(await lab.last_night())
    except NotFound as error:
        return [f"Last night: {error}"]
    return [
        f"Last night: {night.night} (UTC date)",
        *(f"  {line}" for line in night.lines()),
        *_failures(night),
        *await _noisy(lab, night),
        *_gaps(night),
    ]


async def tell_sources(lab: Lab) -> list[str]:
    """Say which sources are candidates for variability, by our own statistics."""
    try:
        photometry = await lab._context.measurements.count()
        if photometry > _MOST_ROWS:
            return [
                f"Which sources vary: {photometry:,} photometry rows take a while; "
                "ask lab.sources.table() in the notebook"
            ]
        table = await lab.sources.table()
    except AbsentFeature as error:
        return [f"Which sources vary: {error}"]
    ranked = table[table["n_used"] >= _MIN_EPOCHS].dropna(subset=["eta"])
    ranked = ranked.sort_values("eta", ascending=False, kind="stable")
    if ranked.empty:
        return [f"Which sources vary: none of {len(table)} has {_MIN_EPOCHS} epochs that count"]
    width = max(len(str(name)) for name in ranked["source_id"].head(_MOST))
    lines = [
        f"Which sources vary: candidates among {len(table)}, largest eta first",
        f"  {'source':{width}}  {'epochs':>6}  {'mean mJy':>9}  {'V':>6}  {'eta':>8}  p constant",
    ]
    for row in ranked.head(_MOST).to_dict("records"):
        lines.append(
            f"  {_plain(row['source_id']):{width}}  {row['n_used']:>6}  "
            f"{row['mean_jy'] * 1e3:>9.1f}  {row['v']:>6.3f}  {row['eta']:>8.2f}  "
            f"{_probability(row['p_constant'])}"
        )
    lines += [
        "  Candidates only: errors of the flux scale, which all sources of an image share, raise",
        "  eta of bright constant sources too. Look at the light curve before you believe one.",
        f"  {int(table['n_used'].sum()):,} epochs counted, "
        f"{int(table['n_excluded'].sum()):,} left out.",
    ]
    return lines


def _failures(night: NightSummary) -> list[str]:
    lines = ["  failed runs:"] if night.failed else []
    for cause in night.cause_counts:
        lines.append(f"    {cause}")
        for run in night.failed:
            if (run.cause or "unknown") == cause:
                lines += _failure(run)
    return lines


def _failure(run: Run) -> Iterable[str]:
    step = f" at {_plain(run.step)}" if run.step else ""
    yield f"      {run.run_id}{step}: {_plain(run.ms_path)}"
    yield f"        {_plain(run.message) if run.message else 'no text says why'}"


async def _noisy(lab: Lab, night: NightSummary) -> list[str]:
    median = night.noise_median_jy
    if median is None:
        return []
    table = await lab.ms.table(night=night.night)
    tiles = set(table.loc[table["kind"] == "tile", "path"])
    images = tile_images(await lab.images.list_images(night=night.night, limit=None))
    noisy = sorted(
        (
            (image.noise_jy, str(image.path))
            for path, image in images.items()
            if path in tiles
            and image.noise_jy is not None
            and _NOISY * median < image.noise_jy < float("inf")
        ),
        reverse=True,
    )
    title = f"  images noisier than {_NOISY:g} times the night's median:"
    return [
        title + ("" if noisy else " none"),
        *(f"    {noise * 1e3:.1f} mJy/beam: {_plain(path)}" for noise, path in noisy),
    ]


def _gaps(night: NightSummary) -> list[str]:
    return [
        f"    gap of {gap.minutes:.0f} min from "
        f"{datetime_from_mjd(gap.start_mjd):%H:%M:%S} to {datetime_from_mjd(gap.end_mjd):%H:%M:%S}"
        for gap in night.gaps
    ]


def _probability(p: float) -> str:
    return f"{p:.1e}" if p >= 1e-300 else "<1e-300"


def _plain(text: object) -> str:
    """One line without control characters, which could drive the terminal."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "\N{HORIZONTAL ELLIPSIS}"
