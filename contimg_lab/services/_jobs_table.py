"""The table of runs, with MJD and datetimes beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from contimg_lab.records.jobs import Run
from contimg_lab.services._frames import add_datetimes, record_frame
from contimg_lab.services._origin import Origin
from contimg_lab.times import mjd_from_unix

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["runs_table"]


def runs_table(runs: Sequence[Run], *, absent: Sequence[str], origin: Origin) -> pd.DataFrame:
    """Make the table of `JobsService.table`."""
    made = record_frame(Run, runs, absent)
    made = made.rename(columns={"started_at": "started_unix_s", "finished_at": "finished_unix_s"})
    made = add_datetimes(made, {"started_at": "started_unix_s", "finished_at": "finished_unix_s"})
    for name in ("started", "finished"):
        unix = made.pop(f"{name}_unix_s")
        made[f"{name}_mjd"] = mjd_from_unix(unix.to_numpy(float, na_value=np.nan))
        made[f"{name}_mjd"] = made[f"{name}_mjd"].astype("Float64")
        made.attrs["units"].pop(f"{name}_unix_s", None)
        made.attrs["units"][f"{name}_mjd"] = "d (MJD, UTC)"
    made.attrs["provenance"] = origin.told()
    return made
