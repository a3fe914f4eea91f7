"""What a report says of flagged answers, and that no few people can be had from it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from analysis.plan import AnswerQuality
from analysis.quality import METHODS, WITH, WITHOUT
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, lint_claims, render_report
from reports.disclosure import NUMBERS
from reports.lint import readable_text
from reports.quality import add_flagged, flags_table, reasons_table
from reports.reading import read_rows
from reports.summarise import summarise_report

THRESHOLD = 10
Build = Callable[..., ReportContent]
TIMEPOINTS = ("baseline", "post", "late")
ESTIMAND = "stigma_post"


def add_quality(
    content: ReportContent,
    counts: dict[str, tuple[int, ...]],
    *,
    left_out: int = 40,
    fewest: int = 20,
    estimate: tuple[float, float, float] = (-2.1, -4.0, -0.2),
    verdict: str = "estimated",
    population: str = WITHOUT,
) -> ReportContent:
    """Return content with counts of flags by timepoint, and with the first estimand estimated again."""
    rows = [
        Result(analysis="quality", statistic=flag, timepoint=timepoint, value=n, n=n)
        for flag, numbers in counts.items()
        for timepoint, n in zip(TIMEPOINTS, numbers, strict=True)
    ]
    asked = {"analysis": "quality", "estimand": ESTIMAND, "outcome": "stigma", "population": population}
    value, low, high = estimate
    numbers = {"value": value, "conf_low": low, "conf_high": high, "std_error": 0.97, "df": 250.0, "p_value": 0.031,
               "n": 170} if verdict == "estimated" else {}  # fmt: skip
    rows += [
        Result(**asked, statistic="left_out", value=left_out, n=left_out, fewest=fewest),
        Result(**asked, statistic="difference", timepoint="post", contrast="peer - usual", verdict=verdict,
               method=f"{METHODS[population]} A model in words.", fewest=fewest, **numbers),
    ]  # fmt: skip
    plan = content.plan
    if population == WITH:
        plan = plan.model_copy(update={"quality": AnswerQuality(leave_out=["too_fast"])})
    return replace(content, plan=plan, results=pd.concat([content.results, results_table(rows)], ignore_index=True))


def note_of(content: ReportContent) -> str:
    gated = gate_results(content.results, content.plan.small_numbers.profile)
    card = next(card for card in summarise_report(content, gated).cards if card.id == "stigma")
    return card.claims[0].notes[-1]


def view_of_flags(content: ReportContent) -> str:
    table = flags_table(read_rows(gate_results(content.results, "threshold-10")), content)
    return " ".join([table.caption, *(line[0] for line in table.rows), *table.notes])


FORTY = {"too_fast": (0, 40, 0), "flagged": (0, 40, 0)}


def test_the_card_says_in_one_sentence_what_the_result_is_without_flagged_answers(build: Build) -> None:
    assert note_of(add_quality(build(), FORTY)) == (
        "Without the 40 answers that were flagged (too fast), the same comparison gives: 2.1 points lower "
        "(95\u00a0% interval 0.2 to 4.0 points lower)."
    )


def test_the_card_says_what_it_is_with_the_answers_that_the_plan_leaves_out(build: Build) -> None:
    counts = FORTY | {"bot": (0, 30, 0)}
    assert note_of(add_quality(build(), counts, population=WITH)).startswith(
        "With the 40 answers that were flagged (too fast) and that the plan leaves out, the same comparison gives: 2.1"
    )


@pytest.mark.parametrize(("fewest", "verdict"), [(9, "estimated"), (1, "estimated"), (9, "refused:too_few_participants"), (20, "refused:too_few_participants")])  # fmt: skip
def test_an_estimate_that_differs_by_few_people_is_not_shown_and_the_card_says_so(
    build: Build, fewest: int, verdict: str
) -> None:
    content = add_quality(build(), FORTY, fewest=fewest, verdict=verdict)
    gated = gate_results(content.results, "threshold-10")
    again = gated[(gated["analysis"] == "quality") & (gated["statistic"] == "difference")].iloc[0]
    assert again["hidden"]
    assert again[NUMBERS].isna().all()
    assert (again["verdict"], again["method"]) == ("refused:withheld", "")  # neither tells how few there were
    assert note_of(content).startswith("What the same comparison gives without the")
    assert "is not shown: so few people" in note_of(content)
    assert "What the same comparison" not in " ".join(summarise_report(content, gated).notes)


def test_what_is_shown_of_the_other_estimate_is_coarse_and_without_counts(build: Build) -> None:
    gated = gate_results(add_quality(build(), FORTY, estimate=(-2.12345, -4.01234, -0.23456)).results, "threshold-10")
    again = gated[(gated["analysis"] == "quality") & (gated["statistic"] == "difference")].iloc[0]
    assert again[["value", "conf_low", "conf_high"]].tolist() == [-2.1, -4.1, -0.2]
    assert again[["std_error", "df", "n", "fewest"]].isna().all()


def test_the_other_estimate_goes_with_the_main_one(build: Build) -> None:
    content = add_quality(build(counts={"peer": (220, 9, 150), "usual": (231, 200, 160)}), FORTY)
    gated = gate_results(content.results, "threshold-10")
    assert gated.loc[gated["estimand"] == ESTIMAND, "hidden"].all()


def test_inside_the_study_everything_is_shown(build: Build) -> None:
    content = add_quality(build(profile="none"), {"too_fast": (0, 3, 0), "flagged": (0, 3, 0)}, left_out=3, fewest=1)
    assert note_of(content).startswith("Without the 3 answers that were flagged (too fast), the same comparison gives: 2.1")  # fmt: skip
    rows = read_rows(gate_results(content.results, "none"))
    assert flags_table(rows, content).rows[0][1:] == ("0", "3", "0")


def test_a_model_that_failed_without_flagged_answers_is_told(build: Build) -> None:
    content = add_quality(build(), FORTY, verdict="failed:not_converged")
    assert note_of(content).endswith("the same comparison could not be computed. A model in words.")


def test_a_claim_without_a_number_gets_no_note(build: Build) -> None:
    content = add_quality(build(verdict="refused:no_scores"), FORTY)
    rows = read_rows(gate_results(content.results, "threshold-10"))
    claim = summarise_report(content, gate_results(content.results, "threshold-10")).cards[0].claims[0]
    assert add_flagged(claim, content.plan.estimands[0], rows, content) == claim
    assert "flagged" not in " ".join(claim.notes)


def test_small_counts_of_flags_and_those_who_have_none_are_hidden(build: Build) -> None:
    answered = 190 + 200  # at post
    content = add_quality(build(), {"too_fast": (9, 30, 0), "bot": (451 - 9, answered - 1, 0), "flagged": (30, 31, 0)})
    table = flags_table(read_rows(gate_results(content.results, "threshold-10")), content)
    assert [line[1:] for line in table.rows] == [
        ("not shown", "30", "0"),
        ("not shown", "not shown", "0"),
        ("30", "not shown", "0"),
    ]
    assert table.notes[1] == "The plan leaves out none of their answers."


def test_no_few_people_can_be_had_by_subtracting_what_is_told_of_flags(build: Build) -> None:
    rng = np.random.default_rng(8)
    answered = dict(zip(TIMEPOINTS, (451, 390, 310), strict=True))
    shown = 0
    for _ in range(60):
        fast, bots = rng.integers(0, 40, 3), rng.integers(0, 40, 3)
        both = np.minimum(fast, bots) * rng.integers(0, 2, 3)
        some = fast + bots - both
        content = add_quality(build(), {"too_fast": tuple(fast), "bot": tuple(bots), "flagged": tuple(some)},
                              left_out=int(some.sum()), fewest=int(min(some[some > 0], default=0)))  # fmt: skip
        gated = gate_results(content.results, "threshold-10")
        own = gated[gated["analysis"] == "quality"]
        for timepoint, of in own[own["estimand"] == ""].groupby("timepoint"):
            told = [answered[timepoint], 0, *of["n"].dropna()]
            assert all(not 0 < abs(left - right) < THRESHOLD for left, right in product(told, told))
        counts = own[own["estimand"] == ""]
        sums = counts.groupby("statistic")["n"].agg(lambda n: n.sum(skipna=False)).dropna()
        left_out = own.loc[own["statistic"] == "left_out", "n"].dropna()
        assert all(not 0 < abs(left - right) < THRESHOLD for left, right in product(left_out, sums))
        shown += len(left_out)
    assert 0 < shown < 60  # the attack met both


def test_rows_that_were_not_used_are_told_by_reason_and_those_of_people_without_a_number(build: Build) -> None:
    account = build().reconciliation.assign(reasons="identical_duplicate: 4; preview: 12")
    second = account.assign(source="second.csv", reasons="preview: 3; known_arm: 1")
    content = replace(build(), reconciliation=pd.concat([account, second], ignore_index=True))
    assert reasons_table(content).rows == (
        ("The same as another row", "fewer than one in twenty"),
        ("Previews of the survey", "30"),
        ("An arm that the study does not have", "fewer than one in twenty"),
    )


@pytest.mark.parametrize("kind", ["randomised", "matched_comparison", "single_group"])
def test_a_report_about_flags_says_no_more_than_its_design_allows(build: Build, kind: str) -> None:
    content = build(kind)
    contrast = content.plan.estimands[0].contrast
    content = add_quality(content, FORTY)
    content = replace(content, results=content.results.replace({"contrast": {"peer - usual": contrast}}))
    page = render_report(content)
    text = readable_text(page)
    assert "People whose answers were flagged" in text
    assert "Given faster than the questions can be read" in text
    lint_claims(f"{note_of(content)} {view_of_flags(content)}", "repeated_cross_section")


def test_a_report_without_flags_says_nothing_of_them(build: Build) -> None:
    assert "flagged" not in readable_text(render_report(build()))
