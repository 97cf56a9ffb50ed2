"""Images: the ``images`` table."""

from __future__ import annotations

from collections.abc import Sequence

from contimg_lab.records.images import Image
from contimg_lab.repositories._base import Repository

__all__ = ["ImagesRepository"]


class ImagesRepository(Repository[Image]):
    """``images`` as records, in order of id; the key is the id (old files repeat paths)."""

    table = "images"
    noun = "image"
    record = Image
    key = "id"
    order = "id"

    async def ms_of(self, image_paths: Sequence[str] | None) -> dict[str, str]:
        """Return the MS path of each image path (None: of every image); the latest row decides."""
        filters = {} if image_paths is None else {"path": list(image_paths)}
        arrays = await self.columns("path", "ms_path", **filters)
        return {
            path: ms_path
            for path, ms_path in zip(arrays["path"], arrays["ms_path"], strict=True)
            if path is not None and ms_path is not None
        }
