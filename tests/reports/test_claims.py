import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from analysis.design import Measure
from reports import Claim, ReportContent, gate_results, make_claim
from reports.numbers import round_outwards
from reports.reading import pick, read_rows

Build = Callable[..., ReportContent]
NOT_CLEAR = (-0.9, -3.7, 2.0)
VERB = re.compile(r"\b(reduc|increas)", re.IGNORECASE)


def claim_of(content: ReportContent, estimand: str = "stigma_post") -> Claim:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return make_claim(next(known for known in content.plan.estimands if known.id == estimand), rows, content)


@pytest.mark.parametrize(
    ("level", "start"),
    [
        (4, "Peer support reduces felt stigma: at 12 weeks, "),
        (3, "Peer support probably reduces felt stigma: at 12 weeks, "),
        (2, "Peer support may reduce felt stigma: at 12 weeks, "),
        (1, "It is very uncertain whether Peer support reduces felt stigma: at 12 weeks, "),
    ],
)
def test_randomised_claim_is_as_strong_as_its_certainty(build: Build, level: int, start: str) -> None:
    claim = claim_of(build(level=level))
    assert claim.sentence == (
        f"{start}people in the Peer support arm scored 2.4 points lower on the SSCI-8 total than people in the Usual care arm "
        "(95\u00a0% interval 0.6 to 4.2 points lower)."
    )
    assert claim.is_causal


def test_certainty_that_was_not_rated_is_very_low(build: Build) -> None:
    content = build()
    results = content.results[content.results["analysis"] != "certainty"]
    assert claim_of(replace(content, results=results)).sentence.startswith("It is very uncertain")


def test_higher_scores_are_an_increase(build: Build) -> None:
    claim = claim_of(build(estimate=(7.3, 1.6, 12.9)), "wellbeing_post")
    assert "probably increases mental well-being" in claim.sentence
    assert "7.3 points higher" in claim.sentence
    assert "1.6 to 12.9 points higher" in claim.sentence


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_interval_with_zero_gives_no_claim_at_any_certainty(build: Build, level: int) -> None:
    claim = claim_of(build(estimate=NOT_CLEAR, level=level, p_value=0.3))
    assert claim.sentence.startswith("No clear difference in felt stigma at 12 weeks: ")
    assert "from 3.7 points lower to 2.0 points higher" in claim.sentence
    assert not claim.is_causal
    assert not VERB.search(" ".join((claim.sentence, *claim.notes)))
    assert any("no proof that there is no difference" in note for note in claim.notes)


def test_trial_in_which_both_arms_change_alike_claims_nothing(build: Build) -> None:
    """The builder lets both arms fall by ten points within their arm, as in the HELP trial."""
    content = build(estimate=(-0.9, -3.7, 2.0), p_value=0.53)
    changes = pick(read_rows(gate_results(content.results, "none")), statistic="mean_change", outcome="stigma")
    assert {row.arm for row in changes} == {"peer", "usual"}
    assert all(row.conf_high < -8 for row in changes)
    for estimand in ("stigma_post", "wellbeing_post"):
        assert not VERB.search(claim_of(content, estimand).sentence)


def test_chance_among_several_questions_is_no_claim(build: Build) -> None:
    claim = claim_of(build(p_value=0.02, p_adjusted=0.08))
    assert claim.sentence.startswith("No clear difference")
    assert not claim.is_causal
    assert any("(adjusted p = 0.08)" in note for note in claim.notes)


def test_matched_comparison_is_an_association_after_what_was_allowed_for(build: Build) -> None:
    claim = claim_of(build("matched_comparison"))
    assert claim.sentence == (
        "Compared with people in the Usual care arm, after allowing for Age, being in the Peer support arm was associated "
        "with a change on the SSCI-8 total from Baseline to 12 weeks that was 2.4 points lower (95\u00a0% interval 0.6 to "
        "4.2 points lower)."
    )
    assert not claim.is_causal


def test_covariate_that_the_model_left_out_is_not_said_to_be_allowed_for(build: Build) -> None:
    content = build("matched_comparison")
    results = content.results
    results["method"] = results["method"].mask(
        results["estimand"] == "stigma_post", "A model; left out because they add nothing: covariate age."
    )
    assert "Compared with people in the Usual care arm, being in" in claim_of(content).sentence


def test_single_group_cannot_tell_what_is_due_to_the_programme(build: Build) -> None:
    claim = claim_of(build("single_group"))
    assert claim.sentence.startswith("People scored 2.4 points lower on the SSCI-8 total at 12 weeks than at Baseline")
    assert claim.sentence.endswith("How much of that is due to the programme cannot be told.")
    assert not claim.is_causal
    assert claim_of(build("single_group", estimate=NOT_CLEAR)).sentence.startswith("No clear change in felt stigma")


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (
            (-2.4, -4.2, -0.6),
            "2 points or more. The difference found is that large, but the interval also holds differences too small",
        ),
        (
            (-1.4, -2.4, -0.4),
            "2 points or more. The difference found is smaller than that, but the interval also holds differences",
        ),
        ((-4.4, -6.4, -2.4), "2 points or more. All of the interval is that large."),
        ((-0.4, -1.4, 0.6), "2 points or more. All of the interval is smaller than that."),
        (
            (0.1, -2.4, 2.6),
            "2 points or more. The difference found is smaller than that, but the interval also holds differences",
        ),
    ],
)
def test_interval_is_held_against_the_smallest_difference_that_people_notice(
    build: Build, estimate: tuple[float, float, float], said: str
) -> None:
    assert any(said in note for note in claim_of(build(estimate=estimate)).notes)


def test_missing_smallest_difference_is_said(build: Build) -> None:
    assert any("names no smallest difference" in note for note in claim_of(build(smallest=None)).notes)


def test_way_that_is_good_comes_with_the_claim(build: Build) -> None:
    assert claim_of(build()).notes[0] == "Scores run from 8 to 40 points; lower is better."
    assert claim_of(build(), "wellbeing_post").notes[0] == "Scores run from 0 to 100 points; higher is better."


def test_difference_that_rounds_to_nothing_is_about_the_same(build: Build) -> None:
    sentence = claim_of(build(estimate=(-0.01, -1.2, 1.2))).sentence
    assert "scored about the same on the SSCI-8 total as people in" in sentence


def test_interval_that_barely_leaves_out_zero_is_printed_so(build: Build) -> None:
    assert "0.04 to 4.20 points lower" in claim_of(build(estimate=(-2.1, -4.2, -0.04))).sentence


def test_measure_of_a_narrow_range_has_two_decimals(build: Build) -> None:
    narrow = {"ssci-8.total": Measure("ssci-8.total", "Mean", "felt stigma", 1, 5, "worse", "ssci-8"),
              "who-5.total": Measure("who-5.total", "WHO-5", "well-being", 0, 100, "better", "who-5")}  # fmt: skip
    assert "scored 0.24 points lower" in claim_of(build(estimate=(-0.24, -0.42, -0.06), measures=narrow)).sentence


@pytest.mark.parametrize(("verdict", "said"), [("refused:empty_cell", "was not computed"),
                                               ("failed:not_converged", "could not be computed")])  # fmt: skip
def test_estimand_without_an_answer_says_why(build: Build, verdict: str, said: str) -> None:
    claim = claim_of(build(verdict=verdict))
    assert claim.sentence == f"The result for felt stigma at 12 weeks {said}. Nobody answered. Deliver another wave."
    assert not claim.is_answered


def test_hidden_estimate_is_not_said(recount: Build) -> None:
    claim = claim_of(recount(usual=(12, 7, 6)))
    assert "is not shown" in claim.sentence
    assert not re.search(r"\d\.\d", claim.sentence)
    assert not claim.is_answered


def test_every_number_in_a_claim_stands_in_the_gated_results(build: Build) -> None:
    for kind in ("randomised", "matched_comparison", "single_group"):
        for estimate in ((-2.43, -4.21, -0.64), (1.27, -0.83, 3.38)):
            content = build(kind, estimate=estimate)
            rows = read_rows(gate_results(content.results, "threshold-10"))
            told = [
                (row.value, *round_outwards(row.conf_low, row.conf_high, 1))
                for row in rows
                if row.is_shown and row.conf_low == row.conf_low
            ]
            printed = {f"{abs(number):.1f}" for numbers in told for number in numbers}
            for estimand in ("stigma_post", "wellbeing_post"):
                numbers = re.findall(r"\d+\.\d+", claim_of(content, estimand).sentence)
                assert len(numbers) == 3
                assert set(numbers) <= printed


def test_the_same_question_asked_twice_is_told_apart_by_its_name_and_model(build: Build) -> None:
    content = build()
    first = content.plan.estimands[0]
    again = first.model_copy(update={"id": "stigma_again", "covariates": []})
    plan = content.plan.model_copy(update={"estimands": [*content.plan.estimands, again]})
    row = content.results[content.results["estimand"] == first.id].assign(estimand=again.id, method="Another model.")
    content = replace(content, plan=plan, results=pd.concat([content.results, row], ignore_index=True))
    assert claim_of(content, "stigma_again").notes[0].startswith("This is 'stigma_again' of the plan")
    assert "Another model." in claim_of(content, "stigma_again").notes[0]
    assert not any("of the plan" in note for note in claim_of(content, "wellbeing_post").notes)
