"""What reports say of cohorts to whom nothing was done: ``python -m benchmarks.cohorts_without_programme``.

People enter by the score of a questionnaire, answer it again, and that is all. Each cohort goes through the whole
evaluation and the whole report, whose text is read for words that it may not hold.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from analysis import Arm, Measure, StudyDesign, Timepoint, evaluate_plan
from analysis.expected_change_part import BY_MEAN, BY_RULE, LEFT_OVER, MORE, NATURAL, NOT_TOLD_APART, WITHIN
from analysis.plan import Plan
from benchmarks.documents import table, wrapped, write_section
from reports import ReportContent, render_report
from reports.lint import FORBIDDEN, plain_text, readable_text

SEED: Final = 20_260_912
COHORTS: Final = 500
SCREENED, RETESTED, WAITED = 400, 120, 60
"""People behind the declared numbers: screened once, asked twice, and followed without a programme."""
FOR_TRUTH: Final = 2_000_000
WAYS: Final = {BY_RULE: "the entry rule", BY_MEAN: "the mean at baseline", NATURAL: "people who waited"}
CANNOT_BE_TOLD: Final = "How much of that is due to the programme cannot be told."

Draw = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Scenario:
    """Scores of people to whom nothing is done: `draw` gives (n, 2); who has `border` or more at first enters."""

    key: int
    title: str
    what: str
    draw: Draw
    border: float
    step: float
    screened: int
    leaving: float = 0.0


@dataclass(frozen=True)
class Found:
    """What one report said."""

    words: tuple[str, ...]
    is_told_that_it_cannot: bool
    people: int
    fell: bool
    holds_truth: tuple[bool, ...]
    leaves_nothing: tuple[bool, ...]
    judged: tuple[str, ...]


def draw_normal(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return normal scores of mean 12 and deviation 5 that correlate 0.6."""
    level = rng.normal(12.0, 5.0 * np.sqrt(0.6), n)
    return level[:, None] + rng.normal(0.0, 5.0 * np.sqrt(0.4), (n, 2))


def draw_skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return whole scores from 0 to 27 with many low ones and a long tail, as people of a community give them."""
    level = rng.gamma(1.2, 4.0, n)
    return np.clip(np.round(level[:, None] + rng.normal(0.0, 2.5, (n, 2))), 0.0, 27.0)


SCENARIOS: Final = (
    Scenario(1, "Normal scores", "Scores are normal; who has 15 or more enters.", draw_normal, 15.0, 0.0, 220),
    Scenario(
        2,
        "Normal scores, one in four leaves",
        "The same; one in four does not answer again, those with high scores at first sooner.",
        draw_normal,
        15.0,
        0.0,
        280,
        0.25,
    ),
    Scenario(
        3,
        "Skewed whole scores",
        "Whole scores from 0 to 27, most of them low; who has 10 or more enters. The entry rule takes scores for "
        "normal, the mean at baseline takes the second score to go up with the first along a line, and here neither is "
        "so: both expect more change than there is.",
        draw_skewed,
        10.0,
        1.0,
        400,
    ),
)


@dataclass(frozen=True)
class Truth:
    """Mean change of all who enter, and of people by their first score, in steps of half a point."""

    mean: float
    by_score: pd.Series

    def of(self, first: np.ndarray) -> float:
        """Return the mean change to expect of people with these first scores."""
        return float(np.interp(first, self.by_score.index, self.by_score).mean())


@cache
def truth_of(place: int) -> Truth:
    """Return the truth, of two million people."""
    scenario = SCENARIOS[place]
    scores = scenario.draw(np.random.default_rng([SEED, scenario.key]), FOR_TRUTH)
    first, later = scores[scores[:, 0] >= scenario.border].T
    by_score = pd.Series(later - first).groupby(np.round(2 * first) / 2).mean()
    return Truth(float((later - first).mean()), by_score)


def run_cohort(job: tuple[int, int]) -> Found:
    """Simulate, evaluate and report one cohort."""
    place, number = job
    scenario = SCENARIOS[place]
    rng = np.random.default_rng([SEED, scenario.key, number])
    plan = declare_plan(scenario, rng)
    scores = enter(scenario, rng, scenario.screened)
    first = scores[:, 0].copy()
    if scenario.leaving:
        odds = scenario.leaving / (1 - scenario.leaving) * np.exp(0.15 * (scores[:, 0] - scores[:, 0].mean()))
        scores[rng.random(len(scores)) < odds / (1 + odds), 1] = np.nan
    content = report_content(plan, scores)
    page = plain_text(readable_text(re.sub(r"<(script|style)\b.*?</\1>", " ", render_report(content), flags=re.DOTALL)))
    rows = {(row["analysis"], row["statistic"], row["item"]): row for row in content.results.to_dict("records")}
    change = rows["model", "change", ""]
    expected = [rows["expected_change", "regression_to_mean", way] for way in (BY_RULE, BY_MEAN)]
    left_over = [rows["expected_change", LEFT_OVER, way] for way in WAYS]
    judged = [str(rows["expected_change", "judgement", way]["method"]) for way in WAYS]
    truth = truth_of(place)
    return Found(
        words=tuple(found.group() for found in FORBIDDEN.finditer(page)),
        is_told_that_it_cannot=CANNOT_BE_TOLD in page,
        people=len(scores),
        fell=bool(change["conf_high"] < 0),
        holds_truth=tuple(
            bool(row["conf_low"] <= true <= row["conf_high"])
            for row, true in zip(expected, (truth.mean, truth.of(first)), strict=True)
        ),
        leaves_nothing=tuple(bool(row["conf_low"] <= 0 <= row["conf_high"]) for row in left_over),
        judged=tuple(judged),
    )


def enter(scenario: Scenario, rng: np.random.Generator, screened: int) -> np.ndarray:
    """Return the scores of those of the people screened who enter."""
    scores = scenario.draw(rng, screened)
    return scores[scores[:, 0] >= scenario.border]


def declare_plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """Return a plan whose declared numbers come from other people: screened, asked twice, and without a programme."""
    first, twice = scenario.draw(rng, SCREENED)[:, 0], scenario.draw(rng, RETESTED)
    waited = enter(scenario, rng, WAITED * 20)[:WAITED]
    change = waited[:, 1] - waited[:, 0]
    reference = {
        "mean": first.mean(),
        "sd": first.std(ddof=1),
        "retest_correlation": np.corrcoef(twice.T)[0, 1],
        "n": SCREENED,
        "n_retest": RETESTED,
        "source": "Screening",
    }
    outcome = {
        "id": "mood",
        "measure": "mood.total",
        "role": "primary",
        "entry": {"at_least": scenario.border, "step": scenario.step, "reference": reference},
        "natural_change": {"mean": change.mean(), "sd": change.std(ddof=1), "n": len(change), "source": "Waiting"},
    }
    estimand = {"id": "mood_later", "outcome": "mood", "contrast": "later - first", "timepoint": "later"}
    return Plan.model_validate({"sap": 1, "outcomes": [outcome], "estimands": [estimand]})


def report_content(plan: Plan, scores: np.ndarray) -> ReportContent:
    """Evaluate the scores of a single group, and return what its report is made from."""
    design = StudyDesign(
        kind="single_group",
        timepoints=(Timepoint("first", "Start", 0), Timepoint("later", "12 weeks", 12)),
        arms=(Arm("peer", "Peer support"),),
        measures={"mood.total": Measure("mood.total", "Mood", "low mood", 0, 30, "worse")},
    )
    people = [f"p{number:04}" for number in range(len(scores))]
    told = {
        "participant_id": np.repeat(people, 2),
        "timepoint": ["first", "later"] * len(people),
        "measure": "mood.total",
        "score": scores.ravel(),
        "n_items": 3,
        "n_answered": np.where(np.isnan(scores.ravel()), 0, 3),
        "method": np.where(np.isnan(scores.ravel()), "too_few_answered", "complete"),
    }
    results = evaluate_plan(
        plan,
        design,
        scores=pd.DataFrame(told),
        delivered=pd.DataFrame(told).iloc[:0],
        participants=pd.DataFrame({"participant_id": people, "arm": "peer", "group": ""}),
        responses=pd.DataFrame(columns=["participant_id", "timepoint", "instrument", "item", "value"]).astype("str"),
        library={},
    )
    columns = ["source", "rows_read", "rows_accepted", "rows_quarantined", "rows_excluded", "reasons"]
    rules = ["contract", "rule", "column", "severity", "passed", "n_checked", "n_failed", "description", "is_own"]
    return ReportContent(
        title="Harbour",
        question="Do people feel better?",
        programme="Weekly groups.",
        sponsor="A foundation",
        evaluator="",
        synthetic=True,
        design=design,
        plan=plan,
        results=results,
        instruments={},
        wording={},
        verdicts=pd.DataFrame(columns=rules),
        reconciliation=pd.DataFrame([("wave.csv", len(scores), len(scores), 0, 0, "")], columns=columns),
        cells_quarantined=0,
        provenance={"versions": {}, "fingerprints": {}},
    )


def summarise(place: int, found: Sequence[Found]) -> str:
    """Return the section of a scenario."""
    scenario, n = SCENARIOS[place], len(found)
    people = np.median([each.people for each in found])
    words = sum(len(each.words) for each in found)
    untold = sum(not each.is_told_that_it_cannot for each in found)
    change = truth_of(place).mean
    head = (
        f"{scenario.what} {people:.0f} people enter (median), and change by {change:.2f} points on average. "
        f"The interval of the change leaves out zero, below it, in {share(each.fell for each in found)}. Words that a "
        f"report may not hold: {words} in {n} reports. Reports that do not say that it cannot be told: {untold}."
    )
    lines = []
    for number, (way, words_of_way) in enumerate(WAYS.items()):
        held = share(each.holds_truth[number] for each in found) if way != NATURAL else "\u2013"
        said = [share(each.judged[number] == text for each in found) for text in (WITHIN, NOT_TOLD_APART, MORE)]
        lines.append((words_of_way, held, share(each.leaves_nothing[number] for each in found), *said))
    columns = ("expected from", "holds the truth", "left over holds 0", "as expected", "not told apart", "more")
    return "\n\n".join([f"### {scenario.title}", wrapped(head), table(columns, lines)])


def share(found: Iterable[bool]) -> str:
    """Return ``95.2 ± 1.0 %``, with one Monte Carlo standard error."""
    values = np.array(list(found), dtype=float)
    error = np.sqrt(values.mean() * (1 - values.mean()) / len(values))
    return f"{100 * values.mean():.1f} ± {100 * error:.1f} %"


def main() -> None:
    """Simulate, print the sections, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cohorts", type=int, default=COHORTS, help="of each scenario")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--output", type=Path, help="markdown file to write to, between its markers")
    options = parser.parse_args()
    start = (
        f"{options.cohorts:,} cohorts of each kind, seed {SEED}, ± one Monte Carlo standard error; each through the"
        f" whole evaluation and the whole report. The declared numbers come from other people: {SCREENED} screened,"
        f" {RETESTED} asked twice, {WAITED} who entered by the same rule and had no programme. The truth of the entry"
        " rule is the mean change of all who would enter; that of the mean at baseline is of these people, by their"
        " scores."
    )
    text = [wrapped(start)]
    with ProcessPoolExecutor(options.workers) as pool:
        for place in range(len(SCENARIOS)):
            jobs = [(place, number) for number in range(options.cohorts)]
            text.append(summarise(place, list(pool.map(run_cohort, jobs, chunksize=5))))
            print(text[-1], end="\n\n", flush=True)
    if options.output:
        write_section(options.output, "cohorts", "\n\n".join(text))


if __name__ == "__main__":
    main()
