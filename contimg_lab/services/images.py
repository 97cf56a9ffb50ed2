"""Images: what was made of each Measurement Set, and which image is its tile."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.errors import NotFound
from contimg_lab.records.images import Image
from contimg_lab.repositories._base import page
from contimg_lab.services._context import Service
from contimg_lab.services._cutout import Cutout, make_cutout
from contimg_lab.services._frames import add_datetimes, record_frame
from contimg_lab.services._image_quality import quality_frame
from contimg_lab.services._origin import with_origin
from contimg_lab.services._trends import TILE_TYPES, nightly_frame, tile_figures, trends_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cutout", "ImagesService", "tile_images"]


class ImagesService(Service):
    """Images."""

    async def get_image(self, key: int | str) -> Image:
        """Return one image by its id, or the latest of a path.

        Raises
        ------
        NotFound
            There is no such image.
        """
        if isinstance(key, str):
            rows = await self.context.images.list(limit=None, path=key)
            if not rows:
                raise NotFound("image", key)
            return rows[-1]
        return await self.context.images.get(key)

    async def list_images(
        self,
        *,
        type: str | None = None,
        ms_path: str | None = None,
        night: str | date | None = None,
        limit: int | None = 100,
        offset: int = 0,
    ) -> tuple[Image, ...]:
        """Return images in order of id.

        Parameters
        ----------
        type, ms_path
            Only images of this type, or of this MS.
        night
            Only images of MS that started on this UTC date.
        limit, offset
            Most rows (None: all), and how many to leave out first.
        """
        filters: dict[str, object] = {}
        if type is not None:
            filters["type"] = type
        if ms_path is not None:
            filters["ms_path"] = ms_path
        if night is None:
            return await self.context.images.list(limit=limit, offset=offset, **filters)
        most, first = page(limit, offset)
        of_night = {e.ms.path for e in (await self.context.directory()).select(night)}
        wanted = of_night if ms_path is None else of_night & {ms_path}
        rows = await self.context.images.list(
            limit=None,
            **(filters | {"ms_path": sorted(wanted)}),  # type: ignore[arg-type]
        )
        return rows[first:] if most < 0 else rows[first : first + most]

    async def table(
        self,
        *,
        type: str | None = None,
        ms_path: str | None = None,
        night: str | date | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Return `list_images` as a DataFrame, with a UTC datetime beside ``created_at``."""
        rows = await self.list_images(
            type=type, ms_path=ms_path, night=night, limit=limit, offset=offset
        )
        absent = await self.context.images.absent()
        made = await asyncio.to_thread(record_frame, Image, rows, absent)
        made = add_datetimes(made, {"created_datetime": "created_at"})
        given = {"type": type, "ms_path": ms_path, "night": night}
        return await with_origin(self.context, made, "images.table", **given)

    async def quality(
        self,
        *,
        night: str | date | None = None,
        type: str | None = None,
        text: str | None = None,
        photometry: bool = True,
        max_age_s: float = 0.0,
    ) -> pd.DataFrame:
        """Return every image with its time, what it measures, and what was measured in it.

        In order of time, unknown last: `trends` has one row a tile, this has one an image. The
        flux ratio is that of `trends`, of the sources measured in this very image.

        Parameters
        ----------
        night
            Only images of MS that started on this UTC date.
        type
            Only images of this type.
        text
            Only images whose path holds this, in whatever case.
        photometry
            Look up what was measured in each image; without it the flux ratio and the number of
            sources are missing.
        max_age_s
            As for `trends`.

        Raises
        ------
        AbsentFeature
            This site has no table of images.
        InvalidInput
            The night is no date, or ``max_age_s`` no number of seconds.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     images = lab.images.quality(night=lab.last_night(), type="pbcor")
        >>> bool((images["n_sources"] > 0).all())
        True
        """
        now = datetime.now(UTC)
        asked = {"night": night, "type": type, "text": text, "photometry": photometry}
        made, as_of = await quality_frame(self.context, **asked, max_age_s=max_age_s)  # type: ignore[arg-type]
        made.attrs["as_of"] = as_of or now
        return await with_origin(self.context, made, "images.quality", **asked)

    async def cutout(
        self,
        key: int | str,
        *,
        ra_deg: float | None = None,
        dec_deg: float | None = None,
        size_px: int | None = 64,
        sources: bool = True,
    ) -> Cutout:
        """Read a square of an image's FITS file, off the event loop.

        Only files in the folders of ``CONTIMG_LAB_IMAGE_ROOTS`` are opened; a path that another
        machine wrote is found by its name below them. The built-in season has a few images of
        its last two nights.

        Parameters
        ----------
        key
            Id or path of the image.
        ra_deg, dec_deg
            Place to cut around (ICRS); both None: the middle of the image.
        size_px
            Width and height, pixels; None: the longer side of the image, at most 4096.
        sources
            Look up which sources of the database are inside.

        Raises
        ------
        NotFound
            There is no such image in the database.
        AbsentFeature
            No folder is set, or the file is in none of them, or it is no FITS file.
        ForbiddenPath
            The file lies outside of the folders.
        DamagedFile
            The file cannot be read as an image of the sky.
        InvalidInput
            The place lies outside of the image, or an argument cannot mean anything.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     name = "2025-11-06T05:10:47.img-image.fits"
        ...     found = lab.images.cutout(f"/stage/dsa110-contimg/images/{name}", size_px=48)
        >>> found.data.shape, found.unit
        ((48, 48), 'Jy/beam')
        """
        image = await self.get_image(key if isinstance(key, str) else operator.index(key))
        return await make_cutout(
            self.context, image, ra_deg=ra_deg, dec_deg=dec_deg, size_px=size_px, sources=sources
        )

    def panel(self, **options: Any) -> Any:
        """Show the images of a night, the chosen one's pixels, and their trends over weeks."""
        return _faces.panel("images", self.lab, **options)

    async def trends(
        self,
        *,
        nights: Iterable[str | date] | str | date | None = None,
        max_age_s: float = 0.0,
    ) -> pd.DataFrame:
        """Return what each tile image measures: noise, beam, dynamic range and flux ratio.

        The flux ratio of a tile is the median of flux over NVSS flux (both mJy) of the sources
        of 50 mJy and more in NVSS that were measured in it, with its scatter and their number;
        of fewer than 5 there is none, and ``flux_ratio_reason`` says so. What this site's files
        have no column for is named in ``attrs["absent"]``.

        Parameters
        ----------
        nights
            UTC date or dates of the starts of the tiles' MS; None: all that have one.
        max_age_s
            A state of the photometry that was current at most so many seconds ago will do.
            ``attrs["as_of"]`` says of when it is.

        Raises
        ------
        AbsentFeature
            This site has no table of images.
        InvalidInput
            A night is no date, or ``max_age_s`` no number of seconds.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     tiles = lab.images.trends(nights=lab.last_night())
        >>> bool(tiles["flux_ratio"].median() > 0.8)
        True
        """
        if nights is not None and not isinstance(nights, (str, date)):
            nights = tuple(nights)
        now = datetime.now(UTC)
        tiles = await tile_figures(self.context, nights, max_age_s)
        made = await asyncio.to_thread(trends_frame, tiles)
        made.attrs["as_of"] = tiles.as_of or now
        given = [str(night) for night in nights] if isinstance(nights, tuple) else nights
        return await with_origin(self.context, made, "images.trends", nights=given)

    async def nightly(self, *, max_age_s: float = 0.0) -> pd.DataFrame:
        """Return `trends` rolled up by night, and mark the nights that stand out.

        Of each quantity: the median over the night's tiles, its scatter (``_mad``, not scaled),
        the number of tiles (``_n``), the median of the 14 nights before at most (``_before``),
        1.4826 of their MAD (``_before_sigma``), how far the night is from that median in these
        (``_deviation``), and whether that is more than 4 (``_regression``; missing where there
        are fewer than 5 earlier nights).
        ``regressions`` says it in words. See `contimg_lab.analysis.trends.against_earlier`.

        Parameters
        ----------
        max_age_s
            As for `trends`.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     nights = lab.images.nightly()
        >>> nights.loc[nights["noise_jy_regression"].fillna(False), "night"].tolist()
        ['2025-10-14']
        """
        now = datetime.now(UTC)
        tiles = await tile_figures(self.context, None, max_age_s)
        made = await asyncio.to_thread(nightly_frame, tiles)
        made.attrs["as_of"] = tiles.as_of or now
        return await with_origin(self.context, made, "images.nightly")


def tile_images(images: Iterable[Image]) -> dict[str, Image]:
    """Choose the tile image of each MS: its ``image`` or ``5min``, else its ``pbcor``.

    Where there are several, the latest (highest id) counts. Residuals and mosaics are none.
    """
    found: dict[str, tuple[int, int, Image]] = {}
    for image in images:
        rank = next((r for r, types in enumerate(TILE_TYPES) if image.type in types), None)
        if rank is None or image.ms_path is None:
            continue
        best = found.get(image.ms_path)
        if best is None or (-rank, image.id) > best[:2]:
            found[image.ms_path] = (-rank, image.id, image)
    return {path: image for path, (_, _, image) in found.items()}
