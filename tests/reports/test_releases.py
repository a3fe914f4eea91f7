"""Whoever holds two reports of one study learns of no few people by subtracting one from the other."""

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.profiles import PROFILES
from analysis.results import Result, results_table
from reports import ReportError, gate_results
from reports.releases import Comparison, Release, compare_releases, describe_release, read_releases, write_release

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of what is installed
small_studies = import_module("benchmarks.small_studies")

PAIRS = 200
LATER = 5
"""Later releases that each first one is held against."""
EVALUATED = 2
"""Studies that are evaluated for real; the others are counted and averaged here, which takes less time."""
DAY = "2026-01-31T10:00:00+00:00"


def released(gated: pd.DataFrame, profile: str = "threshold-10") -> Release:
    return Release(DAY, "ab" * 32, profile, tuple(describe_release(gated)))


def table(peer: int, answered: int, mean: float = 15.0, analysed: int | None = None) -> pd.DataFrame:
    at = {"arm": "peer", "timepoint": "end"}
    rows = [
        Result(analysis="flow", statistic="allocated", arm="peer", value=peer, n=peer),
        Result(analysis="flow", statistic="answered", value=answered, n=answered, **at),
    ]
    for statistic, value in (("observed", analysed or answered), ("mean", mean)):
        rows.append(
            Result(
                analysis="descriptive", statistic=statistic, outcome="mood", value=value, n=analysed or answered, **at
            )
        )
    return results_table(rows)  # fmt: skip


def second(first: pd.DataFrame, later: pd.DataFrame, profile: str = "threshold-10") -> pd.DataFrame:
    return gate_results(later, profile, [released(gate_results(first, profile), profile)])


def test_an_arm_that_grew_by_few_people_is_not_released_again():
    with pytest.raises(ReportError, match="changed by fewer than 10 people"):
        second(table(120, 80), table(123, 83))


def test_the_same_again_and_ten_more_are_released():
    for later in (table(120, 80), table(130, 90, 16.0)):
        assert not second(table(120, 80), later)["hidden"].any()


def test_late_answers_of_few_people_are_hidden_with_the_mean_that_tells_their_scores():
    gated = second(table(120, 80, 15.0), table(120, 81, 15.1))
    assert gated["hidden"].tolist() == [False, True, True, True]
    assert gated.loc[1:, ["value", "n", "at_least"]].isna().all(axis=None)


def test_a_mean_of_as_many_people_that_moved_is_hidden_for_somebody_may_have_come_for_another():
    assert second(table(120, 80, 15.0), table(120, 80, 15.1))["hidden"].tolist() == [False, False, False, True]


def test_every_earlier_release_counts_not_the_last_alone():
    first, last = (released(gate_results(table(*counts), "threshold-10")) for counts in ((120, 80), (120, 100)))
    gated = gate_results(table(120, 82), "threshold-10", [first, last])
    assert gated["hidden"].tolist() == [False, True, True, True]


def test_what_was_withheld_does_not_come_back_by_what_was_told_earlier():
    # 120 of 120 answered then; "at least" 111 of 120 now would leave 1 to 9 who withdrew
    gated = second(table(120, 120), table(120, 115))
    assert gated.loc[1, "hidden"]
    assert np.isnan(gated.loc[1, "n"])


def test_other_profiles_have_their_own_limit():
    assert not second(table(120, 80), table(123, 83), "datashield-3")["hidden"].any()
    with pytest.raises(ReportError):
        second(table(120, 80), table(130, 92), "cms-11")
    rounded = second(table(120, 80), table(123, 83), "nhs-8")
    assert rounded["n"].dropna().mod(5).eq(0).all()


def test_nothing_is_compared_where_nothing_is_protected():
    first = gate_results(table(120, 80), "none")
    assert not compare_releases([released(first, "none")], table_gated(121, 81), PROFILES["none"]).hidden


def test_a_release_protects_no_fewer_people_than_an_earlier_one():
    first = released(gate_results(table(120, 80), "threshold-10"))
    for weaker in ("nhs-8", "datashield-3"):
        with pytest.raises(ReportError, match="no fewer than 10 people") as told:
            gate_results(table(120, 80), weaker, [first])
        assert told.value.problems[0].code == "weaker_profile"
    assert not gate_results(table(120, 80), "cms-11", [first])["hidden"].any()


@pytest.mark.parametrize("name", ["arm", "timepoint", "outcome"])
def test_an_id_that_an_earlier_release_told_of_is_kept(name):
    later = table(119, 80)
    later[name] = later[name].replace({"peer": "peers", "end": "last", "mood": "moods"})
    with pytest.raises(ReportError, match=f"told of the {name} '(peer|end|mood)'"):
        second(table(120, 80), later)
    gate_results(later, "none", [released(gate_results(table(120, 80), "none"), "none")])


def harmed(people: float) -> pd.DataFrame:
    harm = Result(analysis="harms", statistic="people_with_event", arm="peer", item="hospital", value=people,
                  verdict="observed")  # fmt: skip
    return pd.concat([table(120, 80), results_table([harm])], ignore_index=True).assign(hidden=False)


def test_a_harm_whose_rounded_number_changed_is_hidden_for_few_people_may_be_the_difference():
    told = released(harmed(20.0))
    assert compare_releases([told], harmed(20.0), PROFILES["threshold-10"]) == Comparison((), ())
    assert compare_releases([told], harmed(30.0), PROFILES["threshold-10"]).hidden == (harmed(30.0).index[-1],)
    assert describe_release(harmed(20.0)) != describe_release(harmed(30.0))
    assert read_releases(write_release(told)) == (told,)


def table_gated(*counts: int) -> pd.DataFrame:
    return gate_results(table(*counts), "none")


def test_a_release_comes_back_from_its_line_and_a_broken_line_stops_everything():
    first = released(gate_results(table(120, 80), "threshold-10"))
    assert read_releases(write_release(first) * 2) == (first, first)
    for broken in ("{}", "no json", write_release(first).replace("threshold-10", "threshold-2"), "[1]"):
        with pytest.raises(ReportError, match="earlier release told"):
            read_releases(write_release(first) + broken)


def subtract(first: pd.DataFrame, later: pd.DataFrame) -> list[tuple[str, float]]:
    """What an attacker learns who holds two tables: small numbers of people, and scores of single ones."""
    key = ["analysis", "statistic", "estimand", "outcome", "population", "arm", "timepoint", "contrast", "item"]
    both = first[~first["hidden"]].merge(later[~later["hidden"]], on=key, suffixes=("_then", "_now"))
    found = []
    for row in both.to_dict("records"):
        then, now = row["n_then"], row["n_now"]
        if then == now and row["statistic"] in ("mean", "mean_change", "sd") and row["value_then"] != row["value_now"]:
            found.append((row["statistic"], row["value_now"] - row["value_then"]))
        if 0 < abs(now - then) < 10:
            found.append((row["statistic"], abs(now - then)))
    return found


def evaluated(study) -> pd.DataFrame:
    return small_studies.evaluate_study(study, "threshold-10")[2]


def summarise(study) -> pd.DataFrame:
    """Rows as of the evaluation: flow, observed, mean, and change of everybody with both scores."""
    from analysis.descriptives import describe_changes, describe_outcome
    from analysis.design import StudyDesign

    n_times = next(iter(study.scores.values())).shape[1]
    design = StudyDesign(
        kind="single_group",
        timepoints=small_studies.TIMEPOINTS[:n_times],
        arms=study.arms,
        measures={each.id: each for each in small_studies.MEASURES.values()},
    )
    answered = np.logical_or.reduce([~np.isnan(values) for values in study.scores.values()])
    rows = []
    for arm in study.arms:
        own = study.arm == arm.id
        rows.append(Result(analysis="flow", statistic="allocated", arm=arm.id, value=own.sum(), n=own.sum()))
        rows += [
            Result(analysis="flow", statistic="answered", arm=arm.id, timepoint=time.id, value=n, n=n)
            for time, n in zip(design.timepoints, answered[own].sum(axis=0), strict=True)
        ]
    for name, values in study.scores.items():
        frame = pd.DataFrame({f"score:{time.id}": values[:, place] for place, time in enumerate(design.timepoints)})
        frame = frame.assign(arm=study.arm)
        rows += [*describe_outcome(frame, name, design)]
        if len(frame) > 30:
            rows += [*describe_changes(frame, name, design)]
    return results_table(rows)  # fmt: skip


@pytest.mark.parametrize("compared", [True, False])
def test_pairs_of_releases_that_differ_by_one_to_nine_people_tell_nothing_of_them(compared, monkeypatch):
    monkeypatch.setattr(
        "analysis.descriptives._change",
        lambda later, before, outcome, arm, timepoint, baseline: iter(
            [
                Result(
                    analysis="change_within_arm",
                    statistic="mean_change",
                    outcome=outcome,
                    arm=arm,
                    timepoint=timepoint,
                    contrast=f"{timepoint} - {baseline}",
                    value=float((later - before).mean()),
                    n=len(later),
                )
            ]
        ),
    )
    rng = np.random.default_rng(77)
    refused = protected = 0
    learned = []
    for place in range(PAIRS // LATER if compared else 4):
        study = small_studies.draw_study(rng)
        if place >= EVALUATED:
            study = replace(study, scores=dict(list(study.scores.items())[:1]))
        evaluate = evaluated if place < EVALUATED * compared else summarise
        first = gate_results(evaluate(study), "threshold-10")
        for _ in range(LATER):
            now = evaluate(small_studies.add_and_remove(study, rng))
            try:
                later = gate_results(now, "threshold-10", [released(first)] if compared else [])
            except ReportError:
                refused += 1
                continue
            protected += 1
            learned += subtract(first, later)
    if not compared:
        assert learned
        return
    assert not learned
    assert refused > PAIRS / 4
    assert protected > PAIRS / 20


def test_a_mean_is_hidden_where_it_moved_and_it_is_withheld_how_many_are_left():
    told = {"analysis": "descriptive", "statistic": "mean", "outcome": "mood", "arm": "peer", "timepoint": "post"}
    first = results_table([Result(**told, value=16.73, n=30)]).assign(hidden=False, at_least=np.nan)
    later = results_table([Result(**told, value=16.8)]).assign(hidden=False, at_least=21.0)
    same = results_table([Result(**told, value=16.73)]).assign(hidden=False, at_least=21.0)
    rule = PROFILES["threshold-10"]
    assert compare_releases([released(first)], later, rule).hidden == (0,)
    assert compare_releases([released(first)], same, rule).hidden == ()
