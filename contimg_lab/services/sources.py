"""Sources: light curves, and which of them vary."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab import _faces
from contimg_lab.analysis.epochs import REASONS, TIME_SOURCES
from contimg_lab.analysis.variability import Variability, variability
from contimg_lab.errors import InvalidInput, NotFound
from contimg_lab.records.sources import Source
from contimg_lab.services._candidates import candidates_table
from contimg_lab.services._context import Service
from contimg_lab.services._epochs import Epochs, read_epochs
from contimg_lab.services._frames import frame
from contimg_lab.services._origin import Origin, origin_of
from contimg_lab.services._variability import FLUX_COLUMNS, Found, find, variability_table
from contimg_lab.services.explanation import Explanation, explain
from contimg_lab.services.light_curve import DETECTION_SIGMA, Excluded, LightCurve, flux_unit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SourcesService"]

_FLUXES = ("mean_jy", "weighted_mean_jy", "weighted_mean_err_jy")
_RATIOS = ("v", "eta", "chi_squared", "p_constant")


class SourcesService(Service):
    """Sources with photometry."""

    async def get_source(self, source_id: str) -> Source:
        """Return one source; raises NotFound."""
        return await self.context.sources.get(source_id)

    async def list_sources(self, *, limit: int | None = 100, offset: int = 0) -> tuple[Source, ...]:
        """Return sources in order of name: at most ``limit`` (None: all) after ``offset``."""
        return await self.context.sources.list(limit=limit, offset=offset)

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
        epochs = await self._of(source_id)
        origin = await origin_of(self.context, "sources.light_curve", source_id=source_id)
        return _light_curve(epochs, 0, origin)

    async def light_curves(self, source_ids: Sequence[str]) -> dict[str, LightCurve]:
        """Return many light curves in one query, by name, in the order given."""
        wanted = _names(source_ids)
        epochs = await read_epochs(self.context, wanted)
        found = {name: i for i, name in enumerate(epochs.source_ids)}
        origin = await origin_of(self.context, "sources.light_curve")

        def make() -> dict[str, LightCurve]:
            return {
                name: _light_curve(epochs, found[name], origin.asked(source_id=name))
                for name in wanted
                if name in found
            }

        return await asyncio.to_thread(make)

    async def variability(
        self,
        source_ids: Sequence[str] | None = None,
        *,
        flux_scale: bool = False,
        intrinsic: bool = False,
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
        found = await self._find(source_ids, flux_scale=flux_scale, intrinsic=intrinsic)
        figures = await self.context.figures.read(None)
        table = await asyncio.to_thread(variability_table, found, figures)
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
        found = await self._find(None, flux_scale=flux_scale, intrinsic=False)
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
        epochs = await self._of(source_id)
        found = await self._find([source_id], flux_scale=flux_scale, intrinsic=False)
        origin = await origin_of(self.context, "sources.light_curve", source_id=source_id)
        return await asyncio.to_thread(explain, found, _light_curve(epochs, 0, origin))

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
        made = await asyncio.to_thread(_table, await read_epochs(self.context, wanted))
        origin = await origin_of(self.context, "sources.table", limit=limit, offset=offset)
        made.attrs["provenance"] = origin.told()
        return made

    def panel(self, **options: Any) -> Any:
        """Show which sources vary: eta against V, a table, and the chosen light curve."""
        return _faces.panel("variability", self.lab, **options)

    async def _find(
        self, source_ids: Sequence[str] | None, *, flux_scale: bool, intrinsic: bool
    ) -> Found:
        # an image's scale rests on the whole field, whatever sources are asked for
        whole = source_ids is None or flux_scale
        epochs = await read_epochs(self.context, None if whole else source_ids)
        if source_ids is None:
            return await asyncio.to_thread(find, epochs, flux_scale=flux_scale, intrinsic=intrinsic)
        found = await asyncio.to_thread(
            find, epochs, flux_scale=flux_scale, field=whole, intrinsic=intrinsic and not whole
        )
        return found.only(source_ids, intrinsic=intrinsic) if whole else found

    async def _of(self, source_id: object) -> Epochs:
        if not isinstance(source_id, str):
            raise NotFound("source", source_id, "a source id is text")
        epochs = await read_epochs(self.context, [source_id])
        if not len(epochs.row_id):
            raise NotFound("source", source_id, "see lab.sources.table() for those it has")
        return epochs


def _names(source_ids: object) -> list[str]:
    """Names in the order given, each once; what is no text names no source."""
    if isinstance(source_ids, (str, bytes)) or not isinstance(source_ids, Iterable):
        raise InvalidInput(f"source_ids {source_ids!r} is no list of names")
    return list(dict.fromkeys(name for name in source_ids if isinstance(name, str)))


def _light_curve(epochs: Epochs, source: int, origin: Origin) -> LightCurve:
    rows = epochs.rows_of(source)
    reason, paths = epochs.reason[rows], epochs.image_paths(rows)
    used = reason == 0
    columns = np.array(FLUX_COLUMNS, object)
    flux, error = epochs.flux_jy[rows], epochs.flux_err_jy[rows]
    out = ~used
    return LightCurve(
        source_id=epochs.source_ids[source],
        ra_deg=float(epochs.ra_deg[source]),
        dec_deg=float(epochs.dec_deg[source]),
        nvss_flux_mjy=float(epochs.nvss_flux_mjy[source]),
        mjd=epochs.mjd[rows][used],
        time_source=np.array(TIME_SOURCES, object)[epochs.time_source[rows][used]],
        flux_jy=flux[used],
        flux_err_jy=error[used],
        flux_column=columns[epochs.flux_column[rows][used]],
        is_detection=flux[used] >= DETECTION_SIGMA * error[used],
        row_id=epochs.row_id[rows][used],
        image_path=paths[used],
        excluded=Excluded(
            mjd=epochs.mjd[rows][out],
            flux_jy=flux[out],
            flux_err_jy=error[out],
            reason=np.array(REASONS, object)[reason[out]],
            row_id=epochs.row_id[rows][out],
            image_path=paths[out],
        ),
        provenance=origin,
    )


def _statistics(epochs: Epochs) -> Variability:
    used = epochs.reason == 0
    source = np.repeat(np.arange(len(epochs.source_ids)), epochs.counts)[used]
    counts = np.bincount(source, minlength=len(epochs.source_ids))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return variability(epochs.flux_jy[used], epochs.flux_err_jy[used], offsets)


def _table(epochs: Epochs) -> pd.DataFrame:
    found = _statistics(epochs)
    reasons = epochs.reasons()
    data: dict[str, Any] = {
        "source_id": list(epochs.source_ids),
        "ra_deg": epochs.ra_deg,
        "dec_deg": epochs.dec_deg,
        "nvss_flux_mjy": epochs.nvss_flux_mjy,
        "n_used": found.n_used,
        "n_excluded": epochs.counts - found.n_used,
    }
    used = epochs.reason == 0
    is_peak = (epochs.flux_column == 1) & used
    source = np.repeat(np.arange(len(epochs.source_ids)), epochs.counts)
    data["n_peak"] = np.bincount(source[is_peak], minlength=len(epochs.source_ids))
    data |= {name: getattr(found, name) for name in (*_FLUXES, *_RATIOS)}
    for code, reason in enumerate(REASONS[1:], start=1):
        data["excluded_" + reason.replace(" ", "_")] = reasons[:, code]
    kind: dict[str, type] = {"source_id": str}
    units = {"ra_deg": "deg (ICRS)", "dec_deg": "deg (ICRS)", "nvss_flux_mjy": "mJy"}
    units |= dict.fromkeys(_FLUXES, flux_unit(is_peak[used])) | dict.fromkeys(_RATIOS, "1")
    return frame(data, kind, units=units, meanings={"n_peak": "used epochs that are peak_jyb"})
