"""One Measurement Set of the simulation: where it points, and every try to process it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from contimg_lab.demo.faults import Failure
from contimg_lab.times import datetime_from_unix, mjd_from_name, mjd_from_unix

__all__ = ["ARRAY_NOISE_JY", "DURATION_S", "Attempt", "Calibrator", "Ms"]

DURATION_S = 309.2
ARRAY_NOISE_JY = 0.013
"""Median noise of an ordinary tile (Jy/beam)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """A bandpass calibrator: name, J2000 place (degrees) and flux (Jy)."""

    name: str
    ra_deg: float
    dec_deg: float
    flux_jy: float


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try at one step of a run; times are Unix seconds."""

    step: str
    status: str
    created_unix: float
    started_unix: float | None = None
    finished_unix: float | None = None
    failure: Failure | None = None
    job_id: int = 0


@dataclass(slots=True, kw_only=True)
class Ms:
    """One Measurement Set and what became of it."""

    path: str
    group_id: str
    start_unix: float
    night: int
    position: int
    ra_deg: float
    dec_deg: float
    noise_jy: float = ARRAY_NOISE_JY
    gain: float = 1.0
    calibrator: Calibrator | None = None
    outcome: str = "imaged"
    failure: Failure | None = None
    attempts: list[Attempt] = field(default_factory=list)
    noisy: bool = False
    twin: bool = False
    casa_names: bool = False

    @property
    def start_mjd(self) -> float:
        """Start (MJD)."""
        return mjd_from_unix(self.start_unix)

    @property
    def mid_mjd(self) -> float:
        """Middle (MJD)."""
        return mjd_from_unix(self.start_unix + DURATION_S / 2.0)

    @property
    def when(self) -> datetime:
        """Start (UTC)."""
        return datetime_from_unix(self.start_unix)

    @property
    def key(self) -> int:
        """Number of its random streams, its own within the season."""
        return self.night * 128 + self.position + 1 + 64 * self.twin

    @property
    def stem(self) -> str:
        """File name without its ending."""
        return self.path.rsplit("/", 1)[-1].removesuffix(".ms")

    @property
    def run_id(self) -> str:
        """Id of the run that processes it."""
        if not self.twin and mjd_from_name(self.path) is not None:
            return f"job-{self.when:%Y-%m-%d-%H%M%S}"
        return "job-" + re.sub(r"[^A-Za-z0-9._-]", "-", self.stem)

    @property
    def image_path(self) -> str:
        """Image that photometry was made in."""
        stem = f"/stage/dsa110-contimg/images/{self.stem}.img"
        return stem + (".image.pbcor" if self.casa_names else "-image-pb.fits")
