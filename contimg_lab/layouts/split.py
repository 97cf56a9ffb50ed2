"""The split layout: ``products.sqlite3`` with ``cal_registry.sqlite3`` beside it."""

from __future__ import annotations

from pathlib import Path

from contimg_lab.layouts._layout import Layout

__all__ = ["FILE_NAME", "REGISTRY_NAME", "split"]

FILE_NAME = "products.sqlite3"
REGISTRY_NAME = "cal_registry.sqlite3"


def split(products: Path, registry: Path | None, *, notes: tuple[str, ...] = ()) -> Layout:
    """Describe the layout of a products file and its registry, where it has one."""
    files = {"products": products}
    absent: dict[str, str] = {}
    if registry is None:
        absent["cal_registry"] = (
            f"no {REGISTRY_NAME} beside {products}: cal tables are unknown here"
        )
    else:
        files["cal_registry"] = registry
    return Layout(
        name="split",
        files=files,
        owners={"caltables": "cal_registry"},
        main="products",
        absent=absent,
        notes=notes,
    )
