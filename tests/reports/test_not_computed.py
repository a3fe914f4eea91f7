"""What was not computed: each reason once, with the way out, and the questions that it concerns."""

from collections.abc import Callable
from dataclasses import replace

from analysis.guards import EXPLANATIONS
from analysis.telling import Number, list_told, tell
from reports import ReportContent, gate_results, render_report
from reports.not_computed import KEYS, tabulate_not_computed
from reports.reading import Rows, read_rows

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
WHY = tell(
    EXPLANATIONS["too_few_participants"], arms=list_told(["Peer support", "Usual care"]), outcome="felt stigma",
    timepoint="12 weeks", fewest=Number(10),
)  # fmt: skip


def rows_of(content: ReportContent) -> Rows:
    rows = read_rows(gate_results(content.results, "threshold-10"))
    return tuple(
        replace(row, method=str(WHY), words=WHY.words) if row.verdict.startswith("refused") else row for row in rows
    )


def test_a_reason_stands_once_with_its_questions_and_the_way_out(build: Build) -> None:
    content = build(verdict="refused:too_few_participants")
    table = tabulate_not_computed(rows_of(content), content)
    ((questions, why),) = table.rows
    assert questions == "SSCI-8 total, 12 weeks; WHO-5 index, 12 weeks"
    assert why == str(WHY)
    assert "fewest_per_arm" in why
    assert table.notes[0] == KEYS
    assert find_unmarked(["SSCI-8 total", "WHO-5 index", "12 weeks", "Peer support", "Usual care", "felt stigma"],
                         tabulate_not_computed, rows_of(content), content) == []  # fmt: skip


def test_where_everything_was_computed_there_is_no_table(build: Build) -> None:
    content = build()
    assert tabulate_not_computed(rows_of(content), content).rows == ()
    assert "What was not computed" not in render_report(content)


def test_only_outcomes_whose_scores_are_shown_are_said_to_be_described(build: Build) -> None:
    content = build(verdict="refused:too_few_participants")
    rows = rows_of(content)
    told = "What was observed is described under Outcomes: {}."
    assert KEYS in tabulate_not_computed(rows, content).notes
    (described,) = set(tabulate_not_computed(rows, content).notes) - {KEYS}
    assert described == told.format("SSCI-8 total and WHO-5 index")
    hidden = tuple(replace(row, hidden=True) if row.outcome == "wellbeing" else row for row in rows)
    assert told.format("SSCI-8 total") in tabulate_not_computed(hidden, content).notes
    nothing = tuple(replace(row, hidden=True) for row in rows)
    assert tabulate_not_computed(nothing, content).notes == (KEYS,)


def test_cards_say_why_and_not_what_a_researcher_may_do(build: Build) -> None:
    content = build(verdict="refused:too_few_participants")
    results = content.results.copy()
    refused = results["verdict"].str.startswith("refused")
    results.loc[refused, ["method", "words"]] = [str(WHY), WHY.words]
    page = render_report(replace(content, results=results))
    cards, annex = page.split('<section id="annex"')
    assert "at least 10 participants in each arm" in cards
    assert "there are fewer in Peer support and Usual care." in cards
    assert "fewest_per_arm" not in cards
    assert "fewest_per_arm" in annex
