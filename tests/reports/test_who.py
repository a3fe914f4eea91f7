"""Who paid, who evaluated, and how independent that is: what is told, and what is said where the study is silent."""

import html
from collections.abc import Callable

import pytest

from analysis.fingerprint import FrozenPlan, FrozenVersion
from pipelines.study import Study
from reports import ReportContent, gate_results, render_report
from reports.sections import Block
from reports.summarise import summarise_report
from reports.who import HEADING, OWN_WORDS, SAME, STATEMENTS, say_who

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
EVERYTHING = {name: f"Words on {name}." for name in STATEMENTS}
HOSTILE = "<img src=x onerror=alert(1)> it works"


def block_of(content: ReportContent) -> Block:
    view = summarise_report(content, gate_results(content.results, "threshold-10"))
    section = next(each for each in view.sections if each.id == "deviations")
    return section.blocks[-1]


def test_each_statement_is_a_key_of_the_study() -> None:
    assert set(STATEMENTS) <= set(Study.model_fields)


@pytest.mark.parametrize(
    "frozen", [None, FrozenPlan((FrozenVersion(frozen_on="2025-01-06", content={"plan": {}, "design": {}}),))]
)
def test_the_block_stands_at_the_end_of_the_limits_with_and_without_a_frozen_plan(
    build: Build, frozen: FrozenPlan | None
) -> None:
    assert block_of(build(frozen=frozen)).heading == HEADING


def test_what_is_told_is_listed_in_the_words_of_the_study_and_marked_as_such(build: Build) -> None:
    block = block_of(build(statements=EVERYTHING, evaluator="A university"))
    assert block.items[:2] == ("Whom the report is for: A foundation", "Who evaluated: A university")
    assert [line.rpartition(": ")[2] for line in block.items[2:]] == list(EVERYTHING.values())
    assert block.sentences == ()
    assert block.caution == OWN_WORDS


@pytest.mark.parametrize("missing", list(STATEMENTS))
def test_each_statement_that_is_missing_is_said_to_be(build: Build, missing: str) -> None:
    content = build(
        statements={name: words for name, words in EVERYTHING.items() if name != missing}, evaluator="A university"
    )
    assert block_of(content).sentences == (STATEMENTS[missing][1],)
    assert not any(f"Words on {missing}" in line for line in block_of(content).items)


def test_a_study_that_is_silent_is_told_to_be_in_every_point(build: Build) -> None:
    block = block_of(build(sponsor="", evaluator=""))
    assert block.items == ()
    assert block.caution == ""
    assert len(block.sentences) == 2 + len(STATEMENTS)
    assert all(sentence.startswith("The study does not tell ") for sentence in block.sentences)


def test_who_evaluates_for_themselves_is_not_called_independent(build: Build) -> None:
    assert SAME in block_of(build(sponsor="A  foundation", evaluator="A foundation ")).sentences
    assert SAME not in block_of(build(evaluator="Another foundation")).sentences
    assert SAME not in block_of(build(sponsor="", evaluator="")).sentences


def test_words_of_the_study_are_quoted_and_escaped(build: Build) -> None:
    page = render_report(build("single_group", statements=dict.fromkeys(STATEMENTS, HOSTILE)))
    assert HOSTILE not in page
    assert page.count(html.escape(HOSTILE)) == len(STATEMENTS)


@pytest.mark.parametrize("statements", [{}, EVERYTHING])
@pytest.mark.parametrize("evaluator", ["", "A foundation"])
def test_every_word_of_ours_comes_from_the_catalogue(build: Build, statements: dict[str, str], evaluator: str) -> None:
    content = build(statements=statements, evaluator=evaluator)
    assert find_unmarked([*statements.values(), "A foundation"], say_who, content) == []
