"""Mixed models against lme4, lmerTest, pbkrtest, emmeans and nlme in R; `reference/extract.py` says how the values were made."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.mixed_models import fit_mixed_model

pytestmark = pytest.mark.real_data


@dataclass(frozen=True)
class Tolerance:
    """How far two fits may be apart, relative unless said otherwise."""

    likelihood_lower: float
    likelihood_higher: float
    estimate: float  # of the standard error
    std_error: float
    df: float
    component: float  # of the variance itself; a covariance and a zero on the scale of the variances beside it


# The reference was polished to a gradient of 1e-7 or less in the criterion.
POLISHED = Tolerance(1e-8, 1e-8, 1e-6, 1e-6, 1e-4, 1e-6)
# lmer's default optimiser: our likelihood may only be higher. Newton steps to a gradient of 1e-9, in code that shares nothing with
# this package, end up to 1.6e-5 of a standard error away in the estimates, 3.2e-5 in standard errors and 9.3e-5 in degrees of freedom.
PLAIN = Tolerance(1e-9, 1e-7, 1e-4, 2e-4, 5e-4, 1e-3)
# egsingle rs3_cov: lmer itself warned that it had failed to converge (gradient 0.0048). The same Newton steps raise its likelihood by
# 1.4e-9 and end 3.9e-4 of a standard error away in an estimate, 3.1e-4 in a standard error, 9.7e-4 in degrees of freedom, 8.6e-4 in a variance.
UNCONVERGED = Tolerance(1e-9, 1e-7, 1e-3, 1e-3, 2e-3, 2e-3)
# nlme's lme with its default optimiser: our likelihood may only be higher. It leaves 5.9e-6 in a standard error and 1.7e-5 in a
# variance of sleepstudy, where lmer's polished fit of the same model agrees with ours to 2.6e-9. Its degrees of freedom are of another kind.
NLME = Tolerance(1e-9, 1e-7, 1e-4, 2e-5, 5e-4, 1e-4)

METHODS = ("satterthwaite", "kenward_roger")

FILES = {
    "dyestuff": "dyestuff",
    "dyestuff2_singular": "dyestuff2",
    "dyestuff2_ml": "dyestuff2",
    "pastes_nested": "pastes",
}
SLEEP = {"outcome": "Reaction", "terms": ("Days",), "participant": "Subject"}
TEETH = {
    "outcome": "distance",
    "terms": ("age", "Sex", "age:Sex"),
    "participant": "Subject",
    "references": {"Sex": "Male"},
}
BATCHES = {"outcome": "Yield", "terms": (), "participant": "Batch"}
SCHOOLS = {"outcome": "math", "terms": ("year",), "participant": "childid", "time": "year"}
BOTH_SLOPES = {"random": "slope", "groups": {"schoolid": "slope"}}
MODELS = {
    ("sleepstudy", "ri"): SLEEP,
    ("sleepstudy", "rs"): SLEEP | {"time": "Days", "random": "slope"},
    ("sleepstudy", "rs_uncor"): SLEEP | {"time": "Days", "random": "slope_uncorrelated"},
    ("sleepstudy", "rs_ml"): SLEEP | {"time": "Days", "random": "slope", "method": "ml"},
    ("sleepstudy", "ri_factor"): SLEEP,
    ("sleepstudy", "lme_rs"): SLEEP | {"time": "Days", "random": "slope"},
    ("orthodont", "ri"): TEETH,
    ("orthodont", "rs"): TEETH | {"time": "age", "random": "slope"},
    ("orthodont", "ri_factor"): TEETH | {"terms": ("af", "Sex", "af:Sex")},
    ("orthodont", "lme_rs_hetsex"): TEETH | {"time": "age", "random": "slope", "residual_by": "Sex"},
    ("classics", "dyestuff"): BATCHES,
    ("classics", "dyestuff2_singular"): BATCHES,
    ("classics", "dyestuff2_ml"): BATCHES | {"method": "ml"},
    ("classics", "pastes_nested"): {"outcome": "strength", "terms": (), "participant": "sample", "groups": ("batch",)},
    ("egsingle", "ri3"): SCHOOLS | {"groups": ("schoolid",)},
    ("egsingle", "rs3"): SCHOOLS | BOTH_SLOPES,
    ("egsingle", "rs3_cov"): SCHOOLS | BOTH_SLOPES | {"terms": ("year", "lowinc", "black", "hispanic", "year:lowinc")},
    ("egsingle", "ri2"): SCHOOLS,
    ("egsingle", "rs2"): SCHOOLS | {"random": "slope"},
}


def _references():
    for data_set in dict.fromkeys(data_set for data_set, _ in MODELS):
        content = json.loads((Path(__file__).parent / "reference" / f"{data_set}.json").read_text(encoding="utf-8"))
        for model, reference in content["models"].items():
            if not model.startswith("gls"):  # an MMRM
                yield (data_set, model), reference


REFERENCES = dict(_references())


def cases(*quantities, of=None):
    """Parameters (data set, model, quantity) for the models that have the quantity, or have it in the block `of`."""
    blocks = {case: reference.get(of, {}) if of else reference for case, reference in REFERENCES.items()}
    found = [(*case, quantity) for case, block in blocks.items() for quantity in quantities if quantity in block]
    return pytest.mark.parametrize(("data_set", "model", "quantity"), found, ids=["-".join(case) for case in found])


def _tolerance(data_set, model):
    if model.startswith("lme_"):
        return NLME
    if "warnings" in REFERENCES[data_set, model] and not REFERENCES[data_set, model]["singular"]:
        return UNCONVERGED
    return PLAIN if data_set == "egsingle" else POLISHED


def _read(shared, data_set, model):
    folder = shared / "reference" / "data"
    frame = pd.read_csv(folder / f"{FILES.get(model, data_set)}.csv")
    if data_set == "orthodont":
        return frame.assign(af=pd.Categorical(frame["age"].astype(str), categories=["8", "10", "12", "14"]))
    if data_set == "egsingle":
        return frame.astype({"black": str, "hispanic": str})
    return frame.astype({"Days": str}) if model == "ri_factor" else frame


@pytest.fixture(scope="module")
def fitted(shared):
    """A function that fits a model once per method of degrees of freedom."""

    @functools.cache
    def fit(data_set, model, df_method="satterthwaite"):
        return fit_mixed_model(_read(shared, data_set, model), df_method=df_method, **MODELS[data_set, model])

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


def _scale_of(name, components):
    if name.endswith("covariance"):
        level = name.removesuffix("covariance")
        return (components[f"{level}intercept"] * components[f"{level}slope"]) ** 0.5
    return components[name] or components["residual"]


def _is_comparable(term, factors, terms):
    """Whether type III and the test of the term's own columns ask the same: no factor interacts with the term."""
    parts = set(term.split(":"))
    others = (set(other.split(":")) for other in terms)
    return not any(parts < other and (other - parts) & factors for other in others)


def test_every_reference_is_compared():
    assert set(REFERENCES) == set(MODELS)


@cases("log_likelihood")
def test_likelihood_and_singularity_agree(data_set, model, quantity, fitted, record_property):
    reference, tolerance, fit = REFERENCES[data_set, model], _tolerance(data_set, model), fitted(data_set, model)
    gain = (fit.log_likelihood - reference[quantity]) / abs(reference[quantity])
    record_property("gain in log-likelihood", float(gain))
    assert fit.optimisation.converged
    assert fit.optimisation.is_singular is reference.get("singular", False)
    assert -tolerance.likelihood_lower <= gain <= tolerance.likelihood_higher


@cases("estimate")
def test_fixed_effects_agree(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model), reference)
    close(quantity, rows[quantity], reference[quantity], tolerance.estimate, scale=rows["std_error"])
    close("std_error", rows["std_error"], reference["std_error"], tolerance.std_error)


@cases("components")
def test_variance_components_agree(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model][quantity], _tolerance(data_set, model)
    ours = fitted(data_set, model).variance_components().set_index("component")["estimate"]
    assert set(ours.index) == set(reference)
    scale = [_scale_of(name, reference) for name in reference]
    close(quantity, ours.loc[list(reference)], list(reference.values()), tolerance.component, scale=scale)


@cases(*METHODS)
def test_standard_errors_and_degrees_of_freedom_agree(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model], _tolerance(data_set, model)
    rows = _rows(fitted(data_set, model, quantity), reference)
    std_error = reference[quantity].get("std_error", reference["std_error"])  # Satterthwaite leaves it as it is
    close("std_error", rows["std_error"], std_error, tolerance.std_error)
    close("df", rows["df"], reference[quantity]["df"], tolerance.df)


@cases("vcov")
def test_the_covariance_of_the_fixed_effects_agrees(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model][quantity], _tolerance(data_set, model)
    fit = fitted(data_set, model, "satterthwaite")
    order = [fit.terms.index(term) for term in reference["terms"]]
    std_errors = np.sqrt(np.diag(reference["values"]))
    ours = fit.vcov[np.ix_(order, order)]
    close(quantity, ours, reference["values"], 2 * tolerance.std_error, scale=np.outer(std_errors, std_errors))


@cases(*METHODS, of="joint_tests")
def test_joint_tests_agree(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model]["joint_tests"], _tolerance(data_set, model)
    theirs = pd.DataFrame(reference[quantity]).set_index("term")
    ours = fitted(data_set, model, quantity).joint_tests().set_index("term")
    parts = {part for name in REFERENCES[data_set, model]["terms"] for part in name.split(":")}
    factors = {part.partition("[")[0] for part in parts if "[" in part}
    terms = [term for term in theirs.index if _is_comparable(term, factors, theirs.index)]
    ours, theirs = ours.loc[terms], theirs.loc[terms]
    close("df_numerator", ours["df_numerator"], theirs["df_numerator"], 0)
    # F is a square: an error e in estimate / SE moves it by about 2 e sqrt(F), which is at most e (1 + F).
    error = tolerance.estimate + 2 * tolerance.std_error
    close("statistic", ours["statistic"], theirs["statistic"], error, scale=1 + theirs["statistic"])
    close("df_denominator", ours["df_denominator"], theirs["df_denominator"], tolerance.df)


@cases(*METHODS, of="marginal_means")
def test_marginal_means_are_those_of_emmeans(data_set, model, quantity, fitted, close):
    reference, tolerance = REFERENCES[data_set, model]["marginal_means"], _tolerance(data_set, model)
    variables = ("Sex", "af")
    rows = fitted(data_set, model, quantity).marginal_means(variables).tidy().astype(dict.fromkeys(variables, str))
    keys = list(zip(*(reference[variable] for variable in variables), strict=True))
    rows = rows.set_index(list(variables)).loc[keys]
    close("estimate", rows["estimate"], reference["estimate"], tolerance.estimate, scale=rows["std_error"])
    close("std_error", rows["std_error"], reference[quantity]["std_error"], tolerance.std_error)
    close("df", rows["df"], reference[quantity]["df"], tolerance.df)
