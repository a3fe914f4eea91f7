"""How sure one may be, in words: each reason with its number where the gate leaves it, and without it elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pandas as pd
import pytest

from analysis.balance_part import AFTER, BEFORE, EFFECTIVE
from analysis.certainty_reasons import Kind
from analysis.design import RESAMPLED, DesignKind
from analysis.expected_change_part import LEFT_OVER, WITHIN
from analysis.plan_parts import Population
from analysis.quality import WITH, WITHOUT
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, lint_claims
from reports.certainties import say_certainties
from reports.certainty import NOT_TOLD, WITH_NUMBER, Certainty, certainty_of, say_certainty
from reports.reading import read_rows

Build = Callable[..., ReportContent]
NO_BREAK = "\u00a0"
PLAIN = "The sentence without a number."
STIGMA = {"estimand": "stigma_post", "outcome": "stigma", "timepoint": "post"}
MODEL = {**STIGMA, "contrast": "peer - usual", "statistic": "difference", "verdict": "estimated"}


def reason(kind: str, *, value: float = 1, method: str = PLAIN, **place: str) -> Result:
    of = {"analysis": "certainty", "estimand": "stigma_post", "outcome": "stigma"} | place
    return Result(**of, statistic="reason", item=kind, value=value, method=method)


def add(content: ReportContent, *rows: Result) -> ReportContent:
    results = content.results[content.results["statistic"] != "reason"]
    return replace(content, results=pd.concat([results, results_table(rows)], ignore_index=True))


def tell(content: ReportContent, *rows: Result) -> tuple[str, ...]:
    """Return the reasons that are told once the gate has judged the rows."""
    content = add(content, *rows)
    gated = gate_results(content.results, content.plan.small_numbers.profile)
    return rate(gated, content).reasons


def rate(gated: pd.DataFrame, content: ReportContent) -> Certainty:
    """Return how sure one may be of the first question."""
    rated = say_certainty(read_rows(gated), content.plan.estimands[0], content)
    assert rated is not None
    return rated


def measured(statistic: str, value: float, n: float = 200, **place: str) -> Result:
    return Result(analysis="reliability", statistic=statistic, outcome="ssci-8.total", value=value, n=n, **place)


def agreement(equal: int, different: int, people: int) -> list[Result]:
    counts = {"compared": (equal + different, 200), "equal": (equal, 190), "different": (different, people)}
    return [
        Result(analysis="score_agreement", statistic=name, outcome="ssci-8.total", value=value, n=n)
        for name, (value, n) in counts.items()
    ]


def sensitivity(value: float, **changed: Any) -> Result:
    numbers = {"value": value, "conf_low": value - 1.5, "conf_high": value + 1.5, "n": 150, "fewest": 30.0}
    return Result(analysis="sensitivity", item="jump_to_reference", **MODEL | numbers | changed)


def balance(statistic: str, value: float, fewest: float = 30.0, **place: str) -> Result:
    place = {"estimand": "stigma_post", "outcome": "stigma"} | place
    return Result(analysis="balance", statistic=statistic, value=value, n=150, fewest=fewest, **place)


def again(population: str, fewest: float = 20.0) -> Result:
    numbers = {"value": -0.9, "conf_low": -2.6, "conf_high": 0.8, "n": 140, "fewest": fewest}
    return Result(analysis="quality", population=population, **MODEL | numbers)


def permutation(p: float, n: float = 150) -> Result:
    return Result(analysis="permutation", **MODEL | {"statistic": "p_value", "value": p, "n": n})


def expected(n: float = 150) -> list[Result]:
    of = {"analysis": "expected_change", **STIGMA, "contrast": "post - baseline", "item": "entry_rule", "n": n}
    return [
        Result(**of, statistic="judgement", method=WITHIN, verdict="estimated"),
        Result(**of, statistic=LEFT_OVER, value=-0.4, conf_low=-1.61, conf_high=0.82, verdict="estimated"),
    ]


def composition(value: float, n: float = 60) -> Result:
    at = {"outcome": "stigma", "arm": "peer", "timepoint": "post", "item": "age", "contrast": "post - baseline"}
    return Result(analysis="composition", statistic="standardised_difference", value=value, n=n, **at)


DREW = "Fewer than 5 groups were drawn for an arm, and drawing lots alone could have made such a difference."
ON_LEAVERS = "What can be said hangs on how those who left are taken to have fared"
ON_FLAGGED = "What can be said hangs on whether the answers that were flagged are used"
TOLD: dict[str, tuple[Result, list[Result], str]] = {
    "leavers": (
        reason("leavers", method=f"{ON_LEAVERS}.", timepoint="post"),
        [sensitivity(-0.7)],
        f"{ON_LEAVERS}: under the assumptions of the plan the 95{NO_BREAK}% intervals of the difference reach from 4.0 points lower "
        "to 0.8 points higher.",
    ),
    "permutation": (
        reason("permutation", method=DREW, estimand="stigma_post"),
        [permutation(0.1)],
        f"Fewer than 5 groups were drawn for an arm, and 10.0{NO_BREAK}% of all ways to draw them would alone give a "
        f"difference this large (5{NO_BREAK}% or more).",
    ),
    "balance": (
        reason("balance", method="The arms differed much in: Age."),
        [balance(BEFORE, -0.452, item="age"), balance(BEFORE, 0.11, item="score:baseline")],
        "The arms differed much in: Age. The largest difference was 0.45 of the usual spread between people; more than "
        "0.25 is much.",
    ),
    "balance after weighting": (
        reason("balance", method="Weighted, the arms still differed in: Age."),
        [balance(BEFORE, 0.9, item="age"), balance(AFTER, 0.31, item="age")],
        "Weighted, the arms still differed in: Age. The largest difference was 0.31 of the usual spread between people; "
        "more than 0.25 is much.",
    ),
    "overlap": (
        reason("overlap"),
        [balance(EFFECTIVE, 43.2, arm="usual"), balance(EFFECTIVE, 71.0, arm="peer")],
        f"Made alike by weights, the people of the Usual care arm tell only as much as 43{NO_BREAK}% of them would "
        f"(less than 50{NO_BREAK}%): many have no like in the other arm.",
    ),
    "composition": (
        reason("composition", method="They differed in: Age.", estimand="stigma_post", timepoint="post"),
        [composition(0.43)],
        "They differed in: Age. The largest difference was 0.43 of the usual spread between people; more than 0.25 is "
        "much.",
    ),
    "unreliable": (
        reason("unreliable", timepoint="post"),
        [measured("cronbach_alpha", 0.6249, timepoint="post")],
        "The questions agreed little with each other at 12 weeks: their agreement (alpha, 1 at best) was 0.62, below "
        "0.7, so scores are blurred.",
    ),
    "not_invariant": (
        reason("not_invariant", timepoint="post"),
        [measured("invariance_level", 1, timepoint="post")],
        "The questions did not mean quite the same at Baseline and at 12 weeks (1 of 3 steps of sameness were "
        "reached), so part of the difference may be the questions.",
    ),
    "flagged": (
        reason("flagged", method=f"{ON_FLAGGED}.", estimand="stigma_post", timepoint="post"),
        [again(WITHOUT)],
        f"{ON_FLAGGED}: with them the 95{NO_BREAK}% interval runs from 0.8 to 4.0 points lower, without them from "
        "2.6 points lower to 0.8 points higher.",
    ),
    "flagged and left out": (
        reason("flagged", method=f"{ON_FLAGGED}.", estimand="stigma_post", timepoint="post"),
        [again(WITH)],
        f"{ON_FLAGGED}: with them the 95{NO_BREAK}% interval runs from 2.6 points lower to 0.8 points higher, "
        "without them from 0.8 to 4.0 points lower.",
    ),
}
"""Name, whose first word is the kind -> the reason, the rows of its number, and the sentence."""
FEW: dict[str, list[Result]] = {
    "leavers": [sensitivity(-0.7, fewest=9.0)],
    "permutation": [permutation(0.1, n=9)],
    "balance": [balance(BEFORE, -0.452, 9.0, item="age")],
    "overlap": [balance(EFFECTIVE, 43.2, 9.0, arm="usual")],
    "composition": [composition(0.43, n=9)],
    "unreliable": [measured("cronbach_alpha", 0.62, n=9, timepoint="post")],
    "not_invariant": [measured("invariance_level", 1, n=9, timepoint="post")],
    "flagged": [again(WITHOUT, fewest=9.0)],
}
"""The same rows with nine people behind them."""


def protected(build: Build, **built: Any) -> ReportContent:
    content = build(estimate=(-2.4, -4.0, -0.8), profile="threshold-10", **built)
    named = ["jump_to_reference"]
    return replace(content, plan=content.plan.model_copy(update={"sensitivity": named}))


def rows_without(content: ReportContent, analysis: str) -> ReportContent:
    results = content.results[content.results["analysis"] != analysis]
    return replace(content, results=results.reset_index(drop=True))


@pytest.mark.parametrize("name", TOLD)
def test_each_reason_is_told_with_its_number(build: Build, name: str) -> None:
    row, numbers, sentence = TOLD[name]
    assert tell(protected(build), *numbers, row) == (sentence,)


@pytest.mark.parametrize("name", FEW)
def test_a_number_that_few_people_are_behind_is_left_out_of_its_sentence(build: Build, name: str) -> None:
    row = TOLD[name][0]
    assert tell(protected(build), *FEW[name], row) == (row.method,)
    assert tell(protected(build), row) == (row.method,)


def test_the_share_without_a_score_is_told_of_the_arm_where_both_counts_are_printed(build: Build) -> None:
    row = reason("missing", arm="usual", timepoint="post")
    content = protected(build, counts={"peer": (220, 200, 190), "usual": (231, 160, 140)})
    assert tell(content, row) == (
        f"31{NO_BREAK}% of the people in Usual care had no score at 12 weeks (more than 20{NO_BREAK}%), and nobody knows "
        "how they fared.",
    )
    just_above = protected(build, counts={"peer": (220, 200, 190), "usual": (231, 184, 140)})  # 20.3 percent
    assert tell(just_above, row) == (PLAIN,)


def test_the_share_without_a_score_is_not_told_where_it_would_give_a_withheld_count_back(build: Build) -> None:
    """160 answered, which is printed, and 155 have a score: 33 % of 231 would tell the five between them."""
    content = protected(build, counts={"peer": (220, 200, 190), "usual": (231, 160, 140)})
    is_own = content.results["statistic"].eq("observed") & content.results["arm"].eq("usual")
    is_own &= content.results["timepoint"].eq("post") & content.results["outcome"].eq("stigma")
    content.results.loc[is_own, ["value", "n"]] = 155
    assert tell(content, reason("missing", arm="usual", timepoint="post")) == (PLAIN,)


def test_an_interval_is_told_against_the_smallest_difference(build: Build) -> None:
    row = reason("imprecise", estimand="stigma_post", timepoint="post")
    wide = build(estimate=(-1.2, -4.2, 1.8), smallest=3.0)
    assert tell(wide, row) == (
        f"At 12 weeks the 95{NO_BREAK}% interval runs from 4.2 points lower to 1.8 points higher: there may be "
        "no difference, or one that people notice (3 points or more).",
    )
    (several,) = tell(build(estimate=(-2.4, -4.0, -0.8), smallest=3.0, p_adjusted=0.06), row)
    assert "0.8 to 4.0 points lower, but several questions were asked at once: there may be no" in several
    (across,) = tell(build(estimate=(-2.4, -4.0, -0.8), smallest=3.0), row)
    assert across == (
        f"At 12 weeks the 95{NO_BREAK}% interval runs from 0.8 to 4.0 points lower: the difference may be one that "
        "people notice (3 points or more), or a smaller one."
    )
    (unnamed,) = tell(build(estimate=(-1.2, -4.2, 1.8), smallest=None), row)
    assert unnamed.endswith(
        "there may be no difference, and the plan does not say how small a difference people notice."
    )


def test_delivered_totals_are_told_by_the_share_that_agrees(build: Build) -> None:
    content = rows_without(protected(build), "score_agreement")
    (sentence,) = tell(content, *agreement(300, 120, 110), reason("audit"))
    assert sentence.startswith(f"Only 71{NO_BREAK}% of the totals that came with the data")
    assert f"(fewer than 95{NO_BREAK}%)" in sentence
    assert tell(content, *agreement(300, 120, 9), reason("audit")) == (PLAIN,)


def test_what_is_left_over_of_a_change_is_told_beside_what_was_expected(build: Build) -> None:
    content = build("single_group", estimate=(-2.4, -4.0, -0.8), profile="threshold-10")
    row = reason("expected", method="It is as expected.", estimand="stigma_post", timepoint="post")
    assert tell(content, *expected(), row) == (
        f"It is as expected. The 95{NO_BREAK}% interval of what remains runs from 1.7 points lower to 0.9 points "
        "higher.",
    )
    assert tell(content, *expected(n=9), row) == ("It is as expected.",)


def test_what_takes_no_level_says_with_which_reason_it_counts(build: Build) -> None:
    rows = (reason("draft", method="One."), reason("ceiling", value=0, method="Two."))
    assert tell(build(), *rows) == ("One.", "Two. This counts once, together with the reason before it.")


def test_nothing_of_a_certainty_is_told_where_its_estimate_is_hidden(build: Build, recount: Build) -> None:
    content = add(recount(peer=(6, 200, 160)), reason("missing", arm="peer", timepoint="post", estimand="stigma_post"))
    gated = gate_results(content.results, "threshold-10")
    own = gated[(gated["analysis"] == "certainty") & (gated["outcome"] == "stigma")]
    assert own["hidden"].all()
    assert own[["method", "item", "estimand", "arm", "timepoint"]].eq("").all(axis=None)
    assert rate(gated, content) == Certainty(NOT_TOLD, 0)
    assert certainty_of(read_rows(gated), "stigma_post", "stigma") == 0
    assert certainty_of(read_rows(gated), "wellbeing_post", "wellbeing") == 0


ABOUT = "This is how sure we are "
SIDES: dict[str, tuple[float | None, tuple[float, float, float], str]] = {
    "all of it noticed": (2.0, (-3.0, -4.0, -2.1), "that the difference is one that people notice (2 points or more)."),
    "some of it noticed": (2.0, (-3.0, -4.0, -1.0), "that the difference is one that people notice (2 points or more)."),
    "too small": (5.0, (-3.0, -4.0, -2.0), "that the difference is smaller than people notice (less than 5 points)."),
    "about none": (5.0, (-0.5, -3.0, 2.0), "that the difference is smaller than people notice (less than 5 points)."),
    "open": (2.0, (-3.0, -7.0, 1.0), "about whether the difference is one that people notice (2 points or more)."),
    "some": (None, (-3.0, -4.0, -2.0), "that there is a difference; the plan does not say how large one people notice."),
    "any": (None, (-1.0, -4.0, 2.0),
            "about whether there is any difference; the plan does not say how large one people notice."),
}  # fmt: skip


@pytest.mark.parametrize("name", SIDES)
def test_a_rating_says_what_it_is_about(build: Build, name: str) -> None:
    smallest, estimate, about = SIDES[name]
    content = build(estimate=estimate, smallest=smallest, profile="none")
    assert rate(gate_results(content.results, "none"), content).about == ABOUT + about
    alone = build("single_group", estimate=estimate, smallest=smallest, profile="none")
    changed = about.replace("difference", "change")
    assert rate(gate_results(alone.results, "none"), alone).about == ABOUT + changed


def test_what_several_questions_leave_to_chance_is_rated_as_open(build: Build) -> None:
    content = build(estimate=(-3.0, -4.0, -1.0), smallest=2.0, p_adjusted=0.06)
    assert rate(gate_results(content.results, "none"), content).about.startswith(ABOUT + "about whether")


def test_what_was_not_computed_or_is_about_some_people_is_not_rated(build: Build) -> None:
    refused = build(verdict="refused:too_few_participants")
    rows = read_rows(gate_results(refused.results, "none"))
    assert say_certainty(rows, refused.plan.estimands[0], refused) is None
    assert say_certainties(rows, "stigma", refused) == ()
    content = build()
    rows = read_rows(gate_results(content.results, "none"))
    of_some = content.plan.estimands[0].model_copy(update={"population": "regulars"})
    regulars = Population(id="regulars", attended_at_least=4)
    some = replace(content, plan=content.plan.model_copy(update={"populations": [regulars], "estimands": [of_some]}))
    assert say_certainty(rows, of_some, some) is None


def asked_twice(build: Build, level: float, timepoint: str = "late") -> tuple[Certainty, ...]:
    """Return what is said of an outcome with a second question that is rated so."""
    content = build(profile="none")
    first = content.plan.estimands[0]
    late = first.model_copy(update={"id": "stigma_late", "timepoint": timepoint})
    content = replace(content, plan=content.plan.model_copy(update={"estimands": [first, late]}))
    of = {"estimand": "stigma_late", "outcome": "stigma"}
    answer = Result(analysis="model", **MODEL | of | {"timepoint": timepoint, "value": -2.4, "n": 150})
    rows = [
        replace(answer, conf_low=-4.2, conf_high=-0.6),
        Result(analysis="certainty", statistic="level", value=level, **of),
        Result(analysis="certainty", statistic="reason", value=1, method="A reason about stigma.", **of),
    ]
    results = pd.concat([content.results, results_table(rows)], ignore_index=True)
    return say_certainties(read_rows(gate_results(results, "none")), "stigma", content)


def test_certainty_is_told_once_where_the_answers_agree_and_question_by_question_elsewhere(build: Build) -> None:
    (once,) = asked_twice(build, level=3)
    assert (once.level, once.of) == (3, "")
    first, late = asked_twice(build, level=2)
    assert [(each.level, each.of) for each in (first, late)] == [
        (3, "12 weeks"),
        (2, "26 weeks"),
    ]
    assert first.reasons == late.reasons == ("A reason about stigma.",)
    first, again = asked_twice(build, level=2, timepoint="post")
    assert [each.of for each in (first, again)] == [
        f"12 weeks: Peer support \N{MINUS SIGN} Usual care ({name})" for name in ("stigma_post", "stigma_late")
    ]


def test_an_answer_that_is_hidden_takes_no_other_rating_with_it(build: Build) -> None:
    content = build()
    hidden = content.results["estimand"].eq("wellbeing_post") & content.results["analysis"].eq("model")
    content.results.loc[hidden, "n"] = 9
    rows = read_rows(gate_results(content.results, "threshold-10"))
    assert certainty_of(rows, "wellbeing_post", "wellbeing") == 0
    assert certainty_of(rows, "stigma_post", "stigma") == 3


def test_what_the_givers_of_scores_knew_says_itself_how_it_counts(build: Build) -> None:
    assert tell(build(), reason("knowing", value=0, method="They knew.")) == ("They knew.",)


def test_every_kind_has_its_number_or_a_limit_that_is_the_number() -> None:
    limits = {"few", "ceiling", "draft", "not_prespecified", "knowing"}
    assert set(WITH_NUMBER) | limits == set(get_args(Kind))
    assert not set(WITH_NUMBER) & limits


@pytest.mark.parametrize("kind", get_args(DesignKind))
def test_no_sentence_claims_more_than_any_design_allows(kind: DesignKind) -> None:
    follows_nobody = kind in RESAMPLED
    lint_claims(" ".join(said for name, (_, _, said) in TOLD.items() if name != "leavers" or not follows_nobody), kind)
