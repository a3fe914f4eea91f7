"""MixedLM of statsmodels as a second engine: it agrees, it is refused what it cannot do, and it is not believed when it is wrong."""

import numpy as np
import pandas as pd
import pytest

from analysis.mixed_models import fit_mixed_model
from analysis.mixed_models.optimise import verify
from analysis.mixed_models.statsmodels_engine import PROMISE

# One more Newton step may promise 1e-6 of deviance: a thousandth of a standard error of a parameter.
LIKELIHOOD = 1e-6
VARIANCES = 2e-3
# Coefficients and their errors feel the variances little.
COEFFICIENTS = 1e-3
DF = 5e-3

MODEL = {"outcome": "score", "terms": ("time", "arm", "arm:time", "age"), "participant": "participant"}
PLANNED = MODEL | {"timepoint": "time"}


def _agree(frame, **arguments):
    theirs, ours = (fit_mixed_model(frame, engine=engine, **arguments) for engine in ("statsmodels", "peerimpact"))
    assert ours.converged
    assert theirs.converged
    assert theirs.optimisation.optimiser == "statsmodels"
    assert ours.optimisation.optimiser != "statsmodels"
    assert theirs.optimisation.is_singular is ours.optimisation.is_singular
    assert theirs.log_likelihood == pytest.approx(ours.log_likelihood, abs=LIKELIHOOD)
    assert theirs.log_likelihood <= ours.log_likelihood + 1e-9
    components = [fit.variance_components().set_index("component")["estimate"] for fit in (theirs, ours)]
    assert list(components[0].index) == list(components[1].index)
    zero = components[1] == 0.0
    assert (components[0][zero] == 0.0).all()
    assert np.abs(components[0] / components[1] - 1)[~zero].max() < VARIANCES
    tables = [fit.tidy().set_index("term") for fit in (theirs, ours)]
    assert np.abs((tables[0]["estimate"] - tables[1]["estimate"]) / tables[1]["std_error"]).max() < COEFFICIENTS
    assert np.abs(tables[0]["std_error"] / tables[1]["std_error"] - 1).max() < COEFFICIENTS
    assert np.abs(tables[0]["df"] / tables[1]["df"] - 1).max() < DF
    return theirs, ours


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rows", [MODEL, PLANNED], ids=["rows", "planned"])
@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"groups": "team"},
        {"groups": "site"},
        {"groups": "group", "partially_nested": True},
        {"groups": "late_group", "partially_nested": True},
    ],
    ids=lambda groups: groups.get("groups", "none"),
)
def test_both_engines_find_the_same(groups, rows, seed, make_visits):
    frame = make_visits(seed=seed, group_sd=1.5)
    theirs, ours = _agree(frame, **rows | groups)
    assert theirs.words() == ours.words()
    effects = [fit.random_effects()["estimate"].to_numpy() for fit in (theirs, ours)]
    assert np.abs(effects[0] - effects[1]).max() < VARIANCES
    assert theirs.robust().vcov == pytest.approx(ours.robust().vcov, rel=DF, abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"terms": ()},
        {"terms": ("age", "dose")},
        {"center": ("age",), "references": {"arm": "usual"}},
        {"df_method": "satterthwaite"},
        {"terms": ("time", "arm", "week")},
        {"random": "intercept", "time": "week"},
    ],
)
def test_both_engines_find_the_same_whatever_the_terms(changes, make_visits):
    _agree(make_visits(seed=5), **PLANNED | changes)


@pytest.mark.parametrize("scale", [1e-5, 1e5])
def test_units_of_the_outcome_do_not_matter_to_it(scale, make_visits):
    frame = make_visits(seed=5)
    _agree(frame.assign(score=frame["score"] * scale + 7 * scale), **PLANNED)


def _without_differences(frame, level):
    """Scores whose means differ less between the units of a level than chance alone would make them."""
    means = frame.groupby(level)["score"].transform("mean")
    return frame.assign(score=frame["score"] - (means - frame["score"].mean()).where(frame[level] != "", 0.0))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("level", ["group", "participant"])
def test_a_variance_of_zero_is_found_by_both(level, seed, make_visits):
    frame = _without_differences(make_visits(seed=seed, group_sd=0.0), level)
    arguments = PLANNED if level == "participant" else PLANNED | {"groups": "group", "partially_nested": True}
    theirs, ours = _agree(frame, **arguments)
    assert ours.optimisation.is_singular
    assert theirs.variance_components().set_index("component").loc[f"{level} intercept", "estimate"] == 0.0
    assert "zero" in theirs.words()


@pytest.mark.parametrize("seed", [3, 7])
def test_where_it_stops_short_of_the_border_the_fit_is_right_or_not_called_converged(seed, make_visits):
    """On these two, MixedLM itself stops at a variance near zero where the likelihood still rises."""
    frame = _without_differences(make_visits(seed=seed, group_sd=0.0), "participant")
    theirs, ours = (fit_mixed_model(frame, engine=engine, **PLANNED) for engine in ("statsmodels", "peerimpact"))
    assert ours.converged
    if theirs.converged:
        assert theirs.log_likelihood == pytest.approx(ours.log_likelihood, abs=LIKELIHOOD)
    else:
        assert np.isnan(theirs.coefficients).all()
        assert theirs.optimisation.messages


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "ml", "df_method": "satterthwaite"},
        {"random": "slope", "time": "week"},
        {"random": "slope_uncorrelated", "time": "week"},
        {"groups": {"team": "slope"}, "time": "week"},
        {"groups": ("team", "site")},
        {"residual_by": "arm"},
        {"residual_by": "arm", "groups": "team"},
    ],
)
def test_what_it_cannot_do_is_refused(changes, make_visits, refused):
    with refused("statsmodels_cannot") as caught:
        fit_mixed_model(make_visits(), engine="statsmodels", **PLANNED | changes)
    assert "peerimpact" in str(caught[0])


class _Wrong:
    """Stands in for MixedLM: says that all went well, with variances of its own."""

    found = (1.0, 1.0)

    def __init__(self, *_args, **_arguments):
        pass

    def fit(self, **_options):
        participant, residual = self.found
        return type(
            "Result",
            (),
            {"scale": residual, "cov_re": np.array([[participant]]), "vcomp": np.array([]), "converged": True},
        )()


@pytest.mark.parametrize(
    "found",
    [
        (2.0, 0.5),
        (0.01, 1.0),
        (0.0, 1.0),
        (1e6, 1e-6),
        (np.nan, 1.0),
        (1.0, -1.0),
        (-1.0, 1.0),
        (1.0, 0.0),
        (np.inf, 1.0),
    ],
)
def test_a_wrong_answer_is_not_called_converged(found, make_visits, monkeypatch):
    frame = make_visits(seed=5)
    monkeypatch.setattr("statsmodels.regression.mixed_linear_model.MixedLM", type("Wrong", (_Wrong,), {"found": found}))
    fit = fit_mixed_model(frame, engine="statsmodels", **PLANNED)
    assert not fit.converged
    assert np.isnan(fit.coefficients).all()
    assert np.isnan(fit.log_likelihood)
    assert "NOT CONVERGED" in repr(fit)


@pytest.mark.parametrize("error", [np.linalg.LinAlgError("Singular matrix"), ValueError("not this time")])
def test_an_attempt_that_breaks_off_is_told_and_not_called_converged(error, make_visits, monkeypatch):
    class Broken(_Wrong):
        def fit(self, **_options):
            raise error

    monkeypatch.setattr("statsmodels.regression.mixed_linear_model.MixedLM", Broken)
    fit = fit_mixed_model(make_visits(), engine="statsmodels", **PLANNED)
    assert not fit.converged
    assert all(str(error) in message for message in fit.optimisation.messages)
    assert len(fit.optimisation.messages) >= 2  # more than one optimiser was tried


def test_the_verdict_is_that_of_the_exact_gradient(make_visits):
    frame = make_visits(seed=2)
    theirs, ours = _agree(frame, **PLANNED | {"groups": "team"})
    deviance_of = ours._parts
    from analysis.mixed_models.optimise import Deviance

    blocks = deviance_of.base.model.blocks
    deviance = Deviance(deviance_of.base, blocks, restricted=True)
    assert verify(deviance, blocks, theirs._parts.optimum.working, PROMISE)[0]
    assert not verify(deviance, blocks, theirs._parts.optimum.working * 1.01, PROMISE)[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(score=frame.groupby("participant")["score"].transform("first")),
        lambda frame: frame.assign(team="of " + frame["arm"]),
        lambda frame: frame[frame["participant"] == "p001"],
    ],
    ids=["no change within participants", "a group for each arm", "one participant"],
)
def test_what_is_not_identified_is_not_called_converged_by_it_either(change, make_visits, refused):
    frame = change(make_visits(seed=3))
    arguments = PLANNED | {"groups": "team", "terms": ("time", "arm") if len(set(frame["arm"])) > 1 else ()}
    try:
        fit = fit_mixed_model(frame, engine="statsmodels", **arguments)
    except Exception as error:
        with refused():
            raise error from None
        return
    assert not fit.converged


def test_balanced_data_give_both_engines_the_analysis_of_variance():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(12, 1)) * 2 + rng.normal(size=(12, 5))
    frame = pd.DataFrame({"who": np.repeat(np.arange(12), 5), "score": scores.ravel()})
    within = ((scores - scores.mean(axis=1, keepdims=True)) ** 2).sum() / 48
    among = 5 * scores.mean(axis=1).var(ddof=1)
    fit = fit_mixed_model(frame, outcome="score", terms=(), participant="who", engine="statsmodels")
    expected = [(among - within) / 5, within]
    assert fit.variance_components()["estimate"].tolist() == pytest.approx(expected, rel=VARIANCES)
