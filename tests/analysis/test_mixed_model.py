"""The engine held against the likelihood written out in full, and against algebra."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize

from analysis import AnalysisError, ModelSpecification, fit_mixed_model

# Both sides stop where the deviance is flat to about 1e-9; variances then agree to about its square root.
LIKELIHOOD_TOLERANCE = 1e-7
VARIANCE_TOLERANCE = 1e-4
FIXED_EFFECT_TOLERANCE = 1e-5
# Closed forms on balanced data: only the engine's last step is left.
ALGEBRA_TOLERANCE = 1e-6
TERMS = ("one", "later", "peer_later")


def _trial(seed: int, group_sd: float, participant_sd: float = 1.0, n_groups: int = 6) -> pd.DataFrame:
    """Partially nested: groups of four in one arm, as many participants on their own in the other."""
    rng = np.random.default_rng(seed)
    rows = []
    for peer in (1.0, 0.0):
        for person in range(4 * n_groups):
            group = f"g{person // 4}" if peer else ""
            rows += [(f"{peer}-{person}", group, 1.0, float(wave > 0), peer * (wave > 0), wave) for wave in range(3)]
    frame = pd.DataFrame(rows, columns=["participant", "group", *TERMS, "wave"])
    for column, sd in (("participant", participant_sd), ("group", group_sd)):
        levels = {label: rng.normal(0, sd) if label else 0.0 for label in pd.unique(frame[column])}
        frame[f"of_{column}"] = frame[column].map(levels)
    frame["score"] = 20 + frame["later"] + frame["of_participant"] + frame["of_group"] + rng.normal(size=len(frame))
    return frame.loc[(rng.random(len(frame)) > 0.15) | (frame["wave"] == 0)].reset_index(drop=True)


def _covariance(frame: pd.DataFrame, variances: np.ndarray) -> np.ndarray:
    """The covariance of all rows: residual, participant, group."""
    people, groups = frame["participant"].to_numpy(), frame["group"].to_numpy()
    same_group = (groups[:, None] == groups) & (groups != "")[:, None]
    return variances[0] * np.eye(len(frame)) + variances[1] * (people[:, None] == people) + variances[2] * same_group


def _brute_force(frame: pd.DataFrame, grouped: bool) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Restricted log-likelihood, variances, coefficients and covariance, with V and its inverse in full."""
    x, y = frame[list(TERMS)].to_numpy(), frame["score"].to_numpy()

    def solve(variances: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        covariance = _covariance(frame, variances)
        inverse = np.linalg.inv(covariance)
        information = x.T @ inverse @ x
        coefficients = np.linalg.solve(information, x.T @ inverse @ y)
        rest = y - x @ coefficients
        deviance = (
            np.linalg.slogdet(covariance)[1]
            + np.linalg.slogdet(information)[1]
            + rest @ inverse @ rest
            + (len(y) - x.shape[1]) * np.log(2 * np.pi)
        )
        return deviance, coefficients, np.linalg.inv(information)

    def padded(free: np.ndarray) -> np.ndarray:
        return free**2 if grouped else np.append(free**2, 0.0)

    found = minimize(
        lambda free: solve(padded(free))[0],
        np.ones(3 if grouped else 2),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-11, "maxiter": 5000, "maxfev": 5000},
    )
    deviance, coefficients, covariance = solve(padded(found.x))
    return -deviance / 2, padded(found.x), coefficients, covariance


@pytest.mark.parametrize(("group_sd", "grouped", "from_wave"), [(0.0, False, 0), (0.9, True, 0), (0.9, True, 1)])
def test_variances_and_fixed_effects_are_those_of_the_likelihood_written_out(group_sd, grouped, from_wave):
    frame = _trial(3, group_sd)
    before = frame["wave"] < from_wave
    frame["score"] -= frame["of_group"].where(before, 0.0)
    frame["group"] = frame["group"].mask(before, "")
    fit = fit_mixed_model(frame, ModelSpecification(terms=TERMS, group="group" if grouped else None))
    log_likelihood, variances, coefficients, covariance = _brute_force(frame, grouped)
    assert fit.converged
    assert not fit.is_singular
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=LIKELIHOOD_TOLERANCE)
    found = [fit.variance_residual, fit.variance_participant, fit.variance_group if grouped else 0.0]
    assert found == pytest.approx(list(variances), rel=VARIANCE_TOLERANCE)
    assert fit.coefficients == pytest.approx(coefficients, rel=FIXED_EFFECT_TOLERANCE, abs=FIXED_EFFECT_TOLERANCE)
    assert fit.vcov == pytest.approx(covariance, rel=VARIANCE_TOLERANCE, abs=FIXED_EFFECT_TOLERANCE)


@pytest.mark.parametrize("seed", range(4))
def test_no_group_variance_is_a_valid_fit_at_the_boundary(seed):
    frame = _trial(seed, 0.0)
    meets = frame["group"] != ""
    shift = frame.groupby("group")["score"].transform("mean") - frame.loc[meets, "score"].mean()
    frame["score"] -= shift.where(meets, 0.0)  # groups now differ less than chance alone would make them
    grouped = fit_mixed_model(frame, ModelSpecification(terms=TERMS, group="group"))
    alone = fit_mixed_model(frame, ModelSpecification(terms=TERMS))
    assert grouped.converged
    assert grouped.is_singular
    assert grouped.variance_group == 0.0
    assert grouped.log_likelihood == alone.log_likelihood


@pytest.mark.parametrize(("seed", "singular"), [(7, True), (8, False)])
def test_the_maximum_is_found_where_the_engine_stops_short_of_it(seed, singular):
    frame = _trial(seed, 0.0, participant_sd=0.0)
    fit = fit_mixed_model(frame, ModelSpecification(terms=TERMS, group="group"))
    log_likelihood, variances, coefficients, _ = _brute_force(frame, grouped=True)
    assert fit.converged
    assert fit.is_singular is singular
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=LIKELIHOOD_TOLERANCE)
    assert fit.variance_residual == pytest.approx(variances[0], rel=VARIANCE_TOLERANCE)
    assert fit.coefficients == pytest.approx(coefficients, rel=FIXED_EFFECT_TOLERANCE, abs=FIXED_EFFECT_TOLERANCE)


def test_group_variance_without_participant_variance_is_found():
    fit = fit_mixed_model(_trial(5, 1.5, participant_sd=0.0), ModelSpecification(terms=TERMS, group="group"))
    log_likelihood, variances, _, _ = _brute_force(_trial(5, 1.5, participant_sd=0.0), grouped=True)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=LIKELIHOOD_TOLERANCE)
    assert fit.variance_group == pytest.approx(variances[2], rel=VARIANCE_TOLERANCE)


@pytest.mark.parametrize(("between", "singular"), [(3.0, False), (0.0, True)])
def test_a_balanced_one_way_layout_gives_the_analysis_of_variance(between, singular):
    rng = np.random.default_rng(8)
    participants, rows = 12, 5
    inner = rng.normal(size=(participants, rows))
    inner -= inner.mean(axis=1, keepdims=True)  # participant means are then exactly what is added
    scores = inner + between * stats.norm.ppf((np.arange(participants) + 0.5) / participants)[:, None]
    frame = pd.DataFrame({"participant": np.repeat(np.arange(participants), rows), "one": 1.0, "score": scores.ravel()})
    fit = fit_mixed_model(frame, ModelSpecification(terms=("one",)))
    within = float((inner**2).sum()) / (participants * (rows - 1))
    among = rows * float(scores.mean(axis=1).var(ddof=1))
    pooled = float(((scores - scores.mean()) ** 2).sum()) / (participants * rows - 1)
    assert fit.converged
    assert fit.is_singular is singular
    assert fit.variance_residual == pytest.approx(pooled if singular else within, rel=ALGEBRA_TOLERANCE)
    assert fit.variance_participant == pytest.approx(
        0.0 if singular else (among - within) / rows, rel=ALGEBRA_TOLERANCE
    )


def test_labels_of_participants_and_groups_change_nothing():
    frame = _trial(4, 0.8)
    renamed = frame.assign(participant=_reversed_labels(frame["participant"]), group=_reversed_labels(frame["group"]))
    specification = ModelSpecification(terms=TERMS, group="group")
    pd.testing.assert_frame_equal(
        fit_mixed_model(frame, specification).tidy(), fit_mixed_model(renamed, specification).tidy(), check_exact=True
    )


def _reversed_labels(labels: pd.Series) -> pd.Series:
    """Other labels, in the reverse of their order of appearance; none stays none."""
    seen = [label for label in pd.unique(labels) if label]
    return labels.map({label: f"z{999 - place}" for place, label in enumerate(seen)} | {"": ""})


def test_a_change_of_units_changes_the_fit_by_that_much():
    frame = _trial(6, 0.9)
    specification = ModelSpecification(terms=TERMS, group="group")
    fit = fit_mixed_model(frame, specification)
    moved = fit_mixed_model(frame.assign(score=frame["score"] * 1e6 + 3e8), specification)
    assert moved.coefficients[1:] == pytest.approx(fit.coefficients[1:] * 1e6, rel=ALGEBRA_TOLERANCE)
    assert moved.variance_group == pytest.approx(fit.variance_group * 1e12, rel=VARIANCE_TOLERANCE)


def test_a_linear_combination_has_the_t_interval_of_its_degrees_of_freedom():
    fit = fit_mixed_model(_trial(3, 0.0), ModelSpecification(terms=TERMS))
    found = fit.estimate({"later": 1.0, "peer_later": 1.0})
    std_error = np.sqrt(fit.vcov[1, 1] + fit.vcov[2, 2] + 2 * fit.vcov[1, 2])
    assert found.df == fit.n_participants - 3
    assert found.value == pytest.approx(fit.coefficients[1] + fit.coefficients[2])
    assert (found.conf_high - found.conf_low) / 2 == pytest.approx(stats.t.ppf(0.975, found.df) * std_error)
    assert found.p_value == pytest.approx(2 * stats.t.cdf(-abs(found.value / std_error), found.df))
    assert fit.estimate({"later": 1.0}, df=4).conf_high > fit.estimate({"later": 1.0}).conf_high


def test_a_fit_tells_its_terms_and_itself_in_tables():
    fit = fit_mixed_model(_trial(3, 0.0), ModelSpecification(terms=TERMS))
    tidy, glance = fit.tidy(), fit.glance()
    assert list(tidy["term"]) == list(TERMS)
    assert tidy["statistic"].to_numpy() == pytest.approx((tidy["estimate"] / tidy["std_error"]).to_numpy())
    assert len(glance) == 1
    assert bool(glance["converged"].iloc[0])


def test_one_row_per_participant_is_no_fit_and_gives_no_number():
    frame = _trial(3, 0.0)
    fit = fit_mixed_model(frame.loc[frame["wave"] == 0], ModelSpecification(terms=("one",)))
    assert not fit.converged
    assert np.isnan(fit.coefficients).all()
    assert np.isnan(fit.variance_residual)
    assert "not identified" in fit.messages[0]


def test_no_residual_variance_is_no_fit():
    frame = _trial(3, 0.0)
    fit = fit_mixed_model(frame.assign(score=frame["of_participant"] + frame["later"]), ModelSpecification(terms=TERMS))
    assert not fit.converged
    assert np.isnan(fit.estimate({"later": 1.0}).value)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda frame: frame.drop(columns="later"), "column_incomplete"),
        (lambda frame: frame.assign(score=frame["score"].mask(frame.index == 2)), "column_incomplete"),
        (lambda frame: frame.assign(later=2.0), "terms_dependent"),
        (lambda frame: frame.assign(group=["g" + str(place % 2) for place in range(len(frame))]), "two_groups"),
    ],
)
def test_data_that_do_not_fit_the_specification_are_refused(change, code):
    with pytest.raises(AnalysisError) as caught:
        fit_mixed_model(change(_trial(3, 0.0)), ModelSpecification(terms=TERMS, group="group"))
    assert [problem.code for problem in caught.value.problems] == [code]


def test_an_unknown_term_in_a_combination_is_refused_by_name():
    fit = fit_mixed_model(_trial(3, 0.0), ModelSpecification(terms=TERMS))
    with pytest.raises(AnalysisError, match="no term 'earlier'"):
        fit.estimate({"earlier": 1.0})


def test_the_frame_stays_as_it_was():
    frame = _trial(3, 0.9)
    before = frame.copy(deep=True)
    fit_mixed_model(frame, ModelSpecification(terms=TERMS, group="group"))
    pd.testing.assert_frame_equal(frame, before, check_exact=True)
