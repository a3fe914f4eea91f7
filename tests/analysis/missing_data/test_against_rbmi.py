"""Conditional means with the jackknife are those of the R package rbmi; multiple imputation agrees with them."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis.missing_data import build_panel, estimate_one, impute_repeatedly, impute_under_strategies

pytestmark = pytest.mark.real_data

# mmrm, which rbmi fits with, stops before its optimum: its estimates are good to about 1e-4.
ESTIMATES = 1e-4
# Relative; the same reason.
STANDARD_ERRORS = 1e-3
# Monte Carlo errors between the estimates of two routes: one in 15,000 lies further out.
DRAWS = 4.0
# Rubin's standard error estimates what the jackknife does, under MAR only; both err by some percent at this size.
BETWEEN_ROUTES = 0.05
VISITS = ("4", "5", "6", "7")
STRATEGIES = {
    "MAR": "missing_at_random",
    "JR": "jump_to_reference",
    "CR": "copy_reference",
    "CIR": "copy_increments",
}
CONTRAST = "PLACEBO - DRUG"
WHAT = {"trt": CONTRAST, "lsm_ref": "DRUG", "lsm_alt": "PLACEBO"}


@pytest.fixture(scope="module")
def panel(shared):
    visits = pd.read_csv(shared / "reference" / "data" / "antidepressant_data.csv", dtype={"VISIT": str})
    change = visits.set_index(["PATIENT", "VISIT"])["CHANGE"].unstack()  # noqa: PD010
    people = change.join(visits.groupby("PATIENT")[["BASVAL", "THERAPY"]].first())
    return build_panel(
        people, outcomes={visit: visit for visit in VISITS}, baseline="BASVAL", arm="THERAPY", reference="PLACEBO"
    )


@pytest.fixture(scope="module")
def imputed(panel):
    found = impute_under_strategies(panel, list(STRATEGIES.values()), contrasts=[("PLACEBO", "DRUG")])
    return dict(zip(STRATEGIES, found, strict=True))


@pytest.fixture(scope="module")
def reference(shared):
    return json.loads((shared / "reference" / "rbmi_antidepressant.json").read_text())


def test_as_many_people_left_as_in_rbmi(panel, reference):
    assert (panel.event < len(VISITS)).sum() == reference["meta"]["n_ice"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_mean_difference_and_delta_is_that_of_rbmi(imputed, reference, strategy):
    cases = {key: rows for key, rows in reference["results"].items() if key.partition("_")[0] == strategy}
    assert cases
    for key, rows in cases.items():
        points = float(key.partition("_delta")[2] or 0)
        for row in rows:
            parameter, visit = row["parameter"].rsplit("_", 1)
            found = estimate_one(imputed[strategy], WHAT[parameter], visit, delta={"DRUG": points}).estimate
            assert found.value == pytest.approx(row["est"], abs=ESTIMATES), (key, row["parameter"])
            assert found.std_error == pytest.approx(row["se"], rel=STANDARD_ERRORS), (key, row["parameter"])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_multiple_imputation_agrees_within_its_monte_carlo_error(panel, reference, strategy):
    several = impute_repeatedly(
        panel.with_strategy(STRATEGIES[strategy]), np.random.default_rng(7), contrasts=[("PLACEBO", "DRUG")]
    )
    by_name = {row["parameter"]: row for row in reference["results"][strategy]}
    for visit in VISITS[1:]:
        found = estimate_one(several, CONTRAST, visit)
        assert found.monte_carlo_error > 0
        assert abs(found.estimate.value - by_name[f"trt_{visit}"]["est"]) < DRAWS * found.monte_carlo_error
        if strategy == "MAR":
            assert found.estimate.std_error == pytest.approx(by_name[f"trt_{visit}"]["se"], rel=BETWEEN_ROUTES)
