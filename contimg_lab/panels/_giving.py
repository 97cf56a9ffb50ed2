"""What a panel gives away: its rows, files, the code that yields them, its page in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from contimg_lab.panels import _files
from contimg_lab.panels._code import code_for
from contimg_lab.panels._words import error_words, escape

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

    from contimg_lab.panels._home import Home
    from contimg_lab.panels._live_plot import LivePlot
    from contimg_lab.panels._saved import Saved

__all__ = ["Giving"]


class Giving:
    """The part of every panel from which something leaves it."""

    title: ClassVar[str]
    draws: ClassVar[bool]
    if TYPE_CHECKING:  # of the panel
        _lab: Any
        _ask: Any
        _asked: tuple[str, dict[str, Any]] | None
        _code_view: Any
        _counts: str
        _failure: Callable[[], BaseException | None]
        _frame: pd.DataFrame | None
        _head: Any
        _home: Home
        _make_frame: Callable[[], pd.DataFrame] | None
        _plots: list[LivePlot]
        _read_at: datetime | None
        _saved: Saved
        _static: Callable[[], tuple[str, str]]
        _when: Callable[[], str]
        figure: Callable[[], Figure | None]

    def to_pandas(self) -> pd.DataFrame:
        """Return every row that the filters let through, unrounded, in Jy and degrees."""
        import pandas as pd

        if self._make_frame is not None:
            return self._make_frame()
        return pd.DataFrame() if self._frame is None else self._frame.copy()

    async def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write every row, or the figure, to a file and return its path.

        Parameters
        ----------
        path
            Its suffix says what: .csv, .ecsv, .parquet or .vot for the rows of `to_pandas`;
            .png or .svg for `figure`.
        overwrite
            Replace a file that is there.

        Raises
        ------
        InvalidInput
            There is no such form, nothing to write, or no file can be written there.

        Examples
        --------
        >>> import asyncio, tempfile, contimg_lab as cl
        >>> async def save(folder):
        ...     async with cl.demo() as lab:
        ...         panel = lab.ms.panel()
        ...         await panel.settled()
        ...         path = await panel.export(f"{folder}/night.ecsv")
        ...         panel.close()
        ...         return path.read_text().splitlines()[0]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     asyncio.run(save(folder))
        '# %ECSV 1.0'
        """
        return await _files.write(self, path, overwrite=overwrite)

    def code(self) -> str:
        """Return the cell that yields what `to_pandas` returns, without the panel."""
        if self._asked is None:
            return ""
        from contimg_lab.panels._code_view import path_to_open

        name, shown = self._asked
        return code_for(name, path_to_open(self._lab), **shown)

    # what the head's tools ask for

    def _forms(self) -> list[list[str]]:
        return [list(pair) for pair in _files.forms(figure=self.draws or bool(self._plots))]

    def _on_tool(self, widget: Any, content: Mapping[str, Any], buffers: Any) -> None:
        does = content.get("do")
        if does == "code":
            self._on_code()
        elif does == "export":
            self._on_export(str(content.get("form")), str(content.get("ticket")))
        elif does in ("back", "forward") and self._lab is not None:
            getattr(self._lab.selection, does)()
        elif does in ("flux", "positions") and self._lab is not None:
            self._lab.view.units.choose(**{does: str(content.get("value"))})

    def _on_export(self, form: str, ticket: str) -> None:
        async def fetch() -> None:
            data = await _files.contents(self, form)
            await self._head.tools.offer(data, self._file_name(form), ticket)

        self._ask("export", fetch, lambda _: None)

    def _file_name(self, form: str) -> str:
        """Name a file by the panel, its night and what is chosen."""
        name, shown = self._asked or (type(self).__module__.rsplit(".", 1)[-1].strip("_"), {})
        return "-".join(str(part) for part in (name, shown.get("night")) if part) + f".{form}"

    def _on_code(self, *message: Any) -> None:
        """Show the code, or take it away again."""
        from contimg_lab.panels._code_view import CodeView

        view, self._code_view = self._code_view, None
        if view is None:
            view = self._code_view = CodeView(text=self.code() or "# nothing has been read yet")
            view.on_msg(self._home.taken(self._on_code))
            self._head.show_code(view)
        else:
            self._head.show_code(None)
            view.layout.close()
            view.close()

    def _recode(self) -> None:
        if self._code_view is not None and self._asked is not None:
            self._code_view.text = self.code()

    # saved in a notebook

    def _pictures(self) -> Sequence[LivePlot]:
        return self._plots

    def _static_page(self) -> tuple[str, str]:
        html, text = self._static()
        failure = self._failure()
        told = self._counts if failure is None else f"{error_words(failure)} {self._counts}".strip()
        when = f"read{self._when()}" if self._read_at else "not read yet"
        return (
            f"<div><b>{escape(self.title)}</b>: {escape(told)} <i>({escape(when)})</i>{html}</div>",
            "\n".join(part for part in (f"{self.title}: {told}", text) if part),
        )

    def _view_bundle(self) -> dict[str, Any]:
        """What shows the live widget."""
        bundle: Any = super()._repr_mimebundle_()  # type: ignore[misc]
        return dict(bundle or {})

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = self._view_bundle()
        bundle["text/html"], bundle["text/plain"] = self._static_page()
        return bundle

    def _ipython_display_(self, **kwargs: Any) -> None:
        self._saved.display(f"{self.title} panel (live)", self._view_bundle())
