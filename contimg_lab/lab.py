"""The Lab: the one place that wires and owns everything; its attributes are the nouns."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Generator
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.config import Config, read_config
from contimg_lab.database import Database
from contimg_lab.errors import NotFound
from contimg_lab.layouts import Layout, detect
from contimg_lab.records.status import LabStatus
from contimg_lab.services._context import Context
from contimg_lab.services._events import EventStream, Watcher
from contimg_lab.services.caltables import CalTablesService
from contimg_lab.services.health import HealthService
from contimg_lab.services.images import ImagesService
from contimg_lab.services.jobs import JobsService
from contimg_lab.services.ms import MsService
from contimg_lab.services.qa import QaService
from contimg_lab.services.sources import SourcesService
from contimg_lab.services.sql import SqlService

if TYPE_CHECKING:
    from contimg_lab.demo import Season, Truth
    from contimg_lab.selection import Selection
    from contimg_lab.views import View

__all__ = ["Lab", "Opening", "demo_lab", "demo_truth", "open_lab"]


class Lab:
    """An open pipeline database.

    Attributes
    ----------
    jobs, ms, caltables, images, sources, qa
        The nouns of the field.
    sql
        Statements of the user's own, which can only read.
    health
        What the files are and hold: what ``contimg-lab doctor`` prints.
    config
        Every setting, with where it came from.
    layout
        Which files were opened, and why those.
    title
        What to call it: the files' paths, or "built-in season".
    watcher
        What looks for commits while anybody listens.
    """

    def __init__(
        self,
        config: Config,
        layout: Layout,
        *,
        title: str | None = None,
        selection: Selection | None = None,
    ) -> None:
        self.config = config
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self.layout = layout
        self.title = title or ", ".join(str(path) for path in layout.files.values())
        self._database = Database(layout, timeout_s=config.timeout_s)
        self._context = context = Context(config, self._database)
        self.watcher = Watcher(context)
        self._selection = selection
        self._view: View | None = None
        self.jobs = JobsService(context, self)
        self.ms = MsService(context, self)
        self.caltables = CalTablesService(context, self)
        self.images = ImagesService(context, self)
        self.sources = SourcesService(context, self)
        self.qa = QaService(context, self)
        self.sql = SqlService(context, self)
        self.health = HealthService(context, self)

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that it was opened on, or None."""
        return self._loop

    @property
    def selection(self) -> Selection:
        """What is chosen, in every panel and here; see `contimg_lab.selection.Selection`."""
        if self._selection is None:
            self._selection = _faces.selection(self._context.place)
        return self._selection

    @property
    def view(self) -> View:
        """Save and restore filters, selection and layout; see `contimg_lab.views.View`."""
        if self._view is None:
            self._view = _faces.view(self)
        return self._view

    async def nights(self) -> tuple[str, ...]:
        """Return every night (UTC date) that has an MS, ascending."""
        return (await self._context.directory()).nights()

    async def last_night(self) -> str:
        """Return the latest night that has an MS.

        Raises
        ------
        NotFound
            No MS has a time.
        """
        nights = await self.nights()
        if not nights:
            raise NotFound("night", "last", "no Measurement Set in it has a time")
        return nights[-1]

    async def identity(self) -> str:
        """Return the database's identity: the same while it grows and when it is copied."""
        return await self._context.identity()

    async def absent(self) -> dict[str, tuple[str, ...]]:
        """Return the columns that this site's files lack, by table."""
        return await self._context.absent()

    async def token(self) -> tuple[object, ...]:
        """Tell one state of the data from another: equal tokens, same data."""
        return await self._database.token()

    def events(self) -> EventStream:
        """Tell what the pipeline does, as it does it: ``async for event in lab.events()``.

        While anybody listens, commits are looked for every half second; whoever leaves the
        loop stops listening. Entered with ``async with``, nothing is missed from then on.
        What happened to one row between two looks is told as one change; measurements changed
        in place as ``other``, and only where nothing else was found.

        Returns
        -------
        EventStream
            Gives `contimg_lab.records.events.Event`, in order; a reader too slow for them is
            told of many in one.

        Examples
        --------
        >>> import asyncio, contimg_lab as cl
        >>> async def first():
        ...     async with cl.demo() as lab, lab.events() as events:
        ...         return repr(events)
        >>> asyncio.run(first())
        '<events of a Lab, open: 0 waiting>'
        """
        return EventStream(self.watcher)

    def dashboard(self, **options: Any) -> Any:
        """Show every panel; see `contimg_lab.panels.dashboard`."""
        return _faces.dashboard(self, **options)

    def status(self) -> LabStatus:
        """Say what is held in memory, and how each file is open."""
        how = tuple(f"{role}: {word}" for role, word in self._database.how().items())
        return LabStatus(store=self._context.store.status(), files=how)

    async def close(self) -> None:
        """Close every connection, and end what is being read; may be called twice."""
        await self.watcher.close()
        await self._context.store.close()
        await self._database.close()

    def __repr__(self) -> str:
        notes = "".join(f"\n  note: {note}" for note in self.layout.notes)
        missing = "".join(f"\n  absent: {why}" for why in self.layout.absent.values())
        return f"Lab on {self.title} ({self.layout.name} layout, read-only){notes}{missing}"


class Opening:
    """What ``open`` returns: await it, or enter it with ``async with``."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        ledger: str | os.PathLike[str] | None = None,
        store_mb: float | None = None,
    ) -> None:
        self._path = path
        self._ledger = ledger
        self._store_mb = store_mb
        self._title: str | None = None
        self._season_folder: Path | None = None
        self._lab: Lab | None = None

    async def _open(self) -> Lab:
        config = read_config(
            self._path,
            ledger=self._ledger,
            store_mb=self._store_mb,
            season_folder=self._season_folder,
        )
        known = config.season_folder is not None or config.image_roots  # folders that were named
        if not known and (season := _season_at(config.path)) is not None:
            origin = MappingProxyType({**config.origin, "season_folder": "the opened folder"})
            config = dataclasses.replace(config, season_folder=season, origin=origin)
        lab = Lab(config, detect(config), title=self._title)
        try:
            await lab._database.check()
        except BaseException:
            await lab.close()
            raise
        return lab

    def __await__(self) -> Generator[Any, None, Lab]:
        return self._open().__await__()

    async def __aenter__(self) -> Lab:
        self._lab = await self._open()
        return self._lab

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lab is not None:
            await self._lab.close()

    def __repr__(self) -> str:
        return "not open yet: write `lab = await ...` (or use contimg_lab.blocking without await)"


def _season_at(path: Path | None) -> Path | None:
    """Folder of a simulated season that is opened by its path and has its images already."""
    if path is None:
        return None
    folder = path if path.is_dir() else path.parent
    if not (folder / "images").is_dir():
        return None
    from contimg_lab.demo.truth import TRUTH_NAME

    return folder if (folder / TRUTH_NAME).is_file() else None


class _DemoOpening(Opening):
    """What ``demo`` returns: the season is made first, off the event loop."""

    def __init__(
        self,
        season: Season,
        cache: str | os.PathLike[str] | None,
        ledger: str | os.PathLike[str] | None,
    ) -> None:
        super().__init__(ledger=ledger)
        self._season = season
        self._cache = cache
        self._title = "the built-in season"

    async def _open(self) -> Lab:
        from contimg_lab.demo import ensure_season

        self._path = self._season_folder = await asyncio.to_thread(
            ensure_season, self._season, None if self._cache is None else Path(self._cache)
        )
        return await super()._open()


def demo_lab(
    *,
    cache: str | os.PathLike[str] | None = None,
    ledger: str | os.PathLike[str] | None = None,
    **season: Any,
) -> Opening:
    """Open the built-in season, made on first use in the user's cache folder.

    Parameters
    ----------
    cache
        Another folder to keep seasons in.
    ledger
        As `open_lab` has it.
    **season
        Arguments of `contimg_lab.demo.Season`: ``layout``, ``untidy``, ``nights``, ``seed`` ...
    """
    from contimg_lab.demo import Season

    return _DemoOpening(Season(**season), cache, ledger)


def demo_truth(*, cache: str | os.PathLike[str] | None = None, **season: Any) -> Truth:
    """Return what was planted in the built-in season; takes the arguments of `demo_lab`."""
    from contimg_lab.demo import Season, ensure_season, read_truth

    return read_truth(ensure_season(Season(**season), None if cache is None else Path(cache)))


def open_lab(
    path: str | os.PathLike[str] | None = None,
    *,
    ledger: str | os.PathLike[str] | None = None,
    store_mb: float | None = None,
) -> Opening:
    """Open a pipeline database, read-only: ``lab = await open(...)`` or ``async with``.

    Parameters
    ----------
    path
        A folder, a ``pipeline.sqlite3``, or a ``products.sqlite3`` with its
        ``cal_registry.sqlite3`` beside it. None: what ``PIPELINE_DB``,
        ``PIPELINE_PRODUCTS_DB`` (with ``PIPELINE_CAL_REGISTRY_DB``) or
        ``PIPELINE_STATE_DIR`` says, else the current folder and its ``state/db``.
    ledger
        Our own file of sign-offs; None: ``CONTIMG_LAB_LEDGER`` or the user's data folder.
    store_mb
        Most memory for the store of epochs, megabytes, and 0 to have none; None:
        ``CONTIMG_LAB_STORE_MB`` or 1024.

    Raises
    ------
    DatabaseNotFound, NotADatabase, UnknownLayout, DatabaseBusy
        When awaited: the file is not there, not SQLite, not the pipeline's, or locked.
    """
    return Opening(path, ledger=ledger, store_mb=store_mb)
