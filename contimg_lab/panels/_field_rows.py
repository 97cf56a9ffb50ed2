"""The sources of a field as the variability panel lists and draws them; made off the event loop.

A field may hold a million sources: everything here that looks at each of them is called in a
thread, and what the panel then puts on screen is lazy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from contimg_lab.panels._table import Column, Written, numbers
from contimg_lab.panels._words import number, probability

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from contimg_lab.panels._chart_message import ChartMessage
    from contimg_lab.plots.chart import Chart

__all__ = [
    "ANY_RULE",
    "CHOSEN_SET",
    "PRESETS",
    "RULES",
    "Field",
    "Listed",
    "Names",
    "chart_of",
    "draw_field",
    "field_of",
    "list_sources",
    "rule_columns",
    "short_rules",
]

ANY_RULE = "any"
CHOSEN_SET = "set"
PRESETS = ("conservative", "moderate", "sensitive")
RULES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "eta_v": ("η–V", ("eta_v",)),
    "presets": ("presets", PRESETS),
    "two_epoch": ("two-epoch", ("two_epoch",)),
    "expression": ("expression", ("expression",)),
}
"""Rules as the panel offers them: what they are called, and their columns of yes or no."""

_FIT_SNR = 5.0
_FEWEST_FITTED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """All sources with their statistics and rules.

    Attributes
    ----------
    table
        A row a source.
    fitted
        Shape (m,): sources that the fits rest on.
    selected
        Shape (m,) by rule of the panel, `ANY_RULE` included.
    names, places
        Name of each source, and the row of each name.
    attrs
        Those of ``candidates()``.
    """

    table: pd.DataFrame
    fitted: NDArray[np.bool_]
    selected: Mapping[str, NDArray[np.bool_]]
    names: Sequence[str]
    places: Mapping[str, int]
    attrs: Mapping[str, Any]

    def row(self, name: str) -> pd.Series[Any] | None:
        """Return the row of a source; None where the field has none."""
        at = self.places.get(name)
        return None if at is None else self.table.iloc[at]

    def values(self, name: str) -> NDArray[np.float64]:
        """Return a column as doubles, NaN where it is missing."""
        return self.table[name].to_numpy(dtype=np.float64, na_value=np.nan)


class Names(Sequence[str]):
    """Names of sources in an order; where one stands is found without looking at them all."""

    def __init__(self, field: Field, order: NDArray[np.int64]) -> None:
        self._names, self._places, self._order = field.names, field.places, order
        self._at = np.full(len(field.names), -1, np.int64)
        self._at[order] = np.arange(len(order))

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self._names[i] for i in self._order[at].tolist()]
        return self._names[int(self._order[at])]

    def __iter__(self) -> Iterator[str]:
        return map(self._names.__getitem__, self._order.tolist())

    def __contains__(self, name: object) -> bool:
        return self._place(name) >= 0

    def index(self, name: str, *bounds: int) -> int:
        """Return where a name stands; raises ValueError."""
        at = self._place(name)
        if at < 0:
            raise ValueError(f"{name!r} is not listed")
        return at

    def _place(self, name: object) -> int:
        at = self._places.get(name)  # type: ignore[call-overload]  # what is no text is no name
        return -1 if at is None else int(self._at[at])


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Sources of a field that the filters let through, in order.

    Attributes
    ----------
    order
        Rows of the field's table.
    columns, names
        What the table shows.
    n_used, n_excluded
        Epochs of the sources listed.
    asked
        The filters and the order, as the code of the panel says them.
    """

    field: Field
    order: NDArray[np.int64]
    columns: Sequence[Column]
    names: Names
    n_used: int
    n_excluded: int
    asked: Mapping[str, Any]

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows, unrounded."""
        return self.field.table.iloc[self.order].reset_index(drop=True)


def field_of(statistics: pd.DataFrame, candidates: pd.DataFrame) -> Field:
    """Join the statistics with the rules, by source; what only one of them has is not shown."""
    extra = [name for name in candidates.columns if name not in statistics.columns]
    table = statistics.join(candidates[extra], how="inner")
    # the definition of `analysis.flux_scale.bright_sources`, from a table's columns
    typical = table["weighted_mean_err_jy"] * np.sqrt(table["n_used"])
    snr = table["weighted_mean_jy"] / typical
    fitted = (snr >= _FIT_SNR) & (table["n_used"] >= _FEWEST_FITTED)
    table.insert(0, "source_id", table.index.astype(str))
    table = table.reset_index(drop=True)
    attrs = {str(name): value for name, value in candidates.attrs.items()}
    table.attrs.update(attrs, units=statistics.attrs["units"])
    names = table["source_id"].tolist()
    selected = {
        rule: np.asarray(table[columns].to_numpy(dtype=bool).any(axis=1))
        for rule in (*RULES, ANY_RULE)
        if (columns := rule_columns(table, rule))
    }
    places = {name: at for at, name in enumerate(names)}
    return Field(table, fitted.to_numpy(dtype=bool), selected, names, places, attrs)


def rule_columns(table: pd.DataFrame, rule: str) -> list[str]:
    """Columns of yes or no that a rule of the panel stands for; `ANY_RULE`: all of them."""
    return [
        name
        for key, (_, names) in RULES.items()
        for name in names
        if rule in (key, ANY_RULE, name) and name in table
    ]


def list_sources(
    field: Field,
    *,
    text: str | None,
    rule: str,
    chosen: Collection[str],
    by: str,
) -> Listed:
    """Filter and order the sources of a field.

    Parameters
    ----------
    text
        Only sources whose name holds this, whatever its case.
    rule
        Only sources that a rule selects; `CHOSEN_SET`: those of ``chosen``; empty: all.
    by
        Column to sort by: ``p_constant`` upwards, ``vs_max`` by its size, others downwards;
        what is missing last.
    """
    kept = np.ones(len(field.names), dtype=bool)
    asked: dict[str, Any] = {"text": text, "sort": by}
    asked |= {"ascending": by == "p_constant", "absolute": by == "vs_max"}
    if text:
        holds = field.table["source_id"].str.contains(text, case=False, regex=False)
        kept &= holds.to_numpy(dtype=bool)
    if rule == CHOSEN_SET:
        of_set = np.zeros(len(kept), dtype=bool)
        of_set[[field.places[name] for name in chosen if name in field.places]] = True
        kept &= of_set
        asked["names"] = sorted(chosen)
    elif rule:
        asked["rules"] = rule_columns(field.table, rule)
        kept &= field.selected.get(rule, np.zeros(len(kept), dtype=bool))
    order = _in_order(field.values(by), np.flatnonzero(kept), by)
    names = Names(field, order)
    used, out = (field.table[name].to_numpy()[order] for name in ("n_used", "n_excluded"))
    columns = _columns(field, order, names)
    return Listed(field, order, columns, names, int(used.sum()), int(out.sum()), asked)


def _in_order(values: NDArray[np.float64], rows: NDArray[np.int64], by: str) -> NDArray[np.int64]:
    found = values[rows]
    missing = np.isnan(found)
    known = np.flatnonzero(~missing)
    rising = np.abs(found[known]) if by == "vs_max" else found[known]
    order = known[np.argsort(rising if by == "p_constant" else -rising, kind="stable")]
    listed: NDArray[np.int64] = rows[np.concatenate([order, np.flatnonzero(missing)])]
    return listed


def _columns(field: Field, order: NDArray[np.int64], names: Names) -> list[Column]:
    """Return the columns of the table of sources."""
    few, pairless = "too few epochs are used", "no two epochs are used"

    def values(name: str, factor: float = 1.0) -> NDArray[np.float64]:
        return field.values(name)[order] * factor

    def counts(name: str) -> NDArray[Any]:
        return field.table[name].to_numpy()[order]

    rules = field.table["selected_by"].to_numpy()[order]
    return [
        Column(title="source", texts=names),
        Column(title="selected by", texts=Written(rules, short_rules)),
        numbers("η", values("eta"), number, few),
        numbers("V", values("v"), number, few),
        numbers("p (constant)", values("p_constant"), probability, few),
        numbers("largest Vs", values("vs_max"), number, pairless),
        numbers("mean (mJy)", values("weighted_mean_jy", 1e3), _four, few),
        numbers("NVSS (mJy)", values("nvss_flux_mjy"), _four, "no NVSS flux is recorded"),
        numbers("epochs", counts("n_used")),
        numbers("left out", counts("n_excluded")),
    ]


def short_rules(selected: str) -> str:
    """Shorten ``eta_v, moderate, sensitive`` to the panel's words; of presets the strictest."""
    names = selected.split(", ") if selected else []
    strictest = next((name for name in PRESETS if name in names), None)
    words = {"eta_v": "η–V", "two_epoch": "two-epoch"}
    return ", ".join(
        words.get(name, name) for name in names if name not in PRESETS or name == strictest
    )


def _four(value: float) -> str:
    return number(value, 4)


def chart_of(field: Field, n_sigma: float) -> tuple[Chart, ChartMessage]:
    """Describe eta against V of a field by name of the source; also as it is sent."""
    from contimg_lab.panels._chart_message import chart_message
    from contimg_lab.plots.chart import Column as Told
    from contimg_lab.plots.variability import eta_v_chart

    mean, error = (field.values(f"weighted_mean{end}") * 1e3 for end in ("_jy", "_err_jy"))
    chart = eta_v_chart(
        field.values("eta"),
        field.values("v"),
        keys=field.names,
        columns=(
            Told(name="mean", values=mean, err=error, unit="mJy"),
            Told(name="epochs used", values=field.values("n_used")),
        ),
        name="η against V of the field",
        **_options(field, n_sigma),
    )
    return chart, chart_message(chart, 0)


def draw_field(field: Field, n_sigma: float, selected: str | None, ax: Axes) -> None:
    """Draw the same with matplotlib, and histograms in the margins that no live plot has."""
    from contimg_lab.plots.variability import plot_eta_v

    at = None if selected is None else field.places.get(selected)
    plot_eta_v(
        field.values("eta"),
        field.values("v"),
        selected=at,
        marginals=True,
        ax=ax,
        **_options(field, n_sigma),
    )


def _options(field: Field, n_sigma: float) -> dict[str, Any]:
    rules = {RULES[rule][0]: yes for rule, yes in field.selected.items() if rule in RULES}
    return {
        "fits": field.attrs["fits"],
        "n_sigma": n_sigma,
        "fitted": field.fitted,
        "rules": rules,
        "title": f"{len(field.names)} sources",
    }
