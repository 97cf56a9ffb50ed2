"""How much disk an installation takes beyond pandas, matplotlib and ipywidgets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement

from .books import Site
from .lines import Line, value

__all__ = ["added_mb", "closure", "installed"]

_KNOWN = ("pandas", "matplotlib", "ipywidgets", "jupyterlab")


def installed(site: Site) -> Iterator[Line]:
    """What an installation brings along."""
    sizes = added_mb()
    largest = ", ".join(f"{name} {mb:.0f}" for name, mb in list(sizes.items())[:6])
    yield Line(
        what="installed beyond pandas, matplotlib, ipywidgets", unit="MB",
        ours=value(sum(sizes.values())), goal=150.0, note=f"{len(sizes)} packages: {largest}",
    )  # fmt: skip


def closure(names: tuple[str, ...]) -> set[str]:
    """Return the packages that these need, by their normalised names; extras left out."""
    found: set[str] = set()
    waiting = [_plain(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            told = distribution(name)
        except PackageNotFoundError:
            continue
        found.add(name)
        for text in told.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(_plain(needed.name))
    return found


def added_mb() -> dict[str, float]:
    """Return the size of each package that ours brings along, in MB, the largest first.

    JupyterLab, in which everything here is shown, counts as known like pandas, matplotlib and
    ipywidgets do.
    """
    added = closure(("contimg-lab",)) - closure(_KNOWN) - {"contimg-lab"}
    sizes = {name: _size_mb(name) for name in added}
    return dict(sorted(sizes.items(), key=lambda pair: -pair[1]))


def _size_mb(name: str) -> float:
    paths = (file.locate() for file in distribution(name).files or ())
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6  # type: ignore[attr-defined]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
