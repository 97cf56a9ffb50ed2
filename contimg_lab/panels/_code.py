"""The cell that yields what a panel shows, without the panel.

Pure text: each value stands in it as a literal, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contimg_lab.errors import InvalidInput
from contimg_lab.times import night_bounds_mjd, parse_night

__all__ = ["code_for"]


def code_for(panel: str, path: str | None = None, ledger: str | None = None, **shown: Any) -> str:
    """Return the cell that yields the DataFrame of a panel.

    Parameters
    ----------
    panel
        Name of the panel.
    path
        What to open; None: what the environment says.
    ledger
        Ledger of sign-offs; None: what the environment says.
    **shown
        What the panel shows: its filters and its order, as the functions below take them.

    Raises
    ------
    InvalidInput
        There is no such panel.

    Examples
    --------
    >>> print(code_for("pointings", "state/db", night="2025-10-09"))
    import contimg_lab as cl
    <BLANKLINE>
    lab = await cl.open('state/db')
    await lab.ms.table(night='2025-10-09')
    """
    if panel not in _PANELS:
        raise InvalidInput(f"panel {panel!r} has no code; there are {', '.join(_PANELS)}")
    given = [] if path is None else [repr(path)]
    given += [] if ledger is None else [f"ledger={ledger!r}"]
    opening = f"lab = await cl.open({', '.join(given)})"
    if path is None:
        opening += "  # what PIPELINE_DB and its kind say"
    return "\n".join(["import contimg_lab as cl", "", opening, *_PANELS[panel](**shown)])


def _jobs(
    *,
    night: str | None,
    status: str | None = None,
    cause: str | None = None,
    text: str | None = None,
    sort: str = "",
    rank: Mapping[str, int] | None = None,
) -> list[str]:
    """Runs; ``rank`` orders the states where ``sort`` is status, and what it lacks stands at 3."""
    table = (
        f"await lab.jobs.table({_arguments(night=night, status=status, cause=cause, text=text)})"
    )
    if not sort:
        return [table]
    lines = [f"runs = {table}"]
    if sort == "latest":
        lines.append("runs = runs.iloc[::-1].reset_index(drop=True)")
    elif sort == "status":
        order = f'runs["status"].map({dict(rank or {})!r}).fillna(3).argsort(kind="stable")'
        lines.append(f"runs = runs.iloc[{order}].reset_index(drop=True)")
    else:
        how = 'ascending=False, kind="stable", ignore_index=True'
        lines.append(f"runs = runs.sort_values({sort!r}, {how})")
    return [*lines, "runs"]


def _pointings(*, night: str | None) -> list[str]:
    return [f"await lab.ms.table({_arguments(night=night)})"]


def _caltables(*, night: str | None, status: str | None = None, reach_d: float = 0.0) -> list[str]:
    """Cal tables; of a night those whose window is at most ``reach_d`` days away."""
    table = f"await lab.caltables.table({_arguments(status=status)})"
    if night is None:
        return [table]
    low, high = (float(bound) for bound in night_bounds_mjd(night))
    return [
        f"tables = {table}",
        f"# windows within {reach_d * 24.0:g} h of night {parse_night(night)}",
        f'late = (tables["valid_end_mjd"] < {low - reach_d!r}).fillna(False)',
        f'early = (tables["valid_start_mjd"] >= {high + reach_d!r}).fillna(False)',
        "tables[~(late | early)].reset_index(drop=True)",
    ]


def _sources(
    *,
    rule: str | None,
    text: str | None = None,
    centre_deg: tuple[float, float] | None = None,
    radius_arcmin: float = 0.0,
) -> list[str]:
    """Sources by a rule, and by a place (then nearest first) or by a part of their name."""
    kept = "variability()" if rule is None else f"select({rule!r})"
    lines = [f"sources = await lab.sources.{kept}"]
    if centre_deg is not None:
        centre = ", ".join(repr(float(part)) for part in centre_deg)
        within = _arguments(radius_arcmin=float(radius_arcmin))
        lines.append(f"near = await lab.sources.cone({centre}, {within})")
    elif text is not None:
        lines.append(f"near = await lab.sources.find({text!r}, limit=None)")
    if len(lines) > 1:
        lines.append('near = near.set_index("source_id")[["separation_arcsec"]]')
        lines.append('sources = near.join(sources, how="inner")')
    return [*lines, "sources.reset_index()"]


def _images(
    *, night: str | None, type: str | None, text: str | None, photometry: bool = True
) -> list[str]:
    """Images; without photometry where that had not been read yet."""
    given = _arguments(night=night, type=type, text=text, photometry=None if photometry else False)
    return [f"await lab.images.quality({given})"]


def _variability(
    *,
    flux_scale: bool,
    n_sigma: float,
    expression: str | None = None,
    text: str | None = None,
    rules: Sequence[str] = (),
    names: Sequence[str] | None = None,
    sort: str,
    ascending: bool = False,
    absolute: bool = False,
) -> list[str]:
    """Sources with their statistics; of ``rules``, columns of yes or no, any must be true.

    Of ``names`` only those.
    """
    scale = _arguments(flux_scale=bool(flux_scale))
    asked = _arguments(n_sigma=float(n_sigma), expression=expression)
    lines = [
        f"statistics = await lab.sources.variability({scale})",
        f"rules = await lab.sources.candidates({asked}, {scale})",
        "rules = rules[[name for name in rules if name not in statistics]]",
        'sources = statistics.join(rules, how="inner")',
        'sources.insert(0, "source_id", sources.index.astype(str))',
        "sources = sources.reset_index(drop=True)",
    ]
    if text:
        holds = f"str.contains({text!r}, case=False, regex=False)"
        lines.append(f'sources = sources[sources["source_id"].{holds}]')
    if rules:
        lines.append(f"sources = sources[sources[{list(rules)!r}].any(axis=1)]")
    if names is not None:
        lines.append(f'sources = sources[sources["source_id"].isin({list(names)!r})]')
    by = f"sources[{sort!r}]{'.abs()' if absolute else ''}"
    how = f'ascending={bool(ascending)}, na_position="last", kind="stable"'
    return [
        *lines,
        f"order = {by}.sort_values({how})",
        "sources.loc[order.index].reset_index(drop=True)",
    ]


def _night(*, night: str) -> list[str]:
    return [f"await lab.qa.hours({night!r})"]


def _sign_off(*, night: str, as_of: str | None = None, thresholds: str | None = None) -> list[str]:
    """What the checks say, of the rows as they are now; code signs nothing by itself."""
    given = _arguments(thresholds=thresholds)
    told = f"{night!r}{f', {given}' if given else ''}"
    if as_of is None:
        return [f"report = await lab.qa.night({told})", 'report.checks().drop(columns="rows")']
    return [
        "from datetime import datetime",
        "",
        f"as_of = datetime.fromisoformat({as_of!r})  # what ages are counted to",
        f"report = await lab.qa.night({told}, as_of=as_of)",
        'report.checks().drop(columns="rows")',
    ]


def _calendar(*, states: Sequence[str] | None) -> list[str]:
    """Nights in some states; signed ones are held against their rows then."""
    table = "await lab.qa.calendar()"
    if states is None:
        return [table]
    kept = f'nights["state"].isin({list(states)!r})'
    return [f"nights = {table}", f"nights[{kept}].reset_index(drop=True)"]


def _dashboard(*, night: str) -> list[str]:
    return [f"summary = await lab.qa.summary({night!r})", "summary.to_pandas()"]


_PANELS: Mapping[str, Callable[..., list[str]]] = {
    "night": _night,
    "calendar": _calendar,
    "jobs": _jobs,
    "pointings": _pointings,
    "caltables": _caltables,
    "sources": _sources,
    "images": _images,
    "variability": _variability,
    "sign_off": _sign_off,
    "dashboard": _dashboard,
}


def _arguments(**given: object) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
