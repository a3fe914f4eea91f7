"""Least squares with cluster-robust inference: against R, statsmodels and closed forms, and on data of known truth."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis import AnalysisError
from analysis.least_squares import fit_least_squares

# The same formula in another order of operations.
ROUNDING = 1e-9
# R's values were printed with ten decimals.
SAME_AS_R = 1e-8
SURVEYS = 400
# Three Monte Carlo standard errors of a coverage of 95 % either side.
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / SURVEYS)

# person, wave, arm, age, site, score: 30 surveys of 22 people, seven of whom were linked; invented by hand.
SURVEYED = """
1,0,0,34,a,17 2,0,0,51,a,22 3,0,0,28,b,14 4,0,0,45,b,19 5,0,0,62,c,25 6,0,1,39,c,16 7,0,1,47,d,21 8,0,1,25,d,12
9,0,1,58,e,24 10,0,1,31,e,18 1,1,0,34,a,15 3,1,0,28,b,13 11,1,0,55,a,20 12,1,0,42,c,17 13,1,0,37,c,11 6,1,1,39,c,9
8,1,1,25,d,8 14,1,1,49,d,14 15,1,1,33,e,10 16,1,1,60,e,19 1,2,0,34,a,16 5,2,0,62,c,21 17,2,0,29,b,12 18,2,0,48,b,18
7,2,1,47,d,13 9,2,1,58,e,17 19,2,1,36,d,7 20,2,1,41,e,15 21,2,1,27,c,6 22,2,1,53,c,20
"""
# What made the reference values: R 4.2.2, clubSandwich 0.5.8.
R_SCRIPT = """
suppressMessages(library(clubSandwich))
d <- read.csv("surveyed.csv"); d$wave <- factor(d$wave)
m <- lm(score ~ wave + arm + age + wave:arm, data = d)
for (cluster in c("person", "site")) {
  found <- coef_test(m, vcov = "CR2", cluster = d[[cluster]], test = "Satterthwaite")
  for (column in c("beta", "SE", "df_Satt")) cat(cluster, column, sprintf("%.10f", found[[column]]), "\\n")
}
"""
FROM_R = {
    "person beta": [
        5.3395848443,
        -2.6661365285,
        -2.4103338326,
        0.0782195596,
        0.3195548899,
        -3.9173293394,
        -3.9613674304,
    ],
    "person SE": [1.1738893789, 0.9032090674, 0.6996265593, 0.8444380713, 0.0249768853, 1.2476366982, 1.6054920345],
    "person df_Satt": [
        7.3034384513,
        5.8864000521,
        4.8420361129,
        7.8400333273,
        8.422212092,
        11.5386802308,
        10.638568766,
    ],
    "site beta": [5.3395848443, -2.6661365285, -2.4103338326, 0.0782195596, 0.3195548899, -3.9173293394, -3.9613674304],
    "site SE": [1.0539070799, 0.8213845086, 0.5722253089, 0.902606762, 0.0191238716, 0.8589684974, 1.5458526981],
    "site df_Satt": [3.2508439101, 1.9569380876, 1.8473180347, 3.3245949793, 3.587798953, 3.3922393188, 3.3452447683],
}


@pytest.fixture
def surveyed() -> pd.DataFrame:
    """The invented surveys, long; `wave` is text and `arm` a number."""
    rows = [row.split(",") for row in SURVEYED.split()]
    found = pd.DataFrame(rows, columns=["person", "wave", "arm", "age", "site", "score"])
    return found.astype({"person": "int64", "arm": "float64", "age": "float64", "score": "float64"})


def fit(frame, terms=("wave", "arm", "age", "arm:wave"), **options):
    return fit_least_squares(frame, outcome="score", terms=terms, participant="person", timepoint="wave", **options)


def two_samples(rng: np.random.Generator, first: int, second: int, *, spread: float = 1.0) -> pd.DataFrame:
    """Surveys of other people at two waves, the second with a spread of its own."""
    score = np.concatenate([rng.normal(20, 4, first), rng.normal(18, 4 * spread, second)])
    wave = np.repeat(["0", "1"], [first, second])
    return pd.DataFrame({"person": np.arange(first + second), "wave": wave, "score": score})


@pytest.mark.parametrize("clusters", ["person", "site"])
def test_estimates_standard_errors_and_degrees_of_freedom_are_those_of_r(surveyed, clusters):
    table = fit(surveyed, groups="site" if clusters == "site" else None).tidy()
    for column, name in (("estimate", "beta"), ("std_error", "SE"), ("df", "df_Satt")):
        np.testing.assert_allclose(table[column], FROM_R[f"{clusters} {name}"], rtol=0, atol=SAME_AS_R)


def test_r_still_gives_the_reference_values(surveyed, tmp_path):
    ask = "quit(status = !('clubSandwich' %in% rownames(installed.packages())))"
    if (
        not shutil.which("Rscript")
        or subprocess.run(["Rscript", "-e", ask], capture_output=True, check=False).returncode
    ):
        pytest.skip("R with clubSandwich is not installed")
    surveyed.to_csv(tmp_path / "surveyed.csv", index=False)
    said = subprocess.run(["Rscript", "-e", R_SCRIPT], capture_output=True, check=True, text=True, cwd=tmp_path).stdout
    lines = [line.split() for line in said.strip().splitlines()]
    assert {f"{line[0]} {line[1]}" for line in lines} == FROM_R.keys()
    for cluster, column, *values in lines:  # other versions of R may come
        np.testing.assert_allclose([float(value) for value in values], FROM_R[f"{cluster} {column}"], rtol=0, atol=1e-6)


def test_two_samples_of_other_people_have_the_standard_error_of_welch():
    frame = two_samples(np.random.default_rng(3), 12, 40, spread=2.0)
    (found,) = fit(frame, ("wave",)).marginal_means("wave").change("wave").estimates()
    first, second = (frame.loc[frame["wave"] == wave, "score"] for wave in ("0", "1"))
    welch = stats.ttest_ind(second, first, equal_var=False)
    assert found.value == pytest.approx(second.mean() - first.mean(), rel=ROUNDING)
    assert found.statistic == pytest.approx(welch.statistic, rel=ROUNDING)
    # Degrees of freedom are Welch's had both samples one variance: a property of who was surveyed, not of the answers.
    expected = (1 / 12 + 1 / 40) ** 2 / (1 / (12**2 * 11) + 1 / (40**2 * 39))
    assert found.df == pytest.approx(expected, rel=ROUNDING)


def test_robust_standard_errors_lie_where_those_of_statsmodels_put_them(surveyed):
    found = fit(surveyed)
    wave = pd.get_dummies(surveyed["wave"], dtype=float).to_numpy()[:, 1:]
    arm = surveyed[["arm"]].to_numpy()
    design = np.hstack([np.ones((len(surveyed), 1)), wave, arm, surveyed[["age"]].to_numpy(), wave * arm])
    model = sm.OLS(surveyed["score"].to_numpy(), design)
    np.testing.assert_allclose(found.coefficients, model.fit().params, rtol=ROUNDING)
    plain = model.fit(
        cov_type="cluster",
        cov_kwds={"groups": surveyed["person"].to_numpy(), "use_correction": False},
    ).bse
    ours = np.sqrt(np.diag(found.vcov))
    assert (ours > plain).all()  # uncorrected residuals are too short
    alone = surveyed.assign(person=np.arange(len(surveyed)))
    ours = np.sqrt(np.diag(fit(alone).vcov))
    np.testing.assert_allclose(ours, model.fit(cov_type="HC2").bse, rtol=ROUNDING)
    assert (ours < model.fit(cov_type="HC3").bse).all()  # the jackknife, one correction further


def test_people_surveyed_twice_hold_each_other_up():
    rng = np.random.default_rng(5)
    level = rng.normal(20, 5, 40)
    frame = pd.DataFrame(
        {
            "person": np.tile(np.arange(40), 2),
            "wave": np.repeat(["0", "1"], 40),
            "score": np.concatenate([level + rng.normal(0, 1, 40), level - 2 + rng.normal(0, 1, 40)]),
        }
    )
    (linked,) = fit(frame, ("wave",)).marginal_means("wave").change("wave").estimates()
    paired = stats.ttest_rel(frame["score"][40:], frame["score"][:40])
    # Everybody is linked and nothing is adjusted for: the paired t-test.
    assert linked.statistic == pytest.approx(paired.statistic, rel=ROUNDING)
    assert linked.df == pytest.approx(39, rel=ROUNDING)
    anonymous = frame.assign(person=np.arange(80))
    (apart,) = fit(anonymous, ("wave",)).marginal_means("wave").change("wave").estimates()
    assert apart.value == pytest.approx(linked.value, rel=ROUNDING)
    assert apart.std_error > 2 * linked.std_error


def test_a_mean_stands_at_the_average_of_the_covariates(surveyed):
    found = fit(surveyed, ("wave", "age"))
    means = found.marginal_means("wave").tidy()
    slope = found.coefficients[found.terms.index("age")]
    for wave, mean in zip(means["wave"], means["estimate"], strict=True):
        own = surveyed[surveyed["wave"] == wave]
        expected = own["score"].mean() + slope * (surveyed["age"].mean() - own["age"].mean())
        assert mean == pytest.approx(expected, rel=ROUNDING)


def test_neither_the_order_of_rows_nor_the_names_of_people_matter(surveyed):
    other = surveyed.sample(frac=1, random_state=1)
    other = other.assign(person=other["person"].map(lambda number: 100 - number))
    np.testing.assert_allclose(fit(other).vcov, fit(surveyed).vcov, rtol=ROUNDING)


def test_a_column_that_others_say_is_left_out_and_rows_without_a_value_are_counted(surveyed):
    spoilt = surveyed.assign(age_again=surveyed["age"] * 2)
    spoilt.loc[[3, 9], "age"] = np.nan
    found = fit(spoilt, ("wave", "age", "age_again"))
    assert found.dropped_terms == ("age_again",)
    assert sum(found.dropped_rows.values()) == 2
    assert found.n_rows == 28
    with pytest.raises(AnalysisError, match="age_again"):
        found.estimate({"age_again": 1.0})
    assert found.glance()[["n_rows", "n_clusters"]].to_numpy().tolist() == [[28, 20]]


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("constant_outcome", lambda frame: frame.assign(score=frame["wave"].astype(float))),
        ("too_few_rows", lambda frame: frame.groupby("wave").head(1)),
    ],
)
def test_data_that_leave_nothing_over_are_refused(code, spoil, surveyed):
    with pytest.raises(AnalysisError) as caught:
        fit(spoil(surveyed), ("wave",))
    assert [problem.code for problem in caught.value.problems] == [code]


def _survey(rng: np.random.Generator, *, grouped: bool) -> pd.DataFrame:
    """Thirty people at first and 70 later, a dozen of them the same; later answers differ more; some meet in groups."""
    person = np.concatenate([np.arange(30), np.arange(18, 88)])
    later = np.repeat([0.0, 1.0], [30, 70])
    age = rng.normal(40, 10, 88)
    site = np.where(person % 2 == 0, (person // 2 % 9).astype(str), "") if grouped else np.repeat("", 100)
    shared = np.where(site != "", rng.normal(0, 2, 9)[person // 2 % 9], 0.0) * later
    own = rng.normal(0, 3, 88)
    score = 20 - 2 * later + 0.2 * age[person] + own[person] + shared + rng.normal(0, 2 + 2 * later)
    return pd.DataFrame(
        {"person": person, "wave": later.astype(int).astype(str), "age": age[person], "site": site, "score": score}
    )


@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_cover_the_truth_as_often_as_they_say(grouped):
    found = []
    for seed in np.random.SeedSequence(20260301).spawn(SURVEYS):
        frame = _survey(np.random.default_rng(seed), grouped=grouped)
        model = fit(frame, ("wave", "age"), groups="site" if grouped else None)
        found += model.marginal_means("wave").change("wave").estimates()
    values = np.array([each.value for each in found])
    covered = np.mean([each.conf_low <= -2.0 <= each.conf_high for each in found])
    assert abs(covered - 0.95) <= COVERAGE_MARGIN
    assert abs(values.mean() + 2.0) <= 3 * values.std(ddof=1) / np.sqrt(SURVEYS)
    assert np.mean([each.std_error for each in found]) == pytest.approx(
        values.std(ddof=1), rel=0.11
    )  # 3 / sqrt(2 * 400)
