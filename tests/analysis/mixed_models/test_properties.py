"""What may change nothing, what changes everything by that much, and where theory says two ways lead to the same number."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.mixed_models import (
    Moments,
    add_moments,
    ancova_terms,
    baseline_as_covariate,
    constrained_terms,
    fit_mixed_model,
    fit_mmrm,
    lengthen,
    refit_mixed_model,
    refit_mmrm,
)

# Sums in another order differ by rounding; the search then stops within a Newton decrement of 1e-9.
SAME = 1e-8
# Degrees of freedom hold second derivatives of a likelihood that is flat around its top: they lose half the digits.
SAME_DF = 1e-5
# Two different covariance models with the same optimum: each search ends within 3e-5 standard errors of it, mostly far nearer.
SAME_OPTIMUM = 1e-6
# A score of 1e6 keeps ten digits behind the point, so that is what a shift leaves of a number of order one.
AFTER_SHIFT = 1e-6
# Closed forms: what is left is the last step of the search.
ALGEBRA = 1e-6
# A likelihood may be lower than that of a submodel by rounding alone.
NO_LOWER = 1e-7

STABLE = settings(derandomize=True, database=None, deadline=None, max_examples=12)
MODEL = {"outcome": "score", "terms": ("time", "arm", "arm:time", "age"), "participant": "participant"}
PLANNED = MODEL | {"timepoint": "time"}


def _tidy(fit):
    assert fit.converged
    return fit.tidy().set_index("term")


def _same(found, expected, tolerance=SAME, df=SAME_DF, scale=1.0):
    """Two fits agree, estimates on the scale of their standard errors; `scale` is what they should differ by."""
    ours, theirs = _tidy(found), _tidy(expected).loc[list(found.terms)]
    assert np.abs((ours["estimate"] - scale * theirs["estimate"]) / (scale * theirs["std_error"])).max() < tolerance
    assert np.abs(ours["std_error"] / (scale * theirs["std_error"]) - 1).max() < tolerance
    assert np.abs(ours["df"] / theirs["df"] - 1).max() < df


def _estimates(fit):
    return fit.variance_components()["estimate"].to_numpy()


def _reversed_labels(labels):
    """Other labels, in the reverse order; none stays none."""
    seen = sorted(set(labels) - {""})
    return labels.map({label: f"z{len(seen) - place:04}" for place, label in enumerate(seen)} | {"": ""})


# Changes that change nothing


def test_rows_in_another_order_give_the_same_bytes(case):
    permuted = case.frame.sample(frac=1, random_state=3)
    fit = case.function(permuted, df_method="satterthwaite", **case.arguments)
    if case.fit().moments is None:  # without planned timepoints, rows of a participant stand in the order of the frame
        _same(fit, case.fit())
    else:
        pd.testing.assert_frame_equal(fit.tidy(), case.fit().tidy(), check_exact=True)
        pd.testing.assert_frame_equal(fit.glance(), case.fit().glance(), check_exact=True)


def test_labels_of_participants_and_groups_change_nothing(case):
    changed = {
        name: _reversed_labels(case.frame[name]) for name in ("participant", "site", "team", "group", "late_group")
    }
    fit = case.function(case.frame.assign(**changed), df_method="satterthwaite", **case.arguments)
    _same(fit, case.fit())
    assert fit.log_likelihood == pytest.approx(case.fit().log_likelihood, rel=SAME)


def test_numbers_for_ids_are_as_good_as_text(case):
    numbers = case.frame["participant"].str[1:].astype(int)
    fit = case.function(case.frame.assign(participant=numbers), df_method="satterthwaite", **case.arguments)
    pd.testing.assert_frame_equal(fit.tidy(), case.fit().tidy(), check_exact=True)


def test_the_same_rows_give_the_same_bytes_and_stay_as_they_were(case):
    before = case.frame.copy(deep=True)
    fits = [case.function(case.frame, **case.arguments) for _ in range(2)]
    pd.testing.assert_frame_equal(fits[0].tidy(), fits[1].tidy(), check_exact=True)
    pd.testing.assert_frame_equal(fits[0].variance_components(), fits[1].variance_components(), check_exact=True)
    pd.testing.assert_frame_equal(case.frame, before, check_exact=True)


@pytest.mark.parametrize("covariance", ["us", "toeph", "cs"])
def test_wide_and_long_frames_give_the_same_bytes(covariance, make_visits, widen):
    long = make_visits(seed=6)
    columns = {name: f"score at {name}" for name in long["time"].cat.categories}
    wide = widen(long, "arm", "age").rename(columns=columns).sample(frac=1, random_state=1)
    of_long = fit_mmrm(long, covariance=covariance, **PLANNED)
    of_wide = fit_mmrm(wide, covariance=covariance, **PLANNED | {"outcome": columns})
    pd.testing.assert_frame_equal(of_wide.tidy(), of_long.tidy(), check_exact=True)
    pd.testing.assert_frame_equal(of_wide.glance(), of_long.glance(), check_exact=True)
    by_hand = fit_mmrm(
        lengthen(wide, columns, timepoint="time"), covariance=covariance, **PLANNED | {"outcome": "outcome"}
    )
    pd.testing.assert_frame_equal(by_hand.tidy(), of_long.tidy(), check_exact=True)


def test_wide_and_long_frames_give_the_same_mixed_model(make_visits, widen):
    long = make_visits(seed=6)
    wide = widen(long, "arm", "age", "group")
    outcome = {name: name for name in long["time"].cat.categories}
    arguments = PLANNED | {"groups": "group", "partially_nested": True}
    of_wide = fit_mixed_model(wide, **arguments | {"outcome": outcome})
    pd.testing.assert_frame_equal(of_wide.tidy(), fit_mixed_model(long, **arguments).tidy(), check_exact=True)


SHARDED = {
    "us": (refit_mmrm, {"covariance": "us"}, {}),
    "toeph by arm": (refit_mmrm, {"covariance": "toeph"}, {"stratum": "arm"}),
    "intercept": (refit_mixed_model, {}, {}),
    "slope": (refit_mixed_model, {"random": "slope"}, {"time": "week"}),
    "slope, timepoints from time": (
        refit_mixed_model,
        {"random": "slope"},
        {"time": "week", "timepoint": None, "terms": ("week", "arm", "arm:week", "age", "dose")},
    ),
    "partially nested, residual by arm": (
        refit_mixed_model,
        {},
        {"groups": ("group",), "partially_nested": True, "stratum": "arm"},
    ),
    "groups in sites": (refit_mixed_model, {}, {"groups": ("team", "site")}),
    "group slope": (refit_mixed_model, {"groups": {"team": "slope"}}, {"groups": ("team",), "time": "week"}),
}


@pytest.mark.parametrize("shards", [1, 2, 7, 50])
@pytest.mark.parametrize("name", SHARDED)
def test_moments_of_parts_add_up_to_the_same_fit(name, shards, make_visits):
    refit, how, columns = SHARDED[name]
    frame = make_visits(seed=2, n=72, gaps=0.35, slope=0.15, team_slope=0.15)
    arguments = PLANNED | {"terms": ("time", "arm", "arm:time", "age", "dose")} | columns
    whole = Moments.from_frame(frame, **arguments)
    people = np.random.default_rng(1).permutation(frame["participant"].unique())
    parts = [frame[frame["participant"].isin(own)] for own in np.array_split(people, shards)]
    total = add_moments(Moments.from_frame(part, design=whole.design, **arguments) for part in parts)
    assert (total.n_rows, total.n_participants) == (whole.n_rows, whole.n_participants)
    _same(refit(total, **how), refit(whole, **how))


def test_a_sum_of_moments_does_not_depend_on_its_order(make_visits):
    frame = make_visits()
    arguments = PLANNED | {"groups": ("group", "site"), "partially_nested": True}
    design = Moments.from_frame(frame, **arguments).design
    one, two, three = (
        Moments.from_frame(part, design=design, **arguments) for _, part in frame.groupby("site", sort=True)
    )
    for order in itertools.permutations((one, two, three)):
        _same(refit_mixed_model(add_moments(order)), refit_mixed_model(one + (two + three)))


@pytest.mark.parametrize("extra", [{}, {"groups": "team"}, {"groups": ("group", "site"), "partially_nested": True}])
def test_planned_timepoints_and_plain_rows_give_the_same_fit(extra, make_visits):
    frame = make_visits(n=60, group_sd=1.5)
    planned, rows = fit_mixed_model(frame, **PLANNED | extra), fit_mixed_model(frame, **MODEL | extra)
    assert rows.moments is None
    assert planned.moments is not None
    _same(rows, planned)
    _same(rows.robust(), planned.robust())
    assert rows.log_likelihood == pytest.approx(planned.log_likelihood, rel=SAME)
    effects = [fit.random_effects().sort_values(["level", "label"])["estimate"].to_numpy() for fit in (rows, planned)]
    assert effects[0] == pytest.approx(effects[1], abs=SAME)
    assert rows.icc()["icc"].to_numpy() == pytest.approx(planned.icc()["icc"].to_numpy(), rel=SAME)
    assert rows.icc()["informative"].to_numpy() == pytest.approx(planned.icc()["informative"].to_numpy(), rel=SAME)


@pytest.mark.parametrize("random", ["slope", "slope_uncorrelated"])
def test_few_times_are_planned_and_many_are_not_with_the_same_fit(random, make_visits, monkeypatch):
    frame = make_visits(slope=0.2, team_slope=0.2, n=60)
    arguments = MODEL | {"terms": ("week", "arm", "arm:week", "age", "dose"), "time": "week", "random": random}
    arguments |= {"groups": {"team": random}}
    planned = fit_mixed_model(frame, **arguments)
    monkeypatch.setattr("analysis.mixed_models.recognise.MOST_TIMEPOINTS", 0)
    rows = fit_mixed_model(frame, **arguments)
    assert rows.moments is None
    assert planned.moments is not None
    _same(rows, planned, SAME_OPTIMUM)
    assert _estimates(rows) == pytest.approx(_estimates(planned), rel=1e-5)  # the square root of a decrement of 1e-9


def test_how_much_is_held_in_memory_at_once_changes_nothing(case, monkeypatch):
    monkeypatch.setattr("analysis.mixed_models.moments.PARTICIPANTS_AT_ONCE", 7)
    monkeypatch.setattr("analysis.mixed_models.bases.PARTICIPANTS_AT_ONCE", 5)
    monkeypatch.setattr("analysis.mixed_models.likelihood.UNITS_AT_ONCE", 2)
    _same(case.function(case.frame, df_method="satterthwaite", **case.arguments), case.fit())


# Changes of units


def test_units_of_the_outcome_change_the_fit_by_that_much(case):
    moved = case.frame.assign(score=case.frame["score"] * 1024)  # a power of two, so that no digit is lost
    fit = case.function(moved, df_method="satterthwaite", **case.arguments)
    _same(fit, case.fit(), scale=1024)
    before, after = case.fit().variance_components(), fit.variance_components()
    scale = np.where(before["component"].str.startswith("correlation"), 1, 1024**2)
    assert after["estimate"].to_numpy() == pytest.approx(before["estimate"].to_numpy() * scale, rel=SAME)
    freedom = fit.n_rows - len(fit.terms)
    assert fit.log_likelihood + freedom * np.log(1024) == pytest.approx(case.fit().log_likelihood, rel=SAME)


def test_a_shift_of_the_outcome_by_a_million_moves_the_intercept_alone(case):
    fit = case.function(case.frame.assign(score=case.frame["score"] + 1e6), df_method="satterthwaite", **case.arguments)
    ours, theirs = _tidy(fit), _tidy(case.fit())
    shift = np.array([1e6, *[0.0] * (len(fit.terms) - 1)])
    assert np.abs((ours["estimate"] - theirs["estimate"] - shift) / theirs["std_error"]).max() < AFTER_SHIFT
    assert np.abs(ours["std_error"] / theirs["std_error"] - 1).max() < AFTER_SHIFT
    assert np.abs(ours["df"] / theirs["df"] - 1).max() < 1e-4  # second derivatives lose half the digits


@pytest.mark.parametrize(("factor", "offset"), [(1e-4, 0.0), (1000.0, 1e5)])
def test_units_of_a_covariate_change_its_coefficient_alone(factor, offset, case):
    moved = case.frame.assign(age=case.frame["age"] * factor + offset, dose=case.frame["dose"] * factor + offset)
    fit = case.function(moved, df_method="satterthwaite", **case.arguments)
    ours, theirs = _tidy(fit), _tidy(case.fit())
    scale = np.array([1 / factor if name in ("age", "dose") else 1.0 for name in ours.index])
    others = [name for name in ours.index if name != "intercept"]
    ratio = ours["estimate"] - theirs["estimate"] * scale
    assert np.abs(ratio / theirs["std_error"] / scale)[others].max() < AFTER_SHIFT
    assert np.abs(ours["std_error"] / theirs["std_error"] / scale - 1)[others].max() < AFTER_SHIFT
    drift = np.log(factor) * sum(name in ("age", "dose") for name in ours.index)
    assert fit.log_likelihood + drift == pytest.approx(case.fit().log_likelihood, abs=AFTER_SHIFT)


@pytest.mark.parametrize("random", ["slope", "slope_uncorrelated"])
@pytest.mark.parametrize("factor", [1 / 52.1775, 7 * 24 * 3600.0])
def test_units_of_time_change_what_is_per_time(factor, random, make_visits):
    frame = make_visits(slope=0.2, team_slope=0.2, n=60)
    arguments = MODEL | {
        "terms": ("day", "arm", "arm:day"),
        "time": "day",
        "random": random,
        "groups": {"team": random},
    }
    fit, moved = (fit_mixed_model(each, **arguments) for each in (frame, frame.assign(day=frame["day"] * factor)))
    before = fit.variance_components().set_index("component")["estimate"]
    after = moved.variance_components().set_index("component")["estimate"]
    power = [2 if name.endswith("slope") else 1 if name.endswith("covariance") else 0 for name in before.index]
    assert (after * factor ** np.array(power)).to_numpy() == pytest.approx(before.to_numpy(), rel=1e-5)
    assert moved.estimate({"arm[usual]:day": factor}).value == pytest.approx(
        fit.estimate({"arm[usual]:day": 1}).value, rel=SAME_OPTIMUM
    )


@pytest.mark.parametrize("start", [0.0, 500.0, -20_000.0])
def test_a_random_slope_does_not_depend_on_where_time_begins(start, make_visits):
    frame = make_visits(slope=0.2)
    arguments = MODEL | {"terms": ("day", "arm", "arm:day"), "time": "day", "random": "slope"}
    fit, moved = (fit_mixed_model(each, **arguments) for each in (frame, frame.assign(day=frame["day"] + start)))
    assert moved.converged
    assert moved.log_likelihood == pytest.approx(fit.log_likelihood, rel=SAME)
    rows = [each.tidy().set_index("term").loc["arm[usual]:day"] for each in (fit, moved)]
    assert rows[1].to_numpy(dtype=float) == pytest.approx(rows[0].to_numpy(dtype=float), rel=SAME_OPTIMUM)
    slopes = [each.variance_components().set_index("component").loc["participant slope"] for each in (fit, moved)]
    assert slopes[1].to_numpy(dtype=float) == pytest.approx(slopes[0].to_numpy(dtype=float), rel=1e-5)


def test_reference_levels_and_centring_change_neither_likelihood_nor_means(case):
    has_time = "time" in case.arguments["terms"]
    changed = {"references": {"arm": "usual"} | ({"time": "mid"} if has_time else {}), "center": ("age", "dose")}
    fit = case.function(case.frame, df_method="satterthwaite", **case.arguments | changed)
    assert fit.log_likelihood == pytest.approx(case.fit().log_likelihood, rel=SAME)
    by = ("time", "arm") if has_time else ("arm",)
    order = list(by)
    ours = fit.marginal_means(by).tidy().sort_values(order)[["estimate", "std_error", "df"]].to_numpy()
    theirs = case.fit().marginal_means(by).tidy().sort_values(order)[["estimate", "std_error", "df"]].to_numpy()
    assert ours[:, :2] == pytest.approx(theirs[:, :2], rel=SAME)
    assert ours[:, 2] == pytest.approx(theirs[:, 2], rel=SAME_DF)
    age = fit.tidy().set_index("term").loc["age"], case.fit().tidy().set_index("term").loc["age"]
    assert age[0].to_numpy(dtype=float) == pytest.approx(age[1].to_numpy(dtype=float), rel=SAME_DF)


def test_everybody_twice_by_maximum_likelihood_gives_the_same_estimates(case):
    twin = case.frame.copy()
    for name in ("participant", "site", "team", "group", "late_group"):
        twin[name] = ("again " + twin[name]).where(twin[name] != "", "")
    both = pd.concat([case.frame, twin], ignore_index=True)
    fit, once = case.function(both, method="ml", df_method="z", **case.arguments), case.fit("ml")
    assert fit.log_likelihood == pytest.approx(2 * once.log_likelihood, rel=SAME)
    assert np.abs((fit.coefficients - once.coefficients) / np.sqrt(np.diag(once.vcov))).max() < SAME_OPTIMUM
    assert fit.vcov * 2 == pytest.approx(once.vcov, rel=1e-5, abs=1e-9)
    assert _estimates(fit) == pytest.approx(_estimates(once), rel=1e-4)


# Where theory knows the answer


@st.composite
def two_arms(draw):
    """Scores of two arms at two timepoints, nobody missing; a third of the variance between people."""
    seed, sizes = draw(st.integers(0, 2**32 - 1)), draw(st.tuples(st.integers(3, 12), st.integers(3, 12)))
    spread, shift = draw(st.sampled_from([0.01, 1.0, 50.0])), draw(st.sampled_from([-1e4, 0.0, 100.0]))
    rng = np.random.default_rng(seed)
    return [shift + spread * (rng.normal(size=(n, 1)) + rng.normal(size=(n, 2)) * rng.uniform(0.5, 2)) for n in sizes]


def _change_frame(arms):
    rows = [
        (f"{arm}{person}", arm, time, scores[person, place])
        for arm, scores in zip("ab", arms, strict=True)
        for person in range(len(scores))
        for place, time in enumerate(("0", "1"))
    ]
    return pd.DataFrame(rows, columns=["participant", "arm", "time", "score"])


@STABLE
@given(two_arms(), st.sampled_from(["kenward_roger", "kenward_roger_linear", "satterthwaite"]))
def test_change_between_two_timepoints_is_compared_as_by_the_t_test(arms, df_method):
    fit = fit_mmrm(_change_frame(arms), **PLANNED | {"terms": ("time", "arm", "arm:time")}, df_method=df_method)
    found = fit.estimate({"arm[b]:time[1]": 1.0})
    expected = stats.ttest_ind(*(np.diff(scores, axis=1)[:, 0] for scores in reversed(arms)))
    interval = expected.confidence_interval()
    assert found.df == pytest.approx(sum(map(len, arms)) - 2, rel=ALGEBRA)
    assert found.statistic == pytest.approx(expected.statistic, rel=ALGEBRA, abs=ALGEBRA)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-5)
    width = interval.high - interval.low
    assert [found.conf_low, found.conf_high] == pytest.approx([*interval], abs=ALGEBRA * width)
    contrast = fit.marginal_means(("arm", "time")).difference_in_change("arm", "time").tidy()
    assert contrast[["estimate", "p_value"]].to_numpy()[0] == pytest.approx([found.value, found.p_value], rel=SAME)


@STABLE
@given(two_arms())
def test_change_with_a_covariance_per_arm_is_compared_as_by_the_test_of_welch(arms):
    fit = fit_mmrm(
        _change_frame(arms), **PLANNED | {"terms": ("time", "arm", "arm:time")}, by_arm="arm", df_method="satterthwaite"
    )
    found = fit.estimate({"arm[b]:time[1]": 1.0})
    expected = stats.ttest_ind(*(np.diff(scores, axis=1)[:, 0] for scores in reversed(arms)), equal_var=False)
    assert found.statistic == pytest.approx(expected.statistic, rel=ALGEBRA, abs=ALGEBRA)
    assert found.df == pytest.approx(expected.df, rel=ALGEBRA)


@STABLE
@given(
    st.integers(0, 2**32 - 1),
    st.integers(3, 12),
    st.integers(2, 6),
    st.sampled_from([0.0, 0.3, 1.0, 5.0]),
    st.booleans(),
)
def test_a_balanced_one_way_layout_gives_the_analysis_of_variance(seed, people, rows, between, planned):
    rng = np.random.default_rng(seed)
    scores = between * rng.normal(size=(people, 1)) + rng.normal(size=(people, rows))
    within = float(((scores - scores.mean(axis=1, keepdims=True)) ** 2).sum() / (people * (rows - 1)))
    among = rows * float(scores.mean(axis=1).var(ddof=1))
    assume(abs(among / within - 1) > 0.01)
    frame = pd.DataFrame(
        {"who": np.repeat(np.arange(people), rows), "when": np.tile(np.arange(rows), people), "score": scores.ravel()}
    )
    fit = fit_mixed_model(frame, outcome="score", terms=(), participant="who", timepoint="when" if planned else None)
    is_singular = among < within
    pooled = float(((scores - scores.mean()) ** 2).sum()) / (people * rows - 1)
    expected = [0.0, pooled] if is_singular else [(among - within) / rows, within]
    assert fit.converged
    assert fit.optimisation.is_singular is is_singular
    assert _estimates(fit) == pytest.approx(expected, rel=ALGEBRA)
    assert bool(_estimates(fit)[0] == 0.0) is is_singular
    assert fit.coefficients[0] == pytest.approx(scores.mean(), rel=ALGEBRA)
    if not is_singular:
        (row,) = fit.tidy().to_dict("records")
        assert row["std_error"] == pytest.approx(np.sqrt(among / (people * rows)), rel=ALGEBRA)
        assert row["df"] == pytest.approx(people - 1, rel=ALGEBRA)


def test_batches_that_differ_less_than_chance_have_a_variance_of_exactly_zero_and_that_is_said():
    """As Dyestuff2 of Box and Tiao 1973: six batches of five."""
    rng = np.random.default_rng(4)
    yields = rng.normal(5, 3, size=(6, 5))
    yields += 0.3 * (yields.mean() - yields.mean(axis=1, keepdims=True))
    frame = pd.DataFrame({"batch": np.repeat([*"ABCDEF"], 5), "yields": yields.ravel()})
    fit = fit_mixed_model(frame, outcome="yields", terms=(), participant="batch")
    components = fit.variance_components().set_index("component")
    assert fit.converged
    assert fit.optimisation.is_singular
    assert components.loc["participant intercept", "estimate"] == 0.0
    assert np.isnan(components.loc["participant intercept", ["conf_low", "conf_high"]].astype(float)).all()
    assert "zero" in fit.words()
    assert "zero" in repr(fit)
    assert (fit.random_effects()["estimate"] == 0.0).all()
    assert fit.icc()["icc"].tolist() == [0.0]


def test_compound_symmetry_with_a_correlation_above_zero_is_a_random_intercept(make_visits):
    for seed in range(3):
        frame = make_visits(seed=seed, gaps=0.3)
        one = fit_mmrm(frame, covariance="cs", df_method="satterthwaite", **PLANNED)
        other = fit_mixed_model(frame, df_method="satterthwaite", **PLANNED)
        assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=SAME)
        _same(one, other, SAME_OPTIMUM)
        variance, covariance = _estimates(one)
        assert [covariance, variance - covariance] == pytest.approx(_estimates(other), rel=SAME_OPTIMUM)
        assert one.covariance[""].to_numpy() == pytest.approx(other.covariance[""].to_numpy(), rel=SAME_OPTIMUM)


def test_compound_symmetry_may_have_a_correlation_below_zero_where_a_random_intercept_cannot(make_visits):
    frame = make_visits(timepoints=2, gaps=0.0)
    sign = np.where(frame["time"] == "start", 1.0, -1.0)
    noise = np.random.default_rng(2).normal(size=frame["participant"].nunique())
    frame["score"] = 20 + sign * frame["participant"].map(dict(zip(frame["participant"].unique(), noise, strict=True)))
    frame["score"] += np.random.default_rng(3).normal(0, 0.5, len(frame))
    free = fit_mmrm(frame, covariance="cs", **PLANNED)
    bounded = fit_mixed_model(frame, **PLANNED)
    assert free.converged
    assert bounded.converged
    assert _estimates(free)[1] < 0
    assert _estimates(bounded)[0] == 0.0
    assert free.log_likelihood > bounded.log_likelihood


def test_with_two_timepoints_structures_with_as_many_parameters_are_the_same(make_visits):
    frame = make_visits(timepoints=2, gaps=0.2)
    for kinds in (("us", "toeph", "ar1h", "csh", "adh"), ("cs", "toep", "ar1", "ad")):
        fits = [fit_mmrm(frame, covariance=kind, df_method="satterthwaite", **PLANNED) for kind in kinds]
        for fit in fits[1:]:
            assert fit.log_likelihood == pytest.approx(fits[0].log_likelihood, rel=SAME)
            _same(fit, fits[0], SAME_OPTIMUM)


NESTED = {
    "us": ("toeph", "adh"),
    "toeph": ("csh", "ar1h", "toep"),
    "adh": ("ar1h", "ad"),
    "csh": ("cs",),
    "ar1h": ("ar1",),
    "toep": ("cs", "ar1"),
    "ad": ("ar1",),
}


@settings(STABLE, max_examples=6)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3]))
def test_no_structure_has_a_lower_likelihood_than_one_it_contains(seed, gaps):
    frame = _plain_trial(seed, gaps)
    kinds = list(dict.fromkeys([*NESTED, *itertools.chain(*NESTED.values())]))
    fits = {kind: fit_mmrm(frame, covariance=kind, df_method="z", **PLANNED) for kind in kinds}
    assert all(fit.converged for fit in fits.values())
    for larger, smaller in ((larger, each) for larger, several in NESTED.items() for each in several):
        assert fits[larger].log_likelihood >= fits[smaller].log_likelihood - NO_LOWER, (larger, smaller)
    mixed = {
        random: fit_mixed_model(frame, time="week", random=random, df_method="z", **PLANNED)
        for random in ("intercept", "slope_uncorrelated", "slope")
    }
    assert all(fit.converged for fit in mixed.values())
    assert mixed["slope_uncorrelated"].log_likelihood >= mixed["intercept"].log_likelihood - NO_LOWER
    assert mixed["slope"].log_likelihood >= mixed["slope_uncorrelated"].log_likelihood - NO_LOWER
    assert fits["us"].log_likelihood >= mixed["slope"].log_likelihood - NO_LOWER
    assert fits["cs"].log_likelihood >= mixed["intercept"].log_likelihood - NO_LOWER
    grouped = fit_mixed_model(frame, groups=("team", "site"), df_method="z", **PLANNED)
    assert grouped.converged
    assert grouped.log_likelihood >= mixed["intercept"].log_likelihood - NO_LOWER


def _plain_trial(seed, gaps):
    """A trial of forty people whose covariance follows none of the structures."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 4)) + 1.5 * np.eye(4)
    rows = []
    for person in range(40):
        scores = root @ rng.normal(size=4) + 10
        for place, week in enumerate((0.0, 4.0, 10.0, 16.0)):
            if place == 0 or rng.random() >= gaps:
                site, team = f"s{person // 14}", f"t{person // 5}"
                arm, age = ("peer", "usual")[person % 2], 20.0 + (person * 7) % 50
                rows.append((f"p{person:02}", arm, site, f"{site}{team}", f"t{place}", week, age, scores[place]))
    return pd.DataFrame(rows, columns=["participant", "arm", "site", "team", "time", "week", "age", "score"])


def test_a_ladder_takes_the_first_step_that_converges_and_says_which(make_visits):
    frame = make_visits(gaps=0.0, n=24)
    early = frame["participant"] < "p012"
    apart = frame[~(early & (frame["time"] == "later")) & ~(~early & (frame["time"] == "start"))]  # nobody has both
    few = frame[frame["participant"] < "p004"]  # four people cannot hold ten variances and covariances
    for rows, terms, ladder, taken in (
        (frame, PLANNED["terms"], ("us", "cs"), "us"),
        (frame, PLANNED["terms"], ("csh", "us"), "csh"),
        (apart, PLANNED["terms"], ("us", "csh", "cs"), "csh"),
        (few, ("time",), ("us", "cs"), "cs"),
    ):
        fit = fit_mmrm(rows, covariance=ladder, **PLANNED | {"terms": terms})
        alone = fit_mmrm(rows, covariance=taken, **PLANNED | {"terms": terms})
        assert fit.converged
        assert fit.optimisation.covariance == taken
        assert fit.glance()["covariance"].tolist() == [taken]
        assert f" {taken} " in fit.words()
        pd.testing.assert_frame_equal(fit.tidy(), alone.tidy(), check_exact=True)


# Before and after, with one follow-up


@pytest.fixture(scope="module")
def before_after(make_visits, widen):
    """Everybody at two timepoints, long and wide."""
    long = make_visits(seed=9, timepoints=2, gaps=0.0)[["participant", "arm", "age", "time", "score"]]
    return long, widen(long, "arm", "age").rename(columns={"start": "before", "mid": "after"})


OUTCOME = {"start": "before", "mid": "after"}
FULL = ("time", "arm", "arm:time")


@pytest.mark.parametrize(
    ("function", "how", "terms"),
    [
        (fit_mmrm, {"covariance": "us"}, FULL),
        (fit_mmrm, {"covariance": "cs"}, FULL),
        (fit_mmrm, {"covariance": "us"}, constrained_terms("arm", "time", ("age",))),
        (fit_mixed_model, {}, FULL),
        (fit_mixed_model, {}, constrained_terms("arm", "time")),
    ],
)
def test_with_one_follow_up_every_model_runs_and_long_is_wide(function, how, terms, before_after):
    long, wide = before_after
    arguments = {"terms": terms, "participant": "participant", "timepoint": "time", **how}
    of_long, of_wide = function(long, outcome="score", **arguments), function(wide, outcome=OUTCOME, **arguments)
    assert of_long.converged
    pd.testing.assert_frame_equal(of_long.tidy(), of_wide.tidy(), check_exact=True)
    if "arm" in terms:
        changes = (wide["after"] - wide["before"]).groupby(wide["arm"]).mean()
        effect = of_long.estimate({"arm[usual]:time[mid]": 1.0})
        assert effect.value == pytest.approx(changes["usual"] - changes["peer"], rel=ALGEBRA)
        assert effect.df == pytest.approx(len(wide) - 2, rel=ALGEBRA)
        test = stats.ttest_ind(*((wide["after"] - wide["before"])[wide["arm"] == arm] for arm in ("usual", "peer")))
        assert effect.p_value == pytest.approx(test.pvalue, rel=1e-5)


def test_with_one_follow_up_compound_symmetry_is_a_random_intercept(before_after):
    long, _ = before_after
    arguments = PLANNED | {"terms": FULL}
    one, other = fit_mmrm(long, covariance="cs", **arguments), fit_mixed_model(long, **arguments)
    assert _estimates(one)[1] > 0
    _same(one, other, SAME_OPTIMUM)


@pytest.mark.parametrize("covariates", [(), ("age",)])
def test_with_one_follow_up_baseline_as_a_covariate_is_ordinary_regression(covariates, before_after):
    long, wide = before_after
    later = baseline_as_covariate(
        long, outcome="score", participant="participant", timepoint="time", baseline="start", name="baseline"
    )
    terms = ancova_terms("arm", "time", "baseline", covariates)
    fit = fit_mmrm(later, **PLANNED | {"terms": terms})
    columns = [np.ones(len(wide)), wide["arm"] == "usual", wide["before"], *(wide[name] for name in covariates)]
    x = np.column_stack(columns).astype(float)
    coefficients, (rest,), *_ = np.linalg.lstsq(x, wide["after"].to_numpy(), rcond=None)
    freedom = len(x) - x.shape[1]
    table = fit.tidy().set_index("term").loc[["intercept", "arm[usual]", "baseline", *covariates]]
    assert table["estimate"].to_numpy() == pytest.approx(coefficients, rel=ALGEBRA)
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * rest / freedom)
    assert table["std_error"].to_numpy() == pytest.approx(errors, rel=ALGEBRA)
    assert table["df"].to_numpy() == pytest.approx(freedom, rel=ALGEBRA)
    assert (fit.n_rows, fit.n_participants) == (len(wide), len(wide))


def test_a_constrained_model_by_maximum_likelihood_is_the_regression_on_baseline(before_after):
    """With nobody missing: the likelihood of both scores is that of baseline times that of follow-up given baseline."""
    long, wide = before_after
    fit = fit_mmrm(
        long, **PLANNED | {"terms": constrained_terms("arm", "time")}, method="ml", df_method="satterthwaite"
    )
    x = np.column_stack([np.ones(len(wide)), wide["arm"] == "usual", wide["before"]]).astype(float)
    coefficients = np.linalg.lstsq(x, wide["after"].to_numpy(), rcond=None)[0]
    assert fit.terms == ("intercept", "time[mid]", "arm[usual]:time[mid]")
    assert fit.estimate({"arm[usual]:time[mid]": 1.0}).value == pytest.approx(coefficients[1], rel=ALGEBRA)
    assert fit.estimate({"intercept": 1.0}).value == pytest.approx(wide["before"].mean(), rel=ALGEBRA)
    covariance = fit.covariance[""]
    assert covariance.loc["start", "mid"] / covariance.loc["start", "start"] == pytest.approx(coefficients[2], rel=1e-5)
