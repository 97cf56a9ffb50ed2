"""Finding sources: by place, by name, by a rule; and the images that hold one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contimg_lab.analysis.cone import in_cone
from contimg_lab.analysis.expressions import evaluate
from contimg_lab.analysis.positions import position_in_name, read_position
from contimg_lab.errors import InvalidInput, NotFound
from contimg_lab.repositories._base import page
from contimg_lab.services._context import Service
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._field import all_epochs, one_epochs
from contimg_lab.services._finding import find_some
from contimg_lab.services._origin import origin_of, with_origin
from contimg_lab.services._source_images import images_table
from contimg_lab.services._sources_table import sources_table
from contimg_lab.services._variability import variability_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NAME_RADIUS_ARCMIN", "SourceSearch"]

NAME_RADIUS_ARCMIN = 1.0
"""How far from the position in a name a source is looked for: the name's digits are cut off."""

_MOST_CHARACTERS = 1000


class SourceSearch(Service):
    """What finds sources."""

    async def cone(
        self,
        ra: float | str,
        dec: float | str | None = None,
        *,
        radius_arcmin: float = 5.0,
        limit: int | None = None,
        max_age_s: float = 0.0,
    ) -> pd.DataFrame:
        """Return the sources within a circle on the sky, nearest first.

        The columns of `table`, with ``separation_arcsec``.

        Parameters
        ----------
        ra, dec
            Centre (ICRS): degrees, or text such as ``"23:08:46"`` (hours) and
            ``"+16:41:58"``; one text may hold both.
        radius_arcmin
            Radius, up to 10800 (the whole sky).
        limit
            Most sources; None: all.
        max_age_s
            As for `variability`.

        Raises
        ------
        InvalidInput
            That is no position, or no radius; the message says how to write it.

        References
        ----------
        Vincenty 1975, Survey Review 23, 88 (see `contimg_lab.analysis.cone.separation_deg`).

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     near = lab.sources.cone("00:00:00 +16:17:12", radius_arcmin=2)
        >>> near["source_id"][0], float(near["ra_deg"][0])
        ('NVSS J000000+161712', 0.0)
        """
        most, _ = page(limit, 0)
        centre = read_position(ra, dec)
        radius = _radius(radius_arcmin)
        epochs, as_of = await all_epochs(self.context, max_age_s)
        made = await asyncio.to_thread(_cone, epochs, centre, radius / 60.0, most)
        made.attrs |= {"centre_deg": centre, "radius_arcmin": radius, "as_of": as_of}
        return await with_origin(
            self.context, made, "sources.cone",
            ra=ra, dec=dec, radius_arcmin=radius, limit=limit,
        )  # fmt: skip

    async def find(
        self, text: str, *, limit: int | None = 100, max_age_s: float = 0.0
    ) -> pd.DataFrame:
        """Return the sources whose name holds a text, in any case.

        The name itself comes first, then names that begin with the text, then those that hold
        it. Where none does and the text holds a position (``J230846+164158``), the sources
        within 1 arcmin of it, nearest first.

        Parameters
        ----------
        text
            Part of a name; nothing in it has a special meaning.
        limit
            Most sources; None: all.
        max_age_s
            As for `variability`.

        Returns
        -------
        pandas.DataFrame
            The columns of `table`, with ``match`` (name, prefix, substring or position) and
            ``separation_arcsec`` from the position in the text. Empty where nothing is found.

        Raises
        ------
        InvalidInput
            It is no text, or an empty one.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     found = lab.sources.find("j000000+1617")
        >>> found["source_id"].tolist(), found["match"].tolist()
        (['NVSS J000000+161712'], ['substring'])
        """
        most, _ = page(limit, 0)
        if not isinstance(text, str) or not text.strip() or len(text) > _MOST_CHARACTERS:
            raise InvalidInput(
                f"{str(text)[:100]!r} is no part of a name; give text such as 'J2308', or see "
                "lab.sources.table() for every name"
            )
        epochs, as_of = await all_epochs(self.context, max_age_s)
        made = await asyncio.to_thread(_find, epochs, text.strip(), most)
        made.attrs["as_of"] = as_of
        return await with_origin(self.context, made, "sources.find", text=text, limit=limit)

    async def select(
        self,
        expression: str,
        *,
        flux_scale: bool = False,
        intrinsic: bool = False,
        max_age_s: float = 0.0,
    ) -> pd.DataFrame:
        """Return the rows of `variability` that pass a rule over its columns.

        Parameters
        ----------
        expression
            Such as ``"eta > 3 and n_used >= 20"``, as for `candidates`: column names, numbers,
            comparisons, ``and or not``, arithmetic, ``abs()`` and ``log10()``.
        flux_scale, intrinsic, max_age_s
            As for `variability`.

        Returns
        -------
        pandas.DataFrame
            ``attrs["n_undecided"]``: sources of which the rule says neither yes nor no, since a
            figure in it is undefined; ``attrs["n_all"]``: sources looked at.

        Raises
        ------
        InvalidInput
            The rule cannot be read, or names no column.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     bright = lab.sources.select("weighted_mean_jy > 1 and dec_deg > 16")
        >>> bool((bright["weighted_mean_jy"] > 1).all())
        True
        """
        found, as_of = await find_some(
            self.context, None, flux_scale=flux_scale, intrinsic=intrinsic, max_age_s=max_age_s
        )
        figures = await self.context.figures.read(None)

        def make() -> pd.DataFrame:
            table = variability_table(found, figures)
            yes, known = evaluate(expression, {str(n): table[n].to_numpy() for n in table})
            made = table[yes]
            made.attrs = table.attrs | {"n_all": len(table), "n_undecided": int((~known).sum())}
            return made

        made = await asyncio.to_thread(make)
        made.attrs |= {"as_of": as_of, "rule": expression}
        origin = await origin_of(
            self.context,
            "sources.select",
            expression=expression,
            flux_scale=flux_scale,
            intrinsic=intrinsic,
        )
        made.attrs["provenance"] = origin.told()
        return made

    async def images_of(self, source_id: str) -> pd.DataFrame:
        """Return the images in which a source was measured, newest observation first.

        One row a measurement, used or not; rows without a time come last.

        Parameters
        ----------
        source_id
            Name of the source.

        Returns
        -------
        pandas.DataFrame
            ``image_path``, ``ms_path``, ``run_id``, ``night`` (UTC date of the MS's start),
            ``mjd`` with ``observed_at`` beside it, ``time_source``, the flux with its error and
            column, ``used``, and ``reason`` where it is not used. ``ms_path`` and ``run_id``
            are missing where the images table names no MS.

        Raises
        ------
        NotFound
            No photometry row names the source.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     images = lab.sources.images_of("NVSS J000000+161712")
        >>> bool(images["mjd"].is_monotonic_decreasing)
        True
        """
        found = await one_epochs(self.context, source_id) if isinstance(source_id, str) else None
        if found is None:
            raise NotFound("source", source_id, "see lab.sources.find() for a part of a name")
        epochs, place = found
        paths = [path for path in epochs.image_paths(epochs.rows_of(place)) if path is not None]
        ms_of: dict[str, str] = {}
        if await self.context.database.find_table("images") is not None:
            ms_of = await self.context.images.ms_of(paths)
        directory = await self.context.directory()
        made = await asyncio.to_thread(images_table, epochs, place, ms_of, directory)
        return await with_origin(self.context, made, "sources.images_of", source_id=source_id)


def _radius(radius_arcmin: object) -> float:
    is_number = isinstance(radius_arcmin, (int, float)) and not isinstance(radius_arcmin, bool)
    if not is_number or not 0.0 < radius_arcmin <= 10800.0:  # type: ignore[operator]
        raise InvalidInput(
            f"radius_arcmin {radius_arcmin!r} is no radius; give arcminutes above 0, up to 10800"
        )
    return float(radius_arcmin)  # type: ignore[arg-type]


def _cone(
    epochs: Epochs, centre: tuple[float, float], radius_deg: float, most: int
) -> pd.DataFrame:
    rows, apart = in_cone(epochs.ra_deg, epochs.dec_deg, *centre, radius_deg)
    if most >= 0:
        rows, apart = rows[:most], apart[:most]
    made = _table(epochs, rows)
    _put(made, "separation_arcsec", apart * 3600.0)
    return made


def _find(epochs: Epochs, text: str, most: int) -> pd.DataFrame:
    needle = text.casefold()
    ranked: list[tuple[int, int]] = []
    for place, name in enumerate(epochs.source_ids):
        folded = name.casefold()
        if needle in folded:
            rank = 0 if folded == needle else 1 if folded.startswith(needle) else 2
            ranked.append((rank, place))
    ranked.sort()
    rows = np.array([place for _, place in ranked], np.intp)
    words = [("name", "prefix", "substring")[rank] for rank, _ in ranked]
    apart = np.full(len(rows), np.nan)
    centre = position_in_name(text)
    if not len(rows) and centre is not None:
        radius = NAME_RADIUS_ARCMIN / 60.0
        rows, apart = in_cone(epochs.ra_deg, epochs.dec_deg, *centre, radius)
        words = ["position"] * len(rows)
    if most >= 0:
        rows, apart, words = rows[:most], apart[:most], words[:most]
    made = _table(epochs, rows)
    _put(made, "separation_arcsec", apart * 3600.0)
    _put(made, "match", words, "string")
    return made


def _table(epochs: Epochs, rows: NDArray[np.intp]) -> pd.DataFrame:
    """The table of some sources, in the order of these places."""
    names = [epochs.source_ids[row] for row in rows.tolist()]
    table = sources_table(epochs.only(names))
    # it comes in order of name, which is the order of the places
    made = table.iloc[np.argsort(np.argsort(rows))].reset_index(drop=True)
    made.attrs = table.attrs
    return made


def _put(
    made: pd.DataFrame, name: str, values: Sequence[Any] | NDArray[Any], kind: str = ""
) -> None:
    import pandas as pd

    made.insert(1, name, pd.array(values, dtype=kind or "Float64"))  # type: ignore[call-overload]
    if not kind:
        made.attrs["units"][name] = "arcsec"
