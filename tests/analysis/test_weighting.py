"""Overlap weights: against delicatessen, R and scipy, and on arms that were not formed by chance, of known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import AnalysisError, Covariate
from analysis.balance import compare_balance, effective_size
from analysis.weighting import compare_weighted

# R's values were printed with ten decimals, delicatessen derives by finite differences.
SAME_AS_R, SAME_AS_DELICATESSEN = 1e-8, 1e-6
ROUNDING = 1e-9
STUDIES = 400
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / STUDIES)

# arm (1 peer), age, score at baseline, city, score later; invented.
PEOPLE = """
1,53,24,1,19 1,60,17,0,13 1,21,23,0,23 1,60,12,1,8 1,43,14,1,12 0,45,22,0,28 0,51,11,0,12 0,34,9,0,5 0,68,14,0,18
1,22,19,1,19 0,33,10,1,8 0,39,22,1,25 1,48,13,0,11 0,40,11,1,9 0,26,17,1,16 0,22,23,0,21 0,20,23,1,24 0,22,22,0,26
0,27,13,0,13 1,69,8,1,6 0,29,21,1,27 0,52,20,0,16 1,57,21,1,19 0,31,8,1,8 0,34,8,0,5 0,41,16,0,13 1,33,13,1,12
1,68,15,1,13 1,28,23,1,20 1,64,11,0,8 0,59,16,0,17 0,62,13,1,13 0,25,13,0,17 1,39,21,1,21 0,51,10,1,11 1,44,13,0,17
0,53,10,0,11 1,53,10,1,8 1,53,12,0,12 1,23,19,1,15
"""
# R 4.2.2: glm(peer ~ age + base + city, binomial); survey 4.1.1: svymean and svyglm with its weights, taken as known.
PROBABILITIES_IN_R = (0.8302969739, 0.5341057765, 0.2157351187, 0.7107094745)
WEIGHTED_MEANS_IN_R = {"age": 42.9187757632, "base": 15.8017925281, "city: town": 0.5365177152}
DIFFERENCE_IN_R = -2.2224741613
EFFECTIVE_IN_R = (15.3964634204, 18.0576379281)
# delicatessen 4.3: MEstimator of the logistic scores stacked on the two weighted means and their difference.
STD_ERROR_IN_DELICATESSEN = 0.8852287936933796
AGE, CITY = Covariate("age", "Age", "number"), Covariate("city", "Lives in", "category", ("village", "town"))


@pytest.fixture
def people() -> pd.DataFrame:
    """An outcome frame of the invented people, and a few columns more."""
    rows = np.array([[float(cell) for cell in row.split(",")] for row in PEOPLE.split()])
    return pd.DataFrame(
        {
            "arm": np.where(rows[:, 0] == 1, "peer", "usual"),
            "group": "",
            "covariate:age": rows[:, 1],
            "score:baseline": rows[:, 2],
            "covariate:city": np.where(rows[:, 3] == 1, "town", "village"),
            "score:post": rows[:, 4],
        }
    )


def compare(frame, *, covariates=(AGE, CITY), numbers=("score:baseline",), **options):
    usual = {"outcome": "score:post", "contrast": ("peer", "usual")}
    return compare_weighted(frame, covariates=covariates, numbers=numbers, **{**usual, **options})


def unlike_arms(rng: np.random.Generator, n: int = 150, *, group_sd: float = 0.0, effect: float = -2.0) -> pd.DataFrame:
    """People of whom the older and worse off sooner joined the programme, some of them in groups of six."""
    age, before = rng.normal(45, 12, n), rng.normal(16, 5, n)
    joined = rng.random(n) < 1 / (1 + np.exp(-0.05 * (age - 45) - 0.12 * (before - 16)))
    number = np.cumsum(joined) // 6
    group = np.where(joined & (group_sd > 0), np.char.add("g", number.astype(str)), "")
    shared = np.where(joined, rng.normal(0, group_sd, number.max() + 1)[number], 0.0)
    after = 4 + 0.7 * before + 0.1 * age + effect * joined + shared + rng.normal(0, 3, n)
    arm = np.where(joined, "peer", "usual")
    columns = {"arm": arm, "group": group, "covariate:age": age, "score:baseline": before, "score:post": after}
    return pd.DataFrame(columns)


def test_probabilities_means_and_effective_sizes_are_those_of_r(people):
    found = compare(people)
    assert found.probabilities[:4] == pytest.approx(PROBABILITIES_IN_R, abs=SAME_AS_R)
    assert found.difference.value == pytest.approx(DIFFERENCE_IN_R, abs=SAME_AS_R)
    assert (found.effective_first, found.effective_second) == pytest.approx(EFFECTIVE_IN_R, abs=SAME_AS_R)
    table = found.balance.set_index("term").rename(index={"score:baseline": "base"})
    for term, mean in WEIGHTED_MEANS_IN_R.items():
        assert table.loc[term, "weighted_first"] == pytest.approx(mean, abs=SAME_AS_R)
        assert table.loc[term, "weighted_second"] == pytest.approx(mean, abs=SAME_AS_R)


def test_the_standard_error_knows_that_weights_were_estimated_as_in_delicatessen(people):
    found = compare(people)
    assert np.sqrt(found.influence @ found.influence) == pytest.approx(
        STD_ERROR_IN_DELICATESSEN, abs=SAME_AS_DELICATESSEN
    )
    assert found.influence.sum() == pytest.approx(0, abs=ROUNDING)


def test_declared_covariates_are_balanced_exactly_and_were_not_before(people):
    found = compare(people)
    assert found.balance["after"].to_numpy() == pytest.approx(0, abs=ROUNDING)
    assert found.balance["before"].abs().max() > 0.25
    assert found.balance["term"].tolist() == ["age", "city: village", "city: town", "score:baseline"]
    assert found.adjustment_set == ("age", "city", "score:baseline")
    assert found.weights[people["arm"] == "peer"].sum() == pytest.approx(1)
    assert found.effective_first < found.n_first


def test_a_balance_table_is_that_of_a_calculation_by_hand():
    values = pd.DataFrame({"age": [30.0, 50, 20, 40], "city": [1.0, 0, 1, 1], "same": [2.0, 2, 2, 2]})
    first = np.array([True, True, False, False])
    table = compare_balance(values, first, np.array([1.0, 1, 1, 3])).set_index("term")
    # Variances of age 200 and 200; of the shares 1/2 and 1: 1/4 and 0.
    assert table.loc["age", ["before", "after"]].tolist() == pytest.approx([10 / np.sqrt(200), 5 / np.sqrt(200)])
    assert table.loc["city", "before"] == pytest.approx(-0.5 / np.sqrt(0.125))
    assert table.loc["same", ["before", "after"]].tolist() == [0.0, 0.0]
    other = compare_balance(pd.DataFrame({"apart": [1.0, 1, 0, 0]}), first, np.ones(4))
    assert np.isnan(other["before"]).all()


def test_effective_sizes_are_those_of_a_calculation_by_hand():
    assert effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_size(np.full(7, 0.3)) == pytest.approx(7)
    assert effective_size(np.zeros(3)) == 0


def test_where_the_covariate_tells_nothing_it_is_the_test_of_welch():
    peer, usual = np.array([3.0, 5, 8, 1, 5, 3]), np.array([4.0, 9, 2, 6, 9, 4])
    age = np.tile([1.0, 1, 2, 2, 3, 3], 2)  # as many of each age in both arms, the oldest scored as the youngest
    frame = pd.DataFrame({"arm": ["peer"] * 6 + ["usual"] * 6, "covariate:age": age})
    found = compare(frame.assign(**{"score:post": [*peer, *usual]}), covariates=(AGE,), numbers=())
    welch = stats.ttest_ind(peer, usual, equal_var=False)
    assert (found.difference.p_value, found.difference.df) == pytest.approx((welch.pvalue, welch.df))
    assert found.weights == pytest.approx(1 / 6)


@pytest.mark.parametrize("group_sd", [0.0, 1.5])
def test_the_interval_holds_the_truth_where_arms_as_they_came_mislead(group_sd):
    rng, held, misled = np.random.default_rng(2018), 0, 0
    for _ in range(STUDIES):
        frame = unlike_arms(rng, group_sd=group_sd)
        difference = compare(frame, covariates=(AGE,), groups="group").difference
        held += difference.conf_low <= -2 <= difference.conf_high
        sides = [frame.loc[frame["arm"] == arm, "score:post"] for arm in ("peer", "usual")]
        interval = stats.ttest_ind(*sides, equal_var=False).confidence_interval()
        misled += not interval.low <= -2 <= interval.high
    assert misled / STUDIES > 0.8
    assert held / STUDIES == pytest.approx(0.95, abs=COVERAGE_MARGIN + 0.01)


def test_groups_widen_the_interval_of_people_who_hang_together():
    frame = unlike_arms(np.random.default_rng(4), 300, group_sd=4.0)
    alone, together = (compare(frame, covariates=(AGE,), groups=groups).difference for groups in (None, "group"))
    assert alone.value == together.value
    assert together.std_error > 1.2 * alone.std_error
    assert together.df < alone.df


def test_units_of_covariates_and_the_order_of_people_do_not_matter(people):
    plain = compare(people).difference
    moved = people.assign(**{"covariate:age": people["covariate:age"] * 365.25 + 1e6})
    assert compare(moved).difference.std_error == pytest.approx(plain.std_error, rel=1e-6)
    assert compare(people[::-1]).difference.value == pytest.approx(plain.value, abs=ROUNDING)
    turned = compare(people, contrast=("usual", "peer")).difference
    assert (turned.value, turned.std_error) == pytest.approx((-plain.value, plain.std_error))


def test_people_without_outcome_or_covariate_are_left_out_and_counted(people):
    spoilt = people.copy()
    spoilt.loc[0, "score:post"], spoilt.loc[1, "covariate:age"], spoilt.loc[2, "covariate:city"] = (
        np.nan,
        np.nan,
        np.nan,
    )
    third = people.assign(arm="third")
    found = compare(pd.concat([spoilt, third], ignore_index=True))
    assert found.dropped_rows == 3
    assert found.rows.tolist() == list(range(3, 40))
    assert found.difference == compare(people[3:]).difference


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda people: people.drop(columns="covariate:city"), "columns_missing"),
        (lambda people: people.replace({"covariate:city": {"town": "metropolis"}}), "level_unknown"),
        (lambda people: people.assign(arm="peer"), "too_few_participants"),
        (lambda people: people[:8], "too_few_participants"),
        (lambda people: people.assign(**{"covariate:age": 40.0}), "covariates_repeat"),
        (lambda people: people.assign(**{"covariate:age": people["score:baseline"] * 2 + 1}), "covariates_repeat"),
        (lambda people: people.assign(**{"covariate:age": (people["arm"] == "peer") * 50.0 + people.index}), "no_overlap"),
        (lambda people: people.assign(group="one"), "group_in_both_arms"),
        (lambda people: people.assign(group=people["arm"]), "too_few_participants"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(people, change, code):
    with pytest.raises(AnalysisError) as raised:
        compare(change(people), groups="group")
    assert raised.value.problems[0].code == code


def test_an_empty_adjustment_set_is_refused(people):
    with pytest.raises(AnalysisError, match="No covariate was declared"):
        compare(people, covariates=(), numbers=())


def test_a_level_that_only_one_arm_has_takes_its_people_out_of_the_comparison(people):
    only = people.assign(**{"covariate:city": people["covariate:city"].where(people.index != 4, "boat")})
    boats = Covariate("city", "Lives in", "category", ("village", "town", "boat"))
    found = compare(only, covariates=(AGE, boats))
    assert found.weights[4] == pytest.approx(0, abs=1e-6)
    assert np.isfinite(found.difference.std_error)
    assert found.difference.value == pytest.approx(compare(people.drop(index=4)).difference.value, abs=1e-4)
