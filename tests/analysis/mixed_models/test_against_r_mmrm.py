"""MMRM against mmrm and nlme's gls in R, on published trials and on Orthodont; `reference/extract.py` says how the values were made."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.mixed_models import fit_mmrm

pytestmark = pytest.mark.real_data


@dataclass(frozen=True)
class Tolerance:
    """How far two fits may be apart, relative unless said otherwise."""

    likelihood_lower: float
    likelihood_higher: float
    estimate: float  # of the standard error
    std_error: float
    df: float
    covariance: float  # of the product of the two standard deviations


# mmrm's default optimiser stops early, so our likelihood may only be higher. Newton steps to a gradient of 1e-9, in code that shares
# nothing with this package, end 1e-9 to 3e-9 above the likelihood of fev `us` and `us_ml` and orthodont `adh`, and up to 2.0e-4 of a
# standard error away in the estimates of fev, 7.3e-5 in standard errors, 1.5e-4 in degrees of freedom, 1.8e-4 in covariances.
DEFAULT = Tolerance(1e-9, 1e-7, 3e-4, 2e-4, 5e-4, 5e-4)
# The antidepressant fits were made with a relative tolerance of 1e-10 to 1e-15 in nlminb; the same Newton steps agree with them to
# 4.3e-8 of a standard error in estimates, 5.2e-8 in standard errors, 1.4e-7 in degrees of freedom and 1.2e-7 in covariances.
TIGHT = Tolerance(1e-11, 1e-11, 1e-6, 1e-6, 1e-5, 1e-5)
# nlme's gls has no degrees of freedom of this kind; its default optimiser leaves 1e-6 in the standard errors here.
GLS = Tolerance(1e-9, 1e-7, 1e-5, 1e-5, 1e-5, 1e-4)

KR_DF_ONLY = "kenward_roger_log_cholesky"  # mmrm's standard errors there belong to its own parameterisation
METHODS = ("satterthwaite", "kenward_roger_linear")

TRIALS = {
    "fev": {
        "outcome": "FEV1",
        "terms": ("RACE", "SEX", "ARMCD", "AVISIT", "ARMCD:AVISIT"),
        "participant": "USUBJID",
        "timepoint": "AVISIT",
        "references": {"SEX": "Male"},
    },
    "orthodont": {
        "outcome": "distance",
        "terms": ("af", "Sex", "af:Sex"),
        "participant": "Subject",
        "timepoint": "af",
        "references": {"Sex": "Male"},
    },
    "antidepressant": {
        "outcome": "CHANGE",
        "terms": ("BASVAL", "VISIT", "THERAPY", "BASVAL:VISIT", "VISIT:THERAPY"),
        "participant": "PATIENT",
        "timepoint": "VISIT",
        "references": {"THERAPY": "PLACEBO"},
    },
}
ARM = {"fev": "ARMCD", "orthodont": "Sex", "antidepressant": "THERAPY"}
LINEAR = ("us", "cs", "toep")  # in variances and covariances, so that Kenward-Roger there has no second derivatives
STRUCTURES = ("us", "toep", "toeph", "ar1", "ar1h", "cs", "csh", "ad", "adh")
# What the models beyond one per covariance structure change.
VARIANTS = {
    "us_ml": {"covariance": "us", "method": "ml"},
    "us_bygroup": {"covariance": "us", "by_arm": "ARMCD"},
    "us_poolinv": {"covariance": "us", "terms": ("POOLINV", *TRIALS["antidepressant"]["terms"])},
    "gls_us": {"covariance": "us"},
    "gls_cs": {"covariance": "cs"},
    "gls_csh": {"covariance": "csh"},
    "gls_ar1": {"covariance": "ar1"},
}


def _references():
    for data_set in TRIALS:
        content = json.loads((Path(__file__).parent / "reference" / f"{data_set}.json").read_text(encoding="utf-8"))
        for model, reference in content["mmrm"].items():
            yield (data_set, model), reference
        for model, reference in content.get("models", {}).items():
            if model.startswith("gls"):
                yield (data_set, model), reference


REFERENCES = dict(_references())


def cases(*quantities, of=None, models=REFERENCES):
    """Parameters (data set, model, quantity) for the models that have the quantity, or have it in the block `of`."""
    blocks = {case: REFERENCES[case].get(of, {}) if of else REFERENCES[case] for case in models}
    found = [(*case, quantity) for case, block in blocks.items() for quantity in quantities if quantity in block]
    return pytest.mark.parametrize(("data_set", "model", "quantity"), found, ids=["-".join(case) for case in found])


def _tolerance(data_set, model):
    if model.startswith("gls_"):
        return GLS
    return TIGHT if data_set == "antidepressant" else DEFAULT


def _read(shared, data_set):
    folder = shared / "reference" / "data"
    if data_set == "orthodont":
        frame = pd.read_csv(folder / "orthodont.csv")
        return frame.assign(af=pd.Categorical(frame["age"].astype(str), categories=["8", "10", "12", "14"]))
    if data_set == "antidepressant":
        frame = pd.read_csv(folder / "antidepressant_data.csv", dtype={"VISIT": str})
        centres = [str(each) for each in sorted(frame["POOLINV"].unique())]
        return frame.assign(POOLINV=pd.Categorical(frame["POOLINV"].astype(str), categories=centres))
    return pd.read_csv(folder / "fev_data.csv")


@pytest.fixture(scope="module")
def fitted(shared):
    """A function that fits a model once per method of degrees of freedom."""
    frames = {data_set: _read(shared, data_set) for data_set in TRIALS}

    @functools.cache
    def fit(data_set, model, df_method, **changed_references):
        changes = VARIANTS.get(model, {"covariance": model})
        arguments = TRIALS[data_set] | changes | {"df_method": df_method}
        arguments["references"] = arguments["references"] | changed_references
        return fit_mmrm(frames[data_set], **arguments)

    return fit


@pytest.fixture
def close(record_property):
    """A check that every difference, on a scale, is within a tolerance; the largest is kept in the record of the test."""

    def check(quantity, ours, theirs, tolerance, scale=None):
        ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
        differences = np.abs(ours - theirs) / np.abs(theirs if scale is None else scale)
        record_property(quantity, float(differences.max()))
        assert differences.max() <= tolerance, f"{quantity} differs by {differences.max():.2g}"

    return check


def _rows(fit, reference):
    table = fit.tidy().set_index("term")
    assert set(table.index) == set(reference["terms"])
    return table.loc[reference["terms"]]


@cases("log_likelihood")
def test_the_likelihood_is_no_lower_than_that_of_r(data_set, model, quantity, fitted, record_property):
    theirs, tolerance = REFERENCES[data_set, model][quantity], _tolerance(data_set, model)
    fit = fitted(data_set, model, "satterthwaite")
    gain = (fit.log_likelihood - theirs) / abs(theirs)
    record_property("gain in log-likelihood", float(gain))
    assert fit.optimisation.converged
    assert not fit.optimisation.is_singular
    assert -tolerance.likelihood_lower <= gain <= tolerance.likelihood_higher


@cases("estimate")
def test_fixed_effects_agree(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model, "satterthwaite"), reference)
    close(quantity, rows["estimate"], reference["estimate"], tolerance.estimate, scale=rows["std_error"])


@cases("covariance")
def test_covariances_between_timepoints_agree(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model]["covariance"], _tolerance(data_set, model)
    ours = fitted(data_set, model, "satterthwaite").covariance
    assert set(ours) == set(reference)
    for stratum, theirs in reference.items():
        deviations = np.sqrt(np.diag(theirs))
        scale = np.outer(deviations, deviations)
        close(f"{quantity} {stratum}".strip(), ours[stratum], theirs, tolerance.covariance, scale=scale)


@cases(*METHODS)
def test_standard_errors_and_degrees_of_freedom_agree(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model, quantity), reference)
    close("std_error", rows["std_error"], reference[quantity]["std_error"], tolerance.std_error)
    close("df", rows["df"], reference[quantity]["df"], tolerance.df)


@cases(KR_DF_ONLY)
def test_kenward_roger_degrees_of_freedom_do_not_depend_on_the_parameterisation(
    data_set, model, quantity, fitted, close
):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model, "kenward_roger"), reference)
    close("df", rows["df"], reference[quantity]["df"], tolerance.df)


@cases("kenward_roger_linear", models=[case for case in REFERENCES if case[1] in LINEAR])
def test_kenward_roger_is_the_linear_one_where_the_structure_is_linear(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model, "kenward_roger"), reference)
    close("std_error", rows["std_error"], reference[quantity]["std_error"], tolerance.std_error)


@cases("std_error")
def test_unadjusted_standard_errors_are_those_of_gls(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model, "satterthwaite"), reference)
    close(quantity, rows["std_error"], reference[quantity], tolerance.std_error)


@cases("vcov")
def test_the_covariance_of_the_fixed_effects_agrees(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model][quantity], _tolerance(data_set, model)
    fit = fitted(data_set, model, "satterthwaite")
    order = [fit.terms.index(term) for term in reference["terms"]]
    std_errors = np.sqrt(np.diag(reference["values"]))
    ours = fit.vcov[np.ix_(order, order)]
    close(quantity, ours, reference["values"], 2 * tolerance.std_error, scale=np.outer(std_errors, std_errors))


@cases("CR0", "CR2", "CR3", of="sandwich")
def test_cluster_robust_inference_agrees(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model, "satterthwaite").robust(quantity), reference)
    close("std_error", rows["std_error"], reference["sandwich"][quantity]["std_error"], tolerance.std_error)
    close("df", rows["df"], reference["sandwich"][quantity]["df"], tolerance.df)


@cases(*METHODS, of="marginal_means")
def test_marginal_means_are_those_of_emmeans(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model]["marginal_means"], _tolerance(data_set, model)
    variables = (ARM[data_set], TRIALS[data_set]["timepoint"])
    rows = fitted(data_set, model, quantity).marginal_means(variables).tidy().astype(dict.fromkeys(variables, str))
    keys = list(zip(*(reference[variable] for variable in variables), strict=True))
    rows = rows.set_index(list(variables)).loc[keys]
    close("estimate", rows["estimate"], reference["estimate"], tolerance.estimate, scale=rows["std_error"])
    close("std_error", rows["std_error"], reference[quantity]["std_error"], tolerance.std_error)
    close("df", rows["df"], reference[quantity]["df"], tolerance.df)


@cases(*METHODS, of="contrasts", models=[case for case in REFERENCES if case[1] in STRUCTURES])
def test_the_difference_between_arms_at_each_timepoint_agrees(data_set, model, quantity, fitted, close):
    """With a timepoint as reference level, the arm's coefficient is the difference there."""
    reference, tolerance = REFERENCES[data_set, model]["contrasts"], _tolerance(data_set, model)
    arm, timepoint = ARM[data_set], TRIALS[data_set]["timepoint"]
    rows = []
    for level in reference[timepoint]:
        table = fitted(data_set, model, quantity, **{timepoint: level}).tidy().set_index("term")
        (row,) = (table.loc[term] for term in table.index if term.startswith(f"{arm}[") and ":" not in term)
        rows.append(row)
    ours = pd.DataFrame(rows)
    sign = -1 if data_set == "orthodont" else 1  # Male - Female there, where Male is our reference
    close("estimate", sign * ours["estimate"], reference["estimate"], tolerance.estimate, scale=ours["std_error"])
    close("std_error", ours["std_error"], reference[quantity]["std_error"], tolerance.std_error)
    close("df", ours["df"], reference[quantity]["df"], tolerance.df)
