"""What the images panel says: columns of its table, facts of one image, nights that stand out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.errors import AbsentFeature
from contimg_lab.panels._image_pages import Fluxes, Page, texts_of
from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import MISSING, clip, error_words, facts, number, short_ms, utc
from contimg_lab.times import datetime_from_mjd, datetime_from_unix

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.plots.chart import Chart
    from contimg_lab.records.images import Image

__all__ = ["charts_of", "columns_of", "facts_html", "regressions_words", "short_image"]

Array = np.ndarray[Any, Any]
_NO_MS = "no MS of it is known"
_NO_COLUMN = "this site's files have no column for it"
_WORDS = {
    "noise_jy": "noise",
    "beam_major_arcsec": "beam, major axis",
    "beam_minor_arcsec": "beam, minor axis",
    "axis_ratio": "axis ratio",
    "dynamic_range": "dynamic range",
    "flux_ratio": "flux over NVSS flux",
}
_MOST_NAMED = 6


def short_image(path: str | None) -> str:
    """Name of an image without its folders and ``.fits``."""
    return short_ms(path).removesuffix(".fits")


def columns_of(page: Page) -> list[Column]:
    """Columns of the images let through, and of the fluxes of the chosen source in them."""
    images, source, fluxes = page.frame, page.source, page.fluxes
    dated = page.night is None
    form = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"
    absent = images.attrs.get("absent", ())

    def floats(name: str) -> Array:
        return images[name].to_numpy(dtype=np.float64, na_value=np.nan)

    def why(*names: str) -> str:
        return _NO_COLUMN if set(names) & set(absent) else "not recorded"

    def words(title: str, name: str, width: int, missing: str = "not recorded") -> Column:
        texts = Written(texts_of(images, name), lambda word: clip(word, width))
        return Column(title=title, texts=texts, missing=missing)

    mid, noise = floats("mid_mjd"), floats("noise_jy") * 1e3
    major, minor = floats("beam_major_arcsec"), floats("beam_minor_arcsec")
    ratio, mad, n = floats("flux_ratio"), floats("flux_ratio_mad"), floats("flux_ratio_n")
    reasons = texts_of(images, "flux_ratio_reason")
    every = range(len(images))

    def beam(i: int) -> str:
        if math.isnan(major[i]):
            return MISSING
        return f"{major[i]:.1f} × {'?' if math.isnan(minor[i]) else f'{minor[i]:.1f}'}"

    def flux_ratio(i: int) -> str:
        if math.isnan(ratio[i]):
            return MISSING
        return f"{ratio[i]:.3f} ± {mad[i] / math.sqrt(n[i]):.3f} ({n[i]:.0f})"

    graded = list(zip(texts_of(images, "stage_grade"), texts_of(images, "stage"), strict=True))

    def grade(i: int) -> str:
        word, stage = graded[i]
        return MISSING if word is None else f"{word}: {clip(stage, 14)}"

    columns = [
        Column(title="image", texts=Written(texts_of(images, "path"), short_image)),
        Column(
            title="middle (UTC)",
            texts=Written(mid, lambda mjd: utc(datetime_from_mjd(mjd), form)),
            sort_by=mid,
            kind="time",
            missing=_NO_MS,
        ),
        words("type", "type", 12),
        numbers("noise (mJy/beam)", noise, lambda x: number(x, 3), why("noise_jy")),
        numbers("dyn. range", floats("dynamic_range"), lambda x: f"{x:.0f}", why("dynamic_range")),
        numbers_at("flux / NVSS (n)", every, flux_ratio, ratio, reasons),
        numbers("sources", floats("n_sources"), lambda x: f"{x:.0f}", "not looked up"),
        numbers_at(
            "beam (arcsec)", every, beam, major, why("beam_major_arcsec", "beam_minor_arcsec")
        ),
        numbers(
            "ratio",
            floats("axis_ratio"),
            lambda x: f"{x:.2f}",
            why("beam_minor_arcsec", "beam_major_arcsec"),
        ),
        numbers("PA (deg)", floats("beam_pa_deg"), lambda x: f"{x:.0f}", why("beam_pa_deg")),
        Column(title="grade", texts=Written(every, grade), missing=_NO_MS),
        words("kind", "kind", 12, _NO_MS),
    ]
    if source is not None:
        paths = texts_of(images, "path")
        flux = np.array([fluxes[path][0] * 1e3 if path in fluxes else np.nan for path in paths])
        texts = Written(paths, lambda path: flux_words(fluxes.get(path)))
        unseen = "the chosen source was not measured in this image"
        columns.insert(
            2,
            Column(title="source (mJy)", texts=texts, sort_by=flux, kind="number", missing=unseen),
        )
    return columns


def numbers_at(
    title: str, every: range, write: Any, values: Array, missing: str | Sequence[str]
) -> Column:
    """Return a column that is sorted by numbers, each row written by its place."""
    return Column(
        title=title, texts=Written(every, write), sort_by=values, kind="number", missing=missing
    )


def flux_words(told: tuple[float, float, bool] | None) -> str:
    """Write a flux with its error, in mJy; one that does not count in brackets."""
    if told is None:
        return MISSING
    flux, err, used = told
    if not math.isfinite(flux):
        return "(no flux)"
    text = f"{number(flux * 1e3, 3)} ± {number(err * 1e3, 2)}"
    return text if used else f"({text})"


def charts_of(
    page: Page, tiles: pd.DataFrame, nightly: pd.DataFrame, quantity: str, chosen: str | None
) -> list[Chart | str]:
    """Charts of a quantity over the tiles and over the nights; words where there is no column.

    ``chosen`` is the path of the tile image to ring.
    """
    from contimg_lab.plots.trends import tiles_chart, trends_chart

    def of_tiles() -> Chart:
        before = nightly.loc[nightly["night"] == page.night, f"{quantity}_before"].dropna()
        return tiles_chart(
            tiles,
            quantity,
            before=float(before.iloc[0]) if len(before) else math.nan,
            holds=frozenset(page.ms_of(page.fluxes)) if page.fluxes else (),
            source=page.source or "",
            selected=chosen,
        )

    made: list[Chart | str] = []
    for make in (of_tiles, partial(trends_chart, nightly, quantity, shown=page.night)):
        try:
            made.append(make())
        except AbsentFeature as error:
            made.append(error_words(error))
    return made


def facts_html(
    image: Image, row: Mapping[str, Any] | None, file: str, source: str | None, fluxes: Fluxes
) -> str:
    """Facts of one image with their units, and of its row in the table, where it is there.

    ``fluxes``: of the chosen source in this image and in the others of its MS.
    """
    told: dict[str, object] = {
        "Image": image.path or f"row {image.id}, without a path",
        "File": file or None,
        "MS": image.ms_path,
        "Type": ", ".join(str(part) for part in (image.type, image.format) if part),
        "Noise": _with(image.noise_jy, 1e3, 3, "mJy/beam"),
        "Dynamic range": _with(image.dynamic_range, 1.0, 4, "(peak over noise)"),
        "Beam (FWHM)": _beam_words(image),
    }
    if row is not None:
        when = row["mid_mjd"]
        told["Middle"] = (
            None if when is None else f"{utc(datetime_from_mjd(when))} UTC (MJD {when:.6f})"
        )
        told["Flux over NVSS flux"] = _ratio_words(row)
        n = row["n_sources"]
        told["Sources measured"] = "not looked up" if n is None else f"{n:.0f}"
        grade = row["stage_grade"]
        told["Grade"] = grade and f"{grade} (by stage {row['stage'] or 'unknown'})"
        told["Kind of MS"] = row["kind"]
    if source is not None:
        told[source] = _source_words(image.path or "", fluxes)
    told |= {
        "Primary beam": None
        if image.pbcor is None
        else ("corrected" if image.pbcor else "not corrected"),
        "Field": image.field_name,
        "Centre (ICRS)": _centre_words(image),
        "Size": _size_words(image),
        "Frequency": _with(image.freq_ghz, 1.0, 5, "GHz"),
        "Bandwidth": _with(image.bandwidth_mhz, 1.0, 4, "MHz"),
        "Integration": _with(image.integration_sec, 1.0, 4, "s"),
        "Made": None
        if image.created_at is None
        else f"{utc(datetime_from_unix(image.created_at))} UTC",
        "Damaged columns": ", ".join(image.damaged) or None,
    }
    return facts({name: value for name, value in told.items() if value is not None})


def regressions_words(nightly: pd.DataFrame, night: str | None) -> str:
    """Say which nights stand out from those before them, in which quantity and by how much."""
    found = []
    for row in nightly.to_dict("records"):
        marks = [
            f"{words} {'high' if row[f'{name}_deviation'] > 0 else 'low'} "
            f"({row[f'{name}_deviation']:+.1f} σ)"
            for name, words in _WORDS.items()
            if row[f"{name}_regression"] is True
        ]
        if marks:
            found.append((str(row["night"]), ", ".join(marks)))
    of_night = next((marks for name, marks in found if name == night), None)
    told = []
    if night is not None:
        told.append(f"Night {night}: {of_night or 'nothing stands out from the nights before'}")
    others = [f"{name} {marks}" for name, marks in reversed(found)]
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    listed = "; ".join(others[:_MOST_NAMED]) + more
    told.append(f"Nights that stand out: {listed or 'none'}")
    return ". ".join(told) + "."


def _source_words(path: str, fluxes: Fluxes) -> str:
    """Flux of the chosen source in an image, else in the others of the same MS."""
    if path in fluxes:
        return f"{flux_words(fluxes[path])} mJy"
    others = [f"{flux_words(told)} mJy in {short_image(p)}" for p, told in fluxes.items()]
    return f"not measured in this image{': ' * bool(others)}{', '.join(others)}"


def _with(value: float | None, factor: float, digits: int, unit: str) -> str | None:
    return None if value is None else f"{number(value * factor, digits)} {unit}"


def _beam_words(image: Image) -> str | None:
    major, minor = image.beam_major_arcsec, image.beam_minor_arcsec
    if major is None:
        return None
    if minor is None:
        return f"major axis {major:.2f} arcsec"
    angle = "" if image.beam_pa_deg is None else f", PA {image.beam_pa_deg:.1f} deg east of north"
    ratio = f", axis ratio {major / minor:.2f}" if minor > 0.0 else ""
    return f"{major:.2f} × {minor:.2f} arcsec{ratio}{angle}"


def _ratio_words(row: Mapping[str, Any]) -> str:
    if row["flux_ratio"] is None:
        return f"none: {row['flux_ratio_reason']}"
    n = row["flux_ratio_n"]
    return (
        f"{row['flux_ratio']:.3f} ± {row['flux_ratio_mad'] / math.sqrt(n):.3f} "
        f"(median of {n:.0f} sources, MAD {row['flux_ratio_mad']:.3f})"
    )


def _centre_words(image: Image) -> str | None:
    ra, dec = image.center_ra_deg, image.center_dec_deg
    if ra is None or dec is None or not (math.isfinite(ra) and abs(dec) <= 90.0):
        return None
    from contimg_lab.plots.cutout import place_words

    return f"{place_words(ra, dec)} ({ra:.5f}, {dec:+.5f} deg)"


def _size_words(image: Image) -> str | None:
    x, y, cell = image.imsize_x, image.imsize_y, image.cellsize_arcsec
    if x is None or y is None:
        return None
    wide = "" if cell is None else f", {cell:g} arcsec a pixel, {x * cell / 3600.0:.2f} deg wide"
    return f"{x} × {y} pixels{wide}"
