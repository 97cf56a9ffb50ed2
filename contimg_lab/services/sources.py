"""Sources: light curves, and which of them vary."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.errors import AbsentFeature, InvalidInput, NotFound
from contimg_lab.records.sources import Source
from contimg_lab.services._candidates import candidates_table
from contimg_lab.services._curve_of import curve_json, curve_of
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._field import all_epochs, one_epochs, some_epochs
from contimg_lab.services._finding import find_some
from contimg_lab.services._origin import origin_of
from contimg_lab.services._search import SourceSearch
from contimg_lab.services._sources_table import measurements_table, sources_table
from contimg_lab.services._variability import variability_table
from contimg_lab.services.explanation import Explanation, explain
from contimg_lab.services.light_curve import LightCurve

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SourcesService"]


class SourcesService(SourceSearch):
    """Sources with photometry."""

    async def get_source(self, source_id: str) -> Source:
        """Return one source; raises NotFound."""
        return await self.context.sources.get(source_id)

    async def list_sources(
        self, *, limit: int | None = 100, offset: int = 0, prefix: str = ""
    ) -> tuple[Source, ...]:
        """Return sources whose name begins with ``prefix``, in order of name.

        At most ``limit`` (None: all) after ``offset``.
        """
        return await self.context.sources.list(limit=limit, offset=offset, prefix=prefix)

    async def light_curve(self, source_id: str) -> LightCurve:
        """Return the light curve of one source.

        One flux an epoch: ``flux_jy`` with its error where both are valid, else ``peak_jyb``
        with its own. Of two measurements in one image the later row counts. Epochs that do
        not count are kept in ``excluded`` with the reason.

        Raises
        ------
        NotFound
            No photometry row names the source.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     source = lab.sources.list_sources(limit=1)[0]
        ...     lc = lab.sources.light_curve(source.source_id)
        >>> bool((lc.flux_err_jy > 0).all())
        True
        """
        epochs, place = await self._of(source_id)
        origin = await origin_of(self.context, "sources.light_curve", source_id=source_id)
        return curve_of(epochs, place, origin)

    async def light_curve_json(self, source_id: str) -> bytes:
        """Return the epochs of a light curve that count, as JSON for a front end (UTF-8).

        An object with ``source_id``, ``flux_unit``, the lists ``mjd`` (UTC days; null where
        unknown), ``flux_jy`` and ``flux_err_jy`` in order of time, and ``n_excluded``. Each
        number reads back as the very same double.

        Raises
        ------
        NotFound
            No photometry row names the source.

        Examples
        --------
        >>> import json
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     name = lab.sources.list_sources(limit=1)[0].source_id
        ...     told = json.loads(lab.sources.light_curve_json(name))
        ...     lc = lab.sources.light_curve(name)
        >>> told["flux_jy"] == lc.flux_jy.tolist()
        True
        """
        return curve_json(*await self._of(source_id))

    async def light_curves(self, source_ids: Sequence[str]) -> dict[str, LightCurve]:
        """Return many light curves in one query, by name, in the order given."""
        wanted = _names(source_ids)
        epochs = await some_epochs(self.context, wanted)
        origin = await origin_of(self.context, "sources.light_curve")

        def make() -> dict[str, LightCurve]:
            return {
                name: curve_of(epochs, epochs.places[name], origin.asked(source_id=name))
                for name in wanted
                if name in epochs.places
            }

        return await asyncio.to_thread(make)

    async def measurements(self, *columns: str) -> pd.DataFrame:
        """Return every row of ``photometry`` as stored, in order of row, without a stall.

        A child process reads the file; the columns are views of a file that it maps, so that
        10^7 rows take no memory of the kernel's own until they are looked at. Numbers are
        float64 with NaN for what is missing or no number, ``id`` is int64, texts are
        categorical. The answer is one state of the file. Cancelling ends the reading.

        Parameters
        ----------
        *columns
            Fields of `contimg_lab.records.sources.Measurement`; none given: all of them. One
            that this file lacks is NaN throughout and named in ``attrs["absent"]``.

        Raises
        ------
        InvalidInput
            A measurement has no such field.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     rows = lab.sources.measurements("source_id", "mjd", "flux_jy")
        >>> list(rows.columns), rows.attrs["units"]["flux_jy"]
        (['source_id', 'mjd', 'flux_jy'], 'Jy')
        """
        names, handed = await self.context.measurements.scan(columns)
        made = await asyncio.to_thread(measurements_table, handed, names)
        origin = await origin_of(self.context, "sources.measurements", columns=list(columns))
        made.attrs["provenance"] = origin.told()
        return made

    async def prepare(self) -> datetime:
        """Build the store of epochs now, so that what follows comes at memory speed.

        Nobody need call it: the first question begins a build in the background.
        ``lab.status().store`` says how far it is.

        Returns
        -------
        datetime.datetime
            When the store was current (UTC).

        Raises
        ------
        AbsentFeature
            There can be no store; the message says why.
        """
        found = await self.context.store.fresh()
        if found is None:
            why = self.context.store.status().why_off or "the reading process failed"
            raise AbsentFeature(f"no store of the epochs: {why}")
        return found[1]

    async def variability(
        self,
        source_ids: Sequence[str] | None = None,
        *,
        flux_scale: bool = False,
        intrinsic: bool = False,
        max_age_s: float = 0.0,
    ) -> pd.DataFrame:
        """Return the variability statistics of some sources, or of all, indexed by source.

        Every figure's definition and paper: `explain`. Undefined is NaN, and ``undefined``
        says why; ``excluded_<reason>`` counts the epochs left out; ``time_source`` and
        ``flux_column`` say what the epochs used are made of. ``pipeline_*`` are the pipeline's
        own figures, ``pipeline_verdict`` how they stand to ours. ``attrs["vary_together"]``
        warns where bright sources vary with each other, which means gain errors.

        Parameters
        ----------
        source_ids
            In any order; None: every source that has photometry.
        flux_scale
            Correct each image's flux scale first, from the field's stable bright sources.
            Epochs in images without a scale are then left out and counted.
        intrinsic
            Add the intrinsic modulation index by maximum likelihood, ``m_intrinsic``, with its
            1-sigma interval and 3-sigma limit (some seconds for 10^6 epochs).
        max_age_s
            Of all sources: a state of the database that was current at most so many seconds
            ago will do, where reading it again takes long. ``attrs["as_of"]`` says of when
            the answer is (UTC).

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     table = lab.sources.variability()
        >>> table.attrs["vary_together"]["warning"]
        True
        """
        if source_ids is not None:
            source_ids = _names(source_ids)
        found, as_of = await find_some(
            self.context,
            source_ids,
            flux_scale=flux_scale,
            intrinsic=intrinsic,
            max_age_s=max_age_s,
        )
        figures = await self.context.figures.read(None)
        table = await asyncio.to_thread(variability_table, found, figures)
        table.attrs["as_of"] = as_of
        origin = await origin_of(
            self.context,
            "sources.variability",
            source_ids=source_ids,
            flux_scale=flux_scale,
            intrinsic=intrinsic,
        )
        table.attrs["provenance"] = origin.told()
        if source_ids is None:
            return table
        wanted = [name for name in dict.fromkeys(source_ids) if name in table.index]
        return table.loc[wanted]

    async def calculate_variability(self, source_id: str) -> pd.Series[Any]:
        """Return the statistics of one source: its row of `variability`.

        Raises
        ------
        NotFound
            No photometry row names the source.
        """
        await self._of(source_id)
        row: pd.Series[Any] = (await self.variability([source_id])).iloc[0]
        return row

    async def candidates(
        self,
        *,
        n_sigma: float = 2.0,
        fit_snr: float = 5.0,
        expression: str | None = None,
        flux_scale: bool = False,
        variable: Collection[str] | None = None,
        max_age_s: float = 0.0,
    ) -> pd.DataFrame:
        """Return every source with the rules that select it, indexed by source.

        One column of yes or no for each rule: ``eta_v`` (n sigma above the field in both),
        the pipeline's presets ``conservative``, ``moderate`` and ``sensitive``, ``two_epoch``
        (|Vs| > 4.3 and |m| > 0.26), and ``expression``. ``undecided`` says which rule could not
        decide and why, which is not to say that the source is constant. ``attrs`` holds the
        rules' texts, the fits, the expected number of false pairs and, with ``variable``,
        completeness and purity.

        Parameters
        ----------
        n_sigma
            How far above the field in log10(eta) and log10(V).
        fit_snr
            Fit the field on sources whose mean is so many typical errors; 0: on all.
        expression
            A rule over columns of `variability`, such as ``"eta > 3 and n_used >= 20"``.
        flux_scale
            Correct each image's flux scale first; see `variability`.
        variable
            Names of the sources that vary in truth, where it is known.
        max_age_s
            As for `variability`.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     found = lab.sources.candidates(expression="eta > 3 and n_used >= 20")
        >>> found.attrs["rules"]["two_epoch"]
        '|Vs| > 4.3 and |m| > 0.26 of the pair of largest |Vs|'
        """
        for name, value in (("n_sigma", n_sigma), ("fit_snr", fit_snr)):
            if not isinstance(value, (int, float)) or not 0.0 <= value < 1e6:
                raise InvalidInput(f"{name} {value!r} is no number of sigmas from 0 up")
        if isinstance(variable, str):
            raise InvalidInput(f"variable {variable!r} is one name; give a list of names")
        found, as_of = await find_some(
            self.context, None, flux_scale=flux_scale, intrinsic=False, max_age_s=max_age_s
        )
        figures = await self.context.figures.read(None)

        def make() -> pd.DataFrame:
            return candidates_table(
                found,
                variability_table(found, figures),
                n_sigma=n_sigma,
                fit_snr=fit_snr,
                expression=expression,
                variable=variable,
            )

        made = await asyncio.to_thread(make)
        made.attrs["as_of"] = as_of
        origin = await origin_of(
            self.context,
            "sources.candidates",
            n_sigma=n_sigma,
            fit_snr=fit_snr,
            expression=expression,
            flux_scale=flux_scale,
            variable=variable,
        )
        made.attrs["provenance"] = origin.told()
        return made

    async def explain(self, source_id: str, *, flux_scale: bool = False) -> Explanation:
        """Say where a source's figures come from: epochs, equations, sums and papers.

        Parameters
        ----------
        source_id
            Name of the source.
        flux_scale
            As for `variability`.

        Raises
        ------
        NotFound
            No photometry row names the source.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     why = lab.sources.explain(lab.sources.list_sources(limit=1)[0].source_id)
        >>> why["eta"].equation
        'sum(w (S - weighted mean)**2) / (N - 1)'
        """
        epochs, place = await self._of(source_id)
        found, _ = await find_some(
            self.context, [source_id], flux_scale=flux_scale, intrinsic=False
        )
        origin = await origin_of(self.context, "sources.light_curve", source_id=source_id)
        return await asyncio.to_thread(explain, found, curve_of(epochs, place, origin))

    async def table(self, *, limit: int | None = None, offset: int = 0) -> pd.DataFrame:
        """Return every source with its statistics, one row a source, in order of name.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     sources = lab.sources.table(limit=3)
        >>> sources.attrs["units"]["weighted_mean_jy"]
        'Jy'
        """
        wanted: list[str] | None = None
        if limit is not None or offset != 0:
            some = await self.list_sources(limit=limit, offset=offset)
            wanted = [source.source_id for source in some]
        if wanted is None:
            epochs, _ = await all_epochs(self.context)
        else:
            epochs = await some_epochs(self.context, wanted)
        made = await asyncio.to_thread(sources_table, epochs)
        origin = await origin_of(self.context, "sources.table", limit=limit, offset=offset)
        made.attrs["provenance"] = origin.told()
        return made

    def panel(self, **options: Any) -> Any:
        """Show which sources vary: eta against V, a table, and the chosen light curve."""
        return _faces.panel("variability", self.lab, **options)

    def search_panel(self, **options: Any) -> Any:
        """Find sources by ``text`` (a name or a position), ``radius_arcmin`` and ``rule``."""
        return _faces.panel("sources", self.lab, **options)

    async def _of(self, source_id: object) -> tuple[Epochs, int]:
        if not isinstance(source_id, str):
            raise NotFound("source", source_id, "a source id is text")
        found = await one_epochs(self.context, source_id)
        if found is None:
            raise NotFound("source", source_id, "see lab.sources.table() for those it has")
        return found


def _names(source_ids: object) -> list[str]:
    """Names in the order given, each once; what is no text names no source."""
    if isinstance(source_ids, (str, bytes)) or not isinstance(source_ids, Iterable):
        raise InvalidInput(f"source_ids {source_ids!r} is no list of names")
    return list(dict.fromkeys(name for name in source_ids if isinstance(name, str)))
