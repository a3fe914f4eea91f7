"""What was not computed: each reason once, with the way out, and the questions that it concerns."""

from collections.abc import Callable
from dataclasses import replace

from analysis.guards import EXPLANATIONS
from analysis.telling import Number, tell
from reports import ReportContent, gate_results, render_report
from reports.not_computed import KEYS, tabulate_not_computed
from reports.reading import Rows, read_rows

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
WHY = tell(
    EXPLANATIONS["too_few_participants"], arm="Peer support", outcome="felt stigma", timepoint="12 weeks",
    fewest=Number(10),
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
    assert table.notes == (KEYS,)
    assert find_unmarked(["SSCI-8 total", "WHO-5 index", "12 weeks", "Peer support", "felt stigma"],
                         tabulate_not_computed, rows_of(content), content) == []  # fmt: skip


def test_where_everything_was_computed_there_is_no_table(build: Build) -> None:
    content = build()
    assert tabulate_not_computed(rows_of(content), content).rows == ()
    assert "What was not computed" not in render_report(content)


def test_cards_say_why_and_not_what_a_researcher_may_do(build: Build) -> None:
    content = build(verdict="refused:too_few_participants")
    results = content.results.copy()
    refused = results["verdict"].str.startswith("refused")
    results.loc[refused, ["method", "words"]] = [str(WHY), WHY.words]
    page = render_report(replace(content, results=results))
    cards, annex = page.split('<section id="annex"')
    assert "fewer than 10." in cards
    assert "fewest_per_arm" not in cards
    assert "fewest_per_arm" in annex
