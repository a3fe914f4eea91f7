"""What the data cannot tell is refused or not called converged; what is asked for wrongly is refused with the way out.

Nothing ends in an error of another kind, whatever the frame holds.
"""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AnalysisError
from analysis.mixed_models import baseline_as_covariate, fit_mixed_model, fit_mmrm, lengthen

MODEL = {"outcome": "score", "terms": ("time", "arm", "arm:time"), "participant": "participant"}
PLANNED = MODEL | {"timepoint": "time"}

# Coefficients of two ways to write the same model, on the scale of their standard errors.
SAME = 1e-6


@pytest.fixture(scope="module")
def visits(make_visits):
    return make_visits(seed=3)


def _is_nothing(fit):
    """Whether a fit that did not converge gives no number away."""
    assert np.isnan(fit.coefficients).all()
    assert np.isnan(fit.vcov).all()
    assert np.isnan(fit.log_likelihood)
    assert fit.tidy().drop(columns="term").isna().all(axis=None)
    assert fit.variance_components().drop(columns="component").isna().all(axis=None)
    assert fit.joint_tests()[["statistic", "p_value"]].isna().all(axis=None)
    assert "NOT CONVERGED" in repr(fit)
    assert all(matrix.isna().all(axis=None) for matrix in fit.covariance.values())
    if fit.kind == "mixed_model":
        assert fit.icc()[["icc", "informative"]].isna().all(axis=None)
    for by in (name for name, variable in fit.design.variables.items() if variable.levels):
        means = fit.marginal_means(by)
        assert means.tidy()[["estimate", "std_error", "p_value"]].isna().all(axis=None)
        for adjust in ("holm", "multivariate_t"):
            assert means.pairwise(by, adjust=adjust).tidy()[["estimate", "std_error", "p_value"]].isna().all(axis=None)
    asks = [fit.robust, fit.augment, *([fit.random_effects] if fit.kind == "mixed_model" else [])]
    for ask in asks:
        with pytest.raises(AnalysisError, match="did not converge"):
            ask()
    return True


def _says_what_to_do(error):
    return all(problem.message and problem.how_to_fix for problem in error.problems)


def _refused_or_nothing(fit):
    """Call a fit of something that is not identified: it is refused, or says that it did not converge."""
    try:
        found = fit()
    except AnalysisError as error:
        return _says_what_to_do(error)
    assert not found.converged, f"converged with {found.variance_components()['estimate'].tolist()}"
    return _is_nothing(found)


# Asked for wrongly


WRONG_NAMES = {
    "outcome": ({"outcome": "scores"}, "column_unknown", "'score'"),
    "term": ({"terms": ("arms",)}, "column_unknown", "'arm'"),
    "part of a product": ({"terms": ("time", "arm:tim")}, "column_unknown", "'time'"),
    "participant": ({"participant": "particpant"}, "column_unknown", "'participant'"),
    "timepoint": ({"timepoint": "times"}, "column_unknown", "'time'"),
    "an empty term": ({"terms": ("",)}, "column_unknown", "Allowed"),
    "a product with nothing": ({"terms": ("arm:",)}, "column_unknown", "Allowed"),
    "a text for terms": ({"terms": "arm"}, None, "Allowed"),
    "term twice": ({"terms": ("arm", "time", "arm")}, "term_twice", "arm"),
    "product twice": ({"terms": ("arm:time", "time:arm")}, "term_twice", "time:arm"),
    "reference level": ({"references": {"arm": "usal"}}, "level_unknown", "'usual'"),
    "reference of no term": ({"references": {"arms": "usual"}}, None, "arm"),
    "reference of a number": ({"terms": ("time", "age"), "references": {"age": "20"}}, None, "age"),
    "centre of no term": ({"center": ("aged",)}, None, "aged"),
    "centre of a factor": ({"center": ("arm",)}, None, "arm"),
    "method": ({"method": "rml"}, "method_unknown", "'reml'"),
    "degrees of freedom": ({"df_method": "kenward-roger"}, "df_method_unknown", "'kenward_roger'"),
    "kenward_roger by ml": ({"method": "ml"}, "kenward_roger_needs_reml", "satterthwaite"),
    "kenward_roger_linear by ml": (
        {"method": "ml", "df_method": "kenward_roger_linear"},
        "kenward_roger_needs_reml",
        "satterthwaite",
    ),
}
FOR_MMRM = {
    "covariance": ({"covariance": "use"}, "covariance_unknown", "'us'"),
    "covariance in a ladder": ({"covariance": ("un", "cs")}, "covariance_unknown", "'us'"),
    "covariance late in a ladder": ({"covariance": ("us", "csx")}, "covariance_unknown", "'cs'"),
    "an empty ladder": ({"covariance": ()}, None, "cs"),
    "stratum": ({"by_arm": "arms"}, "column_unknown", "'arm'"),
    "stratum that changes": ({"by_arm": "time"}, "stratum_changes", "time"),
}
FOR_MIXED = {
    "random": ({"random": "slopes"}, "random_unknown", "'slope'"),
    "engine": ({"engine": "lme4"}, "engine_unknown", "statsmodels"),
    "groups": ({"groups": "teams"}, "column_unknown", "'team'"),
    "kind of groups": ({"groups": {"team": "intercepts"}}, "groups_unknown", "'intercept'"),
    "slope without a time": ({"random": "slope"}, "no_time", "time="),
    "slope of groups without a time": ({"groups": {"team": "slope"}}, "no_time", "time="),
    "time": ({"time": "weeks", "random": "slope"}, "column_unknown", "'week'"),
    "time that differs": ({"time": "day", "random": "slope"}, "time_differs", "day"),
    "residual_by": ({"residual_by": "arms"}, "column_unknown", "'arm'"),
    "residual_by that changes": ({"residual_by": "time"}, "stratum_changes", "time"),
    "groups that change": ({"groups": "late_group", "partially_nested": False}, None, "late_group"),
}


@pytest.mark.parametrize(
    ("function", "name"),
    [(fit_mmrm, name) for name in (*WRONG_NAMES, *FOR_MMRM)]
    + [(fit_mixed_model, name) for name in (*WRONG_NAMES, *FOR_MIXED)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_what_is_asked_for_wrongly_is_refused_with_the_nearest_name(function, name, visits, refused):
    changes, code, named = (WRONG_NAMES | FOR_MMRM | FOR_MIXED)[name]
    with refused(*([code] if code else [])) as caught:
        function(visits, **PLANNED | changes)
    assert named in str(caught[0])


@pytest.mark.parametrize("role", ["terms", "outcome", "by", "groups", "time", "timepoint"])
def test_the_participant_is_nothing_else_beside(role, visits, refused):
    changes = {"terms": ("time", "participant")} if role == "terms" else {role: "participant"}
    for function in (fit_mmrm, fit_mixed_model):
        if role == "by":
            changes = {"by_arm" if function is fit_mmrm else "residual_by": "participant"}
        if function is fit_mmrm and role in ("groups", "time"):
            continue
        with refused():
            function(visits, **PLANNED | changes)


@pytest.mark.parametrize("role", ["terms", "by", "groups"])
def test_the_outcome_is_nothing_else_beside(role, visits, refused):
    changes = {"terms": ("time", "score"), "by": {}, "groups": {}}
    arguments = {"terms": {"terms": changes["terms"]}, "by": {"residual_by": "score"}, "groups": {"groups": "score"}}
    with refused():
        fit_mixed_model(visits, **PLANNED | arguments[role])


@pytest.mark.parametrize("function", [fit_mmrm, fit_mixed_model])
@pytest.mark.parametrize("outcome", [{}, {"start": "scor", "end": "score"}, {"start": "score", "end": "score"}])
def test_a_wide_frame_needs_a_column_for_every_timepoint(function, outcome, visits, refused):
    wide = visits[visits["time"] == "start"].drop(columns="time")
    with refused():
        function(wide, **PLANNED | {"outcome": outcome, "terms": ("arm",)})


def test_a_wide_frame_keeps_its_other_columns(visits, widen, refused):
    """None of them is silently overwritten by the columns that lengthening adds."""
    wide = widen(visits, "arm", "age")
    columns = {"start": "start", "end": "end"}
    for name in ("outcome", "visit"):
        with refused():
            lengthen(wide.assign(**{name: wide["age"]}), columns, timepoint="visit")
    assert set(lengthen(wide, columns, timepoint="visit").columns) == {
        "participant", "arm", "age", "mid", "later", "visit", "outcome",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"baseline": "begin"}, "baseline_unknown"),
        ({"outcome": "scores"}, "column_unknown"),
        ({"name": "age"}, "column_taken"),
    ],
)
def test_a_baseline_that_is_not_there_is_refused(changes, code, visits, refused):
    arguments = {"outcome": "score", "participant": "participant", "timepoint": "time", "baseline": "start"}
    with refused(code):
        baseline_as_covariate(visits, **arguments | changes)
    with refused("row_twice"):
        baseline_as_covariate(pd.concat([visits, visits.iloc[:1]]), **arguments)


def test_a_method_that_does_not_fit_is_refused_afterwards_too(visits, refused):
    fit = fit_mmrm(visits, **PLANNED, method="ml", df_method="satterthwaite")
    for method in ("kenward_roger", "kenward_roger_linear"):
        with refused("kenward_roger_needs_reml"):
            fit.with_df_method(method)
    with refused("df_method_unknown"):
        fit.with_df_method("satterthwait")
    with refused("robust_unknown") as caught:
        fit.robust("CR1")
    assert "CR2" in str(caught[0])
    assert fit.with_df_method("z").tidy()["df"].tolist() == [np.inf] * len(fit.terms)


def test_weights_that_fit_no_coefficients_are_refused(visits, refused):
    fit = fit_mmrm(visits, **PLANNED)
    with refused("term_unknown") as caught:
        fit.estimate({"arm[usal]": 1.0})
    assert "'arm[usual]'" in str(caught[0])
    for weights in (np.ones(3), np.ones(99), np.ones((2, len(fit.terms))), []):
        with refused():
            fit.estimate(weights)
    with refused():
        fit.test([{"arm[usual]": 1.0}, {"arm[usual]": 2.0}])
    with refused():
        fit.test([])


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda fit: fit.marginal_means("arms"), "variable_unknown"),
        (lambda fit: fit.marginal_means("age"), "variable_unknown"),
        (lambda fit: fit.marginal_means("arm", at={"agee": 40.0}), "variable_unknown"),
        (lambda fit: fit.marginal_means("arm", at={"time": 1.0}), "variable_unknown"),
        (lambda fit: fit.marginal_means("arm", weights="cells"), "weights_unknown"),
        (lambda fit: fit.marginal_means(("arm", "time")).pairwise("site"), "factor_unknown"),
        (lambda fit: fit.marginal_means("arm").pairwise("time"), "factor_unknown"),
        (lambda fit: fit.marginal_means("arm").pairwise("arm", adjust="bonferroni"), "adjust_unknown"),
        (lambda fit: fit.marginal_means("arm").versus("arm", "usal"), "level_unknown"),
        (lambda fit: fit.marginal_means("time").change("time", "begin"), "level_unknown"),
        (lambda fit: fit.marginal_means("time").change("arm"), "factor_unknown"),
        (lambda fit: fit.marginal_means(("arm", "time")).difference_in_change("arm", "week"), "factor_unknown"),
        (lambda fit: fit.marginal_means(("arm", "time")).difference_in_change("arm", "time", reference="x"), "level_unknown"),
        (lambda fit: fit.marginal_means(("arm", "time")).difference_in_change("arm", "time", baseline="x"), "level_unknown"),
        (lambda fit: fit.marginal_means(("arm", "time")).combine({("usual", "begin"): 1.0}), "mean_unknown"),
        (lambda fit: fit.marginal_means("arm").combine({("usual", "start"): 1.0}), "mean_unknown"),
    ],
)  # fmt: skip
def test_means_and_contrasts_of_what_is_not_there_are_refused(ask, code, visits, refused):
    with refused(code):
        ask(fit_mmrm(visits, **PLANNED | {"terms": ("time", "arm", "arm:time", "age")}))


def test_what_a_model_does_not_have_is_refused(visits, refused):
    fit = fit_mmrm(visits, **PLANNED)
    for ask in (fit.random_effects, fit.icc):
        with refused("no_random_effects"):
            ask()


# What a frame may hold


NOT_A_NUMBER = {
    "text": lambda frame: frame["score"].map("{:.1f} points".format),
    "numbers as text": lambda frame: frame["score"].astype(str),
    "text with a gap": lambda frame: frame["score"].map(str).mask(frame.index == 3),
    "categories": lambda frame: pd.Categorical(frame["score"].round().astype(int)),
    "ordered words": lambda frame: pd.Categorical(np.where(frame["score"] > 20, "high", "low"), ordered=True),
    "days": lambda frame: pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["score"].round(), unit="D"),
    "durations": lambda frame: pd.to_timedelta(frame["score"], unit="D"),
    "things": lambda frame: [object() for _ in frame.index],
    "lists": lambda frame: [[value] for value in frame["score"]],
    "complex numbers": lambda frame: frame["score"] + 1j,
}


@pytest.mark.parametrize("name", NOT_A_NUMBER)
@pytest.mark.parametrize("function", [fit_mmrm, fit_mixed_model])
def test_an_outcome_that_is_no_number_is_refused(function, name, visits, refused):
    with refused() as caught:
        function(visits.assign(score=NOT_A_NUMBER[name](visits)), **PLANNED)
    assert "score" in str(caught[0])


@pytest.mark.parametrize("name", ["text", "categories", "days", "things"])
def test_a_time_that_is_no_number_is_refused(name, visits, refused):
    frame = visits.assign(when=NOT_A_NUMBER[name](visits))
    for planned in (MODEL, PLANNED):
        with refused() as caught:
            fit_mixed_model(frame, time="when", random="slope", **planned)
        assert "when" in str(caught[0])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("column", ["score", "age", "dose", "day"])
def test_infinite_numbers_are_refused_by_name(column, value, visits, refused):
    frame = visits.assign(**{column: visits[column].mask(visits.index == 5, value)})
    with refused() as caught:
        fit_mixed_model(frame, time="day", random="slope", **MODEL | {"terms": ("day", "arm", "age", "dose")})
    assert f"'{column}'" in str(caught[0])


SAME_NUMBERS = {
    "truth values": (lambda values: values > 40, lambda values: (values > 40).astype(float)),
    "nullable truth values": (
        lambda values: (values > 40).astype("boolean"),
        lambda values: (values > 40).astype(float),
    ),
    "nullable integers": (lambda values: values.astype("Int64"), lambda values: values),
    "small integers": (lambda values: values.astype("int8"), lambda values: values),
    "nullable floats": (lambda values: values.astype("Float32"), lambda values: values),
    "arrow integers": (lambda values: values.astype("int64[pyarrow]"), lambda values: values),
    "arrow floats": (lambda values: values.astype("double[pyarrow]"), lambda values: values),
}


@pytest.mark.parametrize("name", SAME_NUMBERS)
@pytest.mark.parametrize("gap", [False, True])
def test_kinds_of_numbers_make_no_difference(name, gap, visits):
    convert, plain = SAME_NUMBERS[name]
    missing = visits.index % 9 == 4 if gap else np.zeros(len(visits), dtype=bool)
    plain_age = plain(visits["age"]).mask(missing)
    age = convert(visits["age"])
    if gap:
        age = age.astype(
            "boolean" if name == "truth values" else "Int8" if name == "small integers" else age.dtype
        ).mask(missing)
    terms = {"terms": ("time", "age", "age:arm")}
    fits = [fit_mmrm(visits.assign(age=each), **PLANNED | terms) for each in (age, plain_age)]
    assert fits[0].terms == fits[1].terms
    assert fits[0].n_rows == fits[1].n_rows
    difference = (fits[0].coefficients - fits[1].coefficients) / np.sqrt(np.diag(fits[1].vcov))
    assert np.abs(difference).max() < SAME


@pytest.mark.parametrize("kind", ["truth values", "nullable integers", "arrow floats"])
def test_an_outcome_may_be_any_kind_of_number(kind, visits):
    convert, plain = SAME_NUMBERS[kind]
    scores = visits["score"].round() * 2
    fits = [fit_mmrm(visits.assign(score=each(scores)), covariance="cs", **PLANNED) for each in (convert, plain)]
    assert fits[0].converged
    assert fits[0].coefficients == pytest.approx(fits[1].coefficients, rel=SAME, abs=SAME)


LABELS = {
    "text": lambda codes: codes.map("level {}".format),
    "arrow text": lambda codes: codes.map("level {}".format).astype("string[pyarrow]"),
    "categories": lambda codes: pd.Categorical(codes.map("level {}".format)),
    "categories of numbers": lambda codes: pd.Categorical(codes),
    "days": lambda codes: pd.Timestamp("2024-01-01") + pd.to_timedelta(codes, unit="D"),
    "dates": lambda codes: [dt.date(2024, 1, 1 + code) for code in codes],
    "decimals": lambda codes: [decimal.Decimal(code) for code in codes],
    "pairs": lambda codes: [("level", code) for code in codes],
    "text and numbers": lambda codes: [f"level {code}" if code % 2 else code for code in codes],
    "truth values and text": lambda codes: [code == 1 if code < 2 else f"more {code}" for code in codes],
}


@pytest.mark.parametrize("role", ["participant", "timepoint", "groups", "stratum", "term"])
@pytest.mark.parametrize("name", LABELS)
def test_labels_of_any_kind_are_labels_or_refused(name, role, visits):
    column = {"participant": "participant", "timepoint": "time", "groups": "team", "stratum": "arm", "term": "site"}[
        role
    ]
    codes = pd.Series(pd.factorize(visits[column], sort=True)[0], index=visits.index)
    if role == "participant" and name == "dates":
        pytest.skip("a month has fewer days than there are participants")
    arguments = PLANNED | {"terms": ("time", "arm", "site"), "groups": "team", "residual_by": "arm", "df_method": "z"}
    try:
        fit = fit_mixed_model(visits.assign(**{column: LABELS[name](codes)}), **arguments)
    except AnalysisError:
        return
    plain = visits.assign(**{column: pd.Categorical(codes.map("{:03}".format))})
    expected = fit_mixed_model(plain, **arguments)
    assert fit.converged
    assert len(fit.terms) == len(expected.terms)
    assert len(set(fit.terms)) == len(fit.terms)
    assert fit.log_likelihood == pytest.approx(expected.log_likelihood, abs=SAME)


@pytest.mark.parametrize(
    "values",
    [[20240101.0, 20240102.0, 20240103.0, 20240104.0], [0.1234561, 0.1234562, 0.1234563, 0.1234564], [1, "1", 2, "2"]],
)
def test_levels_that_differ_have_names_that_differ(values, visits, refused):
    frame = visits.assign(
        time=visits["time"].cat.codes.map(dict(enumerate(values))).astype(object if "1" in values else float)
    )
    try:
        fit = fit_mmrm(frame, **PLANNED)
    except AnalysisError:
        return
    assert len(set(fit.terms)) == len(fit.terms)
    means = fit.marginal_means("time").tidy()
    assert means["time"].nunique() == 4
    expected = fit_mmrm(visits, **PLANNED).marginal_means("time").tidy()
    assert means["estimate"].to_numpy() == pytest.approx(expected["estimate"].to_numpy(), rel=SAME)


@pytest.mark.parametrize("column", ["score", "age", "arm", "participant", "time"])
def test_a_column_that_stands_twice_is_refused(column, visits, refused):
    twice = pd.concat([visits, visits[[column]]], axis=1)
    with refused() as caught:
        fit_mmrm(twice, **PLANNED | {"terms": ("time", "arm", "age")})
    assert column in str(caught[0])


def test_an_index_of_any_kind_is_of_no_interest(visits):
    expected = fit_mixed_model(visits, **PLANNED, groups="group", partially_nested=True)
    for index in (np.zeros(len(visits), dtype=int), visits["participant"], range(len(visits), 0, -1)):
        found = fit_mixed_model(visits.set_axis(index, axis=0), **PLANNED, groups="group", partially_nested=True)
        pd.testing.assert_frame_equal(found.tidy(), expected.tidy(), check_exact=True)
        assert found.augment()["row"].tolist() == list(range(len(visits)))


def test_missing_ids_leave_rows_out_and_are_counted(visits):
    ids = visits["participant"].mask(visits.index % 10 == 0)
    fit = fit_mmrm(visits.assign(participant=ids), **PLANNED)
    expected = fit_mmrm(visits[visits.index % 10 > 0], **PLANNED)
    assert fit.dropped_rows == {"another column missing": int(ids.isna().sum())}
    pd.testing.assert_frame_equal(fit.tidy(), expected.tidy(), check_exact=True)
    assert f"{ids.isna().sum()} rows" in repr(fit)


@pytest.mark.parametrize("column", ["score", "age", "participant", "time", "arm"])
def test_a_column_without_a_value_is_refused(column, visits, refused):
    for empty in (np.nan, None, pd.NA):
        with refused("no_rows") as caught:
            fit_mmrm(visits.assign(**{column: empty}), **PLANNED | {"terms": ("time", "arm", "age")})
        assert caught


@pytest.mark.parametrize("function", [fit_mmrm, fit_mixed_model])
def test_too_few_rows_are_refused(function, visits, refused):
    with refused("no_rows"):
        function(visits.iloc[:0], **PLANNED)
    with refused("no_rows"):
        function(pd.DataFrame(columns=visits.columns), **PLANNED)
    for terms in ((), ("arm",), ("time", "arm")):
        with refused():
            function(visits.iloc[:1], **PLANNED | {"terms": terms})


@pytest.mark.parametrize("function", [fit_mmrm, fit_mixed_model])
def test_one_participant_tells_nothing_of_others(function, visits):
    rows = visits[visits["participant"] == "p001"]
    assert len(rows) == 4
    for terms in ((), ("week",)):
        assert _refused_or_nothing(lambda terms=terms: function(rows, **PLANNED | {"terms": terms}))
        for covariance in ("cs", "ar1", "csh"):
            assert _refused_or_nothing(
                lambda terms=terms, kind=covariance: fit_mmrm(rows, covariance=kind, **PLANNED | {"terms": terms})
            )
        assert _refused_or_nothing(lambda terms=terms: fit_mixed_model(rows, **MODEL | {"terms": terms}))


@pytest.mark.parametrize("function", [fit_mmrm, fit_mixed_model])
def test_rows_of_a_participant_at_one_timepoint_only_are_refused(function, visits, refused):
    with refused("row_twice"):
        function(pd.concat([visits, visits.iloc[3:4]]), **PLANNED)
    with refused("one_row_per_participant") as caught:
        function(visits.assign(participant=visits["participant"] + visits["time"].astype(str)), **PLANNED)
    assert "two" in str(caught[0])


def test_levels_that_nobody_has_are_no_levels(visits):
    more = visits.assign(
        time=visits["time"].cat.add_categories(["much later"]),
        arm=pd.Categorical(visits["arm"], ["peer", "waiting", "usual"]),
    )
    fit, expected = fit_mmrm(more, **PLANNED), fit_mmrm(visits, **PLANNED)
    assert fit.design.timepoints == expected.design.timepoints
    pd.testing.assert_frame_equal(fit.tidy(), expected.tidy(), check_exact=True)


# An outcome that does not vary


CONSTANT = {
    "constant": lambda frame: 0 * frame["score"] + 0.1,
    "large and constant": lambda frame: 0 * frame["score"] + 1e9 / 3,
    "the age": lambda frame: 1.1 * frame["age"] - 0.3,
    "age and week": lambda frame: 0.1 * frame["age"] + frame["week"] / 7,
    "age, week and arm, far from zero": lambda frame: (
        1e7 + frame["age"] / 3 + frame["week"] / 7 + (frame["arm"] == "peer") / 9
    ),
    "very small": lambda frame: 1e-9 * frame["age"] / 3 + 1e-9 * (frame["arm"] == "peer") / 7,
}


@pytest.mark.parametrize("name", CONSTANT)
@pytest.mark.parametrize("function", [fit_mmrm, fit_mixed_model])
def test_an_outcome_that_the_terms_explain_in_full_is_refused(function, name, visits, refused):
    frame = visits.assign(score=CONSTANT[name](visits))
    with refused("constant_outcome"):
        function(frame, **PLANNED | {"terms": ("time", "arm", "age")})


def test_an_outcome_that_is_a_term_is_refused(visits, refused):
    for function in (fit_mmrm, fit_mixed_model):
        with refused():
            function(visits, **PLANNED | {"terms": ("time", "score")})
        with refused("constant_outcome"):
            function(visits.assign(copy=visits["score"] * 3 - 7), **PLANNED | {"terms": ("time", "copy")})


# Parameters that the data do not hold


def _drifting(frame):
    """Scores that are the same at all timepoints of a participant."""
    return frame.assign(score=frame.groupby("participant")["score"].transform("first"))


NOT_IDENTIFIED = {
    "no change within participants": lambda frame: fit_mixed_model(_drifting(frame), **PLANNED),
    "no change within participants, as rows": lambda frame: fit_mixed_model(_drifting(frame), **MODEL),
    **{
        f"no change within participants, {kind}": lambda frame, kind=kind: fit_mmrm(
            _drifting(frame), covariance=kind, **PLANNED
        )
        for kind in ("us", "cs", "csh", "ar1", "toeph", "ad")
    },
    "a level for every participant": lambda frame: fit_mixed_model(
        frame.assign(who=frame["participant"]), **PLANNED | {"terms": ("time", "who")}
    ),
    "a level for every participant, as rows": lambda frame: fit_mixed_model(
        frame.assign(who=frame["participant"]), **MODEL | {"terms": ("time", "who")}
    ),
    **{
        f"a level for every participant, {kind}": lambda frame, kind=kind: fit_mmrm(
            frame.assign(who=frame["participant"]), covariance=kind, **PLANNED | {"terms": ("time", "who")}
        )
        for kind in ("us", "cs", "toep")
    },
    "a group for each arm": lambda frame: fit_mixed_model(
        frame.assign(group="of " + frame["arm"]), groups="group", **PLANNED
    ),
    "a group for each arm, as rows": lambda frame: fit_mixed_model(
        frame.assign(group="of " + frame["arm"]), groups="group", **MODEL
    ),
    "a site for each arm": lambda frame: fit_mixed_model(
        frame.assign(team=frame["team"] + frame["arm"], site="of " + frame["arm"]), groups=("team", "site"), **PLANNED
    ),
    "groups as a term": lambda frame: fit_mixed_model(
        frame.assign(again=frame["team"]), groups="team", **PLANNED | {"terms": ("time", "again")}
    ),
    "groups that are sites": lambda frame: fit_mixed_model(
        frame.assign(site=frame["team"]), groups=("team", "site"), **PLANNED
    ),
    "groups that are sites, as rows": lambda frame: fit_mixed_model(
        frame.assign(site=frame["team"]), groups=("team", "site"), **MODEL
    ),
    "a group for each participant": lambda frame: fit_mixed_model(
        frame.assign(team=frame["participant"]), groups="team", **PLANNED
    ),
    "a group for each participant, as rows": lambda frame: fit_mixed_model(
        frame.assign(team=frame["participant"]), groups="team", **MODEL
    ),
    "one group": lambda frame: fit_mixed_model(frame.assign(team="all"), groups="team", **PLANNED),
    "one group, as rows": lambda frame: fit_mixed_model(frame.assign(team="all"), groups="team", **MODEL),
    "one group and people without": lambda frame: fit_mixed_model(
        frame.assign(group=np.where(frame["arm"] == "peer", "all", "")), groups="group", partially_nested=True, **PLANNED
    ),
    "no group at all": lambda frame: fit_mixed_model(
        frame.assign(group=""), groups="group", partially_nested=True, **PLANNED
    ),
    "no group at all, as rows": lambda frame: fit_mixed_model(
        frame.assign(group=""), groups="group", partially_nested=True, **MODEL
    ),
    "no group at all, missing": lambda frame: fit_mixed_model(
        frame.assign(group=np.nan), groups="group", partially_nested=True, **MODEL
    ),
    "two people with groups of their own": lambda frame: fit_mixed_model(
        frame.assign(group=frame["participant"].where(frame["participant"] < "p002", "")),
        groups="group",
        partially_nested=True,
        **PLANNED,
    ),
    "crossed groups": lambda frame: fit_mixed_model(
        frame.assign(team="t" + frame["participant"].str[-1]), groups=("team", "site"), **PLANNED
    ),
    "crossed groups, as rows": lambda frame: fit_mixed_model(
        frame.assign(team="t" + frame["participant"].str[-1]), groups=("team", "site"), **MODEL
    ),
    "sites below groups": lambda frame: fit_mixed_model(frame, groups=("site", "team"), **PLANNED),
    "sites below groups, as rows": lambda frame: fit_mixed_model(frame, groups=("site", "team"), **MODEL),
    "two groups of a participant": lambda frame: fit_mixed_model(
        frame.assign(team=frame["time"]), groups="team", **PLANNED
    ),
    "groups missing on some rows": lambda frame: fit_mixed_model(frame, groups="group", **PLANNED),
    "groups not a number on some rows": lambda frame: fit_mixed_model(
        frame.assign(group=frame["group"].mask(frame["group"] == "")), groups="group", **PLANNED
    ),
    "slope from two timepoints": lambda frame: fit_mixed_model(
        frame[frame["time"].isin(["start", "end"])], time="week", random="slope", **PLANNED
    ),
    "slope from two rows each, as rows": lambda frame: fit_mixed_model(
        frame.groupby("participant").head(2), time="day", random="slope", **MODEL | {"terms": ("day", "arm")}
    ),
    "slope in a time that stands still": lambda frame: fit_mixed_model(
        frame.assign(week=4.0), time="week", random="slope", **MODEL
    ),
    "slope in a time that is zero": lambda frame: fit_mixed_model(
        frame.assign(week=0.0), time="week", random="slope", **MODEL
    ),
    "uncorrelated slope in a time that stands still": lambda frame: fit_mixed_model(
        frame.assign(week=4.0), time="week", random="slope_uncorrelated", **MODEL
    ),
    "slope of groups in a time that stands still": lambda frame: fit_mixed_model(
        frame.assign(week=4.0), time="week", groups={"team": "slope"}, **MODEL
    ),
    "nobody at both of two timepoints": lambda frame: fit_mmrm(_apart(frame), covariance="us", **PLANNED),
    "nobody at two timepoints with that distance": lambda frame: fit_mmrm(_apart(frame), covariance="toeph", **PLANNED),
    "an arm that nobody saw at a timepoint": lambda frame: fit_mmrm(
        frame[(frame["arm"] == "peer") | (frame["time"] != "later")], by_arm="arm", covariance="csh", **PLANNED
    ),
    "an arm without anybody seen twice": lambda frame: fit_mmrm(
        frame[(frame["arm"] == "peer") | (frame["time"] == "start")], by_arm="arm", covariance="cs", **PLANNED
    ),
    "fewer participants than timepoints": lambda frame: fit_mmrm(
        frame[frame["participant"] < "p004"], **PLANNED | {"terms": ("time",)}
    ),
    "fewer participants than timepoints in an arm": lambda frame: fit_mmrm(
        frame[(frame["arm"] == "peer") | (frame["participant"] < "p004")], by_arm="arm", **PLANNED
    ),
    "scores that are the same at two timepoints": lambda frame: fit_mmrm(
        frame.assign(score=frame["score"].where(frame["time"] != "end", frame.groupby("participant")["score"].transform("first"))),
        **PLANNED,
    ),
    "a residual variance for a single row": lambda frame: fit_mixed_model(
        frame[(frame["participant"] != "p001") | (frame["time"] == "start")].assign(
            own=np.where(frame["participant"] == "p001", "one", "others")[
                (frame["participant"] != "p001") | (frame["time"] == "start")
            ]
        ),
        residual_by="own",
        **PLANNED | {"terms": ("time", "own")},
    ),
}  # fmt: skip


def _apart(frame):
    """Nobody is seen at both the first and the last of four timepoints."""
    early = frame["participant"] < "p018"
    return frame[(early & (frame["time"] != "later")) | (~early & (frame["time"] != "start"))]


@pytest.mark.parametrize("covariance", ["us", "cs", "csh", "ar1", "ad", "toep"])
def test_whole_numbers_that_do_not_change_within_participants_are_no_fit(covariance):
    people = {"a": [1], "c": [1, 2], "d": [2], "b": [1, 3], "e": [2, 3]}
    rows = [(who, time, float(place)) for place, (who, times) in enumerate(people.items()) for time in times]
    frame = pd.DataFrame(rows, columns=["participant", "time", "score"])
    assert _refused_or_nothing(lambda: fit_mmrm(frame, covariance=covariance, **PLANNED | {"terms": ()}))
    assert _refused_or_nothing(lambda: fit_mixed_model(frame, **PLANNED | {"terms": ()}))


@pytest.mark.parametrize("name", NOT_IDENTIFIED)
@pytest.mark.parametrize("seed", [2, 5])
def test_what_is_not_identified_is_refused_or_not_called_converged(name, seed, make_visits):
    frame = make_visits(seed=seed, gaps=0.1, n=24)
    assert _refused_or_nothing(lambda: NOT_IDENTIFIED[name](frame))


@pytest.mark.parametrize("seed", [12, 15, 22])
@pytest.mark.parametrize("covariance", ["us", "cs", "toep"])
def test_where_the_deviance_is_flat_rounding_is_no_curvature(covariance, seed, make_visits):
    """On these few people a search can end where rounding alone looks like the bottom of a valley."""
    frame = make_visits(seed=seed, gaps=0.1, n=10)
    assert _refused_or_nothing(lambda: NOT_IDENTIFIED[f"a level for every participant, {covariance}"](frame))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("one group", "too_few_groups"),
        ("one group, as rows", "too_few_groups"),
        ("one group and people without", "too_few_groups"),
        ("no group at all", "too_few_groups"),
        ("no group at all, as rows", "too_few_groups"),
        ("a group for each participant", "group_without_replication"),
        ("a group for each participant, as rows", "group_without_replication"),
        ("two people with groups of their own", "group_without_replication"),
        ("crossed groups", "groups_crossed"),
        ("crossed groups, as rows", "groups_crossed"),
        ("sites below groups", "groups_crossed"),
        ("sites below groups, as rows", "groups_crossed"),
        ("two groups of a participant", "two_groups"),
        ("groups missing on some rows", "group_missing"),
        ("groups not a number on some rows", "group_missing"),
        ("slope from two timepoints", "slope_not_identified"),
        ("slope from two rows each, as rows", "slope_not_identified"),
        ("nobody at both of two timepoints", "covariance_not_identified"),
        ("an arm without anybody seen twice", "one_row_per_participant"),
    ],
)
def test_what_can_be_seen_beforehand_is_refused_with_the_reason(name, code, make_visits, refused):
    with refused(code):
        NOT_IDENTIFIED[name](make_visits(seed=3, gaps=0.1, n=24))


def test_nobody_at_both_of_two_timepoints_is_said_by_name(make_visits, refused):
    frame = _apart(make_visits(seed=3))
    with refused("covariance_not_identified") as caught:
        fit_mmrm(frame, **PLANNED)
    assert "'start'" in str(caught[0])
    assert "'later'" in str(caught[0])
    peers = pd.concat([frame[frame["arm"] == "peer"], make_visits(seed=3)[lambda rows: rows["arm"] == "usual"]])
    with refused("covariance_not_identified") as caught:
        fit_mmrm(peers, by_arm="arm", **PLANNED)
    assert "'peer'" in str(caught[0])


# Columns that add nothing, and cells that nobody is in


def test_columns_that_add_nothing_are_left_out_and_named(visits):
    frame = visits.assign(years=visits["age"] + 0.0, months=visits["age"] * 12, same=1.5, zero=0.0, only="one")
    terms = ("time", "arm", "age", "years", "months", "same", "zero", "only", "week")
    fit, expected = (
        fit_mmrm(frame, **PLANNED | {"terms": terms}),
        fit_mmrm(visits, **PLANNED | {"terms": ("time", "arm", "age")}),
    )
    assert fit.terms == expected.terms
    assert fit.dropped_terms == ("years", "months", "same", "zero", "week")
    assert all(name in fit.words() for name in fit.dropped_terms)
    pd.testing.assert_frame_equal(fit.tidy(), expected.tidy(), check_exact=False, rtol=SAME)
    assert fit.log_likelihood == pytest.approx(expected.log_likelihood, abs=SAME)


def test_the_order_of_terms_changes_nothing_but_the_order(visits):
    """Also where a product is zero wherever it is not the main effect, so that one of them has to go."""
    frame = visits.assign(dose=np.where(visits["arm"] == "usual", 0.0, visits["dose"] + 1))
    fits = [
        fit_mmrm(frame, **PLANNED | {"terms": terms}, references={"arm": "peer"})
        for terms in (
            ("time", "arm", "dose", "arm:dose"),
            ("time", "arm:dose", "arm", "dose"),
            ("arm:dose", "dose", "time", "arm"),
        )
    ]
    for fit in fits:
        assert fit.dropped_terms == ("arm[usual]:dose",)
        assert fit.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=SAME)
        rows = [
            each.tidy().set_index("term").loc[list(fits[0].terms), ["estimate", "std_error"]] for each in (fit, fits[0])
        ]
        assert rows[0].to_numpy() == pytest.approx(rows[1].to_numpy(), rel=SAME)


def test_a_square_alone_is_a_square(visits):
    squared = visits.assign(square=visits["age"] ** 2)
    expected = fit_mmrm(squared, **PLANNED | {"terms": ("time", "square")})
    try:
        fit = fit_mmrm(visits, **PLANNED | {"terms": ("time", "age:age")})
    except AnalysisError:
        return
    assert fit.coefficients == pytest.approx(expected.coefficients, rel=SAME)


def test_a_cell_that_nobody_is_in_is_refused_by_name_and_missing_in_tables(visits, refused):
    frame = visits[(visits["arm"] == "peer") | (visits["time"] != "later")]
    fit = fit_mmrm(frame, **PLANNED)
    assert fit.converged
    assert fit.dropped_terms == ("arm[usual]:time[later]",)
    with refused("not_estimable") as caught:
        fit.estimate({"arm[usual]:time[later]": 1.0})
    assert "'arm[usual]:time[later]'" in str(caught[0])
    assert fit.estimate({"arm[usual]:time[end]": 1.0}).std_error > 0
    means = fit.marginal_means(("arm", "time"))
    table = means.tidy().set_index(["arm", "time"])
    unknown = table["estimate"].isna()
    assert unknown[unknown].index.tolist() == [("usual", "later")]
    assert table.loc[("usual", "later"), ["std_error", "p_value", "conf_low"]].isna().all()
    for adjust in ("none", "holm", "multivariate_t"):
        contrasts = means.pairwise("arm", adjust=adjust).tidy().set_index("time")
        assert contrasts["estimate"].isna().to_dict() == {"start": False, "mid": False, "end": False, "later": True}
        changes = means.difference_in_change("arm", "time", adjust=adjust).tidy().set_index("change")
        assert changes["estimate"].isna().to_list() == [False, False, True]
        if adjust != "none":
            assert changes["p_adjusted"].isna().to_list() == [False, False, True]
    assert np.isnan(means.combine({("usual", "later"): 1.0}).value)
    assert means.combine({("peer", "later"): 1.0, ("peer", "start"): -1.0}).std_error > 0
    by_time = fit.marginal_means("time").tidy().set_index("time")["estimate"].isna()
    assert by_time.to_dict() == {"start": False, "mid": False, "end": False, "later": True}
    assert "arm[usual]:time[later]" in repr(fit)


def test_an_arm_that_starts_late_can_still_be_compared_where_both_are(visits):
    frame = visits[(visits["arm"] == "peer") | (visits["time"] != "start")]
    for references in ({}, {"arm": "usual"}, {"time": "end"}, {"time": "later", "arm": "usual"}):
        means = fit_mmrm(frame, references=references, **PLANNED).marginal_means(("arm", "time"))
        table = means.tidy().set_index(["arm", "time"])
        assert table["estimate"].isna().sum() == 1
        assert np.isnan(table.loc[("usual", "start"), "estimate"])
        pairs = means.versus("arm", "usual").tidy().set_index("time")["estimate"]
        assert pairs.isna().to_dict() == {"start": True, "mid": False, "end": False, "later": False}


# Whatever comes


@st.composite
def small_frames(draw):
    """A few rows of anything, and a model of them."""
    n = draw(st.integers(1, 14))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    values = draw(st.sampled_from(["normal", "whole", "binary", "huge", "tiny", "person", "line"]))
    frame = pd.DataFrame(
        {
            "participant": draw(st.lists(st.sampled_from("abcdef"), min_size=n, max_size=n)),
            "time": draw(st.lists(st.sampled_from([1, 2, 3]), min_size=n, max_size=n)),
            "arm": draw(st.lists(st.sampled_from(["x", "y"]), min_size=n, max_size=n)),
            "group": draw(st.lists(st.sampled_from(["", "g", "h"]), min_size=n, max_size=n)),
            "age": draw(st.lists(st.sampled_from([0.0, 1.0, 5.0, np.nan]), min_size=n, max_size=n)),
        }
    )
    if draw(st.booleans()):
        frame = frame.drop_duplicates(["participant", "time"], ignore_index=True)
    for column in draw(st.sets(st.sampled_from(["arm", "group", "age"]))):
        frame[column] = frame.groupby("participant")[column].transform("first")
    person = pd.factorize(frame["participant"])[0].astype(float)
    frame["score"] = {
        "normal": rng.normal(size=len(frame)) + person,
        "whole": rng.integers(0, 4, len(frame)).astype(float),
        "binary": rng.integers(0, 2, len(frame)).astype(float),
        "huge": 1e60 * rng.normal(size=len(frame)),
        "tiny": 1e-60 * rng.normal(size=len(frame)),
        "person": person,
        "line": person + frame["time"],
    }[values]
    terms = draw(
        st.sampled_from(
            [(), ("arm",), ("time", "arm"), ("time", "arm", "arm:time"), ("age", "age:arm"), ("group", "age")]
        )
    )
    arguments = {
        "outcome": "score",
        "terms": terms,
        "participant": "participant",
        "df_method": draw(st.sampled_from(["kenward_roger", "satterthwaite"])),
    }
    if draw(st.booleans()):
        arguments |= {
            "timepoint": "time",
            "covariance": draw(st.sampled_from(["us", "cs", "csh", "toeph", "ar1", "adh"])),
        }
        arguments |= {"by_arm": "arm"} if draw(st.booleans()) else {}
        return fit_mmrm, frame, arguments
    arguments |= draw(
        st.sampled_from(
            [
                {},
                {"timepoint": "time"},
                {"time": "time"},
                {"time": "time", "random": "slope"},
                {"time": "age", "random": "slope_uncorrelated"},
            ]
        )
    )
    arguments |= draw(
        st.sampled_from(
            [
                {},
                {"groups": "group"},
                {"groups": "group", "partially_nested": True},
                {"groups": ("group", "arm"), "partially_nested": True},
            ]
        )
    )
    arguments |= {"residual_by": "arm"} if draw(st.booleans()) else {}
    return fit_mixed_model, frame, arguments


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(small_frames())
def test_any_frame_is_fitted_refused_or_said_not_to_have_converged(drawn):
    function, frame, arguments = drawn
    try:
        fit = function(frame, **arguments)
    except AnalysisError as error:
        assert _says_what_to_do(error)  # noqa: PT017 - a fit is as good
        return
    repr(fit)
    if not fit.converged:
        assert np.isnan(fit.coefficients).all()
        return
    assert np.isfinite(fit.log_likelihood)
    assert np.isfinite(fit.coefficients).all()
    assert np.isfinite(fit.vcov).all()
    table = fit.tidy()
    if arguments["df_method"] == "satterthwaite":
        assert (table["std_error"] > 0).all()
    else:  # adjusted, a variance may be negative in the smallest samples: there is no error then
        assert table.loc[~(table["std_error"] > 0), ["statistic", "p_value", "conf_low"]].isna().all(axis=None)
    components = fit.variance_components().set_index("component")["estimate"]
    positive = [
        name
        for name in components.index
        if not name.startswith(("covariance", "correlation")) and "covariance" not in name
    ]
    assert (components[positive] >= 0).all()
    fit.joint_tests()
    for name in (each for each, variable in fit.design.variables.items() if variable.levels):
        fit.marginal_means(name).pairwise(name).tidy()
    assert len(fit.augment()) == fit.n_rows
    assert np.isfinite(fit.augment()["residual"]).all()


# What rounding may not decide


def test_a_search_that_stumbles_is_not_the_end_of_the_program(make_visits):
    """A flat deviance can trip the trust region of scipy over a variable of its own."""
    frame = _drifting(make_visits(seed=2, gaps=0.1, n=24))
    for covariance in ("cs", "ar1"):
        assert _refused_or_nothing(lambda kind=covariance: fit_mmrm(frame, covariance=kind, **PLANNED))


@pytest.mark.parametrize("seed", [12, 15, 22])
def test_covariances_that_a_term_takes_in_are_refused_before_the_search(seed, make_visits, refused):
    with refused("covariance_not_identified") as caught:
        NOT_IDENTIFIED["a level for every participant, cs"](make_visits(seed=seed, gaps=0.1, n=10))
    assert "from the terms" in str(caught[0])


def test_a_date_that_follows_the_timepoint_is_not_taken_for_its_mean(visits):
    """Twenty million and a few: the differences are all that a trend can be fitted to."""
    dates = {"start": 20_250_110.0, "mid": 20_250_211.0, "end": 20_250_412.0, "later": 20_250_719.0}
    on = visits["time"].astype(str).map(dates)
    frame = visits.assign(on=on, days=on - 20_250_110.0)
    options = {"covariance": "cs"} | PLANNED
    fit, expected = (fit_mmrm(frame, **options | {"terms": (name, "arm")}) for name in ("on", "days"))
    assert fit.dropped_terms == ()
    slopes = [each.tidy().set_index("term") for each in (fit, expected)]
    assert slopes[0].loc["on", "estimate"] == pytest.approx(slopes[1].loc["days", "estimate"], rel=1e-8)
    assert slopes[0].loc["on", "std_error"] == pytest.approx(slopes[1].loc["days", "std_error"], rel=1e-8)
