"""Beside every change of a single group stands what would have come anyway, and never a word of what brought it about."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.certainty import derive_certainty
from analysis.design import Arm, Measure, StudyDesign, Timepoint
from analysis.evaluate import evaluate_plan
from analysis.evaluation import Evaluation
from analysis.expected_change_part import WITHIN, expect_changes
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.plan import Plan
from analysis.results import results_table
from reports import Claim, ReportContent, ReportError, gate_results, lint_claims, make_claim, render_report
from reports import expected_change as words
from reports.claims import WITHHELD
from reports.expected_change import add_expected, quoted_sources, say_changed_anyway
from reports.lint import plain_text, readable_text
from reports.reading import Rows, read_rows
from reports.sections import Block

Build = Callable[..., ReportContent]
COHORTS = 500
COVERAGE_MARGIN = 3 * np.sqrt(0.95 * 0.05 / COHORTS)
"""Three Monte Carlo standard errors."""
MOST_CALLED_MORE = 0.05 + COVERAGE_MARGIN
"""A 95 % interval leaves out what is true in one of twenty."""
MEAN, SD, RETEST, BORDER = 12.0, 5.0, 0.6, 15.0
TRUTH = -(1 - RETEST) * SD * stats.norm.pdf((BORDER - MEAN) / SD) / stats.norm.sf((BORDER - MEAN) / SD)
SOURCE = "Screening of the same clinic"
NATURAL = {"mean": -2.0, "sd": 4.0, "n": 50, "source": "A cohort that waited"}


def scores_of(rng: np.random.Generator, n: int, times: int) -> np.ndarray:
    """Scores of people to whom nothing happens, (n, times)."""
    level = rng.normal(MEAN, SD * np.sqrt(RETEST), n)
    return level[:, None] + rng.normal(0, SD * np.sqrt(1 - RETEST), (n, times))


def cohort(rng: np.random.Generator, n: int = 160, times: int = 2) -> np.ndarray:
    """Scores of those who entered at the border; nothing is done to them."""
    scores = scores_of(rng, n, times)
    return scores[scores[:, 0] >= BORDER]


def known(rng: np.random.Generator) -> dict[str, object]:
    """What somebody knows of the people they came from: 300 screened once, 100 of whom twice."""
    screened, twice = scores_of(rng, 300, 1), scores_of(rng, 100, 2)
    reference = {"mean": screened.mean(), "sd": screened.std(ddof=1), "n": 300, "n_retest": 100, "source": SOURCE}
    return {"at_least": BORDER, "reference": reference | {"retest_correlation": np.corrcoef(twice.T)[0, 1]}}


def plan_of(weeks: tuple[int, ...] = (0, 12), *, profile: str = "threshold-10", **declared: object) -> Plan:
    sensitivity = declared.pop("sensitivity", [])
    return Plan.model_validate(
        {
            "sap": 1,
            "outcomes": [{"id": "mood", "measure": "mood.total", "role": "primary", **declared}],
            "estimands": [
                {"id": "mood_later", "outcome": "mood", "contrast": f"week_{weeks[-1]} - week_{weeks[0]}",
                 "timepoint": f"week_{weeks[-1]}", "covariance": "cs"},
            ],
            "sensitivity": sensitivity,
            "small_numbers": {"profile": profile},
        }
    )  # fmt: skip


def design_of(weeks: tuple[int, ...] = (0, 12)) -> StudyDesign:
    return StudyDesign(
        kind="single_group",
        timepoints=tuple(Timepoint(f"week_{week}", f"Week {week}", week) for week in weeks),
        arms=(Arm("peer", "Peer support"),),
        measures={"mood.total": Measure("mood.total", "Mood", "low mood", 0, 30, "worse")},
    )


def tables_of(scores: np.ndarray, design: StudyDesign) -> dict[str, pd.DataFrame]:
    people = [f"p{place:03}" for place in range(len(scores))]
    at = [timepoint.id for timepoint in design.timepoints]
    table = pd.DataFrame(
        {"participant_id": np.repeat(people, len(at)), "timepoint": at * len(people), "measure": "mood.total",
         "score": scores.ravel(), "n_items": 3, "n_answered": 3, "method": "complete"}
    )  # fmt: skip
    return {"scores": table, "participants": pd.DataFrame({"participant_id": people, "arm": "peer", "group": ""})}


@pytest.fixture
def report_on(build: Build) -> Callable[..., ReportContent]:
    """A function that evaluates scores of a single group and returns what a report of them is made from."""

    def content(scores: np.ndarray, weeks: tuple[int, ...] = (0, 12), **declared: object) -> ReportContent:
        plan, design = plan_of(weeks, **declared), design_of(weeks)
        empty = {"participant_id": "str", "timepoint": "str"}
        responses = pd.DataFrame(columns=[*empty, "instrument", "item", "value"]).astype(empty)
        delivered = pd.DataFrame(columns=[*empty, "measure", "score"]).astype(empty | {"score": "float64"})
        results = evaluate_plan(
            plan, design, **tables_of(scores, design), delivered=delivered, responses=responses, library={}
        )
        return replace(build("single_group"), design=design, plan=plan, results=results, instruments={})

    return content


def text_of(page: str) -> str:
    return plain_text(readable_text(page))


def page_one(text: str) -> str:
    return text[text.index("What changed") : text.index("How sure we are")]


def said(content: ReportContent) -> tuple[Claim, Block | None]:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return claim_and_block(rows, content)


def claim_and_block(rows: Rows, content: ReportContent) -> tuple[Claim, Block | None]:
    (estimand,) = content.plan.estimands
    claim = add_expected(make_claim(estimand, rows, content), estimand, rows, content)
    return claim, say_changed_anyway(content.plan.outcomes[0], rows, content)


def test_a_cohort_without_a_programme_is_told_that_nothing_can_be_told(report_on):
    rng = np.random.default_rng(40)
    text = text_of(render_report(report_on(cohort(rng, 400), entry=known(rng), natural_change=NATURAL)))
    first = page_one(text)
    assert "How much of that is due to the programme cannot be told." in first
    assert "Who enters with a score of at least 15 tends to score closer to the average later" in first
    (low, high), *_ = re.findall(
        r"One would expect scores at Week 12 that are [\d.]+ points lower \(95 % interval ([\d.]+) to ([\d.]+)", first
    )
    assert float(low) < -TRUTH < float(high)
    assert first.count(WITHIN) == 2
    assert (
        "Elsewhere, people like these who had no programme had scores that were 2.0 points lower (95 % interval 0.8 to "
        "3.2 points lower), over about the time from Week 0 to Week 12." in first
    )
    card = text[text.index("In the order of the analysis plan") :]
    assert card.count(WITHIN) == 2
    assert "How much would have changed anyway" in card
    lint_claims(text, "single_group")


def test_five_hundred_cohorts_without_a_programme_never_get_a_causal_word(build):
    """Through model, part, certainty and claims; the whole run of 500 is benchmarks/cohorts_without_programme.py."""
    rng, design, base = np.random.default_rng(500), design_of(), build("single_group")
    fell = held = more = 0
    for _ in range(COHORTS):
        plan = plan_of(profile="none", entry=known(rng), natural_change=NATURAL)
        content = replace(base, design=design, plan=plan, instruments={})
        (outcome,), tables = plan.outcomes, tables_of(cohort(rng), design)
        frames = {outcome.id: outcome_frame(tables["scores"], tables["participants"], design, outcome)}
        answers = estimate_outcome(outcome, frames[outcome.id], plan, design)
        evaluation = Evaluation(
            plan=plan, design=design, library={}, **tables, responses=pd.DataFrame(), sessions=None,
            events=pd.DataFrame(), frames=frames, answers=answers, measurement=(),
        )  # fmt: skip
        found = list(expect_changes(evaluation))
        rows = read_rows(
            gate_results(results_table([*answers, *found, *derive_certainty(outcome, evaluation, found)]), "none")
        )
        claim, block = claim_and_block(rows, content)
        everything = " ".join(
            [claim.sentence, *claim.notes, *block.sentences, *(row.method for row in rows), str(block)]
        )
        lint_claims(everything, "single_group")
        assert claim.sentence.endswith("How much of that is due to the programme cannot be told.")
        assert not claim.is_causal
        (answer,) = (row for row in rows if row.statistic == "change")
        (expected,) = (row for row in rows if (row.statistic, row.item) == ("regression_to_mean", "entry_rule"))
        fell += answer.conf_high < 0
        held += expected.conf_low <= TRUTH <= expected.conf_high
        more += "The change seen is more than that" in claim.notes[1]
    assert fell / COHORTS > 0.9  # before and after alone would have called nearly all of them a success
    assert held / COHORTS == pytest.approx(0.95, abs=COVERAGE_MARGIN)
    assert more / COHORTS < MOST_CALLED_MORE


def test_a_larger_change_is_left_over_and_nobody_is_credited(report_on):
    rng = np.random.default_rng(41)
    content = report_on(cohort(rng, 400) - [[0.0, 5.0]], entry=known(rng))
    text = text_of(render_report(content))
    assert "The change seen is more than that. Whether the programme, or anything else that happened meanwhile" in text
    assert WITHIN not in text
    claim, block = said(content)
    (table,) = block.tables
    assert [line[0] for line in table.rows] == [
        "Week 12: regression to the mean, from the entry rule",
        "Week 12: regression to the mean, from the mean at Week 0",
    ]
    assert all(re.fullmatch(r"\u2212\d.* \(\u2212.* to \u2212.*\)", cell) for line in table.rows for cell in line[1:])
    assert claim.is_clear


def test_without_an_entry_rule_page_one_says_that_it_cannot_be_told_and_why(report_on):
    text = text_of(render_report(report_on(cohort(np.random.default_rng(42)))))
    assert (
        "How much of this change is regression to the mean cannot be told, because the plan does not say"
        in page_one(text)
    )
    assert "Ask who decided on entry, and from which score on" in text


def test_of_a_share_of_people_it_is_said_that_it_cannot_be_told(report_on):
    scores = scores_of(np.random.default_rng(43), 300, 2)
    content = report_on(scores, kind="binary", event={"at_least": 12.0})
    assert "it is computed for scores of everybody only" in page_one(text_of(render_report(content)))
    assert said(content)[1] is None


def test_a_second_baseline_is_tabled_with_how_to_read_it(report_on):
    rng = np.random.default_rng(44)
    content = report_on(cohort(rng, 300, times=3), (-4, 0, 12), entry=known(rng), sensitivity=["second_baseline"])
    text = text_of(render_report(content))
    assert "the change from Week 0 holds less regression to the mean" in text
    _, block = said(content)
    table = block.tables[1]
    assert [line[0] for line in table.rows] == [
        "From Week -4 to Week 12", "From Week 0 to Week 12", "From Week -4 to Week 0",
    ]  # fmt: skip
    first, second, between = (float(line[1].split()[0].replace("\u2212", "-")) for line in table.rows)
    assert first == pytest.approx(second + between, abs=0.11)


def test_a_second_baseline_that_tells_of_few_people_is_not_shown(report_on):
    scores = cohort(np.random.default_rng(45), 300, times=3)
    scores[:4, 1] = np.nan
    content = report_on(scores, (-4, 0, 12), sensitivity=["second_baseline"])
    assert WITHHELD in text_of(render_report(content))
    gated = gate_results(content.results, "threshold-10")
    own = gated[gated["statistic"].isin(["change_from_first", "change_from_second", "change_between_baselines"])]
    assert len(own) == 3
    assert own[["value", "conf_low", "n"]].isna().all(axis=None)


def test_of_fewer_than_ten_people_neither_what_is_left_over_nor_a_word_about_it_leaves(report_on):
    rng = np.random.default_rng(46)
    content = report_on(cohort(rng, 60)[:9], entry=known(rng))
    few = content.plan.small_numbers.model_copy(update={"fewest_per_arm": 5, "profile": "datashield-3"})
    plan = content.plan.model_copy(update={"small_numbers": few})
    scores = tables_of(cohort(np.random.default_rng(46), 60)[:9], content.design)
    results = evaluate_plan(
        plan, content.design, **scores, delivered=scores["scores"].iloc[:0],
        responses=pd.DataFrame(columns=["participant_id", "timepoint", "instrument", "item", "value"]).astype("str"),
        library={},
    )  # fmt: skip
    own = results[results["analysis"] == "expected_change"]
    assert (own["statistic"] == "judgement").sum() == 2
    gated = gate_results(results, "threshold-10").loc[own.index]
    found = gated[gated["verdict"] != "declared"]
    assert found[["value", "conf_low", "conf_high", "n"]].isna().all(axis=None)
    assert found.loc[found["statistic"] == "judgement", "method"].eq("").all()
    assert gated.loc[gated["verdict"] == "declared", "value"].notna().all()  # the plan's own number stays
    claim, _ = said(replace(content, results=results))
    assert not claim.is_answered
    assert "expect" not in " ".join((claim.sentence, *claim.notes))


def test_declared_changes_are_no_counts_of_people(report_on):
    """A change of 5 points is not taken for 5 people, nor one of 12 for a number near another one."""
    natural = NATURAL | {"mean": 5.0}
    content = report_on(cohort(np.random.default_rng(47), 300), natural_change=natural)
    gated = gate_results(content.results, "threshold-10")
    (row,) = gated[(gated["statistic"] == "natural_change")].to_dict("records")
    assert (row["value"], row["hidden"]) == (5.0, False)


def test_a_source_may_use_any_word_but_our_own_sentences_may_not(report_on, monkeypatch):
    rng = np.random.default_rng(48)
    source = "The impact of waiting, and what caused it"
    content = report_on(cohort(rng, 300), natural_change=NATURAL | {"source": source}, entry=known(rng))
    assert source in text_of(render_report(content))
    assert quoted_sources(content) == [SOURCE, source]
    monkeypatch.setattr(words, "LEAD", "The programme reduced low mood by what is left over.")
    with pytest.raises(ReportError, match="reduced"):
        render_report(content)


@pytest.mark.parametrize(
    "sentence",
    [
        "What is left over is the effect of the programme.",
        "The change seen is more than that, so peer support works.",
        "The programme led to the rest.",
        "The rest is due to the programme, which improved low mood.",
    ],
)
def test_a_causal_sentence_in_place_of_ours_stops_the_report(report_on, sentence):
    rng = np.random.default_rng(49)
    content = report_on(cohort(rng, 300) - [[0.0, 5.0]], entry=known(rng))
    render_report(content)
    judged = content.results["statistic"] == "judgement"
    results = content.results
    broken = results.assign(method=results["method"].mask(judged, sentence), words=results["words"].mask(judged, ""))
    with pytest.raises(ReportError, match="does not allow"):
        render_report(replace(content, results=broken))


def test_other_designs_say_nothing_of_it(build):
    for kind in ("randomised", "matched_comparison"):
        content = build(kind)
        rows = read_rows(gate_results(content.results, "none"))
        estimand = content.plan.estimands[0]
        claim = make_claim(estimand, rows, content)
        assert add_expected(claim, estimand, rows, content) is claim
