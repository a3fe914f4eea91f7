import re
from collections.abc import Callable
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from analysis.results import Result, results_table
from reports import ReportContent, ReportError, gate_results, render_report
from reports.counts_gate import gate_changes, release_counts
from reports.disclosure import NUMBERS
from reports.gated_rows import blur
from reports.part_gate import round_up

Build = Callable[..., ReportContent]
THRESHOLD = 10
FEWEST_POSSIBLE = 9  # a reader must be left with as many possible numbers as there are counts from 1 to 9
COUNTS = ["allocated", "answered", "analysed", "observed"]


def gated_of(content: ReportContent) -> pd.DataFrame:
    return gate_results(content.results, "threshold-10")


def one(gated: pd.DataFrame, **where: str) -> pd.Series:
    found = gated[np.logical_and.reduce([gated[name] == value for name, value in where.items()])]
    assert len(found) == 1
    return found.iloc[0]


def test_numbers_behind_which_nine_people_stand_are_hidden(recount: Build) -> None:
    gated = gated_of(recount(usual=(231, 200, 9)))
    late = gated[(gated["arm"] == "usual") & (gated["timepoint"] == "late")]
    assert late["hidden"].all()
    assert late[NUMBERS].isna().all(axis=None)
    assert not gated[(gated["arm"] == "peer") & (gated["statistic"] != "analysed")]["hidden"].any()


def test_ten_people_far_from_every_other_count_are_shown(recount: Build) -> None:
    gated = gated_of(recount(usual=(231, 200, 10)))
    assert one(gated, statistic="answered", arm="usual", timepoint="late")["value"] == 10
    assert not one(gated, statistic="mean", arm="usual", timepoint="late", outcome="stigma")["hidden"]


def test_nobody_is_shown_as_zero(recount: Build) -> None:
    row = one(gated_of(recount(usual=(231, 200, 0))), statistic="answered", arm="usual", timepoint="late")
    assert (row["value"], row["n"], row["hidden"]) == (0, 0, False)


def test_who_left_cannot_be_subtracted(recount: Build) -> None:
    gated = gated_of(recount(peer=(220, 215, 150)))
    row = one(gated, statistic="answered", arm="peer", timepoint="post")
    assert row["hidden"]
    assert row["at_least"] == 211
    mean = one(gated, statistic="mean", arm="peer", timepoint="post", outcome="stigma")
    assert np.isnan(mean[["n", "df", "std_error"]].astype(float)).all()


def test_what_would_replace_a_withheld_count_is_withheld_too(recount: Build) -> None:
    content = recount(peer=(220, 215, 150))
    gated = gated_of(content)
    mean = one(gated, statistic="mean", arm="peer", timepoint="post", outcome="stigma")
    exact = one(content.results, statistic="mean", arm="peer", timepoint="post", outcome="stigma")["value"]
    assert (
        mean["value"] == round(exact, 1) != exact
    )  # a mean of whole scores with all its digits is a count in disguise
    assert one(gated, statistic="sd", arm="peer", timepoint="post", outcome="stigma")["hidden"]
    assert one(gated, statistic="standardised_change", arm="peer", timepoint="post", outcome="stigma")["hidden"]


def test_total_is_withheld_when_an_arm_could_be_subtracted_from_it(recount: Build) -> None:
    shown = one(gated_of(recount()), analysis="reliability")
    assert shown["n"] == 451
    for counts in ({"peer": (220, 215, 150)}, {"usual": (9, 9, 9)}):
        gated = gated_of(recount(**counts))
        assert gated.loc[gated["statistic"] == "covariance: residual", "n"].isna().all()
    assert np.isnan(one(gated, analysis="reliability")["n"])


def test_who_declined_cannot_be_subtracted(build: Build) -> None:
    gated = gated_of(build(recruitment={"eligible": 900, "invited": 455}))  # 451 took part
    assert one(gated, statistic="invited")["hidden"]
    assert one(gated, statistic="eligible")["value"] == 900


def test_small_arm_cannot_be_had_from_the_declared_total(recount: Build) -> None:
    content = recount(usual=(7, 7, 7))
    results = content.results.assign(
        value=content.results["value"].mask(content.results["statistic"] == "invited", 227),
        n=content.results["n"].mask(content.results["statistic"] == "invited", 227),
    )
    assert one(gate_results(results, "threshold-10"), statistic="invited")["hidden"]


def test_contrast_is_hidden_when_a_hidden_mean_could_be_had_from_it(recount: Build) -> None:
    gated = gated_of(recount(usual=(18, 14, 12)))  # too near to each other and too small for "at least"
    assert one(gated, statistic="marginal_mean", arm="usual", timepoint="post", outcome="stigma")["hidden"]
    assert one(gated, estimand="stigma_post")["hidden"]


def test_people_who_never_answered_cannot_be_had_by_inclusion_and_exclusion() -> None:
    at = {"analysis": "descriptive", "statistic": "observed", "outcome": "o", "arm": "a"}
    rows = [
        Result(analysis="flow", statistic="allocated", arm="a", value=120, n=120),
        Result(**at, timepoint="baseline", value=100, n=100),
        Result(**at, timepoint="post", value=88, n=88),
        Result(analysis="change_within_arm", statistic="mean_change", outcome="o", arm="a", timepoint="post",
               contrast="post - baseline", value=-1.0, conf_low=-2.0, conf_high=0.0, n=70),  # 120 - (100 + 88 - 70) = 2
    ]  # fmt: skip
    gated = gate_results(results_table(rows), "threshold-10")
    assert np.isnan(gated["n"].iloc[3])
    assert gated["value"].iloc[3] == -1.0


def test_few_differing_scores_cannot_be_subtracted(build: Build) -> None:
    gated = gated_of(build())
    hidden = gated[gated["analysis"] == "score_agreement"].set_index("statistic")["hidden"]
    assert hidden.to_dict() == {"compared": False, "equal": True, "different": True}


def test_number_that_does_not_say_how_many_people_is_hidden(build: Build) -> None:
    results = build().results
    results["n"] = results["n"].mask(results["analysis"] == "descriptive")
    gated = gate_results(results, "threshold-10")
    assert gated.loc[gated["analysis"] == "descriptive", "hidden"].all()
    assert not gated.loc[gated["analysis"] == "certainty", "hidden"].any()


@pytest.mark.parametrize("impossible", [-1.0, 30.5, np.inf])
def test_impossible_number_of_people_hides_the_row(build: Build, impossible: float) -> None:
    results = build().results
    results["n"] = results["n"].mask(results["statistic"] == "mean", impossible)
    assert gate_results(results, "threshold-10").loc[results["statistic"] == "mean", "hidden"].all()


def test_profile_none_shows_everything(recount: Build) -> None:
    content = recount(usual=(7, 7, 7))
    gated = gate_results(content.results, "none")
    pd.testing.assert_frame_equal(gated.drop(columns=["hidden", "at_least"]), content.results)
    assert not gated["hidden"].any()


def test_unknown_profile_is_refused(build: Build) -> None:
    with pytest.raises(ReportError, match="threshold-10"):
        gate_results(build().results, "threshold-5")


def test_input_is_not_changed_and_rows_keep_their_place(recount: Build) -> None:
    content = recount(usual=(12, 7, 0))
    before = content.results.copy()
    gated = gated_of(content)
    pd.testing.assert_frame_equal(content.results, before)
    assert gated.index.equals(before.index)
    assert list(gated["statistic"]) == list(before["statistic"])


def test_released_counts_of_an_arm_are_never_one_to_nine_apart() -> None:
    rng = np.random.default_rng(3)
    for _ in range(500):
        counts = [int(n) for n in rng.integers(0, rng.integers(5, 150), size=6)]
        exact = [count for count, said in release_counts(counts, THRESHOLD).items() if said.is_exact]
        assert all(n == 0 or n >= THRESHOLD for n in exact)
        assert not any(0 < abs(a - b) < THRESHOLD for a, b in combinations(exact, 2))


def test_whoever_knows_the_rule_is_left_with_nine_possible_numbers() -> None:
    rng = np.random.default_rng(4)
    withheld = 0
    for _ in range(300):
        top = int(rng.integers(5, 80))
        counts = [top, *(int(n) for n in rng.integers(1, top + 1, size=4))]
        said = told(counts)
        for place, count in enumerate(counts):
            if release_counts(counts, THRESHOLD)[count].is_exact:
                continue
            withheld += 1
            worlds = ([*counts[:place], guess, *counts[place + 1 :]] for guess in range(100))
            assert sum(told(world) == said for world in worlds) >= FEWEST_POSSIBLE, counts
    assert withheld > 300


def told(counts: list[int]) -> list[str]:
    """What a reader is told of each count."""
    released = release_counts(counts, THRESHOLD)
    return [str(count) if released[count].is_exact else f"at least {released[count].at_least}" for count in counts]


def test_least_number_that_may_be_said_is_not_taken_for_the_exact_one(recount: Build) -> None:
    gated = gated_of(recount(peer=(220, 211, 150)))  # 220 - 9
    row = one(gated, statistic="answered", arm="peer", timepoint="post")
    assert row["hidden"]
    assert row["at_least"] == 211


def test_hidden_cells_cannot_be_recovered_from_the_whole_table_by_subtraction(recount: Build) -> None:
    worlds = [
        (1220, 1215, 1150),
        (1220, 1214, 1205),
        (1220, 7, 0),
        (1220, 1100, 1095),
        (1209, 1200, 1191),
        (1212, 1203, 4),
    ]
    for peer, usual in product(worlds, [(1531, 1400, 1300), (1531, 1527, 8)]):
        content = recount(peer=peer, usual=usual)
        gated = gated_of(content)
        for arm in ("peer", "usual"):
            seen = visible_counts(gated[gated["arm"] == arm])
            assert not [pair for pair in combinations(sorted(seen), 2) if 0 < pair[1] - pair[0] < THRESHOLD]
            secret = set(content.results.loc[content.results["arm"] == arm, "n"]) - seen
            totals = visible_counts(gated[gated["arm"] == ""])
            other = visible_counts(gated[(gated["arm"] != arm) & (gated["arm"] != "")])
            assert not secret & {total - count for total in totals for count in other}


def visible_counts(rows: pd.DataFrame) -> set[float]:
    """Every number of people that can be read from rows: n, counts, and degrees of freedom."""
    counts = set(rows["n"].dropna()) | set(rows.loc[rows["statistic"].isin(COUNTS), "value"].dropna())
    paired = rows["analysis"].isin(["descriptive", "change_within_arm"])
    return {float(n) for n in counts | set(rows.loc[paired, "df"].dropna() + 1)} - {0.0}


@pytest.mark.parametrize("peer", [(4220, 4215, 4150), (4220, 4214, 4203), (4220, 4100, 4095), (4209, 4200, 6)])
def test_hidden_cells_cannot_be_recovered_from_the_rendered_page(recount: Build, peer: tuple[int, ...]) -> None:
    page = render_report(recount(peer=peer, usual=(7531, 7526, 7300)))
    text = re.sub(r'<script type="application/gzip".*?</script>|<style>.*?</style>', "", page, flags=re.DOTALL)
    numbers = {int(found.replace(",", "")) for found in re.findall(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d.])", text)}
    assert max(peer) in numbers
    bounds = {int(found.replace(",", "")) for found in re.findall(r"at least (\d{1,3}(?:,\d{3})+)", text)}
    exact = sorted(n for n in numbers - bounds if n + 1 not in numbers)  # df of a mean is its count less one
    assert not [pair for pair in combinations(exact, 2) if 0 < pair[1] - pair[0] < THRESHOLD]
    assert not any(0 < peer[0] - n < THRESHOLD for n in exact)


def test_total_at_a_timepoint_is_withheld_when_one_arm_there_is(recount: Build) -> None:
    content = recount(peer=(220, 215, 150))
    alpha = Result(
        analysis="reliability",
        statistic="cronbach_alpha",
        outcome="ssci-8.total",
        timepoint="post",
        value=0.9,
        conf_low=0.88,
        conf_high=0.92,
        n=415,
    )  # less 200 of the other arm: 215
    results = pd.concat([content.results, results_table([alpha])], ignore_index=True)
    row = gate_results(results, "threshold-10").iloc[-1]
    assert np.isnan(row["n"])
    assert row["value"] == 0.9


def test_estimates_of_a_model_with_a_withheld_count_lose_what_gives_it_away(recount: Build) -> None:
    content = recount(usual=(231, 226, 160))
    gated = gated_of(content)
    estimates = gated[(gated["analysis"] == "model") & ~gated["hidden"]]
    assert len(estimates) > 10
    assert estimates[["df", "std_error"]].isna().all(axis=None)
    assert one(gated, statistic="marginal_mean", arm="peer", timepoint="baseline", outcome="stigma")["value"] == 21.5


def test_a_p_value_does_not_bring_back_a_withheld_number_of_people(build: Build, recount: Build) -> None:
    gated = gated_of(recount(peer=(220, 215, 150)))
    changes = gated[(gated["statistic"] == "mean_change") & gated["n"].isna()]
    assert not changes.empty
    assert changes["p_value"].isna().all()
    model = gated[(gated["analysis"] == "model") & (gated["estimand"] != "")]
    assert model["p_value"].dropna().map(lambda p: float(f"{p:.1e}") == p).all()


def test_likelihood_and_variances_leave_only_with_every_count(recount: Build) -> None:
    gated = gated_of(recount(peer=(220, 215, 150)))
    told = gated[
        gated["statistic"].isin(["log_likelihood", "covariance: participant intercept", "covariance: residual"])
    ]
    assert told["hidden"].all()
    assert told["value"].isna().all()


def test_a_contrast_that_holds_a_hidden_baseline_mean_is_hidden(recount: Build) -> None:
    gated = gated_of(recount(peer=(6, 200, 160)))
    asked = gated[(gated["analysis"] == "model") & (gated["estimand"] != "") & (gated["verdict"] == "estimated")]
    assert asked["hidden"].all()
    certainty = gated[(gated["analysis"] == "certainty") & gated["outcome"].isin(asked["outcome"])]
    assert certainty["hidden"].all()
    assert certainty["method"].eq("").all()


def test_ends_of_a_blurred_interval_are_rounded_outwards_and_coarse_against_its_width(build: Build) -> None:
    results = build().results
    for low, high, expected in (
        (-4.84, -1.96, (-4.9, -1.9)),
        (-0.04, 3.04, (-0.1, 3.1)),
        (101.0, 219.0, (100.0, 220.0)),
    ):
        row = results["statistic"] == "marginal_mean"
        changed = results.assign(
            conf_low=results["conf_low"].mask(row, low),
            conf_high=results["conf_high"].mask(row, high),
            value=results["value"].mask(row, (low + high) / 2),
        )
        gated = gate_results(
            changed.assign(
                n=changed["n"].mask(changed["statistic"] == "analysed", changed["n"] - 3),
                value=changed["value"].mask(changed["statistic"] == "analysed", changed["n"] - 3),
            ),
            "threshold-10",
        )
        shown = gated[row & gated["std_error"].isna() & ~gated["hidden"]]
        assert not shown.empty
        assert set(zip(shown["conf_low"], shown["conf_high"], strict=True)) == {expected}


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [
        (4.449, 2, 4.5),
        (4.449, 1, 5.0),
        (21.97, 1, 30.0),
        (2.29, 1, 3.0),
        (4.0, 1, 4.0),
        (0.3, 1, 0.3),
        (0.0301, 2, 0.031),
    ],
)
def test_what_data_could_have_shown_is_never_rounded_down(value: float, digits: int, told: float) -> None:
    assert round_up(pd.Series([value]), digits=digits).item() == told


def test_a_change_is_hidden_where_a_mean_that_it_lies_between_is_and_loses_its_p_value_where_it_is_coarse() -> None:
    means = [Result(analysis="descriptive", statistic="mean", outcome="mood", arm=arm, timepoint=at, value=9.0, n=30)
             for arm in ("peer", "usual") for at in ("baseline", "post")]  # fmt: skip
    changes = [Result(analysis="change_within_arm", statistic="mean_change", outcome="mood", arm=arm, timepoint="post",
                      contrast="post - baseline", value=2.23, std_error=1.1, df=29, conf_low=-0.1, conf_high=4.4,
                      p_value=0.34, n=30) for arm in ("peer", "usual")]  # fmt: skip
    gated = results_table([*means, *changes]).assign(hidden=[True, *[False] * 5], at_least=np.nan)
    gate_changes(gated, THRESHOLD)
    assert gated["hidden"].tolist() == [True, False, False, False, True, False]
    assert np.isnan(gated.loc[4, "value"])
    blur(gated, 5)
    assert np.isnan(gated.loc[5, "p_value"])
    assert gated.loc[5, "value"] == 2.2
