"""Image files on disk: which may be opened, and where the file of a row is.

Everything here looks at disks and waits for them: call it in a worker thread.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from contimg_lab.config import Config
from contimg_lab.errors import AbsentFeature, ContimgLabError, ForbiddenPath
from contimg_lab.services._log_files import is_plain_file

__all__ = ["find_image_file", "image_folders"]

_VARIABLE = "CONTIMG_LAB_IMAGE_ROOTS"


def image_folders(config: Config) -> tuple[Path, ...]:
    """Folders in which image files may be opened, links in them resolved.

    Of the built-in season its own ``images/`` is one, and is written when it is first asked for.

    Raises
    ------
    AbsentFeature
        None is set, or those of the built-in season cannot be written.
    """
    folders = list(config.image_roots)
    if config.season_folder is not None:
        from contimg_lab.demo import read_truth, write_images

        try:
            write_images(config.season_folder, read_truth(config.season_folder).season)
        except (OSError, ContimgLabError, ValueError, TypeError, KeyError) as error:
            raise AbsentFeature(
                f"the built-in season's images cannot be written: {error}"
            ) from error
        folders.append(config.season_folder / "images")
    if not folders:
        raise AbsentFeature(
            f"no folder is set from which image files may be opened; name those that hold the "
            f"FITS files in {_VARIABLE} (commas between) and open the database again"
        )
    return tuple(dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders))


def find_image_file(path: str, folders: tuple[Path, ...]) -> Path:
    """Where the file of an image lies: its own path, or its name below one of the folders.

    Databases name files as the pipeline's machine sees them. So the path is tried as it
    stands, and then each end of it (``2025/a.fits``, ``a.fits``) in each folder.

    Parameters
    ----------
    path
        Path of the image as the database holds it.
    folders
        Resolved folders; nothing outside of them is opened.

    Raises
    ------
    ForbiddenPath
        The file lies outside the folders, or a link leads out of them.
    AbsentFeature
        There is no such file in them, or it is no FITS file but a folder (as CASA's are).
    """
    parts = (
        [p for p in PurePosixPath(path).parts if p not in ("/", "..")] if "\0" not in path else []
    )
    places = [Path(path), *(f.joinpath(*parts[k:]) for k in range(len(parts)) for f in folders)]
    outside: Path | None = None
    for place in places if parts else ():
        resolved = Path(os.path.realpath(place))
        inside = any(resolved.is_relative_to(folder) for folder in folders)
        if inside and is_plain_file(resolved):
            return resolved
        if inside and resolved.is_dir() and resolved not in folders:
            raise AbsentFeature(f"{place} is a folder, as CASA writes images; only FITS is read")
        if not inside and outside is None and os.path.lexists(place):
            outside = place
    if outside is not None:
        raise ForbiddenPath(
            f"{outside} lies outside the folders for image files "
            f"({', '.join(map(str, folders))}); add its folder to {_VARIABLE}"
        )
    name = parts[-1] if parts else path
    raise AbsentFeature(
        f"no file {name!r} in the folders for image files ({', '.join(map(str, folders))}); "
        f"its path in the database is {path!r}"
    )
