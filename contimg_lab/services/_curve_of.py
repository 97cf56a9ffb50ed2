"""One source's rows among many epochs: as a light curve, and as JSON."""

from __future__ import annotations

import numpy as np

from contimg_lab.analysis.epochs import REASONS, TIME_SOURCES
from contimg_lab.services._curve_value import flux_unit
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._origin import Origin
from contimg_lab.services._variability import FLUX_COLUMNS
from contimg_lab.services.light_curve import DETECTION_SIGMA, Excluded, LightCurve

__all__ = ["curve_json", "curve_of"]


def curve_of(epochs: Epochs, source: int, origin: Origin) -> LightCurve:
    """Make the light curve of the source at a position."""
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


def curve_json(epochs: Epochs, source: int) -> bytes:
    """Write the epochs that count as JSON; see `SourcesService.light_curve_json`."""
    import orjson

    rows = epochs.rows_of(source)
    mjd, flux, error = epochs.mjd[rows], epochs.flux_jy[rows], epochs.flux_err_jy[rows]
    column, reason = epochs.flux_column[rows], epochs.reason[rows]
    n_excluded = int(np.count_nonzero(reason))
    if n_excluded:
        used = reason == 0
        mjd, flux, error, column = mjd[used], flux[used], error[used], column[used]
    told = {
        "source_id": epochs.source_ids[source],
        "flux_unit": flux_unit(column == 1),
        "mjd": mjd,
        "flux_jy": flux,
        "flux_err_jy": error,
        "n_excluded": n_excluded,
    }
    return orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY)
