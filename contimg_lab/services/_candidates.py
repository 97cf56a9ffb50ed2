"""The candidates table: which rule selects each source, and how good the rules were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from contimg_lab.analysis.field_fit import FieldFit
from contimg_lab.analysis.flux_scale import bright_sources
from contimg_lab.analysis.grouping import patterns
from contimg_lab.analysis.reasons import WORDS
from contimg_lab.analysis.selection import (
    PRESETS,
    Rule,
    eta_v_rule,
    expression_rule,
    preset_rule,
    recovery,
    two_epoch_rule,
)
from contimg_lab.analysis.two_epoch import expected_false_pairs
from contimg_lab.errors import InvalidInput
from contimg_lab.services._variability import Found

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["candidates_table"]

_SHOWN = (
    "ra_deg", "dec_deg", "n_used", "weighted_mean_jy", "v", "eta", "p_constant",
    "sigma_deviation", "vs_max", "m_at_vs_max", "f_var", "stetson_j",
)  # fmt: skip


def candidates_table(
    found: Found,
    table: pd.DataFrame,
    *,
    n_sigma: float,
    fit_snr: float,
    expression: str | None,
    variable: Collection[str] | None,
) -> pd.DataFrame:
    """Apply every rule to the variability table; see `SourcesService.candidates`."""
    import pandas as pd

    statistics, pairs = found.statistics, found.pairs
    # fits rest on sources that are detected; where all are asked for, none is left out
    fitted = None
    if fit_snr > 0.0:
        fitted = bright_sources(found.flux_jy, found.flux_err_jy, found.offsets, least_snr=fit_snr)
    eta_v, of_eta, of_v = eta_v_rule(statistics.eta, statistics.v, n_sigma=n_sigma, fitted=fitted)
    rules = [eta_v]
    rules += [
        preset_rule(name, statistics.sigma_deviation, statistics.eta, statistics.n_used)
        for name in PRESETS
    ]
    rules.append(two_epoch_rule(pairs.vs, pairs.m))
    if expression is not None:
        columns = {str(name): table[name].to_numpy() for name in table.columns}
        rules.append(expression_rule(expression, columns))
    selected = np.stack([rule.selected for rule in rules], axis=1)
    made = table[list(_SHOWN)].copy()
    for k, rule in enumerate(rules):
        made[rule.name] = selected[:, k]
    names = [rule.name for rule in rules]
    made["selected_by"] = _joined(selected, names)
    made["undecided"] = _undecided(rules)
    made.attrs = {
        "units": {name: unit for name, unit in table.attrs["units"].items() if name in made},
        "rules": {rule.name: rule.text for rule in rules},
        "fits": {"eta": _fit(of_eta), "v": _fit(of_v)},
        "expected_false_pairs": expected_false_pairs(pairs.n_pairs),
        "flux_scale": table.attrs["flux_scale"],
        "vary_together": table.attrs["vary_together"],
    }
    if variable is not None:
        unknown = set(variable) - set(table.index)
        if unknown:
            raise InvalidInput(f"no source {sorted(unknown)[0]!r} among those that vary in truth")
        truth = np.asarray(pd.Index(table.index).isin(list(variable)))
        made.attrs["recovery"] = {
            rule.name: asdict(recovery(rule.selected, truth)) for rule in rules
        }
    return made


def _joined(yes: np.ndarray, names: list[str]) -> np.ndarray:
    rows, which = patterns(yes.view(np.uint8))
    told = np.empty(len(rows), object)
    for i, pattern in enumerate(rows.tolist()):
        told[i] = ", ".join(name for name, is_so in zip(names, pattern, strict=True) if is_so)
    return np.asarray(told[which], object)


def _undecided(rules: list[Rule]) -> np.ndarray:
    codes = np.stack([rule.reason for rule in rules], axis=1)
    rows, which = patterns(codes)
    told = np.empty(len(rows), object)
    for i, pattern in enumerate(rows.tolist()):
        told[i] = "; ".join(
            f"{rule.name}: {WORDS[code]}" for rule, code in zip(rules, pattern, strict=True) if code
        )
    return np.asarray(told[which], object)


def _fit(fit: FieldFit) -> dict[str, Any]:
    return asdict(fit) | {"reason": WORDS[fit.reason]}
