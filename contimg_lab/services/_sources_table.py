"""The table of sources, and the table of measurements as they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contimg_lab.analysis.epochs import REASONS
from contimg_lab.analysis.grouping import take_rows
from contimg_lab.analysis.segments import segment_sums
from contimg_lab.analysis.variability import Variability, variability
from contimg_lab.records._fields import meanings, units
from contimg_lab.records.sources import Measurement
from contimg_lab.services._epochs import Epochs
from contimg_lab.services._frames import frame
from contimg_lab.services._variability import used_rows
from contimg_lab.services.light_curve import flux_unit

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.database.scan import Handed

__all__ = ["measurements_table", "sources_table"]

_FLUXES = ("mean_jy", "weighted_mean_jy", "weighted_mean_err_jy")
_RATIOS = ("v", "eta", "chi_squared", "p_constant")


def sources_table(epochs: Epochs) -> pd.DataFrame:
    """Make the table of `SourcesService.table`."""
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
    data["n_peak"] = segment_sums(is_peak.astype(float), epochs.offsets).astype(int)
    data |= {name: getattr(found, name) for name in (*_FLUXES, *_RATIOS)}
    for code, reason in enumerate(REASONS[1:], start=1):
        data["excluded_" + reason.replace(" ", "_")] = reasons[:, code]
    kind: dict[str, type] = {"source_id": str}
    told = {"ra_deg": "deg (ICRS)", "dec_deg": "deg (ICRS)", "nvss_flux_mjy": "mJy"}
    told |= dict.fromkeys(_FLUXES, flux_unit(is_peak[used])) | dict.fromkeys(_RATIOS, "1")
    return frame(data, kind, units=told, meanings={"n_peak": "used epochs that are peak_jyb"})


def measurements_table(handed: Handed, names: tuple[str, ...]) -> pd.DataFrame:
    """Make the table of `SourcesService.measurements`: views of what was handed over."""
    import pandas as pd

    texts = handed.told["texts"]
    columns: dict[str, Any] = {}
    for name in names:
        values: Any = handed.columns[name]
        if name in texts:
            values = pd.Categorical.from_codes(values, categories=texts[name], validate=False)
        columns[name] = pd.Series(values, copy=False)
    made = pd.DataFrame(columns, copy=False)
    made.attrs["units"] = {k: v for k, v in units(Measurement).items() if k in made}
    made.attrs["meanings"] = {k: v for k, v in meanings(Measurement).items() if k in made}
    made.attrs["absent"] = tuple(handed.told["absent"])
    return made


def _statistics(epochs: Epochs) -> Variability:
    rows, offsets = used_rows(epochs)
    flux, err = take_rows(epochs.flux_jy, rows), take_rows(epochs.flux_err_jy, rows)
    return variability(flux, err, offsets)
