"""The variability table from database rows on: every figure against plain SQL and Decimal."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing

import numpy as np
import pytest

import contimg_lab as cl
from contimg_lab import errors
from contimg_lab.demo import read_truth

ASKED = [
    "ra_deg", "dec_deg", "n_used", "n_excluded", "mean_jy", "weighted_mean_jy",
    "weighted_mean_err_jy", "v", "eta", "chi_squared", "p_constant", "m_debiased", "vs_max",
    "m_at_vs_max", "f_var", "f_var_err", "sigma_deviation", "inverse_von_neumann", "stetson_j",
    "stetson_k", "peak_to_peak",
]  # fmt: skip
CHECKED = [name for name in ASKED if name[:2] not in ("ra", "de", "n_", "vs", "p_", "m_")]


def valid(flux, error):
    return (
        isinstance(flux, (int, float))
        and isinstance(error, (int, float))
        and math.isfinite(flux)
        and math.isfinite(error)
        and error > 0
    )


def used_rows(folder, source_id):
    """Id, flux and error of the rows of a source that count, by the rules, in plain SQL."""
    path = next(p for p in (folder / "pipeline.sqlite3", folder / "products.sqlite3") if p.exists())
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
        db.row_factory = sqlite3.Row
        rows = db.execute("SELECT * FROM photometry WHERE source_id = ?", (source_id,)).fetchall()
    newest = {}
    for row in rows:
        if row["image_path"] is not None:
            newest[row["image_path"]] = max(newest.get(row["image_path"], -1), row["id"])
    found = {}
    for row in rows:
        if newest.get(row["image_path"], row["id"]) != row["id"]:
            continue
        names = set(row.keys())
        for flux, error in (("flux_jy", "flux_err_jy"), ("peak_jyb", "peak_err_jyb")):
            if {flux, error} <= names and valid(row[flux], row[error]):
                found[row["id"]] = (row[flux], row[error])
                break
    return found


async def test_every_figure_equals_the_decimal_evaluation_of_the_rows(lab, database_folder, oracle):
    """From the rows that plain SQL gives, each statistic agrees with its definition."""
    table = await lab.sources.variability()
    assert set(ASKED) <= set(table.columns)
    assert table.index.name == "source_id"
    names = table.index[:: max(1, len(table) // 25)]
    for name in names:
        curve = await lab.sources.light_curve(name)
        rows = used_rows(database_folder, name)
        assert sorted(curve.row_id.tolist()) == sorted(rows)
        epochs = [rows[i] for i in curve.row_id.tolist()]
        known = bool(np.isfinite(curve.mjd).all())
        wanted = oracle.statistics(epochs, curve.mjd.tolist() if known else None)
        row = table.loc[name]
        assert row["n_used"] == len(epochs)
        for column in CHECKED:
            value, got = wanted[column], row[column]
            if value is None or (not known and column in ("inverse_von_neumann", "stetson_j")):
                assert math.isnan(got), column
                assert column in row["undefined"]
            else:
                assert got == pytest.approx(float(value), rel=1e-8, abs=1e-12), (name, column)
        if len(epochs) > 1:
            wanted_p = oracle.log_q(len(epochs) - 1, float(wanted["chi_squared"]))
            assert row["log_p_constant"] == pytest.approx(wanted_p, rel=1e-9, abs=1e-9)


async def test_one_source_has_the_row_of_the_table(lab):
    """One source or some give the same rows, in the order asked; unknown ones are not there."""
    table = await lab.sources.variability()
    names = list(table.index[[5, 2]])
    some = await lab.sources.variability([*names, "no such source"])
    assert list(some.index) == names
    one = await lab.sources.calculate_variability(names[0])
    assert one.name == names[0]
    for column in table.columns:
        for row in (one, some.loc[names[0]]):
            same = row[column] == table.loc[names[0], column]
            assert same or (row[column] != row[column]), column
    with pytest.raises(errors.NotFound):
        await lab.sources.calculate_variability("no such source")


async def test_every_column_has_its_unit_and_every_nan_its_reason(lab):
    """No statistic is NaN without standing in ``undefined``, and none is 0 for want of data."""
    table = await lab.sources.variability()
    for column in table.columns:
        if column.endswith(("_jy", "_deg", "_mjd", "_mjy", "_jy2")):
            assert column in table.attrs["units"], column
    for column in [*CHECKED, "vs_max", "m_at_vs_max", "p_constant"]:
        told = table["undefined"].str.contains(rf"\b{column}\b", regex=True)
        assert (table[column].isna() == told).all(), column
    excluded = [c for c in table.columns if c.startswith("excluded_")]
    assert (table[excluded].sum(axis=1) == table["n_excluded"]).all()
    assert (table.loc[table["n_used"] > 0, "flux_column"] != "").all()
    assert table["time_source"].str.len().gt(0).eq(table["n_used"] > 0).all()


async def test_the_pipelines_own_figures_agree_by_their_definition(demo):
    """On the made season the pipeline's figures divide by N, and nothing else differs."""
    table = await demo.sources.variability()
    has = table["pipeline_n"].notna()
    assert has.sum() > 100
    assert not table["pipeline_disagrees"].any()
    assert table.loc[has, "pipeline_verdict"].str.startswith("agrees").all()


async def test_a_disagreement_is_flagged_with_its_likely_reason(copy_of):
    """Other epochs, other fluxes, other errors and placeholders are told apart."""
    folder = copy_of()
    with closing(sqlite3.connect(folder / "pipeline.sqlite3")) as db:
        names = [r[0] for r in db.execute("SELECT source_id FROM variability_stats ORDER BY 1")]
        changes = (
            "n_obs = n_obs - 3, eta_metric = 9.0",
            "mean_flux_mjy = mean_flux_mjy * 0.9",
            "eta_metric = eta_metric * 1.5",
            "sigma_deviation = 77.0",
        )
        for name, change in zip(names, changes, strict=False):
            db.execute(f"UPDATE variability_stats SET {change} WHERE source_id = ?", (name,))
        for name in names[10:30]:
            db.execute(
                "UPDATE variability_stats SET n_obs = 10, std_flux_mjy = 1, chi2_nu = 1 "
                "WHERE source_id = ?",
                (name,),
            )
        db.execute("DELETE FROM variability_stats WHERE source_id = ?", (names[40],))
        db.execute("DELETE FROM monitoring_sources WHERE source_id = ?", (names[40],))
        db.commit()
    async with cl.open(folder) as lab:
        table = (await lab.sources.variability()).loc[names]
    verdict = table["pipeline_verdict"]
    for k, words in enumerate(("another number", "other fluxes", "other errors", "no known")):
        assert words in verdict.iloc[k]
    assert verdict.iloc[10:30].str.startswith("placeholder").all()
    assert table["pipeline_disagrees"].iloc[:4].all()
    assert verdict.iloc[40] == ""
    assert not table["pipeline_disagrees"].iloc[40]


async def test_an_explanation_can_be_followed_by_hand(lab):
    """The sums that are given make the figure that is given, and both forms can be read."""
    table = await lab.sources.variability()
    name = table["n_used"].idxmax()
    why = await lab.sources.explain(name)
    assert why.n_used + why.n_excluded == len(why.epochs())
    assert why.n_used == table.loc[name, "n_used"]
    for figure in why:
        if figure.name in table.columns and not figure.reason:
            assert figure.value == pytest.approx(table.loc[name, figure.name], rel=1e-12)
    n, sums = why["eta"].sums["N"], why["eta"].sums
    assert why["eta"].value == pytest.approx(sums["sum(w (S - weighted mean)**2)"] / (n - 1))
    v = why["v"].sums
    by_hand = math.sqrt(v["sum((S - mean)**2)"] / (v["N"] - 1)) / v["mean"]
    assert why["v"].value == pytest.approx(by_hand)
    vs = why["vs_max"].sums
    by_hand = (vs["S_a"] - vs["S_b"]) / math.hypot(vs["s_a"], vs["s_b"])
    assert why["vs_max"].value == pytest.approx(by_hand)
    assert vs["mjd_a"] <= vs["mjd_b"]
    j = why["stetson_j"].sums
    by_hand = j["sum(sgn(P) sqrt|P|)"] / (j["N"] - j["pairs"])
    assert why["stetson_j"].value == pytest.approx(by_hand)
    text, page = repr(why), why._repr_html_()
    for figure in why:
        assert f"  {figure.name} = " in text
        assert f">{figure.name}</td>" in page
    assert "Swinbank" in repr(why["eta"])
    with pytest.raises(errors.InvalidInput, match="no figure"):
        why["beauty"]
    with pytest.raises(errors.NotFound):
        await lab.sources.explain("no such source")


async def test_the_flux_scale_is_off_unless_asked_for_and_says_what_it_did(demo):
    """Corrected epochs that have no scale are left out and counted; one source equals all."""
    plain = await demo.sources.variability()
    assert plain.attrs["flux_scale"] == {"applied": False}
    assert plain.attrs["vary_together"]["warning"]
    right = await demo.sources.variability(flux_scale=True)
    told = right.attrs["flux_scale"]
    assert told["applied"]
    assert 0 < told["n_images_without"] < told["n_images"] / 2
    assert (right["n_used"] + right["excluded_no_flux_scale"] == plain["n_used"]).all()
    bright = plain["weighted_mean_jy"] > 0.5
    assert right.loc[bright, "eta"].median() < 0.7 * plain.loc[bright, "eta"].median()
    name = right["n_used"].idxmax()
    one = (await demo.sources.variability([name], flux_scale=True, intrinsic=True)).loc[name]
    assert one["eta"] == right.loc[name, "eta"]
    assert one["m_intrinsic_low"] <= one["m_intrinsic_high"] <= one["m_intrinsic_limit"]
    why = await demo.sources.explain(name, flux_scale=True)
    assert why["eta"].value == right.loc[name, "eta"]
    assert "flux scale" in repr(why)


async def test_what_is_planted_is_found_and_few_constants_are_flagged(demo, season_folder):
    """With the flux scale corrected the two-epoch search finds all but the marginal variables."""
    truth = read_truth(season_folder())
    variable = {source.source_id for source in truth.variables}
    strong = {source.source_id for source in truth.variables if not source.marginal}
    plain = await demo.sources.candidates(variable=variable)
    right = await demo.sources.candidates(variable=variable, flux_scale=True)
    assert set(right.attrs["recovery"]) == set(right.attrs["rules"])
    found = set(right.index[right["two_epoch"]])
    assert strong <= found
    assert len(found - variable) <= 5
    assert len(set(plain.index[plain["two_epoch"]]) - variable) > 10
    assert right["sensitive"].sum() < plain["sensitive"].sum() / 3
    flares = {s.source_id for s in truth.variables if s.kind == "flare" and not s.marginal}
    assert flares <= set(right.index[right["moderate"]])
    transients = {s.source_id for s in truth.variables if s.kind == "transient"}
    assert transients <= set(right.index[right["eta_v"]])
    assert right.attrs["expected_false_pairs"] == pytest.approx(6.9, abs=1.5)


async def test_a_candidate_names_its_rules(demo):
    """selected_by holds the rules that say yes, and a user's own rule is one of them."""
    table = await demo.sources.candidates(expression="eta > 3 and n_used >= 20")
    rules = list(table.attrs["rules"])
    assert rules == [
        "eta_v", "conservative", "moderate", "sensitive", "two_epoch", "expression",
    ]  # fmt: skip
    for _, row in table.iterrows():
        assert row["selected_by"] == ", ".join(name for name in rules if row[name])
    assert (table["expression"] == ((table["eta"] > 3) & (table["n_used"] >= 20))).all()
    few = table["n_used"] < 27
    assert table.loc[few, "undecided"].str.contains("conservative: too few epochs").all()
    with pytest.raises(errors.InvalidInput):
        await demo.sources.candidates(expression="__import__('os')")
    with pytest.raises(errors.InvalidInput, match="no source"):
        await demo.sources.candidates(variable={"nobody"})
