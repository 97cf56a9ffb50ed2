"""What was planted in a season: kept beside its databases, never read by the analysis."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contimg_lab.demo.season import Season
from contimg_lab.errors import NotFound

__all__ = ["TRUTH_NAME", "PlantedFault", "PlantedSource", "Truth", "read_truth", "write_truth"]

TRUTH_NAME = "truth.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedSource:
    """A source of the simulated sky.

    Attributes
    ----------
    source_id
        Name in the photometry table.
    kind
        ``constant``, ``flare``, ``periodic``, ``ese``, ``trend`` or ``transient``.
    parameters
        Of the kind's light curve; times in MJD or days, amplitudes relative to the base flux.
    ra_deg, dec_deg
        Position (J2000, degrees).
    mean_flux_jy
        Mean over the nights of the true flux, before gains and noise (Jy).
    nvss_flux_mjy
        Catalogued flux (mJy), None where the source is in no catalogue.
    marginal
        Weak on purpose: a search need not find it.
    """

    source_id: str
    kind: str = "constant"
    parameters: Mapping[str, float] = field(default_factory=dict)
    ra_deg: float
    dec_deg: float
    mean_flux_jy: float
    nvss_flux_mjy: float | None
    marginal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """Something that went wrong on purpose.

    Attributes
    ----------
    kind
        ``failed_run``, ``retried_run``, ``no_calibration``, ``noisy_image``, ``hole`` ...
    cause
        Of a failed or retried run: the group of the failure, ``unknown`` where no text tells.
    night, ms_path, image_path
        Where it was planted; None where it has no such place.
    detail
        What was done, in words.
    """

    kind: str
    cause: str | None = None
    night: str | None = None
    ms_path: str | None = None
    image_path: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Everything that a season's databases try to tell.

    Attributes
    ----------
    season
        The arguments.
    variables, constants
        The sources, by name.
    faults
        In order of kind and place.
    image_gains
        True flux scale of each image: recorded over true flux.
    image_noise_jy
        True noise at each image's centre (Jy/beam).
    array_noise_jy
        Median noise of an ordinary tile (Jy/beam).
    """

    season: Season
    variables: tuple[PlantedSource, ...]
    constants: tuple[PlantedSource, ...]
    faults: tuple[PlantedFault, ...]
    image_gains: Mapping[str, float]
    image_noise_jy: Mapping[str, float]
    array_noise_jy: float

    def source(self, source_id: str) -> PlantedSource:
        """Return the source of this name.

        Raises
        ------
        NotFound
            No source of this name was planted.
        """
        for source in (*self.variables, *self.constants):
            if source.source_id == source_id:
                return source
        raise NotFound("planted source", source_id)

    def faults_of(self, kind: str) -> tuple[PlantedFault, ...]:
        """Return the faults of one kind."""
        return tuple(fault for fault in self.faults if fault.kind == kind)


def write_truth(folder: Path, truth: Truth) -> None:
    """Keep the truth beside the databases."""
    text = json.dumps(dataclasses.asdict(truth), indent=1, allow_nan=False)
    (folder / TRUTH_NAME).write_text(text + "\n", encoding="utf-8")


def read_truth(folder: Path | str) -> Truth:
    """Read what was planted in the season that lies in a folder.

    Raises
    ------
    NotFound
        The folder holds no simulated season.
    """
    path = Path(folder) / TRUTH_NAME
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound("simulated season", str(folder), "make one with make_season") from error
    return Truth(
        season=Season(**kept["season"]),
        variables=tuple(PlantedSource(**source) for source in kept["variables"]),
        constants=tuple(PlantedSource(**source) for source in kept["constants"]),
        faults=tuple(PlantedFault(**fault) for fault in kept["faults"]),
        image_gains=kept["image_gains"],
        image_noise_jy=kept["image_noise_jy"],
        array_noise_jy=kept["array_noise_jy"],
    )
