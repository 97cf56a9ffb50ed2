"""What the images panel reads: the rows of a night, and one image with its picture."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contimg_lab.errors import AbsentFeature, DamagedFile, ForbiddenPath, InvalidInput, NotFound
from contimg_lab.panels._words import error_words
from contimg_lab.services.images import tile_images

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.panels._figure import Drawn
    from contimg_lab.records.images import Image
    from contimg_lab.services.images import Cutout

__all__ = [
    "WHOLE",
    "Detail",
    "Fluxes",
    "Page",
    "fluxes_of",
    "is_missing",
    "read_detail",
    "read_page",
    "texts_of",
    "tile_key",
]

WHOLE = "whole"
"""The view that shows all of an image; every other is a number of pixels."""

Fluxes = Mapping[str, tuple[float, float, bool]]
"""Flux and error (Jy) of one source by image path, and whether the measurement counts."""

_NO_PICTURE = (AbsentFeature, ForbiddenPath, DamagedFile, InvalidInput)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one reading found.

    Attributes
    ----------
    nights, night, type, text
        Every night, and what was asked for; None: any.
    images, frame, keys
        Every image of the night, those let through, and the key of each of these.
    photometry
        Whether what was measured in each image was looked up.
    source, fluxes
        The chosen source, and its measurements.
    """

    nights: Sequence[str]
    night: str | None
    type: str | None
    text: str | None
    images: pd.DataFrame
    frame: pd.DataFrame
    keys: list[str]
    photometry: bool
    source: str | None
    fluxes: Fluxes

    def row(self, key: str | None) -> dict[str, Any] | None:
        """Return the row of a key, None where a value is missing; None: it is not shown."""
        if key is None or key not in self.keys:
            return None
        told = self.frame.iloc[self.keys.index(key)].to_dict()
        return {str(name): None if is_missing(cell) else cell for name, cell in told.items()}

    def beside(self, ms_path: str | None) -> list[str]:
        """Paths of the night's images of one MS in which the chosen source was measured."""
        if not self.fluxes or ms_path is None:
            return []
        mine = (self.images["ms_path"] == ms_path).fillna(False)
        return [path for path in self.images.loc[mine, "path"].dropna() if path in self.fluxes]

    def ms_of(self, paths: Iterable[str]) -> list[str]:
        """MS of the night's images that have some paths."""
        held = self.images["path"].isin(list(paths)).to_numpy(dtype=bool)
        return self.images.loc[held, "ms_path"].dropna().tolist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One image with its cut-out and the picture of that, or why there is none."""

    image: Image
    cutout: Cutout | None = None
    drawn: Drawn | None = None
    note: str = ""
    with_sources: bool


async def read_page(
    lab: Any,
    nights: Sequence[str],
    night: str | None,
    type: str | None,
    text: str | None,
    *,
    photometry: bool,
    max_age_s: float,
) -> Page:
    """Read the images of a night (None: all), and the measurements of the chosen source."""
    images = await lab.images.quality(night=night, photometry=photometry, max_age_s=max_age_s)
    source = lab.selection.source
    fluxes = await fluxes_of(lab, source)

    def make() -> Page:
        frame = images
        if type is not None:
            frame = frame[(frame["type"] == type).fillna(False)]
        if text is not None:
            held = frame["path"].str.casefold().str.contains(text.casefold(), regex=False)
            frame = frame[held.fillna(False)]
        frame = frame.reset_index(drop=True)
        return Page(
            nights=nights,
            night=night,
            type=type,
            text=text,
            images=images,
            frame=frame,
            keys=_keys(frame),
            photometry=photometry,
            source=source,
            fluxes=fluxes,
        )

    return await asyncio.to_thread(make)


async def fluxes_of(lab: Any, source: str | None) -> Fluxes:
    """Read in which images a source was measured; None, or no such source: in none."""
    if source is None:
        return {}
    try:
        found = await lab.sources.images_of(source)
    except (NotFound, AbsentFeature):
        return {}
    columns = (found[name] for name in ("image_path", "flux_jy", "flux_err_jy", "used"))
    return {
        path: (_float(flux), _float(err), bool(used))
        for path, flux, err, used in zip(*columns, strict=True)
        if isinstance(path, str)
    }


async def tile_key(lab: Any, ms_path: str, chosen: str | None) -> str | None:
    """Key of the image that stands for an MS: the chosen one if it is of it, else its tile."""
    images = await lab.images.list_images(ms_path=ms_path, limit=None)
    if chosen is not None and any(image.path == chosen for image in images):
        return chosen
    found = tile_images(images).get(ms_path) or (images[-1] if images else None)
    return None if found is None else found.path or f"#{found.id}"


async def read_detail(
    lab: Any,
    key: str,
    view: str,
    make: Callable[[Callable[..., object]], Drawn],
    *,
    sources: bool,
) -> Detail:
    """Read one image by its key, and draw its pixels in a thread.

    Raises
    ------
    NotFound
        There is no such image.
    """
    known = int(key[1:]) if key.startswith("#") and key[1:].isdigit() else key
    image = await lab.images.get_image(known)
    source = lab.selection.source
    try:
        cutout, note = await _cut(lab, image, source, view, sources=sources)
    except _NO_PICTURE as error:
        return Detail(image=image, note=error_words(error), with_sources=sources)

    def draw() -> Drawn:
        from contimg_lab.plots.cutout import plot_cutout

        return make(functools.partial(plot_cutout, cutout, source=source))

    drawn = await asyncio.to_thread(draw)
    return Detail(image=image, cutout=cutout, drawn=drawn, note=note, with_sources=sources)


async def _cut(
    lab: Any, image: Image, source: str | None, view: str, *, sources: bool
) -> tuple[Cutout, str]:
    """Read pixels: all, or around the chosen source where it is inside, else in the middle."""
    cut = functools.partial(lab.images.cutout, image.id, sources=sources)
    if view == WHOLE:
        return await cut(size_px=None), ""
    size = int(view)
    if source is None:
        return await cut(size_px=size), "No source is chosen: this is the middle of the image."
    try:
        place = await lab.sources.get_source(source)
        return await cut(size_px=size, ra_deg=place.ra_deg, dec_deg=place.dec_deg), ""
    except (InvalidInput, NotFound) as error:
        return await cut(size_px=size), f"{error_words(error)}; this is the middle of the image."


def is_missing(value: Any) -> bool:
    """Whether a cell of a DataFrame holds nothing."""
    import pandas as pd

    return bool(pd.isna(value))


def texts_of(frame: pd.DataFrame, name: str) -> list[Any]:
    """Return a column as plain values, None where one is missing."""
    column: Any = frame[name]
    found: list[Any] = column.to_numpy(dtype=object, na_value=None).tolist()
    return found


def _float(value: Any) -> float:
    return float("nan") if is_missing(value) else float(value)


def _keys(frame: pd.DataFrame) -> list[str]:
    """Key of each row: its path; ``#id`` where it has none, or a later row has the same."""
    paths = texts_of(frame, "path")
    later = frame["path"].duplicated(keep="last").tolist()
    return [
        f"#{number}" if path is None or again else path
        for path, again, number in zip(paths, later, frame["id"].tolist(), strict=True)
    ]
