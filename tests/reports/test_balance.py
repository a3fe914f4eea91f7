"""The block on how alike the compared people were: its words, and that it tells nothing that is hidden."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from analysis.balance_part import AFTER, BEFORE, E_VALUE, E_VALUE_OF_LIMIT, EFFECTIVE, LEFT_OUT, NO_RATIO
from analysis.design import Covariate
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, make_claim, render_report
from reports.balance import CAUTION, HEADING, say_balance
from reports.lint import lint_claims
from reports.reading import read_rows
from reports.sections import Block

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
AT = {"estimand": "stigma_post", "outcome": "stigma", "timepoint": "post", "contrast": "peer - usual"}
WORDS = "People weighted; adjusted for Age, the score at Baseline."


def rows_of(*, n: int = 150, after: float = 0.0, e: tuple[float, float] = (2.24, 1.38), fewest: float = float("nan")):
    told = [("balance", BEFORE, "age", "", 0.41), ("balance", BEFORE, "score:baseline", "", -0.3)]
    told += [("balance", AFTER, "age", "", after), ("balance", AFTER, "score:baseline", "", 0.0)]
    told += [("balance", EFFECTIVE, "", "peer", 81.3), ("balance", EFFECTIVE, "", "usual", 74.2)]
    told += [("balance", LEFT_OUT, "", "peer", 5.0), ("balance", LEFT_OUT, "", "usual", 25.0)]
    told += [("unmeasured", E_VALUE, "", "", e[0]), ("unmeasured", E_VALUE_OF_LIMIT, "", "", e[1])]
    return [
        Result(**AT, analysis=analysis, statistic=statistic, item=item, arm=arm, value=value, n=n, fewest=fewest)
        for analysis, statistic, item, arm, value in told
    ]


def with_rows(content: ReportContent, rows: list[Result], *, model: str | None = None) -> ReportContent:
    results = pd.concat([content.results, results_table(rows)], ignore_index=True)
    if model is None:
        return replace(content, results=results)
    asked = [each.model_copy(update={"model": model}) for each in content.plan.estimands]
    results["method"] = results["method"].mask(results["estimand"] == "stigma_post", WORDS)
    return replace(content, results=results, plan=content.plan.model_copy(update={"estimands": asked}))


def block_of(content: ReportContent) -> Block | None:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return say_balance(content.plan.outcomes[0], rows, content)


def claim_of(content: ReportContent) -> Any:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return make_claim(content.plan.estimands[0], rows, content)


def test_the_block_names_the_adjustment_set_and_what_weights_leave(build: Build) -> None:
    block = block_of(with_rows(build("comparison"), rows_of()))
    assert block is not None
    assert (block.heading, block.caution) == (HEADING, CAUTION)
    said = " ".join(block.sentences)
    assert "alike on average in Age and the score at Baseline" in said
    assert "81 of 100 in Peer support and 74 of 100 in Usual care" in said
    assert "None or few of the people in Peer support with a score at 12 weeks were left out" in said
    assert "Fewer than one in four of the people in Usual care" in said
    assert "at least 2.2 times as likely" in said
    assert "1.4 times would bring the interval to no difference" in said
    differences, sizes = block.tables
    assert differences.rows == (("Age", "0.41", "0.00"), ("The score at Baseline", "−0.30", "0.00"))
    assert sizes.rows == (("Peer support", "81\u00a0%"), ("Usual care", "74\u00a0%"))


def test_an_interval_that_holds_no_difference_needs_nothing_unmeasured(build: Build) -> None:
    block = block_of(with_rows(build("comparison"), rows_of(e=(1.4, 1.0))))
    assert block is not None
    assert block.sentences[-1] == (
        "The interval holds no difference already, so nothing unmeasured is needed to explain it."
    )


def test_without_weights_the_arms_are_told_as_they_were_and_the_lack_of_an_e_value_with_its_reason(
    build: Build,
) -> None:
    rows = [row for row in rows_of() if row.statistic == BEFORE]
    rows.append(Result(**AT, analysis="unmeasured", statistic=E_VALUE, verdict="refused:no_ratio", method=NO_RATIO))
    block = block_of(with_rows(build("matched_comparison"), rows))
    assert block is not None
    assert block.sentences[0].startswith("The arms are compared as they were")
    assert (
        block.sentences[-1]
        == "How strong something unmeasured would have to be is told of differences of scores, and of shares compared by overlap weights."
    )
    (table,) = block.tables
    assert table.columns == ("Of people", "To begin with")


def test_what_is_hidden_is_not_told(build: Build) -> None:
    few = block_of(with_rows(build("comparison"), rows_of(fewest=4)))
    assert few is not None
    assert "is not shown" in few.sentences[-1]
    assert all(cell == "not shown" for row in few.tables[0].rows for cell in row[1:])
    assert not any(character.isdigit() for sentence in few.sentences for character in sentence.replace("12 weeks", ""))
    content = build("comparison")
    gone = content.results.assign(n=content.results["n"].mask(content.results["estimand"] == "stigma_post", 8))
    assert block_of(with_rows(replace(content, results=gone), rows_of())) is None


def test_of_a_trial_there_is_no_block(build: Build) -> None:
    assert block_of(build()) is None


def test_the_claim_is_an_association_and_names_weights_and_adjustment_set(build: Build) -> None:
    claim = claim_of(with_rows(build("comparison"), rows_of(), model="overlap_weights"))
    assert claim.sentence == (
        "Compared with similar people in the Usual care arm, after adjusting for Age and the score at Baseline by overlap "
        "weights, being in the Peer support arm was associated with a score on the SSCI-8 total at 12 weeks that was 2.4 "
        "points lower (95\u00a0% interval 0.6 to 4.2 points lower)."
    )
    assert not claim.is_causal
    open_question = claim_of(
        with_rows(build("comparison", estimate=(-0.9, -3.7, 2.0)), rows_of(), model="overlap_weights")
    )
    assert open_question.sentence.startswith(
        "No clear difference in felt stigma at 12 weeks: compared with similar people"
    )


def test_a_baseline_that_did_not_vary_is_not_named(build: Build) -> None:
    content = with_rows(build("comparison"), rows_of(), model="overlap_weights")
    results = content.results.assign(method=content.results["method"].str.replace(", the score at Baseline", ""))
    assert "after adjusting for Age by overlap weights" in claim_of(replace(content, results=results)).sentence


@pytest.mark.parametrize("kind", ["matched_comparison", "comparison"])
@pytest.mark.parametrize("model", ["overlap_weights", None])
def test_the_whole_report_passes_the_lint_and_is_the_association_of_its_design(
    build: Build, kind: str, model: str | None
) -> None:
    content = with_rows(build(kind), rows_of(), model=model)
    page = render_report(content)
    assert HEADING in page
    assert "was associated with" in page
    assert "Difference in change" in page


def test_the_term_of_the_field_may_be_said_and_nothing_else_with_it() -> None:
    lint_claims("What weights leave: the effective sample size.", "comparison")
    with pytest.raises(Exception, match="effective"):
        lint_claims("An effective programme.", "comparison")


@pytest.mark.parametrize("e", [(2.24, 1.38), (1.4, 1.0), None])
@pytest.mark.parametrize("fewest", [float("nan"), 4.0])
@pytest.mark.parametrize("is_weighted", [True, False])
def test_every_word_comes_from_the_catalogue(
    build: Build, e: tuple[float, float] | None, fewest: float, is_weighted: bool
) -> None:
    rows = rows_of(e=e or (2.0, 2.0), fewest=fewest)
    if not is_weighted:
        rows = [row for row in rows if row.statistic in (BEFORE, E_VALUE, E_VALUE_OF_LIMIT)]
    if e is None:
        rows = [row for row in rows if row.analysis == "balance"]
        rows.append(Result(**AT, analysis="unmeasured", statistic=E_VALUE, verdict="refused:no_ratio", method=NO_RATIO))
    rows += [replace(row, item="place") for row in rows if row.item == "age"]
    rows += [replace(row, arm="usual", value=100.0) for row in rows if row.statistic == LEFT_OUT and row.arm == "peer"]
    content = build("comparison")
    places = (*content.design.covariates, Covariate("place", "Place", "number"))
    content = replace(content, design=replace(content.design, covariates=places))
    labels = ("Peer support", "Usual care", "Baseline", "12 weeks", "26 weeks", "Age", "Place", "stigma_post", "again")
    assert find_unmarked(labels, block_of, with_rows(content, rows)) == []
    first = content.plan.estimands[0]
    asked = [*content.plan.estimands, first.model_copy(update={"id": "again"})]
    twice = replace(content, plan=content.plan.model_copy(update={"estimands": asked}))
    model = content.results[content.results["estimand"] == first.id].assign(estimand="again")
    twice = replace(twice, results=pd.concat([twice.results, model], ignore_index=True))
    rows += [replace(row, estimand="again", value=row.value + (row.statistic == BEFORE)) for row in rows]
    assert find_unmarked(labels, block_of, with_rows(twice, rows)) == []
