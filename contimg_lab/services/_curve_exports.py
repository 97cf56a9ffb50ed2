"""How a light curve goes to other tools: its methods, which call the exports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from astropy.table import Table

    from contimg_lab.services.light_curve import LightCurve

__all__ = ["CurveExports"]


class _Tabled(Protocol):
    def to_pandas(self, *, excluded: bool = False) -> pd.DataFrame: ...


class CurveExports:
    """Methods of a light curve that write it to files or hand it to other packages.

    Files carry units and the provenance: database, time, version, call and parameters. Of
    each writing method: ``excluded`` adds the epochs left out, with ``used`` False and the
    ``reason``; ``overwrite`` replaces a file that is there; ``notes`` adds names and text to
    the provenance. Each raises InvalidInput where the path cannot be written to.
    """

    __slots__ = ()

    def to_votable(
        self: _Tabled,
        path: str | os.PathLike[str],
        *,
        excluded: bool = False,
        overwrite: bool = False,
        notes: Mapping[str, object] | None = None,
    ) -> Path:
        """Write a VOTable; see `contimg_lab.services.exports.to_votable`.

        Raises
        ------
        InvalidInput
            A file is there, or the path cannot be written to.

        Examples
        --------
        >>> import tempfile
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab, tempfile.TemporaryDirectory() as folder:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        ...     lc.to_votable(f"{folder}/curve.vot").name
        'curve.vot'
        """
        from contimg_lab.services import exports

        made = self.to_pandas(excluded=excluded)
        return exports.to_votable(made, path, overwrite=overwrite, notes=notes)

    def to_ecsv(
        self: _Tabled,
        path: str | os.PathLike[str],
        *,
        excluded: bool = False,
        overwrite: bool = False,
        notes: Mapping[str, object] | None = None,
    ) -> Path:
        """Write an ECSV file; see `contimg_lab.services.exports.to_ecsv`.

        Raises
        ------
        InvalidInput
            A file is there, or the path cannot be written to.

        Examples
        --------
        >>> import tempfile
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab, tempfile.TemporaryDirectory() as folder:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        ...     lc.to_ecsv(f"{folder}/curve.ecsv", excluded=True).name
        'curve.ecsv'
        """
        from contimg_lab.services import exports

        made = self.to_pandas(excluded=excluded)
        return exports.to_ecsv(made, path, overwrite=overwrite, notes=notes)

    def to_parquet(
        self: _Tabled,
        path: str | os.PathLike[str],
        *,
        excluded: bool = False,
        overwrite: bool = False,
        notes: Mapping[str, object] | None = None,
    ) -> Path:
        """Write a Parquet file; see `contimg_lab.services.exports.to_parquet`.

        Raises
        ------
        InvalidInput
            A file is there, or the path cannot be written to.

        Examples
        --------
        >>> import tempfile
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab, tempfile.TemporaryDirectory() as folder:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        ...     lc.to_parquet(f"{folder}/curve.parquet").name
        'curve.parquet'
        """
        from contimg_lab.services import exports

        made = self.to_pandas(excluded=excluded)
        return exports.to_parquet(made, path, overwrite=overwrite, notes=notes)

    def to_lightkurve(self) -> Any:
        """Return the epochs that count, and have a time, as a ``lightkurve.LightCurve``.

        Raises
        ------
        AbsentFeature
            lightkurve is not installed (``contimg-lab[lightkurve]``).
        """
        from contimg_lab.services import exports

        return exports.to_lightkurve(self)  # type: ignore[arg-type]  # a part of LightCurve

    @classmethod
    def from_astropy(cls, table: Table, *, source_id: str | None = None) -> LightCurve:
        """Make a light curve of a TimeSeries or Table; see `contimg_lab.services.exports`.

        Raises
        ------
        InvalidInput
            A column is absent, has no unit, or one that is no flux density.

        Examples
        --------
        >>> from contimg_lab import LightCurve
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        >>> LightCurve.from_astropy(lc.to_astropy()).source_id == lc.source_id
        True
        """
        from contimg_lab.services import exports

        return exports.from_astropy(table, source_id=source_id)
