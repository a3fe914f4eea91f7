"""Page one: what was asked, who came, what was found beside the headline, and what not to conclude, for every design."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from analysis.design import Arm, DesignKind
from analysis.plan_parts import Harm
from analysis.results import Result, results_table
from reports import ReportContent, gate_results
from reports.also_found import say_also_found
from reports.asked import say_question
from reports.claims import make_claim
from reports.harms_in_short import say_harms_in_short
from reports.lint import lint_claims
from reports.not_to_conclude import OF_DESIGN, say_certainty_means, say_interval_means, say_not_to_conclude
from reports.overview import say_next_steps, say_who_came
from reports.reading import Row, Rows, read_rows

from .test_change_counts import MANY, with_rows
from .test_change_counts import rows_of as changes_of

Build = Callable[..., ReportContent]
KINDS: tuple[DesignKind, ...] = tuple(OF_DESIGN)
FOLLOWED = tuple(kind for kind in KINDS if kind not in ("repeated_cross_section", "interrupted_time_series"))
CLEAR, NOT_CLEAR = (-2.4, -4.2, -0.6), (-0.4, -2.2, 1.4)


def rows_of(content: ReportContent) -> Rows:
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile))


def found(content: ReportContent, *more: Result) -> tuple[str, ...]:
    """What page one tells beside the headline."""
    content = replace(content, results=pd.concat([content.results, results_table(more)]) if more else content.results)
    rows = rows_of(content)
    return say_also_found(rows, content, {each.id: make_claim(each, rows, content) for each in content.plan.estimands})


def lines(content: ReportContent, level: int = 3) -> tuple[str, ...]:
    """What page one says not to conclude."""
    claim = make_claim(content.plan.estimands[0], rows_of(content), content)
    return say_not_to_conclude(content, claim, level)


@pytest.fixture
def plans(build: Build) -> Callable[..., ReportContent]:
    """Content of which the plan asks again at 26 weeks about the primary outcome."""

    def ask_again(kind: str = "randomised", **options: object) -> ReportContent:
        content = build(kind, **options)
        again = content.plan.estimands[0].model_copy(update={"id": "stigma_late", "timepoint": "late"})
        row = content.results[content.results["estimand"] == "stigma_post"].assign(
            estimand="stigma_late", timepoint="late"
        )
        plan = content.plan.model_copy(update={"estimands": [*content.plan.estimands, again]})
        return replace(content, plan=plan, results=pd.concat([content.results, row]))

    return ask_again


def test_rates_are_of_the_time_of_the_headline_and_a_score_is_more_than_an_answer(build: Build) -> None:
    content = build()
    answers, scores = say_who_came(rows_of(content), content)[1], content.results
    assert (
        answers
        == "At 12 weeks, 390 of 451 answered (86\u00a0%): 190 of 220 in Peer support (86\u00a0%) and 200 of 231 in Usual care (87\u00a0%)."
    )
    at = scores["analysis"].eq("descriptive") & scores["outcome"].eq("stigma") & scores["timepoint"].eq("post")
    counted = at & scores["statistic"].eq("observed")
    scores.loc[at, "n"] -= 20.0
    scores.loc[counted, "value"] -= 20.0
    fewer = say_who_came(rows_of(content), content)[1]
    assert fewer.startswith(answers)
    assert fewer.endswith("With a score of felt stigma at 12 weeks: 170 in Peer support and 180 in Usual care.")


def test_an_exact_number_does_not_follow_at_least(build: Build) -> None:
    content = build()
    rows = tuple(
        replace(row, n=float("nan"), at_least=95.0) if (row.statistic, row.arm) == ("observed", "peer") else row
        for row in rows_of(content)
    )
    said = say_who_came(rows, content)[1]
    assert said.endswith(": 200 in Usual care and at least 95 in Peer support.")


def test_people_are_followed_up_at_the_last_time_that_was_reached_and_earlier_ones_are_for_the_next_study(
    recount: Build,
) -> None:
    def steps(kind: str = "randomised", **counts: tuple[int, ...]) -> list[str]:
        content = recount(kind, **counts)
        return [line for line in say_next_steps(rows_of(content), content, ()) if "four in five" in line]

    follow_up = "Follow up the people who did not answer: fewer than four in five did at {} in {}."
    next_time = (
        "In the next study, plan for reaching those who do not answer: fewer than four in five did at 12 weeks in {}."
    )
    assert steps(peer=(220, 120, 110), usual=(231, 220, 210)) == [
        follow_up.format("26 weeks", "Peer support"),
        next_time.format("Peer support"),
    ]
    assert steps(peer=(220, 120, 190), usual=(231, 220, 210)) == [next_time.format("Peer support")]
    assert steps(peer=(220, 200, 190), usual=(231, 220, 100)) == [follow_up.format("26 weeks", "Usual care")]
    assert steps(peer=(220, 120, 0), usual=(231, 220, 0)) == [follow_up.format("12 weeks", "Peer support")]
    assert steps(peer=(220, 0, 0), usual=(231, 0, 0)) == []
    assert steps(peer=(220, 200, 190), usual=(231, 220, 210)) == []
    assert steps("single_group", peer=(220, 120, 190)) == [next_time.replace(" in {}", "").format()]


def test_who_saw_to_answers_that_call_for_attention_is_asked_where_some_were_given(build: Build) -> None:
    content = build()
    harm = Harm(id="low", label="Thoughts of self-harm", instrument="who-5", item="1", at_least=1)
    content = replace(content, plan=content.plan.model_copy(update={"harms": [harm]}))
    ask = "Ask whether anybody saw to the people who told of Thoughts of self-harm."
    at = {"analysis": "harms", "item": "low", "arm": "peer", "timepoint": "post"}

    def steps(value: float, *, hidden: bool = False, few: float = 0) -> tuple[str, ...]:
        told = Row(**at, statistic="alert_later", value=value, hidden=hidden)
        minority = Row(**at, statistic="is_minority", value=few)
        return say_next_steps((told, minority), content, ())

    assert ask in steps(20.0)
    assert ask in steps(float("nan"), hidden=True, few=1)
    assert ask not in steps(0.0)
    assert ask not in steps(float("nan"), hidden=True)
    assert not any("saw to" in line for line in say_next_steps((), content, ()))


def test_where_nothing_of_the_answers_may_be_told_the_reason_stands_once(recount: Build) -> None:
    content = recount(peer=(12, 7, 6), usual=(12, 7, 6))
    said = " ".join(say_who_came(rows_of(content), content))
    assert said.count("somebody could be recognised") == 1
    assert "How many answered at 12 weeks is not shown" in said


def test_a_study_without_a_question_asks_that_of_its_plan(build: Build) -> None:
    assert say_question(replace(build(), question="Why?")) == "Why?"
    assert say_question(replace(build(), question="")) == (
        "The plan asks about felt stigma at 12 weeks, in Peer support compared with Usual care."
    )
    assert say_question(replace(build("single_group"), question="")) == (
        "The plan asks about felt stigma at 12 weeks, compared with Baseline."
    )
    plan = build().plan.model_copy(update={"estimands": []})
    assert "asks for no comparison" in say_question(replace(build(), question="", plan=plan))


def test_the_later_timepoint_stands_beside_the_headline(plans: Build) -> None:
    assert found(plans())[0].startswith(
        "Felt stigma at 26 weeks: a clear difference, 2.4 points lower (95\u00a0% interval 0."
    )
    assert found(plans("single_group"))[0].startswith("Felt stigma at 26 weeks: a clear change, 2.4 points lower (")
    assert found(plans(estimate=NOT_CLEAR))[0].startswith("Felt stigma at 26 weeks: no clear difference, 0.4 points")
    assert found(plans(verdict="refused:empty_cell"))[0] == "Felt stigma at 26 weeks: not computed."


def test_people_who_scored_better_come_with_how_the_arms_differ_in_that(build: Build) -> None:
    said = " ".join(found(with_rows(build(), *changes_of(MANY))))
    assert (
        "21 more of 100 people in Peer support than in Usual care scored at least 2 points better (95\u00a0% interval from "
        in said
    )
    assert "could be none" not in said
    nearly = changes_of(MANY | {"usual": (30, 30, 40, 40, 60)})
    assert "The difference could be none. At 12 weeks, " in " ".join(found(with_rows(build(), *nearly)))


def test_people_who_scored_worse_are_told_not_to_have_been_compared_where_two_arms_stand_side_by_side(
    build: Build,
) -> None:
    uncompared = "worse than at Baseline. Whether the arms differ in this was not computed."
    assert uncompared in " ".join(found(with_rows(build(), *changes_of(MANY))))
    alone = changes_of({"peer": MANY["peer"]})
    assert "was not computed" not in " ".join(found(with_rows(build("single_group"), *alone)))
    content = with_rows(build(), *changes_of(MANY))
    rows = tuple(
        replace(row, hidden=True, method="") if (row.statistic, row.arm) == ("worsened", "usual") else row
        for row in rows_of(content)
    )
    claims = {each.id: make_claim(each, rows, content) for each in content.plan.estimands}
    assert "differ in this" not in " ".join(say_also_found(rows, content, claims))


def test_shares_are_not_compared_where_the_comparison_is_refused_or_hidden(build: Build) -> None:
    content = with_rows(build(), *changes_of(MANY))
    claim = make_claim(content.plan.estimands[0], rows_of(content), content)
    for claims, hidden in (({}, True), ({claim.estimand: replace(claim, is_answered=False)}, False)):
        rows = tuple(
            replace(row, hidden=hidden) if row.statistic == "difference_in_shares" else row for row in rows_of(content)
        )
        own = {each.id: make_claim(each, rows, content) for each in content.plan.estimands} | claims
        said = " ".join(say_also_found(rows, content, own))
        assert "56 of 100 people in Peer support" in said
        assert "than in Usual care scored" not in said


def test_the_other_outcomes_are_told_by_what_is_good_and_none_is_left_out(build: Build) -> None:
    """Lower is worse for well-being: the same estimate that is good news for stigma."""
    assert (
        "The plan has 1 other outcome. Clearly worse in Peer support than in Usual care: mental well-being (12 weeks; "
        "what size people notice is not known)." in found(build())
    )
    better = tuple(-end for end in (CLEAR[0], CLEAR[2], CLEAR[1]))
    assert "Clearly better in Peer support than in Usual care: mental well-being" in " ".join(
        found(build(estimate=better))
    )
    unclear = " ".join(found(build(estimate=NOT_CLEAR)))
    assert "No clear difference between Peer support and Usual care: mental well-being (12 weeks)." in unclear
    assert "Not computed: mental well-being (12 weeks)." in " ".join(found(build(verdict="refused:empty_cell")))
    assert "No clear change since Baseline: mental" in " ".join(found(build("single_group", estimate=NOT_CLEAR)))


@pytest.mark.parametrize(
    ("smallest", "added"),
    [(0.5, ""), (2.0, ""), (4.0, "; as found, by less than people notice"), (5.0, "; by less than people notice")],
)
def test_a_clear_difference_that_people_would_not_notice_is_told_as_such(
    build: Build, smallest: float, added: str
) -> None:
    content = build(smallest=smallest)
    noticed = content.plan.primary.smallest_meaningful_change
    first, second = content.plan.outcomes
    plan = content.plan.model_copy(
        update={"outcomes": [first, second.model_copy(update={"smallest_meaningful_change": noticed})]}
    )
    said = " ".join(found(replace(content, plan=plan)))
    assert f"Clearly worse in Peer support than in Usual care: mental well-being (12 weeks{added})." in said


def test_another_clear_answer_about_the_primary_outcome_is_held_against_what_people_notice(plans: Build) -> None:
    told = {smallest: found(plans(smallest=smallest))[0] for smallest in (2.0, 4.0, 5.0)}
    assert told[2.0].endswith("points lower).")
    assert told[4.0].endswith("points lower). What was found is less than people notice.")
    assert told[5.0].endswith("points lower). That is less than people notice.")


def test_answers_that_stay_inside_are_named_without_their_direction(recount: Build) -> None:
    said = " ".join(found(recount(usual=(12, 7, 6))))
    assert "Not shown, so that nobody can be recognised: mental well-being (12 weeks)." in said
    assert "Clearly" not in said


def test_a_fourth_answer_about_the_primary_outcome_is_told_in_groups(plans: Build) -> None:
    content = plans()
    asked = [
        content.plan.estimands[-1].model_copy(update={"id": f"again_{n}", "contrast": "usual - peer", "timepoint": at})
        for n, at in enumerate(("post", "late"))
    ]
    asked.append(asked[0].model_copy(update={"id": "again_3", "timepoint": "baseline"}))
    row = content.results[content.results["estimand"] == "stigma_late"]
    rows = [row.assign(estimand=each.id, timepoint=each.timepoint, contrast=each.contrast) for each in asked]
    plan = content.plan.model_copy(update={"estimands": [*content.plan.estimands, *asked]})
    content = replace(content, plan=plan, results=pd.concat([content.results, *rows]))
    assert found(content)[0] == (
        "Clearly better in Peer support than in Usual care: felt stigma (26 weeks). Clearly better in Usual care than in "
        "Peer support: felt stigma (12 weeks, 26 weeks and Baseline)."
    )


def test_harms_that_nobody_looked_for_are_not_said_to_be_none(build: Build) -> None:
    assert found(build())[-1] == (
        "The plan names no harms, so nothing is known of harm: that does not mean that there was none."
    )


def test_harms_are_told_by_arm_as_the_gate_leaves_them(build: Build) -> None:
    content = build()
    plan = content.plan.model_copy(update={"harms": [Harm(id="fall", label="Falls", event="fall")]})
    counts = [
        Result(analysis="harms", statistic="people_with_event", item="fall", arm=arm, value=number, n=number)
        for arm, number in (("peer", 22), ("usual", 46))
    ]
    said = found(replace(content, plan=plan), *counts)[-1]
    assert said.startswith("The plan counts 1 possible harm; counts do not tell why it happened. Falls: ")
    assert "in Peer support and" in said
    assert "22" not in said
    assert "46" not in said
    assert said.endswith("Numbers with “about” are rounded and do not tell whether the arms differ.")


def test_a_harm_whose_number_is_not_shown_says_why(build: Build) -> None:
    content = build()
    plan = content.plan.model_copy(update={"harms": [Harm(id="fall", label="Falls", event="fall")]})
    content = replace(content, plan=plan)
    counts = [
        Result(analysis="harms", statistic="people_with_event", item="fall", arm=arm, value=22, n=22)
        for arm in ("peer", "usual")
    ]
    rows = read_rows(gate_results(results_table(counts), "threshold-10"))
    some = [replace(row, hidden=row.arm == "usual", value=20.0) for row in rows]
    said = say_harms_in_short(tuple(some), content)
    assert "Falls: about 20 people in Peer support and not shown for Usual care (so few people are behind it" in said
    none = say_harms_in_short(tuple(replace(row, hidden=True) for row in rows), content)
    assert none.endswith("Falls: not shown, so that nobody can be recognised.")


@pytest.mark.parametrize("kind", KINDS)
def test_every_design_says_what_not_to_conclude_and_claims_nothing_by_it(build: Build, kind: DesignKind) -> None:
    for estimate in (CLEAR, NOT_CLEAR):
        content = of_kind(build, kind, estimate=estimate)
        said = lines(content, 1)
        assert 2 <= len(said) <= 5
        assert all(line.startswith("That ") for line in said)
        lint_claims(" ".join(said), kind)
        reason = any("is the reason for" in line for line in said)
        assert reason == (kind not in ("randomised", "waitlist", "stepped_wedge"))


def of_kind(build: Build, kind: DesignKind, **options: object) -> ReportContent:
    """Content of a design; where nobody is followed the samples of one arm are compared."""
    content = build("randomised" if kind not in FOLLOWED else kind, **options)
    arms = (Arm("peer", "Peer support", starts="post"),) if kind == "interrupted_time_series" else content.design.arms
    return replace(content, design=replace(content.design, kind=kind, arms=arms))


def test_no_clear_difference_is_no_proof_of_none_and_low_certainty_settles_nothing(build: Build) -> None:
    assert lines(build(estimate=NOT_CLEAR))[0].startswith("That there is no difference: none was clear")
    assert lines(build("single_group", estimate=NOT_CLEAR))[0].startswith("That there was no change: none was clear")
    assert lines(build())[0].startswith("That it holds for each person")
    assert any("certainty is low" in line for line in lines(build(), 2))
    assert not any("settles" in line for line in lines(build(), 3))
    refused = lines(build(verdict="refused:empty_cell"))
    assert refused[0] == "That there is no difference: the question was not answered."
    assert "chance alone" in refused[1]


def test_the_interval_and_the_certainty_are_explained_where_there_is_an_answer(build: Build) -> None:
    content = build()
    claim = make_claim(content.plan.estimands[0], rows_of(content), content)
    assert "about 95 would have the true difference" in say_interval_means(content, claim)
    assert "true change" in say_interval_means(build("single_group"), claim)
    assert say_interval_means(content, replace(claim, is_answered=False)) == ""
    assert say_interval_means(content, None) == ""
    assert len({say_certainty_means(level) for level in range(5)}) == 5
    assert say_certainty_means(0) == ""


def test_a_clear_difference_too_small_to_notice_says_so_in_the_headline(build: Build) -> None:
    small = (-1.0, -1.6, -0.4)
    claim = make_claim(build().plan.estimands[0], rows_of(build(estimate=small)), build(estimate=small))
    assert claim.sentence.startswith(
        "Peer support probably reduces felt stigma, by less than people notice: at 12 weeks"
    )
    assert any("one person may change by more" in note for note in claim.notes)
    for kind in ("matched_comparison", "single_group"):
        content = build(kind, estimate=small)
        assert "less than people notice." in make_claim(content.plan.estimands[0], rows_of(content), content).sentence
    for estimate in (CLEAR, (-0.4, -1.4, 0.6)):
        content = build(estimate=estimate)
        assert "less than" not in make_claim(content.plan.estimands[0], rows_of(content), content).sentence


def test_three_arms_are_named_where_another_pair_is_compared(plans: Build) -> None:
    content = plans()
    last = content.plan.estimands[-1].model_copy(update={"contrast": "usual - peer"})
    plan = content.plan.model_copy(update={"estimands": [*content.plan.estimands[:-1], last]})
    assert found(replace(content, plan=plan))[0].startswith(
        "Felt stigma at 26 weeks, Usual care compared with Peer support: "
    )
    assert Arm("peer", "Peer support") in content.design.arms
