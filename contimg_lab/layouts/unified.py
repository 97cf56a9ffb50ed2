"""The unified layout: one ``pipeline.sqlite3`` that holds every table."""

from __future__ import annotations

from pathlib import Path

from contimg_lab.layouts._layout import Layout

__all__ = ["FILE_NAME", "unified"]

FILE_NAME = "pipeline.sqlite3"


def unified(path: Path, *, notes: tuple[str, ...] = ()) -> Layout:
    """Describe the layout of one unified file."""
    return Layout(name="unified", files={"pipeline": path}, main="pipeline", notes=notes)
