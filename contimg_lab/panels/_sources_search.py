"""What is typed into the search of the sources panel: a place, a name, a rule; read in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.analysis.positions import position_in_name, read_position, sexagesimal
from contimg_lab.errors import InvalidInput
from contimg_lab.services._equations import EQUATIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WAYS", "Place", "check_rule", "meanings_of", "nearest", "offered", "read_place"]

WAYS = (
    "write a name or part of it (J0343), or a position: 55.9 16.2, 03:43:40 +16:15:00 or "
    "J034340+161500"
)
_FUNCTIONS = frozenset({"abs", "log10"})
_DIGITS_ONLY = re.compile(r"[\s\d.,:+−–hmsd°'\"′″-]+", re.ASCII)

_MEANINGS: Mapping[str, str] = {
    "ra_deg": "right ascension, ICRS",
    "dec_deg": "declination, ICRS",
    "nvss_flux_mjy": "flux in the NVSS catalogue",
    "n_used": "epochs used",
    "n_excluded": "epochs left out",
    "vs_first_mjd": "time of the first of the pair of largest |Vs|",
    "vs_second_mjd": "time of the second of that pair",
    "n_pairs": "pairs of epochs compared",
    "pipeline_n": "epochs, as the pipeline counted",
    "pipeline_mean_jy": "mean, the pipeline's own",
    "pipeline_v": "V, the pipeline's own",
    "pipeline_eta": "η, the pipeline's own",
    "pipeline_chi2_nu": "reduced χ², the pipeline's own",
    "pipeline_sigma_deviation": "σ deviation, the pipeline's own",
    "pipeline_disagrees": "yes where the pipeline's figures differ from ours",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a text asks for: a circle on the sky, or names.

    Attributes
    ----------
    text
        As it was typed.
    centre_deg
        Right ascension and declination, ICRS; None: look for names.
    of
        Name of the source that the centre is the position of, where it is one's.
    """

    text: str
    centre_deg: tuple[float, float] | None
    of: str = ""

    def words(self, radius_arcmin: float) -> str:
        """Say what is looked for."""
        if self.centre_deg is None:
            return f"names that hold “{self.text}”"
        ra, dec = self.centre_deg
        about = self.of or sexagesimal(ra, dec, digits=1)
        return f"within {radius_arcmin:g} arcmin of {about} ({ra:.4f}, {dec:+.4f} deg)"


def read_place(text: str, sources: pd.DataFrame) -> Place:
    """Read a text as a place or as part of a name.

    Parameters
    ----------
    text
        Not empty.
    sources
        All sources by name, with ``ra_deg`` and ``dec_deg``: a whole name is a place too.

    Raises
    ------
    InvalidInput
        It is written like a position and is none, and no name holds it.
    """
    named = position_in_name(text)
    if named is not None:
        if text in sources.index:
            own = sources.loc[text, ["ra_deg", "dec_deg"]].to_numpy(dtype=np.float64)
            if np.isfinite(own).all():
                return Place(text=text, centre_deg=(float(own[0]), float(own[1])), of=text)
        return Place(text=text, centre_deg=named)
    if _DIGITS_ONLY.fullmatch(text) is None:
        return Place(text=text, centre_deg=None)
    try:
        return Place(text=text, centre_deg=read_position(text))
    except InvalidInput as error:
        if sources.index.str.contains(text, case=False, regex=False).any():
            return Place(text=text, centre_deg=None)
        raise InvalidInput(f"no name holds {text!r}, and as a {error}") from error


def check_rule(rule: str, columns: Mapping[str, str]) -> None:
    """Refuse, in words for somebody who is still typing, what is no rule over these columns.

    Raises
    ------
    InvalidInput
        It is unfinished, or names no column; the message names those that are nearest.
    """
    try:
        tree = ast.parse(rule, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = getattr(error, "offset", None)
        where = f" after “{rule[: at - 1].strip()}”" if at and rule[: at - 1].strip() else ""
        raise InvalidInput(
            f"the rule is unfinished or cannot be read{where}; write such as "
            "eta > 3 and n_used >= 20"
        ) from error
    names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    for name in names:
        if name in columns or name in _FUNCTIONS:
            continue
        low = {known.lower(): known for known in columns}
        near = [low[found] for found in get_close_matches(name.lower(), list(low), 3, 0.5)]
        near += [known for known in columns if name.lower() in known.lower() and known not in near]
        hint = f"; did you mean {', '.join(near[:3])}?" if near else ""
        raise InvalidInput(f"the rule names “{name}”, which is no column{hint}")


def meanings_of(sources: pd.DataFrame) -> dict[str, str]:
    """Return the columns that a rule may name, each with its meaning and its unit in words."""
    units = sources.attrs.get("units", {})
    told = {}
    for name in map(str, sources.columns):
        if sources[name].dtype.kind not in "fiub":
            continue
        equation = EQUATIONS.get(name)
        reason = name.removeprefix("excluded_").replace("_", " ")
        meaning = _MEANINGS.get(name) or (
            f"epochs left out: {reason}" if equation is None else equation.text
        )
        unit = units.get(name, "") if equation is None else equation.unit
        told[name] = f"{meaning}{f' ({unit})' if unit not in ('', '1') else ''}"
    return told


def offered(columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the options of a list of columns: words and the name to put into a rule."""
    return [
        ("put a column into the rule…", ""),
        *((f"{name}: {meaning}", name) for name, meaning in columns.items()),
    ]


def nearest(place: Place, sources: pd.DataFrame) -> tuple[str, float] | None:
    """Return the source nearest to a place, and how far it is in arcminutes."""
    from contimg_lab.analysis.cone import separation_deg

    if place.centre_deg is None or not len(sources):
        return None
    values: Any = (sources[name].to_numpy() for name in ("ra_deg", "dec_deg"))
    apart = separation_deg(*place.centre_deg, *values)
    if not np.isfinite(apart).any():
        return None
    at = int(np.nanargmin(apart))
    return str(sources.index[at]), float(apart[at]) * 60.0
