"""The magics themselves: ``%lab``, ``%night``, ``%lightcurve`` and ``%%contimg_sql``."""

from __future__ import annotations

import ast
import re
import time
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from contimg_lab.magics._figure import curve_alt, show_figure
from contimg_lab.magics._scaled import scaled_curve
from contimg_lab.services.sql import ROW_LIMIT, TIMEOUT_S

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.lab import Lab
    from contimg_lab.magics._session import Session
    from contimg_lab.services.light_curve import LightCurve
    from contimg_lab.services.qa import NightSummary

__all__ = ["ContimgMagics", "unquote"]

_FLAG = re.compile(r"\A--scale(?:\s+|\Z)|\s+--scale\Z")  # never inside a name


# a name that comes from a database may hold {code} or $name: none of these expands them
@magics_class
class ContimgMagics(Magics):
    """Magics on the Lab that is called ``lab`` in the user's namespace.

    Parameters
    ----------
    shell
        The interactive shell.
    session
        What they share.
    """

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell=shell)
        self._session = session

    @no_var_expand
    @line_magic
    def lab(self, line: str) -> None:
        """Open a database read-only and call its Lab ``lab``: ``%lab [PATH | demo]``.

        Without a path it says what is open; where nothing is, it opens what ``PIPELINE_DB``
        and its kind say. ``demo`` is the built-in season (a folder of that name: ``./demo``).
        """
        path = unquote(line)
        found = self._session.current()
        if path or found is None:
            found = self._session.open(path)
        print(_told(found))

    @no_var_expand
    @line_magic
    def night(self, line: str) -> NightSummary:
        """Summarise a night: ``%night [YYYY-MM-DD]``, the last one by default."""
        own = self._session.own()
        night = unquote(line) or self._session.wait(own.last_night())
        return self._session.wait(own.qa.night(night))

    @no_var_expand
    @line_magic
    def lightcurve(self, line: str) -> None:
        """Draw the light curve of a source: ``%lightcurve SOURCE [--scale]``.

        The name needs no quotes; with quotes it is a Python string. ``--scale`` puts each
        flux on its image's corrected flux scale, as ``lab.sources.variability(flux_scale=True)``
        does.
        """
        words = line.strip()
        flag = _FLAG.search(words)
        name = unquote(words if flag is None else words[: flag.start()] + words[flag.end() :])
        if not name:
            raise UsageError("which source? %lightcurve SOURCE [--scale]; Tab completes its name")
        own = self._session.own()
        curve = self._session.wait(_curve(own, name, scale=flag is not None))
        how = "on its images' corrected flux scale" if flag else ""
        show_figure(curve, curve_alt(curve, how), how)

    @no_var_expand
    @magic_arguments()
    @argument(
        "--limit", type=int, default=ROW_LIMIT, help="most rows to return (default: %(default)s)"
    )
    @argument(
        "--timeout",
        type=float,
        default=TIMEOUT_S,
        metavar="S",
        help="seconds that it may run (default: %(default)s)",
    )
    @argument("--into", metavar="NAME", help="call the DataFrame so, and show nothing")
    @cell_magic
    def contimg_sql(self, line: str, cell: str) -> pd.DataFrame | None:
        """Run one SELECT on the pipeline's tables and return a DataFrame.

        ``:name`` in it is the variable of that name. It can only read: whatever writes,
        attaches, loads or sets anything is refused. Beside a column of times under the
        pipeline's name stands another in UTC.
        """
        asked = parse_argstring(self.contimg_sql, line)
        if asked.into is not None and not asked.into.isidentifier():
            raise UsageError(f"--into {asked.into!r} is no name of a variable")
        shell, own = self._session.shell, self._session.own()
        begun = time.monotonic()
        made = self._session.wait(
            own.sql.table(cell, shell.user_ns, limit=asked.limit, timeout_s=asked.timeout)
        )
        took_s = time.monotonic() - begun
        print(_rows(made, took_s, asked.limit))
        if asked.into is None:
            return made
        shell.push({asked.into: made})
        return None


def unquote(text: str) -> str:
    """Return what a line means: itself without blanks around, or the Python string it is.

    Raises
    ------
    UsageError
        It begins with a quote and is no string.
    """
    text = text.strip()
    if text[:1] not in ("'", '"'):
        return text
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{text} begins with a quote but is no Python string") from error
    return value if isinstance(value, str) else text


def _told(lab: Lab) -> str:
    return f"lab: {lab!r}"


def _rows(made: pd.DataFrame, took_s: float, limit: int) -> str:
    cut = made.attrs["cut"]
    more = f"; {cut}, there are more (--limit {limit})" if cut else ""
    read_at = made.attrs["provenance"]["read_at"]
    return (
        f"{len(made)} row{'' if len(made) == 1 else 's'}{more}: {made.attrs['file']}, "
        f"read-only, {read_at} (UTC), {took_s:.2f} s"
    )


async def _curve(lab: Lab, name: str, *, scale: bool) -> LightCurve:
    if not scale:
        return await lab.sources.light_curve(name)
    return scaled_curve(await lab.sources.explain(name, flux_scale=True))
