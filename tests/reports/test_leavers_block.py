"""What a report says of those who left: each assumption in words, and nothing that hangs on few of them."""

import html
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.design import EventKind
from analysis.plan import Outcome
from analysis.plan_parts import Delta, IntercurrentEvent
from analysis.results import Result, results_table
from analysis.sensitivity.rows import REFUSALS
from reports import ReportContent, gate_results, lint_claims, render_report
from reports.certainty import say_certainty
from reports.disclosure import NUMBERS
from reports.leavers import HEADING, OTHERWISE, compare_those_who_left, say_leavers
from reports.reading import read_rows
from reports.sections import Block

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
NAMED = ("jump_to_reference", "copy_reference", "copy_increments", "tipping_point", "completers")
NO_BREAK = "\u00a0"
KINDS = ("randomised", "matched_comparison", "single_group")


def assume(
    content: ReportContent,
    estimates: dict[str, tuple[float, float, float]],
    *,
    numbers: dict[tuple[str, str], float] | None = None,
    refused: dict[str, str] | None = None,
    sensitivity: tuple[object, ...] = NAMED,
    n: float = 150.0,
    fewest: dict[str, float] | None = None,
) -> ReportContent:
    """Add sensitivity rows of the primary outcome's estimand to content, and their names to its plan."""
    single = content.design.kind == "single_group"
    asked = {"analysis": "sensitivity", "estimand": "stigma_post", "outcome": "stigma", "timepoint": "post",
             "contrast": "post - baseline" if single else "peer - usual", "verdict": "estimated"}  # fmt: skip
    statistic = "change" if single else "difference"
    few = fewest or {}
    rows = [
        Result(**asked, statistic=statistic, item=item, value=value, conf_low=low, conf_high=high, std_error=0.9, df=90,
               p_value=0.01, n=n, fewest=few.get(item, 30.0), method="Made.")
        for item, (value, low, high) in estimates.items()
    ]  # fmt: skip
    rows += [
        Result(**asked, statistic=name, item=item, value=value, n=n, fewest=few.get(item, 30.0), method="Made.")
        for (item, name), value in (numbers or {}).items()
    ]
    rows += [
        Result(**asked | {"verdict": "refused:code"}, statistic=statistic, item=item, method=why)
        for item, why in (refused or {}).items()
    ]
    plan = content.plan.model_copy(update={"sensitivity": list(sensitivity)})
    return replace(content, plan=plan, results=pd.concat([content.results, results_table(rows)], ignore_index=True))


def block_of(content: ReportContent, outcome: str = "stigma") -> Block | None:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return say_leavers(content.plan.outcome(outcome), rows, content)


BASE = {"missing_at_random": (-2.3, -4.1, -0.5)}
USUAL = BASE | {"jump_to_reference": (-1.7, -3.08, -0.32), "completers": (-2.0, -4.0, 0.1)}


def test_each_assumption_is_a_line_with_its_unit(build: Build) -> None:
    block = block_of(assume(build(), USUAL))
    assert block is not None
    assert (block.heading, block.items) == (HEADING, ())
    (table,) = block.tables
    assert table.caption == f"Difference under each assumption, in points, with 95{NO_BREAK}% interval"
    assert table.columns == ("Assumption", "12 weeks")
    assert table.rows[1:] == (
        ("If those who left had gone on like similar people of their arm who stayed", "−2.3 (−4.1 to −0.5)"),
        ("If those who left had fared like people in Usual care from then on", "−1.7 (−3.1 to −0.3)"),
        ("Among people with a score at every timepoint alone", "−2.0 (−4.0 to 0.1)"),
    )
    assert table.rows[0][0] == "Main analysis"
    assert table.rows[0][1].startswith("−2.4 (")
    assert "jackknife" in table.notes[0]
    assert "no findings" in block.caution


def test_several_questions_of_an_outcome_share_one_table_and_its_notes(build: Build) -> None:
    content = assume(build(), USUAL, numbers={("multiple_imputation", "monte_carlo_error"): 0.021},
                     sensitivity=(*NAMED, "multiple_imputation"))  # fmt: skip
    asked = content.plan.estimands[0].model_copy(update={"id": "stigma_followup", "timepoint": "late"})
    own = content.results["estimand"] == "stigma_post"
    later = content.results[own].assign(estimand="stigma_followup", timepoint="late", value=-1.0)
    later = later[later["item"] != "completers"]
    later.loc[later["statistic"] == "monte_carlo_error", "value"] = 0.021
    estimands = [asked if each.id == asked.id else each for each in content.plan.estimands]
    estimands += [] if asked in estimands else [asked]
    content = replace(
        content,
        plan=content.plan.model_copy(update={"estimands": estimands}),
        results=pd.concat([content.results[content.results["estimand"] != asked.id], later], ignore_index=True),
    )
    block = block_of(content)
    assert block is not None
    (table,) = block.tables
    assert table.columns == ("Assumption", "12 weeks", "26 weeks")
    assert [line[2] for line in table.rows[1:]] == ["−1.0 (−4.1 to −0.5)", "−1.0 (−3.1 to −0.3)", "–"]
    assert sum("jackknife" in note for note in table.notes) == 1
    assert "multiple imputation at 12 weeks: 0.021 and multiple imputation at 26 weeks: 0.021 (M" in " ".join(
        table.notes
    )


@pytest.mark.parametrize(("delta", "way"), [(2.0, "worse"), (-2.0, "better")])
def test_a_delta_says_which_way_is_worse(build: Build, delta: float, way: str) -> None:
    content = assume(build(), BASE | {f"delta {delta:g}": (-2.0, -3.9, -0.1)}, sensitivity=(Delta(delta=delta),))
    block = block_of(content)
    assert block is not None
    assert block.tables[0].rows[2] == (
        f"If people of the Peer support arm who left had scored 2 points {way} than similar people",
        "−2.0 (−3.9 to −0.1)",
    )


@pytest.mark.parametrize(
    ("outcome", "points", "way"), [("stigma", 8.3, "worse"), ("stigma", -8.3, "better"), ("wellbeing", -8.3, "worse")]
)
def test_the_tipping_point_is_a_sentence(build: Build, outcome: str, points: float, way: str) -> None:
    content = assume(build(), BASE, numbers={("tipping_point", "tipping_point"): points})
    own = content.results["analysis"] == "sensitivity"
    content.results.loc[own, ["outcome", "estimand"]] = [outcome, f"{outcome}_post"]
    block = block_of(content, outcome)
    assert block is not None
    assert block.items[0].startswith(
        f"At 12 weeks, only if people of the Peer support arm who left had scored at least 8.3 points {way} than similar "
        "people who stayed would the interval hold zero."
    )


def test_an_interval_that_holds_zero_says_from_where_it_would_not(build: Build) -> None:
    numbers = {("tipping_point", "clear_if_lower"): -3.04, ("tipping_point", "clear_if_higher"): 16.63}
    block = block_of(assume(build(estimate=(-0.7, -2.4, 0.9)), BASE, numbers=numbers))
    assert block is not None
    assert block.items[0].startswith(
        "At 12 weeks, the interval holds zero; it would leave zero out only if people of the Peer support arm who left had "
        "scored at least 3 points lower or at least 17 points higher than similar people who stayed."
    )


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({"tipping_point": 8.0}, ""),
        ({"tipping_point": 30.0}, "this lies beyond the scale, which runs from 8 to 40: it can hardly be so."),
        ({"tipping_point": -30.0}, "this lies beyond the scale, which runs from 8 to 40: it can hardly be so."),
        ({"clear_if_lower": -3.0, "clear_if_higher": 8.0}, ""),
        ({"clear_if_lower": -3.0, "clear_if_higher": 30.0}, "the higher of the two lies beyond the scale"),
        ({"clear_if_lower": -30.0, "clear_if_higher": 8.0}, "the lower of the two lies beyond the scale"),
        ({"clear_if_lower": -30.0, "clear_if_higher": 30.0}, "both lie beyond the scale"),
    ],
)
def test_points_that_no_score_can_be_off_by_are_said_to_lie_beyond_the_scale(
    build: Build, points: dict[str, float], said: str
) -> None:
    content = assume(build(), BASE, numbers={("tipping_point", name): value for name, value in points.items()})
    mean = content.results.query("statistic == 'marginal_mean' and arm == 'peer' and timepoint == 'post'")
    assert mean["value"].between(12, 30).all()
    assert len(mean) >= 1
    block = block_of(content)
    assert block is not None
    (item,) = block.items
    assert said in item if said else "beyond" not in item


def test_what_was_not_computed_says_why_once(build: Build) -> None:
    why = "There is no reference arm. Name tipping_point."
    block = block_of(assume(build(), BASE, refused={"jump_to_reference": why, "copy_reference": why}))
    assert block is not None
    assert block.sentences == (
        "Jump to reference and copy reference are not computed: There is no reference arm. Name tipping_point.",
    )


def test_what_hangs_on_few_people_is_not_shown_anywhere(build: Build) -> None:
    few = {"jump_to_reference": 9.0, "tipping_point": 3.0}
    numbers = {("tipping_point", "tipping_point"): 8.3}
    content = assume(build(), USUAL, numbers=numbers, fewest=few)
    gated = gate_results(content.results, "threshold-10")
    hidden = gated[gated["item"].isin(few)]
    assert hidden["hidden"].all()
    assert hidden[NUMBERS].isna().all(axis=None)
    block = block_of(content)
    assert block is not None
    assert not any("Usual care from then on" in item or "at least" in item for item in block.items)
    assert block.sentences[0].startswith("Tipping point at 12 weeks is not shown: ")
    assert block.tables[0].rows[2][1:] == ("not shown",)
    assert not gated.loc[gated["analysis"] == "sensitivity", ["n", "std_error", "df"]].notna().any(axis=None)
    shown = gate_results(replace(content, plan=content.plan).results, "none")
    assert shown.loc[shown["item"] == "jump_to_reference", "value"].tolist() == [-1.7]


def test_the_range_in_a_reason_is_made_of_numbers_that_the_gate_leaves(build: Build) -> None:
    rng = np.random.default_rng(4)
    place = {"outcome": "stigma", "estimand": "stigma_post", "timepoint": "post"}
    hangs = "What can be said hangs on how those who left are taken to have fared."
    reason = Result(analysis="certainty", statistic="reason", item="leavers", value=1, method=hangs, **place)
    for _ in range(60):
        middle, reach = rng.normal(0, 3), np.exp(rng.normal(0.3, 0.8))
        content = assume(build(), {"jump_to_reference": (middle, middle - reach, middle + reach)})
        results = pd.concat([content.results, results_table([reason])], ignore_index=True)
        gated = gate_results(results, "threshold-10")
        told = say_certainty(read_rows(gated), content.plan.estimands[0], content).reasons[-1]
        start, _, reached = told.partition(" reach ")
        assert start == f"{hangs[:-1]}: under the assumptions of the plan the 95\u00a0% intervals of the difference"
        is_answer = gated["estimand"].eq("stigma_post") & gated["analysis"].isin(["model", "sensitivity"])
        kept = gated.loc[is_answer, ["conf_low", "conf_high"]].abs().to_numpy().ravel()
        said = re.findall(r"\d+\.?\d*", reached)
        assert len(kept) == 2 * len(said) == 4
        assert all(number in {f"{value:.{places}f}" for value in kept for places in (0, 1)} for number in said)


def test_a_plan_without_such_an_analysis_says_so_on_the_primary_card_alone(build: Build) -> None:
    content = build()
    block = block_of(content)
    assert block == Block(
        heading=HEADING, sentences=("The plan names no analysis under other assumptions about the people who left.",)
    )
    assert block_of(content, "wellbeing") is None
    assert block_of(replace(content, design=replace(content.design, kind="repeated_cross_section"))) is None


def test_events_say_how_the_main_analysis_takes_them_and_what_else_was_tried(build: Build) -> None:
    events = [
        IntercurrentEvent(event="moved", strategy="hypothetical", sensitivity="jump_to_reference"),
        IntercurrentEvent(event="ill"),
    ]
    content = assume(build(), BASE | {"event moved": (-1.5, -3.0, -0.1)}, sensitivity=())
    kinds = (EventKind("moved", "Moved away, thanks to rent"), EventKind("ill", "ill"))
    content = replace(
        content,
        plan=content.plan.model_copy(update={"intercurrent_events": events}),
        design=replace(content.design, event_kinds=kinds),
    )
    block = block_of(content)
    assert block is not None
    assert block.sentences == (
        "Scores after ‘Moved away, thanks to rent’ are left out of the main analysis, as if it had not happened.",
        "Scores after ‘ill’ count in the main analysis as they are.",
    )
    assert (
        "Without the scores after ‘Moved away, thanks to rent’, as if those people had fared like"
        in (block.tables[0].rows[2][0])
    )
    assert "thanks to rent" in html.unescape(render_report(content))  # a label may say so, we may not


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_claims_more_than_the_design_allows(build: Build, kind: str) -> None:
    everything = dict.fromkeys(
        (*NAMED[:3], NAMED[4], "multiple_imputation", "unadjusted", "item_imputation"), (-2.0, -4.0, -0.1)
    )
    numbers = {("tipping_point", "tipping_point"): 8.3, ("multiple_imputation", "monte_carlo_error"): 0.021}
    content = assume(build(kind), BASE | everything, numbers=numbers, sensitivity=(*NAMED, *everything))
    page = html.unescape(render_report(content))  # the lint runs within
    assert HEADING in page
    assert "multiple imputation: 0.021 (Monte Carlo error)" in page


def test_samples_drawn_anew_never_speak_of_leaving(build: Build) -> None:
    content = assume(
        build("repeated_cross_section"),
        {"unadjusted": (-2.0, -4.0, -0.1)},
        refused={"completers": "Each timepoint is a sample of its own."},
        sensitivity=("completers", "unadjusted"),
    )
    block = block_of(content)
    assert block is not None
    assert (block.heading, block.caution) == (OTHERWISE, "")
    assert len(block.tables[0].rows) == 2
    lint_claims(
        "\n".join([block.heading, *block.sentences, *block.items, *block.tables[0].rows[1]]), content.design.kind
    )


def leave(content: ReportContent, values: dict[tuple[str, str], tuple[float, float]]) -> ReportContent:
    """Add standardised differences to content: (arm, item) -> value and fewest."""
    rows = [
        Result(analysis="leavers", statistic="standardised_difference", outcome="stigma", arm=arm, item=item,
               timepoint="baseline", value=value, n=200, fewest=fewest, method="Made.")
        for (arm, item), (value, fewest) in values.items()
    ]  # fmt: skip
    return replace(content, results=pd.concat([content.results, results_table(rows)], ignore_index=True))


def test_those_who_left_stand_beside_those_who_stayed(build: Build) -> None:
    content = leave(build(), {
        ("peer", "stigma"): (0.2345, 30), ("usual", "stigma"): (-0.3111, 25),
        ("peer", "age"): (0.4, 9), ("usual", "age"): (0.1, 25),
    })  # fmt: skip
    rows = read_rows(gate_results(content.results, "threshold-10"))
    (block,) = compare_those_who_left(rows, content)
    assert block.sentences == (
        "People without a score of SSCI-8 total at 26 weeks count here as people who left the study, whether or not they went on with the programme.",
        "Those who left differed at the start by more than 0.25 standard deviations in: SSCI-8 total (Usual care).",
    )
    (table,) = block.tables
    assert table.columns == ("At baseline", "Peer support", "Usual care")
    assert table.rows == (("SSCI-8 total", "0.23", "−0.31"), ("Age", "not shown", "0.10"))
    assert any("not shown" in note for note in table.notes)
    page = render_report(content)
    assert page.index('id="people"') < page.index("People who left and people who stayed") < page.index('id="outcomes"')


def test_no_table_of_leavers_stands_where_nobody_left(build: Build) -> None:
    content = build()
    assert compare_those_who_left(read_rows(gate_results(content.results, "threshold-10")), content) == ()
    alike = leave(content, {("peer", "stigma"): (0.1, 30)})
    (block,) = compare_those_who_left(read_rows(gate_results(alike.results, "threshold-10")), alike)
    assert "In nothing that is shown" in block.sentences[1]


def test_outcomes_keep_their_order_of_analyses(build: Build) -> None:
    backwards = dict(reversed(USUAL.items()))
    block = block_of(assume(build(), backwards))
    assert block is not None
    assert [line[1].split(" ")[0] for line in block.tables[0].rows] == ["−2.4", "−2.3", "−1.7", "−2.0"]
    assert isinstance(build().plan.primary, Outcome)


def test_points_added_to_missing_scores_are_not_told_where_it_is_withheld_how_many_are_missing(recount) -> None:
    def shown(peer: tuple[int, ...]) -> bool:
        content = recount(peer=peer)
        answer = content.results[
            (content.results["analysis"] == "model") & (content.results["estimand"] == "stigma_post")
        ]
        delta = answer.assign(analysis="sensitivity", item="delta 20", fewest=40.0)
        gated = gate_results(pd.concat([content.results, delta], ignore_index=True), "threshold-10")
        return not bool(gated.loc[gated["analysis"] == "sensitivity", "hidden"].item())

    assert shown((210, 160, 100))
    assert not shown((210, 204, 100))


LABELS = ("Peer support", "Usual care", "Baseline", "12 weeks", "26 weeks", "SSCI-8 total", "WHO-5 index", "Age",
          "Moved away", "stigma_post")  # fmt: skip


FEW = {"jump_to_reference": 9.0, "delta 2": 9.0}


@pytest.mark.parametrize(("kind", "few", "numbers"), [
    ("randomised", None, {("tipping_point", "tipping_point"): 8.3}),
    ("randomised", FEW, {("tipping_point", "tipping_point"): -8.3}),
    ("single_group", None, {("tipping_point", "clear_if_lower"): -3.04}),
    ("single_group", {"jump_to_reference": 9.0}, {("tipping_point", "clear_if_higher"): 1.0}),
    ("matched_comparison", None, {("tipping_point", "clear_if_lower"): -3.04,
     ("tipping_point", "clear_if_higher"): 16.6, ("multiple_imputation", "monte_carlo_error"): 0.021}),
    ("repeated_cross_section", FEW, {}),
])  # fmt: skip
def test_every_word_comes_from_the_catalogue(build: Build, kind: str, few, numbers) -> None:
    strategies = ("hypothetical", "jump_to_reference", "copy_reference", "copy_increments")
    events = [IntercurrentEvent(event=name, strategy="hypothetical", sensitivity=name) for name in strategies]
    named = (*NAMED[:3], "multiple_imputation", "unadjusted", "item_imputation", Delta(delta=2), Delta(delta=-2))
    estimates = dict.fromkeys((*BASE, *NAMED[:3], "multiple_imputation", "unadjusted", "delta 2", "delta -2"),
                              (-2.0, -4.0, -0.1))  # fmt: skip
    estimates |= {f"event {name}": (-1.0, -3.0, 1.0) for name in strategies}
    refused = {"completers": REFUSALS["nobody_is_followed"], "item_imputation": REFUSALS["no_items"]}
    content = assume(build(kind), estimates, numbers=numbers, refused=refused, fewest=few, sensitivity=(*named, "completers",
                     "tipping_point"))  # fmt: skip
    kinds = tuple(EventKind(name, "Moved away") for name in strategies)
    plan = content.plan.model_copy(update={"intercurrent_events": [*events, IntercurrentEvent(event="copy_reference")]})
    content = replace(content, plan=plan, design=replace(content.design, event_kinds=kinds))
    rows = read_rows(gate_results(content.results, "threshold-10"))
    assert find_unmarked(LABELS, say_leavers, content.plan.primary, rows, content) == []
    again = [*plan.estimands, plan.estimands[0].model_copy(update={"id": "again"})]
    twice = replace(content, plan=plan.model_copy(update={"estimands": again}))
    assert find_unmarked(LABELS, say_leavers, content.plan.primary, rows, twice) == []


def test_every_word_of_those_who_left_comes_from_the_catalogue(build: Build) -> None:
    for value in (0.1, 0.4):
        content = leave(build(), {("peer", "stigma"): (value, 30), ("usual", "age"): (0.4, 9)})
        rows = read_rows(gate_results(content.results, "threshold-10"))
        assert find_unmarked(LABELS, compare_those_who_left, rows, content) == []
    content = replace(build(), plan=build().plan.model_copy(update={"sensitivity": []}))
    assert find_unmarked(LABELS, say_leavers, content.plan.primary, (), content) == []
