"""Who got worse: what is said of harms, what is hidden, and that nothing says why."""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.design import EventKind
from analysis.evaluation import Evaluation
from analysis.harms_part import describe_harms
from analysis.results import results_table
from instruments import Instrument, load_library
from reports import ReportContent, gate_results, render_report
from reports.disclosure import NUMBERS
from reports.harms import NOT_LOOKED_AT, say_harms
from reports.lint import lint_claims
from reports.part_gate import step_of_100
from reports.reading import read_rows
from reports.sections import Section

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
HOSPITAL = {"id": "hospital", "event": "hospital"}
SELF_HARM = {"id": "self_harm", "instrument": "phq-9", "item": "9", "at_least": 1}
SIZES = {"peer": 220, "usual": 231}


@cache
def shipped() -> Mapping[str, Instrument]:
    return load_library()


def harmed(
    content: ReportContent,
    *harms: Mapping[str, Any],
    events: Mapping[str, int] | None = None,
    answers: Mapping[str, Sequence[tuple[int, int, int]]] | None = None,
    label: str = "Stay in hospital",
) -> ReportContent:
    """Add harms to content: people of each arm with an event, and answers as (before, later, people)."""
    library = shipped()
    plan = content.plan.model_validate(content.plan.model_dump() | {"harms": list(harms)})
    design = replace(content.design, event_kinds=(EventKind("hospital", label),), items={"phq-9": {"9": (0.0, 3.0)}})
    arms = [arm.id for arm in design.arms]
    people = [(f"{arm}{number}", arm) for arm in arms for number in range(SIZES[arm])]
    happened = [
        (f"{arm}{number}", "hospital", "post", 30.0) for arm, count in (events or {}).items() for number in range(count)
    ]
    told = []
    for arm, groups in (answers or {}).items():
        pairs = [(before, later) for before, later, count in groups for _ in range(count)]
        for number, pair in enumerate(pairs):
            told += [
                (f"{arm}{number}", timepoint, "phq-9", "9", float(value), day)
                for timepoint, value, day in zip(("baseline", "post"), pair, (0.0, 84.0), strict=True)
            ]
    columns = ["participant_id", "timepoint", "instrument", "item", "value", "days_since_baseline"]
    evaluation = Evaluation(
        plan=plan, design=design, library=library, scores=pd.DataFrame(), frames={}, answers=(), measurement=(),
        participants=pd.DataFrame(people, columns=["participant_id", "arm"]), sessions=None,
        responses=pd.DataFrame(told, columns=columns),
        events=pd.DataFrame(happened, columns=["participant_id", "event", "timepoint", "days_since_baseline"]),
    )  # fmt: skip
    rows = results_table(describe_harms(evaluation))
    return replace(
        content,
        plan=plan,
        design=design,
        instruments={**content.instruments, "phq-9": library["phq-9"]},
        results=pd.concat([content.results, rows], ignore_index=True),
    )


def section(content: ReportContent) -> str:
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", render_report(content), flags=re.DOTALL)
    text = page.split('<section id="worse"')[1].split("</section>")[0]
    return html.unescape(re.sub(r"</t[dh]>", "|", text)).replace("\u00a0", " ")


def said(content: ReportContent) -> str:
    """The words of the section, without a page around them: a line for each sentence, note, and row of a table."""
    return words_of(say_harms(read_rows(gate_results(content.results, content.plan.small_numbers.profile)), content))


def words_of(told: Section) -> str:
    lines = []
    for block in told.blocks:
        lines += [*block.sentences, *(line for table in block.tables for line in ("|".join(row) for row in table.rows))]
        lines += [note for table in block.tables for note in table.notes]
    return "\n".join((*lines, "")).replace("\u00a0", " ")


def cells(content: ReportContent, line: str) -> list[str]:
    found = re.search(rf'<th scope="row">{re.escape(line)}\|(.*?)</tr>', section(content), flags=re.DOTALL)
    assert found, line
    return re.findall(r"<td>(.*?)\|", found.group(1))


def test_events_are_told_by_arm_with_their_interval(build: Build) -> None:
    content = harmed(build(), HOSPITAL, events={"peer": 22, "usual": 46})
    text = section(content)
    assert "<h3>Stay in hospital</h3>" in text
    assert "at any time after Baseline." in text
    assert "Recorded for about 20 people in Peer support: 10 of 100 people (95 % interval 5 to 15)." in text
    assert "Recorded for about 50 people in Usual care: 20 of 100 people (95 % interval 10 to 30)." in text
    assert cells(content, "People with it") == ["20", "50"]
    assert "no proof for or against the programme" in text


def test_nobody_is_said_with_what_could_have_been_missed(build: Build) -> None:
    text = section(harmed(build(), HOSPITAL, events={"usual": 46}))
    assert "Recorded for nobody in Peer support (95 % interval up to 1.7 of 100 people)." in text


@pytest.mark.parametrize("count", [1, 7, 9])
def test_one_to_nine_people_are_fewer_than_ten(build: Build, count: int) -> None:
    content = harmed(build(), HOSPITAL, events={"peer": count, "usual": 46})
    assert "Recorded for fewer than 10 people in Peer support." in section(content)
    assert cells(content, "People with it") == ["fewer than 10 people", "50"]
    assert cells(content, "Of 100 people")[0] == "not shown"
    gated = gate_results(content.results, "threshold-10")
    own = gated[(gated["analysis"] == "harms") & (gated["arm"] == "peer") & (gated["statistic"] != "is_minority")]
    assert own["hidden"].all()
    assert own[NUMBERS].isna().all(axis=None)
    pages = {section(harmed(build(), HOSPITAL, events={"peer": other, "usual": 46})) for other in (1, count, 9)}
    assert len(pages) == 1


def test_all_but_a_few_is_not_said_to_be_few(build: Build) -> None:
    content = harmed(build(), HOSPITAL, events={"peer": 215, "usual": 46})
    text = section(content)
    assert "How many people in Peer support is not shown" in text
    assert "fewer than 10 people" not in text
    assert cells(content, "People with it") == ["not shown", "50"]


def test_a_number_is_said_to_be_rounded_but_in_a_study_without_protection(build: Build) -> None:
    text = section(harmed(build(), HOSPITAL, events={"peer": 123, "usual": 46}))
    assert "Recorded for about 120 people in Peer support: 55 of 100 people" in text
    open_text = section(harmed(build(profile="none"), HOSPITAL, events={"peer": 123, "usual": 3}))
    assert "Recorded for 123 people in Peer support" in open_text
    assert "Recorded for 3 people in Usual care" in open_text


ANSWERS = {
    "peer": [(0, 0, 120), (0, 1, 20), (2, 2, 15), (1, 0, 25)],
    "usual": [(0, 0, 130), (0, 1, 4), (2, 2, 15), (1, 0, 25)],
}


def test_answers_that_call_for_attention_are_new_or_fewer_than_ten(build: Build) -> None:
    content = harmed(build(), SELF_HARM, answers=ANSWERS)
    text = section(content)
    assert "<h3>PHQ-9: thoughts of self-harm</h3>" in text
    assert "Counted are answers of at least 1 to PHQ-9: thoughts of self-harm." in text
    assert "Whether anybody saw to the people who answered so is not known from these data." in text
    assert (
        "12 weeks, of people in Peer support who answered below 1 at Baseline: new for 10 of 100 (95 % interval" in text
    )
    assert "12 weeks, of people in Usual care who answered below 1 at Baseline: new for fewer than 10 people." in text
    assert cells(content, "12 weeks: then, of 100 people with both answers")[1] == "not shown"
    assert cells(content, "12 weeks: at the start, of 100 people with both answers") == [
        "20 (10 to 30)",
        "20 (10 to 30)",
    ]
    assert "26 weeks: new" not in text


FEW_BELOW = {"peer": [(0, 0, 11), (0, 1, 12), (2, 2, 25), (1, 0, 42)], "usual": [(0, 0, 130), (0, 1, 20), (1, 0, 25)]}
"""Of 23 people of the peer arm below the border, 12 are new: rounded to steps of half of them."""


def test_a_share_that_rounding_leaves_too_little_of_is_hidden_by_the_gate_and_says_so(build: Build) -> None:
    content = harmed(build(), SELF_HARM, answers=FEW_BELOW)
    gated = gate_results(content.results, "threshold-10")
    where = (gated["analysis"] == "harms") & (gated["arm"] == "peer") & (gated["statistic"] == "new_alerts")
    (row,) = gated[where].to_dict("records")
    assert row["hidden"]
    assert row["method"] == "the rounding that protects people leaves too little to tell"
    text = said(content)
    assert (
        "12 weeks, of people in Peer support who answered below 1 at Baseline: how many is not shown: the rounding that "
        "protects people leaves too little to tell." in text
    )
    assert "12 weeks: new, of 100 people who did not answer so at the start|not shown|10 (0 to 20)" in text
    assert "A number of which rounding leaves too little to tell is not shown either." in text


def test_what_rounding_hides_is_not_said_to_be_few(build: Build) -> None:
    """Ten of 23 are fewer than half, and still not fewer than ten."""
    text = said(
        harmed(build(), SELF_HARM, answers=FEW_BELOW | {"peer": [(0, 0, 13), (0, 1, 10), (2, 2, 25), (1, 0, 42)]})
    )
    assert "fewer than 10 people" not in text
    assert "leaves too little to tell." in text


def test_nothing_is_hidden_for_being_vague_in_a_study_without_protection(build: Build) -> None:
    answers = {"peer": [(0, 0, 2), (0, 1, 1)], "usual": [(0, 0, 130), (0, 1, 4)]}
    content = harmed(build(profile="none"), SELF_HARM, answers=answers)
    assert "who answered below 1 at Baseline: new for 33.3 of 100 (95 % interval 0.8 to 90.6)." in said(content)


def test_an_event_whose_share_is_lost_by_rounding_keeps_its_number_of_people(build: Build) -> None:
    content = harmed(build(), HOSPITAL, events={"peer": 22, "usual": 46})
    rows = read_rows(gate_results(content.results, "threshold-10"))
    lost = tuple(
        replace(row, hidden=True, value=float("nan")) if row.statistic == "share_with_event" else row for row in rows
    )
    told = words_of(say_harms(lost, content))
    assert "Recorded for about 20 people in Peer support.\n" in told
    assert "nan" not in told


@pytest.mark.parametrize(("size", "is_told"), [(220, True), (199, False)])
def test_missing_answers_are_told_only_in_steps_that_make_no_difference_of_none(
    build: Build, monkeypatch: pytest.MonkeyPatch, size: int, is_told: bool
) -> None:
    monkeypatch.setitem(SIZES, "peer", size)
    content = harmed(build(), SELF_HARM, answers=ANSWERS | {"peer": [(0, 0, 100), (0, 1, 20), (1, 0, 25)]})
    gated = gate_results(content.results, "threshold-10")
    where = (gated["arm"] == "peer") & (gated["statistic"] == "incomplete")
    assert (~gated.loc[where, "hidden"]).tolist() == [is_told]
    assert ("one of the two answers is missing, of 100 people" in said(content)) == is_told


def test_fewer_people_than_a_step_have_no_finer_step_than_all_of_them() -> None:
    assert [step_of_100(n, 10) for n in (8, 10, 119, 200, 1000)] == [100, 100, 10, 5, 1]


def test_steps_are_named_in_people_and_in_people_of_100(build: Build) -> None:
    text = said(harmed(build(), HOSPITAL, events={"peer": 22, "usual": 46}))
    assert (
        "Numbers of people are in steps of 10 people or more, and numbers of 100 people in steps of 5 or more, so that "
        "nobody can be recognised." in text
    )
    assert "steps of" not in said(harmed(build(profile="none"), HOSPITAL, events={"peer": 22, "usual": 46}))


def test_a_harm_of_which_nothing_may_be_shown_has_one_sentence_and_no_table(build: Build) -> None:
    content = harmed(build(), HOSPITAL, events={"peer": 22, "usual": 46})
    rows = tuple(replace(row, hidden=True) for row in read_rows(gate_results(content.results, "threshold-10")))
    block = say_harms(rows, content).blocks[0]
    assert block.tables == ()
    assert [sentence for sentence in block.sentences if "not shown" in sentence] == list(block.sentences[1:])


def test_a_new_answer_of_nobody_is_said_so(build: Build) -> None:
    text = section(harmed(build(), SELF_HARM, answers=ANSWERS | {"usual": [(0, 0, 134), (2, 2, 15), (1, 0, 25)]}))
    assert "in Usual care who answered below 1 at Baseline: new for nobody (95 % interval up to 2.8 of 100)." in text


def test_numbers_side_by_side_do_not_tell_a_few_people_apart(build: Build) -> None:
    """Of any two numbers of one arm that are told, the difference may be of ten people or more, whatever it is."""
    for withdrew, other in ((16, 20), (18, 13), (25, 22), (100, 103)):
        contents = [harmed(build(), HOSPITAL, events={"peer": count, "usual": 46}) for count in (withdrew, other)]
        shown = []
        for content in contents:
            gated = gate_results(content.results, "threshold-10")
            own = gated[(gated["analysis"] == "harms") & (gated["arm"] == "peer")].set_index("statistic")
            assert own.loc["events", "hidden"]
            step = 5.0
            for name, unit in (("people_with_event", 10.0), ("share_with_event", step)):
                assert (own.loc[name, ["value", "conf_low", "conf_high"]].dropna() % unit == 0).all()
            shown.append(own.loc["people_with_event", "value"])
        assert abs(shown[0] - shown[1]) in (0.0, 10.0)


def test_a_hundred_people_are_no_hundred_percent(build: Build) -> None:
    gated = gate_results(harmed(build(), HOSPITAL, events={"peer": 100, "usual": 96}).results, "threshold-10")
    own = gated[gated["analysis"] == "harms"].set_index(["arm", "statistic"])
    assert own.loc[("peer", "events"), "hidden"]
    assert own.loc[("usual", "people_with_event"), "value"] == 100


def test_a_plan_without_harms_says_that_they_were_not_looked_at(build: Build) -> None:
    text = section(build())
    assert NOT_LOOKED_AT in text
    assert "is not known from these data" not in text
    asked = section(harmed(build()))
    assert NOT_LOOKED_AT in asked
    assert "the plan does not count them" in asked
    assert "PHQ-9: thoughts of self-harm" in asked
    assert "the plan does not count them" not in section(harmed(build(), SELF_HARM, answers=ANSWERS))


def test_a_harm_that_cannot_be_counted_says_why(build: Build) -> None:
    text = section(harmed(build(), SELF_HARM))
    assert "Not counted. Nobody answered the item both at baseline and later." in text


@pytest.mark.parametrize("kind", ["randomised", "waitlist", "single_group", "repeated_cross_section"])
def test_no_design_lets_the_section_overclaim(build: Build, kind: str) -> None:
    events = {"peer": 22} if kind == "single_group" else {"peer": 22, "usual": 4}
    answers = {arm: ANSWERS[arm] for arm in events}
    content = harmed(build(kind), HOSPITAL, SELF_HARM, events=events, answers=answers)
    told = say_harms(read_rows(gate_results(content.results, "threshold-10")), content)
    text = " ".join(
        [told.title, told.lead, *(words for block in told.blocks for words in (block.heading, *block.sentences))]
    )
    lint_claims(text, content.design.kind)
    assert ("Who got worse" in text) == (kind != "repeated_cross_section")
    assert ("Not counted. Each timepoint is a sample of its own" in text) == (kind == "repeated_cross_section")
    assert ("before an arm began" in text) == (kind == "waitlist")


def test_what_the_study_calls_a_harm_may_hold_any_word_and_is_escaped(build: Build) -> None:
    hostile = "Impact <script>alert(1)</script> caused harm"
    page = render_report(harmed(build(), HOSPITAL, events={"peer": 22, "usual": 46}, label=hostile))
    assert "<script>alert(1)" not in page
    assert "Impact &lt;script&gt;alert(1)" in page
    named = harmed(build(), HOSPITAL | {"label": "Deaths caused by the programme"}, events={"peer": 22, "usual": 46})
    assert "Deaths caused by the programme" in section(named)


def test_what_leaves_tells_no_number_of_people_behind_it(build: Build) -> None:
    gated = gate_results(
        harmed(build(), HOSPITAL, SELF_HARM, events={"peer": 22, "usual": 46}, answers=ANSWERS).results, "threshold-10"
    )
    own = gated[gated["analysis"] == "harms"]
    assert own[["n", "fewest", "std_error", "df"]].isna().all(axis=None)
    assert np.isfinite(own.loc[~own["hidden"], "value"]).all()


SOME = {"peer": [(0, 0, 134), (2, 2, 15), (1, 0, 25)], "usual": [(0, 0, 9), (0, 1, 130), (1, 0, 25)]}


@pytest.mark.parametrize(
    ("kind", "profile", "counts", "answers"),
    [
        ("randomised", "threshold-10", {"peer": 22, "usual": 46}, ANSWERS),
        ("randomised", "threshold-10", {"peer": 4, "usual": 229}, SOME),
        ("randomised", "none", {"peer": 1, "usual": 3}, None),
        ("waitlist", "threshold-10", {}, SOME),
        ("single_group", "threshold-10", {"peer": 4}, ANSWERS),
        ("single_group", "threshold-10", {"peer": 215}, SOME),
        ("single_group", "none", {"peer": 22}, ANSWERS),
        ("single_group", "none", {}, ANSWERS),
        ("repeated_cross_section", "threshold-10", {"peer": 22}, ANSWERS),
    ],
)
def test_every_word_comes_from_the_catalogue(
    build: Build, kind: str, profile: str, counts: dict[str, int], answers: Any
) -> None:
    arms = ("peer",) if kind == "single_group" else ("peer", "usual")
    content = harmed(
        build(kind, profile=profile),
        HOSPITAL,
        SELF_HARM,
        events={arm: count for arm, count in counts.items() if arm in arms},
        answers=answers and {arm: answers[arm] for arm in arms},
    )
    rows = read_rows(gate_results(content.results, profile))
    labels = ("Stay in hospital", "PHQ-9: thoughts of self-harm", "Peer support", "Usual care", "Baseline",
              "12 weeks", "26 weeks")  # fmt: skip
    assert find_unmarked(labels, say_harms, rows, content) == []
    unlooked = harmed(build())
    assert find_unmarked(labels, say_harms, (), unlooked) == []
