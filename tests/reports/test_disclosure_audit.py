"""Linear programs find what follows from a gated table, and the gate leaves nothing for them to find."""

import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.profiles import PROFILES
from analysis.results import Result, results_table
from reports import ReportError, complementary_gate, disclosure, gate_results
from reports.disclosure_audit import audit_disclosure, is_safe

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of what is installed
small_studies = import_module("benchmarks.small_studies")

TEN = PROFILES["threshold-10"]
PROTECTING = [profile for profile in PROFILES.values() if profile.protects]


def row(statistic: str, n: float, timepoint: str = "", analysis: str = "flow", **others: object) -> Result:
    at = {"arm": "peer", "timepoint": timepoint, "outcome": "" if analysis == "flow" else "mood"}
    return Result(**at | {"analysis": analysis, "statistic": statistic, "value": n, "n": n} | others)


def told(*rows: Result, at_least: tuple[float, ...] = ()) -> pd.DataFrame:
    """A table as if it had been gated; with a bound the number itself is withheld."""
    table = results_table(rows).assign(hidden=False, at_least=np.nan)
    for place, bound in enumerate(at_least):
        if bound:
            table.loc[place, ["n", "value", "at_least"]] = [np.nan, np.nan, bound]
    return table


def names(table: pd.DataFrame, profile=TEN) -> dict[str, tuple[float, float]]:
    return {found.name: (found.low, found.high) for found in audit_disclosure(table, profile)}


def test_a_difference_of_two_counts_is_found():
    found = names(told(row("allocated", 120), row("answered", 115, "end")))
    assert found == {"allocated peer without answered peer end": (5.0, 5.0)}
    assert not names(told(row("allocated", 120), row("answered", 110, "end")))
    assert not names(told(row("allocated", 120), row("answered", 120, "end")))


def test_a_bound_that_is_too_near_is_found_and_one_that_leaves_nobody_possible_is_not():
    rows = row("allocated", 120), row("answered", 115, "end")
    assert names(told(*rows, at_least=(0, 113)))
    assert not names(told(*rows, at_least=(0, 111)))


def test_what_three_counts_tell_together_is_found():
    rows = (row("allocated", 60), row("observed", 50, "start", "descriptive"), row("observed", 30, "end", "descriptive"),
            row("mean_change", 24, "end", "change_within_arm"))  # fmt: skip
    found = names(told(*rows))
    assert found["allocated peer without either score for both peer end mood"] == (4.0, 4.0)
    assert found["observed peer end mood without both peer end mood"] == (6.0, 6.0)


def test_a_total_gives_a_hidden_arm_back():
    model = {"analysis": "model", "statistic": "covariance: residual", "outcome": "mood"}
    rows = (row("analysed", 50, outcome="mood"), row("analysed", 7, outcome="mood", arm="usual"),
            Result(**model, value=1.0, n=57))  # fmt: skip
    table = told(*rows)
    table.loc[1, ["n", "value", "hidden"]] = [np.nan, np.nan, True]
    assert names(table)["analysed usual mood"] == (7.0, 7.0)


def test_rounded_numbers_are_known_up_to_half_a_step():
    table = told(row("allocated", 30), row("answered", 25, "end"))
    assert not names(table, PROFILES["nhs-8"])  # 28 to 32 less 23 to 27: 1 to 9
    assert names(table, PROFILES["threshold-10"])


def test_a_share_of_a_known_number_is_a_number():
    share = {"analysis": "change_counts", "outcome": "mood", "arm": "peer", "timepoint": "end", "item": "meaningful"}
    rows = (
        row("mean_change", 100, "end", "change_within_arm"),
        Result(**share, statistic="improved", value=0.05, n=100),
    )
    assert names(told(*rows))["changed peer end mood meaningful improved"] == pytest.approx((4.5, 5.5))


@pytest.mark.parametrize(
    ("low", "high", "safe"),
    [
        (0, 0, True),
        (0, 9, True),
        (0, 8, False),
        (1, 9, False),
        (5, 12, False),
        (5, 14, True),
        (10, 10, True),
        (3, 3, False),
    ],
)
def test_limits_are_not_all_small_nor_nearer_than_small_numbers_are(low, high, safe):
    assert is_safe(low, high, TEN) == is_safe(low + 1e-9, high - 1e-9, TEN) == safe


def studies(number: int):
    for seed in range(number):
        study = small_studies.draw_study(np.random.default_rng([9, seed]))
        yield small_studies.evaluate_study(study, "threshold-10")[2]


def test_true_numbers_agree_with_what_the_audit_takes_to_be_so():
    for results in studies(4):
        found = audit_disclosure(gate_results(results, "none"), TEN)
        assert found  # small studies have small numbers
        assert not any(np.isnan(each.low) for each in found)


def test_the_gate_leaves_nothing_that_follows_and_does_so_by_the_audit(monkeypatch):
    followed = 0
    for results in studies(4):
        for profile in PROTECTING:
            gated = gate_results(results, profile.name)
            assert not audit_disclosure(gated, profile)
            with monkeypatch.context() as without:
                without.setattr(disclosure, "gate_what_follows", lambda *_: None)
                followed += len(audit_disclosure(gate_results(results, profile.name), profile))
    assert followed


def test_the_least_important_number_goes_first_and_nothing_leaves_where_that_does_not_help(monkeypatch):
    table = told(row("allocated", 60), row("observed", 50, "start", "descriptive"),
                 row("observed", 30, "end", "descriptive"), row("mean_change", 24, "end", "change_within_arm"))  # fmt: skip
    complementary_gate.gate_what_follows(table, TEN)
    assert table["n"].isna().tolist() == [False, False, False, True]
    monkeypatch.setattr(complementary_gate, "_is_told", lambda *_: False)
    with pytest.raises(ReportError, match="whatever else is hidden"):
        complementary_gate.gate_what_follows(told(row("allocated", 120), row("answered", 115, "end")), TEN)


@pytest.mark.parametrize("profile", PROTECTING)
def test_counts_of_an_arm_are_as_far_apart_as_the_profile_says_or_rounded(profile):
    for results in studies(2):
        gated = gate_results(results, profile.name)
        for _, own in gated[(gated["arm"] != "") & gated["n"].notna()].groupby("arm"):
            counts = sorted({*own["n"]} - {0.0})
            assert all(count >= profile.threshold for count in counts)
            apart = profile.rounded_to if profile.rounded_to > 1 else profile.threshold
            assert all(right - left >= apart for left, right in pairwise(counts))


def test_under_rounding_everything_is_as_coarse_as_beside_a_withheld_number():
    results = results_table([row("allocated", 43), row("answered", 22, "end"), row("observed", 22, "end", "descriptive"),
                             row("mean", 22, "end", "descriptive", value=15.12345, std_error=0.98765, df=21,
                                 conf_low=13.1, conf_high=17.2),
                             row("answered", 7, "later"), row("answered", 0, "never")])  # fmt: skip
    gated = gate_results(results, "nhs-8")
    assert gated["n"].fillna(-1).tolist() == [45, 20, 20, 20, -1, 0]
    assert gated.loc[[0, 1, 2], "value"].tolist() == [45, 20, 20]
    assert gated.loc[3, "value"] == 15.1
    assert gated.loc[3, ["std_error", "df"]].isna().all()
    assert gated["hidden"].tolist() == [False, False, False, False, True, False]


@pytest.mark.parametrize(("allocated", "is_told"), [(44, True), (49, False)])
def test_an_interval_of_nobody_tells_of_how_many_people_it_is(allocated: int, is_told: bool) -> None:
    """Nobody of 40 to 49 people: up to 8.9 of 100. Of 44 people at most four lack an answer then."""
    people = Result(analysis="flow", statistic="allocated", arm="peer", value=allocated, n=allocated)
    nobody = Result(analysis="harms", statistic="alert_before", arm="peer", timepoint="end", item="harm", value=0.0,
                    conf_low=0.0, conf_high=8.9, verdict="observed")  # fmt: skip
    gated = results_table([people, nobody]).assign(hidden=False, at_least=np.nan)
    assert bool(audit_disclosure(gated, PROFILES["threshold-10"])) == is_told
    assert not audit_disclosure(gated.assign(conf_high=np.nan), PROFILES["threshold-10"])


def test_zero_that_agrees_with_numbers_is_no_proof_of_room() -> None:
    """The first numbers that a program finds may all be zero, and others be small."""
    people = row("allocated", 44)
    answered = told(people, row("answered", 40, "end"), at_least=(0, 40))
    assert names(answered) == {"allocated peer without answered peer end": (0.0, 4.0)}


def test_who_gave_both_answers_to_an_item_answered_at_both_timepoints() -> None:
    """Of 400 people 17.5 to 22.5 of 100 lack an answer, so 310 have both; 315 answered, so at most 5 of these lack one."""
    missing = Result(analysis="harms", statistic="incomplete", arm="peer", timepoint="end", item="harm", value=20.0,
                     verdict="observed")  # fmt: skip
    rows = (row("allocated", 400), row("answered", 400, "start"), row("answered", 315, "end"))
    found = names(told(*rows, missing))
    assert found == {"answered peer end without alerts peer end harm both": (0.0, 5.0)}
    assert not names(told(*rows))
