"""The reporting checklist: which one a design gets, what its items say, and that they say nothing that is not there."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pandas as pd
import pytest

from analysis.design import DesignKind
from analysis.dose_part import SLOPE
from analysis.fingerprint import FrozenPlan, FrozenVersion
from analysis.plan_parts import ExposureResponse
from analysis.results import RESULT_DTYPES, Result, results_table
from reports import ReportContent, gate_results, lint_claims, render_report
from reports.cells import Table
from reports.checklist import CONSORT, NOT_TOLD, TREND, checklist_of, say_checklist
from reports.deviations import say_deviations
from reports.reading import read_rows
from reports.summarise import summarise_report

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
KINDS = get_args(DesignKind)
BY_LOT = ("randomised", "waitlist", "stepped_wedge")
STATED = {
    "funding": "A fund.",
    "interests": "None.",
    "ethics": "A committee.",
    "registration": "A registry.",
    "data_access": "Nobody.",
}
FROZEN = FrozenPlan((FrozenVersion(frozen_on="2025-01-06", content={"plan": {}, "design": {}}),))
LATE = FrozenPlan((FrozenVersion(frozen_on="2025-09-01", outcomes_read_on="2025-08-15", content={"plan": {}}),))


def add(content: ReportContent, *rows: Result) -> ReportContent:
    results = pd.concat([content.results, results_table(rows)], ignore_index=True).astype(RESULT_DTYPES)
    return replace(content, results=results)


def rows_of(content: ReportContent):
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile))


def table_of(content: ReportContent) -> Table:
    (block,) = say_checklist(rows_of(content), content)
    (table,) = block.tables
    return table


def where(content: ReportContent, number: str) -> str:
    return next(line[2] for line in table_of(content).rows if line[0] == number)


def told(content: ReportContent) -> set[str]:
    return {line[0] for line in table_of(content).rows if line[2] != NOT_TOLD}


def test_the_items_are_those_of_the_checklists_by_number() -> None:
    numbers = [re.sub(r"\D", "", number) for number, _, _ in CONSORT.items]
    assert list(dict.fromkeys(numbers)) == [str(number) for number in range(1, 31)]
    assert len(CONSORT.items) == 42
    assert [number for number, _, _ in TREND.items] == [str(number) for number in range(1, 23)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_item_of_every_design_is_told_or_said_not_to_be_and_claims_nothing(build: Build, kind: str) -> None:
    content = build(kind, statements=STATED, frozen=FROZEN)
    checklist = checklist_of(content)
    assert checklist is (CONSORT if kind in BY_LOT else TREND)
    (block,) = say_checklist(rows_of(content), content)
    (table,) = block.tables
    assert [line[0] for line in table.rows] == [number for number, _, _ in checklist.items]
    assert all(topic and text for _, topic, text in table.rows)
    text = "\n".join((block.heading, *block.sentences, *table.notes, block.caution, *map(" ".join, table.rows)))
    lint_claims(text, content.design.kind)
    count = len(told(content))
    assert block.sentences[0] == f"Of {len(table.rows)} items of the checklist {count} are told in this report."
    assert 0 < count < len(table.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_can_know_from_the_files_of_a_study_is_never_told(build: Build, kind: str) -> None:
    content = build(kind, statements=STATED, frozen=FROZEN)
    unknown = {number for number, _, tell in checklist_of(content).items if tell is None}
    assert len(unknown) == (12 if kind in BY_LOT else 4)
    assert not unknown & told(content)


@pytest.mark.parametrize(
    ("number", "name"), [("2", "registration"), ("4", "data_access"), ("5a", "funding"), ("5b", "interests")]
)
def test_a_statement_that_the_study_does_not_make_is_not_told(build: Build, number: str, name: str) -> None:
    whole = build(statements=STATED)
    assert where(whole, number).startswith("Limits and deviations from the plan: under “Who paid")
    less = replace(whole, statements={key: text for key, text in STATED.items() if key != name})
    assert told(whole) - told(less) == {number}
    assert where(less, number) == NOT_TOLD


@pytest.mark.parametrize(("part", "number"), [("why", "6"), ("place", "11"), ("provider", "12b"),
                                              ("fidelity_assessed", "24a")])  # fmt: skip
def test_a_part_of_the_programme_that_is_not_described_is_not_told(build: Build, part: str, number: str) -> None:
    assert where(build(), number) == NOT_TOLD
    assert where(build(delivered_as={part: "Words."}), number).startswith("The programme as delivered: under “")


def test_how_far_the_programme_is_described_is_counted(build: Build) -> None:
    described = build(delivered_as={"why": "An idea.", "mode": "In a room."})
    assert where(described, "13") == "The programme as delivered: 2 of 11 parts of its description"
    assert where(build(), "13") == "The programme as delivered: in a few words"
    assert where(build(programme=""), "13") == NOT_TOLD


def test_the_plan_is_told_with_its_day_and_a_plan_that_nobody_froze_is_not_called_frozen(build: Build) -> None:
    assert where(build(frozen=FROZEN), "3").endswith("the plan was frozen on 2025-01-06, before outcomes were read")
    assert where(build(frozen=LATE), "3").endswith("the plan was frozen on 2025-09-01, after outcomes were read")
    assert where(build(), "3").endswith("the plan was not frozen")
    assert where(build(), "10") == NOT_TOLD
    assert where(build(frozen=FROZEN), "10").endswith("nothing was done otherwise than in the plan that was frozen")


def test_a_plan_that_was_kept_but_not_wholly_computed_is_not_told_as_done(build: Build) -> None:
    content = add(
        build(frozen=FROZEN),
        Result(
            analysis="sensitivity",
            statistic="difference",
            outcome="stigma",
            timepoint="post",
            verdict="refused:too_few",
            method="Few.",
        ),
    )
    assert where(content, "10").endswith("but something it asks for was not computed")


def test_deviations_are_as_many_as_their_table_lists(build: Build) -> None:
    content = add(
        build(frozen=FROZEN),
        *(Result(analysis="deviations", statistic=statistic, item=item, method="a", verdict="declared")
          for item, statistic in (("sensitivity", "done"), ("population", "done"), ("population", "planned"))),
    )  # fmt: skip
    (table,) = say_deviations(rows_of(content), content).blocks[0].tables
    assert len(table.rows) == 2
    assert where(content, "10").endswith(f"{len(table.rows)} deviations from the plan that was frozen")


@pytest.mark.parametrize("peer", [(220, 190, 150), (220, 214, 213), (9, 9, 9)])
@pytest.mark.parametrize("kind", ["randomised", "comparison"])
def test_numbers_of_people_are_those_of_the_table_of_people(recount: Build, kind: str, peer: tuple[int, ...]) -> None:
    content = recount(kind, peer=peer)
    view = summarise_report(content, gate_results(content.results, "threshold-10"))
    cells = {line[0]: line[1:] for line in view.flow[-1].rows}
    flow, analysed = ("22a", "21b") if kind == "randomised" else ("12", "16")
    people = {
        flow: cells["In the data that could be used"],
        analysed: cells["In the model of felt stigma"],
    }
    for number, (of_peer, of_usual) in people.items():
        assert where(content, number).endswith(f": {of_peer} in Peer support and {of_usual} in Usual care")
    if kind == "randomised":
        assert where(content, analysed) in where(content, "26")


def test_a_small_arm_leaves_no_number_of_its_people(recount: Build) -> None:
    table = table_of(recount(peer=(9, 9, 9)))
    lines = " ".join(line[2] for line in table.rows)
    assert lines.count("not shown in Peer support") == 3
    assert not re.search(r"\b9\b|nan", lines)
    assert table.notes[-1].startswith("“not shown”: ")


@pytest.mark.parametrize("counts", [{}, {"peer": (9, 9, 9)}])
@pytest.mark.parametrize("verdict", ["estimated", "refused:empty_cell"])
def test_estimates_are_as_many_as_the_cards_show(
    build: Build, recount: Build, verdict: str, counts: dict[str, tuple[int, ...]]
) -> None:
    content = recount(**counts) if counts else build(verdict=verdict)
    view = summarise_report(content, gate_results(content.results, "threshold-10"))
    asked = [table for card in view.cards for table in card.tables if "that the plan asked for" in table.caption]
    lines = [line for table in asked for line in table.rows]
    shown = [line for line in lines if re.search(r"\d", line[1])]
    assert len(lines) == (2 if counts or verdict == "estimated" else 0)
    estimates = f"{len(shown)} of 2 comparisons with an estimate and its interval"
    assert where(content, "26").endswith(estimates) == bool(shown)
    assert (where(content, "29") == "not told here") == (not shown)


def test_harms_are_told_only_where_the_plan_names_them(build: Build) -> None:
    content = build()
    assert where(content, "15") == "Who got worse: the plan names no harms"
    assert where(content, "27") == "Who got worse: harms were not looked at"
    harm = {"id": "left", "event": "left", "label": "Left"}
    planned = type(content.plan).model_validate({**content.plan.model_dump(exclude_none=True), "harms": [harm]})
    content = replace(content, plan=planned)
    assert where(content, "15") == "Who got worse: 1 harm that the plan counts, and how"
    assert where(content, "27") == "Who got worse: 0 of 1 harm that the plan names was counted"
    row = {"analysis": "harms", "item": "left", "arm": "peer", "n": 220, "value": 30}
    counted = add(content, Result(**row, statistic="people_with_event", verdict="estimated"))
    assert where(counted, "27") == "Who got worse: 1 of 1 harm that the plan names was counted"
    refused = add(content, Result(**row, statistic="people_with_event", verdict="refused:no_events"))
    assert where(refused, "27") == "Who got worse: 0 of 1 harm that the plan names was counted"


def test_further_analyses_sessions_and_likeness_are_told_only_where_there_are_rows_of_them(build: Build) -> None:
    for kind, numbers in (("randomised", ("21d", "28", "24a")), ("comparison", ("18", "15"))):
        assert not told(build(kind)) & set(numbers)
    content = add(build(), Result(analysis="delivery", statistic="sessions_held", arm="peer", value=40, n=220))
    assert where(content, "24a") == "The programme as delivered: sessions held and attended, by arm"


def test_models_are_told_only_where_one_was_fitted(build: Build) -> None:
    assert where(build(), "21a") == "Method annex: under “Models”"
    content = build()
    without = replace(content, results=content.results[content.results["analysis"] != "model"])
    assert where(without, "21a") == NOT_TOLD


def headings_of(page: str) -> dict[str, set[str]]:
    """Title of each section of a page -> the headings and terms in it."""
    found: dict[str, set[str]] = {}
    inside: set[str] = set()
    for tag, words in re.findall(r"<(h[2-5]|dt)\b[^>]*>(.*?)</\1>", page, re.DOTALL):
        text = " ".join(html.unescape(re.sub("<[^>]+>", "", words)).split())
        inside = found.setdefault(text, set()) if tag == "h2" else inside
        inside.add(text)
    return found


def pointers_of(content: ReportContent) -> set[tuple[str, str]]:
    """Section and heading, empty where there is none, that the lines of a checklist send a reader to."""
    told = [part for line in table_of(content).rows if line[2] != NOT_TOLD for part in line[2].split("; ")]
    found = {
        tuple(re.fullmatch(r"([^:]+): (?:under “(.+)”)?.*", part, re.DOTALL).groups(""))
        for part in told
        if ": " in part
    }
    return {(section, heading) for section, heading in found if section != "In this line"}


@pytest.mark.parametrize("verdict", ["estimated", "refused:empty_cell"])
@pytest.mark.parametrize("kind", ["randomised", "comparison", "single_group", "repeated_cross_section"])
def test_every_line_leads_to_a_section_and_a_heading_that_are_on_the_page(
    build: Build, kind: str, verdict: str
) -> None:
    content = build(kind, verdict=verdict, statements=STATED, delivered_as={"why": "x", "place": "x"}, frozen=FROZEN)
    asked, arm = content.plan.estimands[0], content.design.arms[0].id
    dose = ExposureResponse(id="dose", arm=arm, estimand=asked.id)
    content = replace(content, plan=content.plan.model_copy(update={"exposure_response": [dose]}))
    rows = {"estimand": asked.id, "outcome": asked.outcome, "value": 1.0, "conf_low": 0.5, "conf_high": 1.5, "n": 90}
    content = add(
        content,
        Result(**rows, analysis="sensitivity", item="completers", statistic="difference", verdict="estimated"),
        Result(**rows, analysis="dose", item="dose", arm=arm, statistic=SLOPE, fewest=40, verdict="estimated"),
    )
    headings, pointers = headings_of(render_report(content)), pointers_of(content)
    assert ("Outcomes", "Sessions and change") in pointers
    assert [each for each in pointers if each[0] not in headings] == []
    assert [each for each in pointers if each[1] and each[1] not in headings[each[0]]] == []


def test_of_lots_it_is_told_whether_people_or_groups_were_drawn(build: Build) -> None:
    content = build()
    groups = replace(content, design=replace(content.design, groups_drawn=True, group_arms=("peer", "usual")))
    assert where(content, "17b").endswith("lots were drawn for people, not for groups")
    assert where(groups, "17b").endswith("lots were drawn for whole groups")
    assert len(table_of(groups).notes) == len(table_of(content).notes) + 1


def test_other_people_and_places_are_told_only_where_the_limits_name_them(build: Build) -> None:
    assert (
        where(build("comparison"), "21") == "Limits and deviations from the plan: under “What this study cannot tell”"
    )
    assert where(build("single_group"), "21") == NOT_TOLD


@pytest.mark.parametrize("kind", ["randomised", "matched_comparison", "single_group"])
def test_the_checklist_stands_in_the_annex_after_the_estimates(build: Build, kind: str) -> None:
    page = render_report(build(kind))
    name = CONSORT.name if kind == "randomised" else TREND.name
    places = [page.index(text) for text in ('id="annex"', "All estimates", f"Reporting checklist: {name}",
                                            "What became of the data")]  # fmt: skip
    assert places == sorted(places)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frozen", [None, FROZEN, LATE])
def test_every_word_comes_from_the_catalogue_but_labels_and_the_source(
    build: Build, kind: str, frozen: FrozenPlan | None
) -> None:
    content = build(kind, statements=STATED, delivered_as={"why": "x", "place": "x"}, frozen=frozen)
    labels = [arm.label for arm in content.design.arms]
    labels += [measure.label for measure in content.design.measures.values()]
    labels += [measure.concept for measure in content.design.measures.values()]
    labels += [timepoint.label for timepoint in content.design.timepoints]
    labels += [
        checklist_of(content).citation,
        checklist_of(content).name,
        *(str(n) + part for n in range(31) for part in "abcd"),
    ]
    assert find_unmarked(labels, say_checklist, rows_of(content), content) == []
