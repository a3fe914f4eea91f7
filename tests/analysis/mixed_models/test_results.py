"""What can be asked of a fit: tables, means, contrasts, words; held against hand computation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis.mixed_models import Moments, fit_mixed_model, fit_mmrm, refit_mmrm

# The same arithmetic in another order.
ROUNDING = 1e-9
# 400,000 draws leave a standard error of at most 0.0008 in a probability; four of them.
DRAWS, MONTE_CARLO = 400_000, 0.0032
# The quasi-random integral of scipy, and the root found with it.
INTEGRAL = 1e-3

ESTIMATE_COLUMNS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]
MODEL = {"outcome": "score", "participant": "participant", "timepoint": "time"}
TERMS = ("time", "arm", "arm:time", "age", "gender", "age:gender")


@pytest.fixture(scope="module")
def visits(make_visits):
    """Three arms, and a factor of three unequal levels."""
    frame = make_visits(seed=8, n=60)
    person = frame["participant"].str[1:].astype(int)
    gender = np.where(person % 7 == 0, "x", np.where(person % 4 == 0, "m", "w"))
    return frame.assign(arm=np.array(["buddy", "peer", "usual"])[person % 3], gender=gender)


@pytest.fixture(scope="module")
def fit(visits):
    """An MMRM with factors and numbers, alone and in products."""
    return fit_mmrm(visits, terms=TERMS, references={"arm": "usual"}, **MODEL)


@pytest.fixture(scope="module")
def mixed(visits):
    """A model with two levels of random effects."""
    return fit_mixed_model(visits, terms=TERMS, groups=("team", "site"), residual_by="arm", **MODEL)


def _by_hand(fit, row):
    """Estimate and standard error of a linear combination."""
    return float(row @ fit.coefficients), float(np.sqrt(row @ fit.vcov @ row))


def _row(fit, **values):
    """A row of the design: the share or value of each part, e.g. ``arm={"peer": 1}, age=40``."""
    found = np.ones(len(fit.terms))
    for place, name in enumerate(fit.terms):
        for part in name.split(":") if name != "intercept" else []:
            column, _, level = part.removesuffix("]").partition("[")
            found[place] *= values[column].get(level, 0.0) if level else values[column]
    return found


def _table_holds(table, row, value, std_error):
    """One row of a table: the t interval and test of an estimate."""
    found = table.iloc[row]
    assert found["estimate"] == pytest.approx(value, rel=ROUNDING, abs=ROUNDING)
    assert found["std_error"] == pytest.approx(std_error, rel=ROUNDING)
    assert found["statistic"] == pytest.approx(value / std_error, rel=ROUNDING, abs=ROUNDING)
    assert found["p_value"] == pytest.approx(2 * stats.t.sf(abs(value / std_error), found["df"]), rel=1e-6)
    reach = stats.t.ppf(0.975, found["df"]) * std_error
    assert [found["conf_low"], found["conf_high"]] == pytest.approx([value - reach, value + reach], rel=ROUNDING)


# Tables


def test_coefficients_stand_in_a_table(fit):
    table = fit.tidy()
    assert list(table.columns) == ["term", *ESTIMATE_COLUMNS]
    assert tuple(table["term"]) == fit.terms
    for place in range(len(fit.terms)):
        _table_holds(table, place, fit.coefficients[place], np.sqrt(fit.vcov[place, place]))
        single = fit.estimate({fit.terms[place]: 1.0})
        assert [single.value, single.df, single.p_value] == table.iloc[place][["estimate", "df", "p_value"]].tolist()


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_fit_stands_in_one_row(method, visits):
    fit = fit_mmrm(visits, terms=TERMS, covariance="toeph", method=method, df_method="z", **MODEL)
    (row,) = fit.glance().to_dict("records")
    count = 7 + (len(fit.terms) if method == "ml" else 0)
    assert row["model"] == "mmrm"
    assert (row["covariance"], row["method"], row["df_method"]) == ("toeph", method, "z")
    assert row["log_likelihood"] == fit.log_likelihood
    assert row["aic"] == pytest.approx(2 * count - 2 * fit.log_likelihood)
    assert row["bic"] == pytest.approx(count * np.log(60) - 2 * fit.log_likelihood)
    assert row["n_covariance_parameters"] == 7
    assert (row["n_rows"], row["n_participants"]) == (len(visits), 60)
    assert row["converged"] is True
    assert row["is_singular"] is False
    assert row["gradient_norm"] < 1e-4
    assert row["n_iterations"] > 0


def test_components_have_names_and_intervals_inside_their_borders(fit, mixed):
    table = fit.variance_components()
    assert list(table.columns) == ["component", "estimate", "std_error", "conf_low", "conf_high"]
    covariance = fit.covariance[""]
    labels = list(covariance.index)
    expected = {
        f"variance[{a}]" if a == b else f"covariance[{a},{b}]": covariance.loc[a, b]
        for place, a in enumerate(labels)
        for b in labels[: place + 1]
    }
    assert dict(zip(table["component"], table["estimate"], strict=True)) == pytest.approx(expected, rel=ROUNDING)
    names = ["participant intercept", "team intercept", "site intercept"]
    names += [f"residual[{arm}]" for arm in ("buddy", "peer", "usual")]
    mixed_table = mixed.variance_components()
    assert mixed_table["component"].tolist() == names
    for each in (table, mixed_table[mixed_table["estimate"] > 0]):
        assert (each["conf_low"] < each["estimate"]).all()
        assert (each["estimate"] < each["conf_high"]).all()
        variances = each[~each["component"].str.startswith("covariance")]
        assert (variances["conf_low"] > 0).all()
        reach = stats.norm.ppf(0.975) * variances["std_error"] / variances["estimate"]
        assert np.log(variances["conf_high"] / variances["estimate"]).to_numpy() == pytest.approx(reach.to_numpy())


def test_correlations_have_intervals_on_the_scale_of_fisher(visits):
    fit = fit_mmrm(visits, terms=TERMS, covariance="csh", **MODEL)
    row = fit.variance_components().set_index("component").loc["correlation"]
    matrix = fit.covariance[""].to_numpy()
    deviations = np.sqrt(np.diag(matrix))
    assert matrix[0, 1] / deviations[0] / deviations[1] == pytest.approx(row["estimate"])
    half = stats.norm.ppf(0.975) * row["std_error"] / (1 - row["estimate"] ** 2)
    expected = np.tanh(np.arctanh(row["estimate"]) + np.array([-half, half]))
    assert row[["conf_low", "conf_high"]].to_numpy(dtype=float) == pytest.approx(expected)


def test_intraclass_correlations_are_shares_of_the_variance(mixed, visits):
    table = mixed.icc().set_index("level")
    variances = mixed.variance_components().set_index("component")["estimate"]
    residual = variances[[name for name in variances.index if name.startswith("residual")]].mean()
    participant, team, site = (variances[f"{level} intercept"] for level in ("participant", "team", "site"))
    total = participant + team + site + residual
    expected = [(participant + team + site) / total, (team + site) / total, site / total]
    assert list(table.index) == ["participant", "team", "site"]
    assert table["icc"].to_numpy() == pytest.approx(expected)
    people = visits.drop_duplicates("participant")
    for level, sizes in (
        ("participant", visits.groupby("participant").size()),
        ("team", people.groupby("team").size()),
        ("site", people.groupby("site").size()),
    ):
        size = (sizes**2).sum() / sizes.sum()
        assert table.loc[level, "mean_size"] == pytest.approx(size)
        worth = sizes.sum() / (1 + (size - 1) * table.loc[level, "icc"])
        assert table.loc[level, "informative"] == pytest.approx(worth)


def test_random_effects_stand_by_level_and_label(mixed, visits):
    table = mixed.random_effects()
    assert list(table.columns) == ["level", "label", "term", "estimate"]
    counted = table.groupby("level").size().to_dict()
    assert counted == {"participant": 60, "team": visits["team"].nunique(), "site": visits["site"].nunique()}
    assert set(table["label"]) == {*visits["participant"], *visits["team"], *visits["site"]}
    assert set(table["term"]) == {"intercept"}
    slopes = fit_mixed_model(visits, terms=("time", "arm"), time="week", random="slope", **MODEL).random_effects()
    assert slopes.groupby("term").size().to_dict() == {"intercept": 60, "slope": 60}


@pytest.mark.parametrize("name", ["fit", "mixed"])
def test_rows_come_back_with_what_was_fitted(name, visits, request):
    fit = request.getfixturevalue(name)
    table = fit.augment()
    assert {"row", "participant", "timepoint", "observed", "fitted", "residual", "residual_scaled"} < set(table.columns)
    assert table["timepoint"].tolist() == visits["time"].tolist()
    assert table["observed"].to_numpy() == pytest.approx(visits["score"].to_numpy())
    assert (table["fitted"] + table["residual"]).to_numpy() == pytest.approx(table["observed"].to_numpy())
    both = table["fitted_conditional"] + table["residual_conditional"]
    assert both.to_numpy() == pytest.approx(table["observed"].to_numpy())
    if name == "fit":
        assert 0.8 < table["residual_scaled"].std() < 1.2  # near standard normal, fixed effects taken out
        assert table["fitted"].tolist() == table["fitted_conditional"].tolist()
    else:
        assert table["residual_conditional"].var() < table["residual"].var()


def test_a_fit_tells_what_it_is(fit, mixed, visits):
    assert fit.words() == (
        "Mixed model for repeated measures with us covariance by restricted maximum likelihood; "
        "Kenward-Roger standard errors and degrees of freedom."
    )
    text = repr(fit)
    assert f"{len(visits)} rows, 60 participants" in text
    assert "converged" in text
    assert all(term in text for term in fit.terms)
    assert all(component in text for component in fit.variance_components()["component"])
    assert mixed.words().startswith("Linear mixed model by restricted")
    assert "10 team, 5 site" in repr(mixed)
    other = fit_mmrm(visits, terms=("time",), covariance="ar1", method="ml", df_method="satterthwaite", **MODEL).words()
    assert "ar1" in other
    assert " by maximum likelihood" in other
    assert "Satterthwaite" in other
    for kind in ("CR0", "CR2", "CR3"):
        assert kind in fit.robust(kind).words()
        assert "Kenward" not in fit.robust(kind).words()
        assert "Kenward" not in repr(fit.robust(kind))


def test_covariances_stand_by_stratum_with_timepoints_in_order(visits):
    by_arm = fit_mmrm(visits, terms=("time", "arm"), covariance="csh", by_arm="arm", **MODEL)
    assert list(by_arm.covariance) == ["buddy", "peer", "usual"]
    for matrix in by_arm.covariance.values():
        assert list(matrix.index) == list(matrix.columns) == ["start", "mid", "end", "later"]
        assert np.linalg.eigvalsh(matrix)[0] > 0
    assert by_arm.n_groups == {}


# Other degrees of freedom of the same fit


@pytest.mark.parametrize("name", ["fit", "mixed"])
def test_another_method_of_degrees_of_freedom_needs_no_other_fit(name, visits, request):
    fit = request.getfixturevalue(name)
    function = fit_mmrm if name == "fit" else fit_mixed_model
    arguments = (
        {"references": {"arm": "usual"}} if name == "fit" else {"groups": ("team", "site"), "residual_by": "arm"}
    )
    for method in ("satterthwaite", "kenward_roger_linear", "z", "kenward_roger"):
        found = fit.with_df_method(method)
        expected = function(visits, terms=TERMS, df_method=method, **MODEL, **arguments)
        assert found.df_method == method
        pd.testing.assert_frame_equal(found.tidy(), expected.tidy(), check_exact=True)
    assert fit.df_method == "kenward_roger"
    normal = fit.with_df_method("z").tidy()
    assert normal["p_value"].to_numpy() == pytest.approx(2 * stats.norm.sf(np.abs(normal["statistic"])), rel=1e-6)


def test_degrees_of_freedom_may_be_given(fit):
    found = fit.estimate({"age": 1.0}, df=4)
    usual = fit.estimate({"age": 1.0})
    assert found.df == 4
    assert (found.conf_high - found.conf_low) / 2 == pytest.approx(stats.t.ppf(0.975, 4) * usual.std_error)


# Tests of several coefficients


@pytest.mark.parametrize("method", ["kenward_roger", "satterthwaite", "z"])
def test_every_term_is_tested_as_a_whole(method, fit):
    other = fit.with_df_method(method)
    table = other.joint_tests()
    assert list(table.columns) == ["term", "statistic", "df_numerator", "df_denominator", "p_value"]
    assert tuple(table["term"]) == TERMS
    assert table["df_numerator"].tolist() == [3, 2, 6, 1, 2, 2]
    coefficients = other.tidy().set_index("term")
    single = table.set_index("term").loc["age"]
    row = coefficients.loc["age"]
    assert single["statistic"] == pytest.approx(row["statistic"] ** 2)
    assert single["p_value"] == pytest.approx(row["p_value"])
    assert single["df_denominator"] == pytest.approx(row["df"])
    for place, found in table.iterrows():
        inside = [
            [part.partition("[")[0] for part in name.split(":")] == TERMS[place].split(":") for name in other.terms
        ]
        b, v = other.coefficients[inside], other.vcov[np.ix_(inside, inside)]
        wald = b @ np.linalg.solve(v, b) / len(b)
        if method == "z":
            assert found["df_denominator"] == np.inf
            assert found["p_value"] == pytest.approx(stats.chi2.sf(wald * len(b), len(b)))
        else:
            ratio = found["statistic"] / wald  # Kenward and Roger scale F
            assert ratio == pytest.approx(1, abs=0.1 if method == "kenward_roger" else ROUNDING)
            expected = stats.f.sf(found["statistic"], found["df_numerator"], found["df_denominator"])
            assert found["p_value"] == pytest.approx(expected)
        again = other.test(np.eye(len(other.terms))[inside])
        assert again.statistic == pytest.approx(found["statistic"])
        by_name = other.test([{name: 1.0} for name, mine in zip(other.terms, inside, strict=True) if mine])
        assert by_name == again


def test_a_test_does_not_depend_on_how_its_combinations_are_written(fit):
    one = fit.test([{"time[mid]": 1.0}, {"time[end]": 1.0}])
    two = fit.test([{"time[mid]": 2.0, "time[end]": 1.0}, {"time[end]": -3.0, "time[mid]": 1.0}])
    assert two.statistic == pytest.approx(one.statistic)
    assert two.df_denominator == pytest.approx(one.df_denominator)


# Means


@pytest.mark.parametrize("weights", ["equal", "observed"])
@pytest.mark.parametrize("at", [None, {"age": 30.0}])
@pytest.mark.parametrize("by", ["arm", ("arm", "time"), ("time", "arm"), "gender", ("gender", "arm", "time")])
def test_means_are_those_by_hand(by, at, weights, fit, visits):
    table = fit.marginal_means(by, at=at, weights=weights).tidy()
    names = [by] if isinstance(by, str) else list(by)
    assert list(table.columns) == [*names, *ESTIMATE_COLUMNS]
    levels = {"arm": ["usual", "buddy", "peer"], "time": ["start", "mid", "end", "later"], "gender": ["m", "w", "x"]}
    assert len(table) == np.prod([len(levels[name]) for name in names])
    shares = {
        name: visits[name].value_counts(normalize=True).to_dict()
        if weights == "observed"
        else dict.fromkeys(each, 1 / len(each))
        for name, each in levels.items()
    }
    age = visits["age"].mean() if at is None else at["age"]
    for place, row in table.iterrows():
        values = shares | {name: {row[name]: 1.0} for name in names} | {"age": age}
        _table_holds(table, place, *_by_hand(fit, _row(fit, **values)))
    for name in names:
        assert list(dict.fromkeys(table[name])) == levels[name]  # the reference first


def test_the_mean_of_numbers_is_that_of_the_rows_wherever_they_are_centred(visits):
    for terms, center in (
        (("time", "arm", "age"), ()),
        (("time", "arm", "age"), ("age",)),
        (("time", "arm:age"), ()),
        (("time", "arm:age"), ("age",)),
        (("time", "arm", "age:time", "dose"), ("dose",)),
    ):
        fit = fit_mmrm(visits, terms=terms, center=center, **MODEL)
        usual = fit.marginal_means("time").tidy()
        numbers = {name: visits[name].mean() for name in ("age", "dose") if name in " ".join(terms)}
        given = fit.marginal_means("time", at=numbers).tidy()
        assert usual["estimate"].to_numpy() == pytest.approx(given["estimate"].to_numpy(), rel=ROUNDING)
        young = fit.marginal_means("time", at={"age": 20.0}).tidy()["estimate"]
        plain = fit_mmrm(visits, terms=terms, **MODEL).marginal_means("time", at={"age": 20.0}).tidy()["estimate"]
        if terms != ("time", "arm:age") or not center:  # there, centring is another model
            assert young.to_numpy() == pytest.approx(plain.to_numpy(), rel=1e-7)
        assert np.abs(young - usual["estimate"]).max() > 0.01


def test_means_of_complete_and_saturated_data_are_those_of_the_cells(make_visits):
    frame = make_visits(gaps=0.0)
    fit = fit_mmrm(frame, terms=("time", "arm", "arm:time"), **MODEL)
    table = fit.marginal_means(("arm", "time")).tidy().set_index(["arm", "time"])["estimate"]
    cells = frame.groupby(["arm", "time"], observed=True)["score"].mean()
    for key, value in cells.items():
        assert table[key] == pytest.approx(value)
    overall = fit.marginal_means(()).tidy()
    assert overall["estimate"].tolist() == pytest.approx([cells.mean()])


# Contrasts


def _differences(means, names, pairs):
    """Rows of the differences of means, in order, from the matrix that makes the means."""
    where = {tuple(row): place for place, row in enumerate(means.grid[names].itertuples(index=False, name=None))}
    return [means.matrix[where[first]] - means.matrix[where[second]] for first, second in pairs]


def test_every_pair_is_compared_within_the_other_factors(fit):
    means = fit.marginal_means(("arm", "time"))
    table = means.pairwise("arm").tidy()
    pairs = [("buddy", "usual"), ("peer", "usual"), ("peer", "buddy")]
    times = ["start", "mid", "end", "later"]
    assert list(table.columns) == ["contrast", "time", *ESTIMATE_COLUMNS]
    assert list(zip(table["time"], table["contrast"], strict=True)) == [
        (time, f"{first} - {second}") for time in times for first, second in pairs
    ]
    rows = _differences(means, ["arm", "time"], [((a, time), (b, time)) for time in times for a, b in pairs])
    for place, row in enumerate(rows):
        _table_holds(table, place, *_by_hand(fit, row))


def test_every_level_is_compared_with_the_reference_or_another(fit):
    means = fit.marginal_means(("time", "arm"))
    table = means.versus("arm").tidy()
    assert table["contrast"].tolist() == ["buddy - usual", "peer - usual"] * 4
    rows = _differences(
        means,
        ["arm", "time"],
        [((arm, time), ("usual", time)) for time in ("start", "mid", "end", "later") for arm in ("buddy", "peer")],
    )
    for place, row in enumerate(rows):
        _table_holds(table, place, *_by_hand(fit, row))
    other = fit.marginal_means("arm").versus("arm", "peer").tidy()
    assert other["contrast"].tolist() == ["usual - peer", "buddy - peer"]
    pairs = fit.marginal_means("arm").pairwise("arm").tidy().set_index("contrast")["estimate"]
    assert other["estimate"].tolist() == pytest.approx([-pairs["peer - usual"], -pairs["peer - buddy"]])


def test_changes_are_from_baseline(fit):
    means = fit.marginal_means(("arm", "time"))
    table = means.change("time").tidy()
    later = ["mid", "end", "later"]
    assert table["contrast"].tolist() == [f"{time} - start" for time in later] * 3
    rows = _differences(
        means, ["arm", "time"], [((arm, time), (arm, "start")) for arm in ("usual", "buddy", "peer") for time in later]
    )
    for place, row in enumerate(rows):
        _table_holds(table, place, *_by_hand(fit, row))
    assert means.change("time", "mid").tidy()["contrast"].tolist()[:3] == ["start - mid", "end - mid", "later - mid"]


def test_differences_in_change_are_those_of_changes(fit):
    means = fit.marginal_means(("arm", "time"))
    table = means.difference_in_change("arm", "time").tidy()
    assert list(table.columns) == ["contrast", "change", *ESTIMATE_COLUMNS]
    place = 0
    changes = means.change("time").tidy().set_index(["arm", "contrast"])["estimate"]
    for arm in ("buddy", "peer"):
        for time in ("mid", "end", "later"):
            assert table.loc[place, ["contrast", "change"]].tolist() == [f"{arm} - usual", f"{time} - start"]
            own, usual = (
                _differences(means, ["arm", "time"], [((each, time), (each, "start"))])[0] for each in (arm, "usual")
            )
            _table_holds(table, place, *_by_hand(fit, own - usual))
            expected = changes[arm, f"{time} - start"] - changes["usual", f"{time} - start"]
            assert table.loc[place, "estimate"] == pytest.approx(expected)
            term = fit.tidy().set_index("term").loc[f"arm[{arm}]:time[{time}]"]
            assert table.loc[place, ["estimate", "std_error", "df"]].tolist() == pytest.approx(
                term[["estimate", "std_error", "df"]].tolist()
            )
            place += 1
    other = means.difference_in_change("arm", "time", reference="peer", baseline="end").tidy()
    assert other["contrast"].unique().tolist() == ["usual - peer", "buddy - peer"]
    assert other["change"].unique().tolist() == ["start - end", "mid - end", "later - end"]
    within = fit.marginal_means(("gender", "arm", "time")).difference_in_change("arm", "time").tidy()
    assert list(within.columns[:3]) == ["contrast", "change", "gender"]
    assert len(within) == 18
    assert within["estimate"].tolist() == pytest.approx(table["estimate"].tolist() * 3)  # no product with gender


def test_means_can_be_combined_at_will(fit):
    means = fit.marginal_means(("arm", "time"))
    weights = {("peer", "later"): 1.0, ("peer", "start"): -1.0, ("usual", "later"): -0.5, ("buddy", "later"): 0.5}
    rows = {tuple(row): means.matrix[place] for place, row in enumerate(means.grid.itertuples(index=False, name=None))}
    found = means.combine(weights)
    value, std_error = _by_hand(fit, sum(weight * rows[key] for key, weight in weights.items()))
    assert [found.value, found.std_error] == pytest.approx([value, std_error])
    assert found.df > 1


def test_contrasts_have_estimates_of_their_own(fit):
    contrasts = fit.marginal_means(("arm", "time")).pairwise("arm", adjust="multivariate_t")
    plain = fit.marginal_means(("arm", "time")).pairwise("arm").tidy()
    for estimate, (_, row) in zip(contrasts.estimates(), plain.iterrows(), strict=True):
        assert [estimate.value, estimate.df, estimate.p_value, estimate.conf_low] == row[
            ["estimate", "df", "p_value", "conf_low"]
        ].tolist()


# Several comparisons at once


@pytest.mark.parametrize("of", ["arm", "time"])
def test_the_adjustment_of_holm_is_that_of_statsmodels(of, fit):
    means = fit.marginal_means(("arm", "time"))
    table = means.pairwise(of, adjust="holm").tidy()
    expected = multipletests(table["p_value"], method="holm")[1]
    assert table["p_adjusted"].to_numpy() == pytest.approx(expected, rel=ROUNDING)
    pd.testing.assert_frame_equal(table.drop(columns="p_adjusted"), means.pairwise(of).tidy())


@pytest.mark.parametrize("method", ["kenward_roger", "z"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda fit, how: fit.marginal_means(("arm", "time")).pairwise("arm", **how),
        lambda fit, how: fit.marginal_means("arm").pairwise("arm", **how),  # three differences in two dimensions
        lambda fit, how: fit.marginal_means("time").change("time", **how),
        lambda fit, how: fit.marginal_means(("arm", "time")).difference_in_change("arm", "time", **how),
    ],
    ids=["twelve", "singular", "three", "six"],
)
def test_the_adjustment_by_the_multivariate_t_is_that_of_a_simulation(ask, method, fit):
    other = fit.with_df_method(method)
    contrasts = ask(other, {"adjust": "multivariate_t"})
    table, plain = contrasts.tidy(), ask(other, {}).tidy()
    vcov = contrasts.matrix @ other.vcov @ contrasts.matrix.T
    deviations = np.sqrt(np.diag(vcov))
    df = plain["df"].min()
    rng = np.random.default_rng(1)
    values, vectors = np.linalg.eigh(vcov / np.outer(deviations, deviations))
    normal = rng.normal(size=(DRAWS, len(values))) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    scale = np.ones(DRAWS) if np.isinf(df) else np.sqrt(rng.chisquare(df, DRAWS) / df)
    largest = np.abs(normal / scale[:, None]).max(axis=1)
    simulated = [(largest >= abs(statistic)).mean() for statistic in plain["statistic"]]
    assert table["p_adjusted"].to_numpy() == pytest.approx(simulated, abs=MONTE_CARLO)
    reach = (table["conf_high"] - table["conf_low"]) / 2 / table["std_error"]
    assert np.ptp(reach) < ROUNDING
    assert (largest <= reach[0]).mean() == pytest.approx(0.95, abs=MONTE_CARLO)
    assert (table["p_adjusted"] >= plain["p_value"] - INTEGRAL).all()
    holm = ask(other, {"adjust": "holm"}).tidy()["p_adjusted"]
    assert table["p_adjusted"].min() <= len(table) * plain["p_value"].min() + INTEGRAL
    assert holm.min() <= len(table) * plain["p_value"].min() + ROUNDING
    assert table[["estimate", "std_error", "df"]].equals(plain[["estimate", "std_error", "df"]])


def test_a_single_contrast_needs_no_adjustment(visits):
    two = visits[visits["arm"] != "buddy"]
    means = fit_mmrm(two, terms=("time", "arm"), **MODEL).marginal_means("arm")
    plain = means.pairwise("arm").tidy()
    for adjust in ("holm", "multivariate_t"):
        table = means.pairwise("arm", adjust=adjust).tidy()
        assert table["p_adjusted"].tolist() == pytest.approx(plain["p_value"].tolist(), rel=ROUNDING)
        assert table[ESTIMATE_COLUMNS].to_numpy() == pytest.approx(plain[ESTIMATE_COLUMNS].to_numpy(), rel=ROUNDING)


def test_contrasts_that_are_all_the_same_count_once(visits):
    """Without a product, the arms differ by as much at every timepoint."""
    two = visits[visits["arm"] != "buddy"]
    means = fit_mmrm(two, terms=("time", "arm"), **MODEL).marginal_means(("arm", "time"))
    plain = means.pairwise("arm").tidy()
    table = means.pairwise("arm", adjust="multivariate_t").tidy()
    assert len(table) == 4
    assert table["p_adjusted"].to_numpy() == pytest.approx(plain["p_value"].to_numpy(), abs=INTEGRAL)
    assert table["conf_low"].to_numpy() == pytest.approx(plain["conf_low"].to_numpy(), abs=INTEGRAL)


def test_contrasts_that_are_nothing_by_the_model_take_no_part(visits):
    """Under equal means at baseline, the comparison of arms there is zero with no error."""
    fit = fit_mmrm(visits, terms=("time", "arm:time"), **MODEL)
    table = fit.marginal_means(("arm", "time")).pairwise("arm", adjust="multivariate_t").tidy()
    at_start = table["time"] == "start"
    assert (table.loc[at_start, "estimate"].abs() < ROUNDING).all()
    assert table.loc[at_start, ["statistic", "p_value", "p_adjusted"]].isna().all(axis=None)
    later = table[~at_start]
    assert later["p_adjusted"].between(0, 1).all()
    assert (later["p_adjusted"] >= later["p_value"] - INTEGRAL).all()
    holm = fit.marginal_means(("arm", "time")).pairwise("arm", adjust="holm").tidy()
    expected = multipletests(holm.loc[~at_start, "p_value"], method="holm")[1]
    assert holm.loc[~at_start, "p_adjusted"].to_numpy() == pytest.approx(expected)


def test_adjusted_probabilities_are_probabilities_however_far_out(visits):
    far = visits.assign(score=visits["score"] + 40.0 * (visits["arm"] == "peer") - 90.0 * (visits["time"] == "end"))
    means = fit_mmrm(far, terms=("time", "arm", "arm:time"), **MODEL).marginal_means(("arm", "time"))
    for of in ("arm", "time"):
        for adjust in ("holm", "multivariate_t"):
            table = means.pairwise(of, adjust=adjust).tidy()
            assert table["p_value"].min() < 1e-20
            assert table["p_adjusted"].between(0, 1).all()
            assert (table["p_adjusted"] >= table["p_value"]).all()


def test_adjusted_results_are_the_same_bytes_every_time(fit):
    tables = [fit.marginal_means(("arm", "time")).pairwise("arm", adjust="multivariate_t").tidy() for _ in range(2)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_robust_standard_errors_go_into_means_and_contrasts(fit):
    robust = fit.robust()
    means = robust.marginal_means(("arm", "time"))
    table = means.pairwise("arm").tidy()
    rows = _differences(means, ["arm", "time"], [(("buddy", "start"), ("usual", "start"))])
    _table_holds(table, 0, *_by_hand(robust, rows[0]))
    assert robust.coefficients.tolist() == fit.coefficients.tolist()
    assert np.abs(robust.vcov - fit.vcov).max() > 1e-4
    joint = robust.joint_tests()
    assert joint["p_value"].between(0, 1).all()
    assert robust.glance()["df_method"].tolist() == ["CR2"]


def test_everything_but_rows_can_be_asked_of_moments(fit, visits):
    moments = Moments.from_frame(visits, terms=TERMS, references={"arm": "usual"}, **MODEL)
    found = refit_mmrm(moments)
    for ask in (
        lambda each: each.tidy(),
        lambda each: each.variance_components(),
        lambda each: each.joint_tests(),
        lambda each: each.covariance[""],
        lambda each: each.marginal_means(("arm", "time"), weights="observed").pairwise("arm", adjust="holm").tidy(),
    ):
        pd.testing.assert_frame_equal(ask(found), ask(fit), check_exact=True)
    assert found.words() == fit.words()
