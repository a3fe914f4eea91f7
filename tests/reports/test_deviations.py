"""What a report says of the plan: when it was fixed, what differs from it, and what that means for a claim."""

import html
import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from analysis.fingerprint import FrozenPlan, FrozenVersion
from analysis.results import RESULT_DTYPES, Result, results_table
from reports import ReportContent, gate_results, render_report
from reports.claims import Claim
from reports.deviations import NOT_FROZEN, TITLE, add_prespecified, say_deviations
from reports.errors import ReportError
from reports.reading import read_rows
from reports.sections import Section
from reports.summarise import ReportView, summarise_report

from .said_in_marks import find_unmarked

HOSTILE = "<b>impact</b> that was caused by us"
FIRST = FrozenVersion(frozen_on="2025-01-06", content={"plan": {}, "design": {}})
SECOND = replace(FIRST, frozen_on="2025-02-03", reason="a site joined")
LATE = replace(FIRST, frozen_on="2025-09-01", outcomes_read_on="2025-08-15", reason="reviewers asked")

Build = Callable[..., ReportContent]


def with_deviations(content: ReportContent, *told: tuple[str, str, str], changed: str = "") -> ReportContent:
    """Return content with rows of deviations, and the estimand `changed` no longer pre-specified."""
    rows = [
        Result(analysis="deviations", statistic=statistic, item=item, method=method, verdict="declared")
        for item, statistic, method in told
    ]
    results = pd.concat([content.results, results_table(rows)], ignore_index=True).astype(RESULT_DTYPES)
    results["prespecified"] &= results["estimand"] != changed
    return replace(content, results=results)


def view_of(content: ReportContent) -> ReportView:
    return summarise_report(content, gate_results(content.results, content.plan.small_numbers.profile))


def section_of(view: ReportView) -> Section:
    return next(section for section in view.sections if section.id == "deviations")


def words_of(page: str) -> str:
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_a_plan_that_nobody_froze_is_called_not_pre_specified_in_plain_words(build: Build) -> None:
    content = with_deviations(build(), changed="stigma_post")
    section = section_of(view_of(content))
    assert section.title == TITLE
    assert section.lead.startswith(f"{NOT_FROZEN} ")
    assert not any(block.tables for block in section.blocks)


def test_a_plan_that_was_frozen_too_late_is_told_with_both_days(build: Build) -> None:
    lead = section_of(view_of(build(frozen=FrozenPlan((LATE,))))).lead
    assert lead.startswith(f"{NOT_FROZEN} ")
    assert "frozen on 2025-09-01, after outcomes were read on 2025-08-15" in lead


def test_a_plan_that_was_frozen_in_time_and_kept_says_so(build: Build) -> None:
    content = build(frozen=FrozenPlan((FIRST,)))
    section = section_of(view_of(content))
    assert "frozen on 2025-01-06, before outcomes were read" in section.lead
    assert "Nothing was done otherwise" in section.blocks[0].sentences[0]
    assert "Not pre-specified" not in words_of(render_report(content))


def test_a_plan_that_was_kept_but_not_wholly_computed_says_where_to_look(build: Build) -> None:
    refused = build(frozen=FrozenPlan((FIRST,)), verdict="refused:too_few_participants")
    results = refused.results.copy()
    results.loc[results["verdict"].str.startswith("refused"), "method"] = "There are too few people."
    (said,) = section_of(view_of(replace(refused, results=results))).blocks[0].sentences
    assert said.endswith("but something it asks for was not computed: see \u201cWhat was not computed\u201d.")


def test_each_deviation_is_a_line_with_what_was_planned_what_was_done_and_what_it_concerns(build: Build) -> None:
    content = with_deviations(
        build(frozen=FrozenPlan((FIRST,))),
        ("estimands.stigma_post.covariates", "planned", "age, gender"),
        ("estimands.stigma_post.covariates", "done", "age"),
        ("estimands.stigma_post.covariates", "concerns", "stigma_post"),
        ("sensitivity", "done", "completers"),
        ("subgroups.by_age", "planned", "covariate: age"),
    )
    (table,) = section_of(view_of(content)).blocks[0].tables
    assert table.columns[:3] == ("Part of the plan", "Planned", "Done")
    assert table.rows == (
        ("estimands.stigma_post.covariates", "age, gender", "age", "stigma_post"),
        ("sensitivity", "nothing", "completers", "none"),
        ("subgroups.by_age", "covariate: age", "nothing", "none"),
    )
    page = words_of(render_report(content))
    assert "estimands.stigma_post.covariates age, gender age stigma_post" in page


def test_amendments_are_listed_with_day_and_reason_and_the_version_that_counts_is_named(build: Build) -> None:
    section = section_of(view_of(build(frozen=FrozenPlan((FIRST, SECOND, LATE)))))
    (table,) = next(block for block in section.blocks if block.heading == "Versions of the plan").tables
    assert [row[:3] for row in table.rows] == [
        ("2025-01-06", "no", "first version"),
        ("2025-02-03", "no", "a site joined"),
        ("2025-09-01", "on 2025-08-15", "reviewers asked"),
    ]
    assert table.notes == ("The analysis is held against the version of 2025-02-03.",)


@pytest.mark.parametrize(
    ("frozen", "words"),
    [
        (None, "not frozen before outcomes were read"),
        (FrozenPlan((LATE,)), "not frozen before outcomes were read"),
        (FrozenPlan((FIRST,)), "is not as in the plan that was frozen"),
    ],
)
def test_a_claim_that_is_not_pre_specified_says_so_on_page_one_and_on_its_card(
    build: Build, frozen: FrozenPlan | None, words: str
) -> None:
    content = with_deviations(build(frozen=frozen), changed="stigma_post")
    view = view_of(content)
    (note,) = [note for note in view.headline.claims[0].notes if note.startswith("Not pre-specified: ")]
    assert words in note
    (other,) = [card for card in view.cards if card.id == "wellbeing"]
    assert not any("Not pre-specified" in note for note in other.claims[0].notes)
    _, page_one, rest = words_of(render_report(content)).split("Who took part and who left", 2)  # contents, and heading
    assert note in page_one
    assert note in rest


def test_a_secondary_outcome_that_is_not_pre_specified_leaves_page_one_alone(build: Build) -> None:
    view = view_of(with_deviations(build(frozen=FrozenPlan((FIRST,))), changed="wellbeing_post"))
    assert not any("Not pre-specified" in note for note in view.headline.claims[0].notes)
    (other,) = [card for card in view.cards if card.id == "wellbeing"]
    assert any("Not pre-specified" in note for note in other.claims[0].notes)


def test_where_there_is_no_answer_there_is_nothing_to_call_not_pre_specified(build: Build) -> None:
    content = with_deviations(build(verdict="refused:empty_cell"), changed="stigma_post")
    assert not any("Not pre-specified" in note for note in view_of(content).headline.claims[0].notes)


def test_words_of_the_plan_are_quoted_and_escaped_and_our_own_stay_under_the_lint(build: Build) -> None:
    frozen = FrozenPlan((FIRST, replace(SECOND, reason=HOSTILE)))
    content = with_deviations(
        build("single_group", frozen=frozen), ("outcomes.stigma.smallest_meaningful_change.source", "planned", HOSTILE)
    )
    page = render_report(content)
    assert HOSTILE not in page
    assert page.count(html.escape(HOSTILE)) == 2
    with pytest.raises(ReportError, match="impact"):
        render_report(replace(content, sponsor="A foundation", results=content.results.assign(
            method=content.results["method"].where(content.results["analysis"] != "certainty", "This had an impact.")
        )))  # fmt: skip


@pytest.mark.parametrize("kind", ["randomised", "matched_comparison", "single_group"])
def test_what_the_section_says_claims_nothing_in_any_design(build: Build, kind: str) -> None:
    for frozen in (None, FrozenPlan((FIRST, SECOND)), FrozenPlan((LATE,))):
        assert TITLE in render_report(with_deviations(build(kind, frozen=frozen), changed="stigma_post"))


@pytest.mark.parametrize("frozen", [None, (FIRST,), (LATE,), (FIRST, SECOND, LATE)])
@pytest.mark.parametrize("people", [{}, {"sponsor": "", "evaluator": "A university"}])
def test_every_word_comes_from_the_catalogue_but_those_of_the_plan(
    build: Build, frozen: tuple[FrozenVersion, ...] | None, people: dict[str, str]
) -> None:
    content = build(frozen=None if frozen is None else FrozenPlan(frozen), **people)
    labels = ("stigma_post", "covariates", "estimands.", "outcomes.stigma", "a site joined", "reviewers asked",
              "A foundation", "A university", *(version.fingerprint[:12] for version in frozen or ()))  # fmt: skip
    rows = read_rows(gate_results(content.results, "threshold-10"))
    assert find_unmarked(labels, say_deviations, rows, content) == []
    changed = with_deviations(
        content,
        ("estimands.stigma_post.covariates", "planned", "stigma_post"),
        ("outcomes.stigma.order of estimands", "planned", "stigma_post"),
        ("outcomes.stigma.order of estimands", "concerns", "stigma_post"),
        changed="stigma_post",
    )
    rows = read_rows(gate_results(changed.results, "threshold-10"))
    assert find_unmarked(labels, say_deviations, rows, changed) == []
    estimand = changed.plan.estimands[0]
    unsaid = Claim(estimand.id, "")
    assert find_unmarked((), lambda: add_prespecified(unsaid, estimand, rows, changed).notes) == []
    assert add_prespecified(unsaid, estimand, rows, changed).notes
