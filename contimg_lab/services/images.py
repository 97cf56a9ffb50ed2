"""Images: what was made of each Measurement Set, and which image is its tile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from contimg_lab.errors import NotFound
from contimg_lab.records.images import Image
from contimg_lab.repositories._base import page
from contimg_lab.services._context import Service
from contimg_lab.services._frames import add_datetimes, record_frame
from contimg_lab.services._origin import with_origin

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ImagesService", "tile_images"]

_TILE_TYPES = (("image", "5min"), ("pbcor",))


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


def tile_images(images: Iterable[Image]) -> dict[str, Image]:
    """Choose the tile image of each MS: its ``image`` or ``5min``, else its ``pbcor``.

    Where there are several, the latest (highest id) counts. Residuals and mosaics are none.
    """
    found: dict[str, tuple[int, int, Image]] = {}
    for image in images:
        rank = next((r for r, types in enumerate(_TILE_TYPES) if image.type in types), None)
        if rank is None or image.ms_path is None:
            continue
        best = found.get(image.ms_path)
        if best is None or (-rank, image.id) > best[:2]:
            found[image.ms_path] = (-rank, image.id, image)
    return {path: image for path, (_, _, image) in found.items()}
