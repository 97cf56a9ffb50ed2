"""contimg_lab: the DSA-110 continuum imaging pipeline, seen from a notebook.

::

    import contimg_lab as cl

    lab = await cl.open()          # or cl.open("state/db"), or cl.demo()
    lab.dashboard()
    failed = await lab.jobs.table(status="failed")

People who do not write ``await``: ``from contimg_lab import blocking as cl``. Who would
rather write ``%lab`` and ``%night``: ``%load_ext contimg_lab``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from contimg_lab import demo, errors
    from contimg_lab.lab import Lab, demo_truth
    from contimg_lab.lab import open_lab as open
    from contimg_lab.services import exports as export
    from contimg_lab.services.light_curve import LightCurve

__all__ = ["Lab", "LightCurve", "__version__", "demo", "demo_truth", "errors", "export", "open"]

__version__ = "0.1.0"

# what is imported when it is first asked for, so that `import contimg_lab` costs nothing
_LATE = {
    "Lab": ("contimg_lab.lab", "Lab"),
    "LightCurve": ("contimg_lab.services.light_curve", "LightCurve"),
    "demo": ("contimg_lab.demo", None),  # a room that can be called
    "demo_truth": ("contimg_lab.lab", "demo_truth"),
    "errors": ("contimg_lab.errors", None),
    "export": ("contimg_lab.services.exports", None),
    "open": ("contimg_lab.lab", "open_lab"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'contimg_lab' has no attribute {name!r}")
    module, attribute = _LATE[name]
    found = import_module(module)
    return found if attribute is None else getattr(found, attribute)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add ``%lab``, ``%night``, ``%lightcurve``, ``%%contimg_sql``: ``%load_ext contimg_lab``."""
    import_module("contimg_lab.magics").load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take them away again, and close what they opened: ``%unload_ext contimg_lab``."""
    import_module("contimg_lab.magics").unload(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
