"""The engine held against lme4 on published data; the reference README says how the values were made."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import ModelSpecification, fit_mixed_model

pytestmark = pytest.mark.real_data

# The reference fits were polished to a gradient of about 1e-8; ours stop at a promised gain in deviance of 1e-7 or less.
LIKELIHOOD_TOLERANCE = 1e-7
ESTIMATE_TOLERANCE = 1e-5
VARIANCE_TOLERANCE = 1e-4


def _with_ages(frame: pd.DataFrame) -> pd.DataFrame:
    female = (frame["Sex"] == "Female").astype(float)
    ages = {f"age {age}": (frame["age"] == age).astype(float) for age in (10, 12, 14)}
    by_sex = {f"{name} female": values * female for name, values in ages.items()}
    return frame.assign(**ages, female=female, **by_sex)


AGES = ("age 10", "age 12", "age 14")
MODELS = {
    "sleepstudy": (
        "sleepstudy",
        "ri",
        None,
        ModelSpecification(terms=("one", "Days"), outcome="Reaction", participant="Subject"),
    ),
    "orthodont": (
        "orthodont",
        "ri_factor",
        _with_ages,
        ModelSpecification(
            terms=("one", *AGES, "female", *(f"{age} female" for age in AGES)),
            outcome="distance",
            participant="Subject",
        ),
    ),
    "dyestuff": (
        "classics_singular_nested",
        "dyestuff",
        None,
        ModelSpecification(terms=("one",), outcome="Yield", participant="Batch"),
    ),
    "dyestuff2": (
        "classics_singular_nested",
        "dyestuff2_singular",
        None,
        ModelSpecification(terms=("one",), outcome="Yield", participant="Batch"),
    ),
    "pastes": (
        "classics_singular_nested",
        "pastes_nested",
        lambda frame: frame.assign(sample=frame["batch"] + frame["cask"]),
        ModelSpecification(terms=("one",), outcome="strength", participant="sample", group="batch"),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_random_intercept_model_is_that_of_lme4(name, shared):
    file, model, prepare, specification = MODELS[name]
    reference = json.loads((shared / "reference" / f"{file}.json").read_text())["models"][model]
    frame = pd.read_csv(shared / "reference" / "data" / f"{name}.csv").assign(one=1.0)
    fit = fit_mixed_model(prepare(frame) if prepare else frame, specification)
    fixed = reference["fixef"]
    assert fit.converged
    assert fit.is_singular is reference["singular"]
    assert fit.log_likelihood == pytest.approx(reference["logLik"], rel=LIKELIHOOD_TOLERANCE)
    assert fit.coefficients == pytest.approx([row["estimate"] for row in fixed], rel=ESTIMATE_TOLERANCE)
    assert np.sqrt(np.diag(fit.vcov)) == pytest.approx([row["se"] for row in fixed], rel=ESTIMATE_TOLERANCE)
    variances = sorted(row["vcov"] for row in reference["varcorr"])
    ours = [fit.variance_participant, fit.variance_residual, *([fit.variance_group] if fit.n_groups else [])]
    assert sorted(ours) == pytest.approx(variances, rel=VARIANCE_TOLERANCE)
