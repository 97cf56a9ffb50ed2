"""A simulated season in every layout of the pipeline's files, with its truth beside it.

``contimg_lab.demo`` is this room, and what people call to open the season:
``lab = await contimg_lab.demo()``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.demo.folder import ensure_season, make_season, season_folder, write_images
from contimg_lab.demo.season import Season
from contimg_lab.demo.truth import PlantedFault, PlantedSource, Truth, read_truth

__all__ = [
    "PlantedFault",
    "PlantedSource",
    "Season",
    "Truth",
    "ensure_season",
    "make_season",
    "read_truth",
    "season_folder",
    "write_images",
]

if TYPE_CHECKING:
    from contimg_lab.lab import Opening


class _Room(ModuleType):
    # importing this room puts it in the package under the very name that people call
    def __call__(self, *, cache: str | None = None, **season: Any) -> Opening:
        """Open the built-in season; see `contimg_lab.lab.demo_lab`."""
        return _faces.open_demo(cache=cache, **season)


sys.modules[__name__].__class__ = _Room
