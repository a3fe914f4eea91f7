"""The permutation test of clusters: against scipy, by hand, and where nothing differs."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import AnalysisError
from analysis.permutation import MOST_ALLOCATIONS, permute_clusters

TRIALS = 300


def people(rng: np.random.Generator, first: int, second: int, *, size: int = 6, shift: float = 0.0, sd: float = 2.0):
    """Scores of people in clusters that differ, the first arm's shifted; sizes differ too."""
    rows = []
    for cluster in range(first + second):
        arm, level = ("peer", shift) if cluster < first else ("usual", 0.0)
        level += rng.normal(0, sd)
        for _ in range(size + cluster % 3):
            age = rng.normal(40, 10)
            rows.append({"arm": arm, "group": f"g{cluster}", "age": age, "score": level + age / 5 + rng.normal(0, 3)})
    return pd.DataFrame(rows)


def permute(frame, **options):
    usual = {"outcome": "score", "arm": "arm", "cluster": "group", "contrast": ("peer", "usual")}
    return permute_clusters(frame, **{**usual, "rng": np.random.default_rng(1), **options})


@pytest.mark.parametrize(("first", "second"), [(4, 4), (3, 6)])
def test_the_exact_test_is_that_of_scipy(first, second):
    frame = people(np.random.default_rng(21), first, second, shift=2)
    means = frame.groupby("group")["score"].mean()
    arms = frame.groupby("group")["arm"].first()
    in_scipy = stats.permutation_test(
        (means[arms == "peer"].to_numpy(), means[arms == "usual"].to_numpy()),
        lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)),
        n_resamples=np.inf,
        alternative="greater",
        vectorized=True,
    )
    found = permute(frame)
    assert found.is_exact
    assert found.p_value == pytest.approx(in_scipy.pvalue)
    assert found.value == pytest.approx(means[arms == "peer"].mean() - means[arms == "usual"].mean())


def test_three_clusters_against_three_can_show_nothing_at_five_percent():
    frame = people(np.random.default_rng(22), 3, 3, shift=100)
    found = permute(frame)
    assert found.n_allocations == 20
    assert found.p_value == found.smallest_p_value == pytest.approx(0.1)


def test_unequal_numbers_of_clusters_have_no_mirror_image():
    found = permute(people(np.random.default_rng(22), 2, 5, shift=100))
    assert found.p_value == found.smallest_p_value == pytest.approx(1 / 21)


@pytest.mark.parametrize("adjust_for", [(), ("age",)])
def test_where_nothing_differs_it_errs_in_one_of_twenty(adjust_for):
    rng = np.random.default_rng(23)
    p_values = [permute(people(rng, 5, 5, sd=4), adjust_for=adjust_for).p_value for _ in range(TRIALS)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / TRIALS)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.05)


def test_people_taken_one_by_one_would_have_erred_far_more_often():
    rng = np.random.default_rng(23)
    wrong = []
    for _ in range(TRIALS):
        frame = people(rng, 5, 5, sd=4)
        arms = frame["arm"] == "peer"
        wrong.append(stats.ttest_ind(frame["score"][arms], frame["score"][~arms]).pvalue <= 0.05)
    assert np.mean(wrong) > 0.3


def test_many_clusters_are_sampled_near_the_exact_answer_and_the_same_each_time():
    frame = people(np.random.default_rng(24), 9, 9, shift=1.5)
    found = permute(frame)
    means = frame.groupby("group")["score"].mean()
    arms = frame.groupby("group")["arm"].first()
    exact = stats.permutation_test(
        (means[arms == "peer"].to_numpy(), means[arms == "usual"].to_numpy()),
        lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)),
        n_resamples=50_000,
        alternative="greater",
        vectorized=True,
    ).pvalue
    assert not found.is_exact
    assert found.n_allocations == MOST_ALLOCATIONS
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / MOST_ALLOCATIONS))
    assert found == permute(frame.sample(frac=1, random_state=5))


def test_adjusting_for_what_was_known_sharpens_the_test():
    rng, plain, adjusted = np.random.default_rng(25), [], []
    for _ in range(30):
        frame = people(rng, 5, 5, shift=3, sd=0.5)
        older = frame["group"].map({f"g{number}": rng.normal(0, 15) for number in range(10)})
        frame = frame.assign(age=frame["age"] + older, score=frame["score"] + older / 5)
        plain.append(permute(frame).p_value)
        adjusted.append(permute(frame, adjust_for=("age",)).p_value)
    assert np.mean(adjusted) < np.mean(plain)


def test_people_without_scores_are_left_out_and_counted_and_other_arms_ignored():
    frame = people(np.random.default_rng(26), 4, 4)
    other = frame.assign(arm="third", group=frame["group"] + "x")
    frame.loc[[0, 9], "score"] = np.nan
    found = permute(pd.concat([frame, other], ignore_index=True))
    assert found.dropped_rows == 2
    assert found.p_value == permute(frame.dropna()).p_value


def spoilt(**columns):
    frame = people(np.random.default_rng(27), 3, 3)
    return frame.assign(**columns)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (spoilt().drop(columns="group"), "columns_missing"),
        (spoilt(group=lambda frame: frame["group"].where(frame["arm"] == "peer", "")), "person_without_cluster"),
        (spoilt(group=lambda frame: frame["group"].where(frame["arm"] == "peer")), "person_without_cluster"),
        (spoilt(group="one"), "group_in_both_arms"),
        (spoilt(group=lambda frame: frame["arm"]), "too_few_clusters"),
        (spoilt(arm="peer"), "too_few_clusters"),
        (spoilt(arm="nobody"), "too_few_clusters"),
        (spoilt(score=3.0), "constant_outcome"),
    ],
)
def test_what_cannot_be_exchanged_is_refused(frame, code):
    with pytest.raises(AnalysisError) as raised:
        permute(frame)
    assert raised.value.problems[0].code == code
