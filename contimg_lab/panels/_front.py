"""What was bundled for the browser when the package was built."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["script"]


@cache
def script(name: str) -> str:
    """Read a module that was bundled of ``front/src``."""
    return (Path(__file__).parent / "front" / "dist" / f"{name}.js").read_text(encoding="utf-8")
