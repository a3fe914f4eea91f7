"""What a report says, and hides, of designs by lot: waiting lists, whole groups, stepped wedges."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.design import Arm, DesignKind, Measure, StudyDesign, Timepoint
from analysis.plan import Plan
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, make_claim
from reports.also_found import say_also_found
from reports.asked import say_question
from reports.chance import say_left_to_chance
from reports.claims import SAME_EVERYWHERE
from reports.design_words import DESIGNS, say_limits
from reports.permutation import say_permutation
from reports.reading import Rows, read_rows

Build = Callable[..., ReportContent]
SEQUENCES = ("early", "middle", "late")


def rows_of(content: ReportContent, *more: Result) -> Rows:
    table = pd.concat([content.results, results_table(more)], ignore_index=True) if more else content.results
    return read_rows(gate_results(table, "threshold-10"))


def lots(p: float, fewest: float, *, n: int = 150, groups: bool = True) -> list[Result]:
    """Rows of a permutation test."""
    values = {
        "p_value": p,
        "smallest_p_value": 0.1 if fewest < 4 else 0.001,
        "allocations": 924.0,
        "fewest_units": fewest,
    }
    what = "groups" if groups else "people"
    where = {"analysis": "permutation", "estimand": "stigma_post", "outcome": "stigma", "timepoint": "post"}
    method = f"permutation test of cluster means, all allocations; {what} drawn anew"
    return [Result(**where, statistic=name, value=value, n=n, verdict="estimated", method=method)
            for name, value in values.items()]  # fmt: skip


def claim_of(content: ReportContent, rows: Rows):
    return make_claim(content.plan.estimands[0], rows, content)


@pytest.mark.parametrize(
    ("p", "fewest", "is_clear"), [(0.1, 3.0, False), (0.06, 4.0, False), (0.03, 4.0, True), (0.2, 6.0, True)]
)
def test_with_few_groups_nothing_is_clear_that_the_lots_could_have_made(
    build: Build, p: float, fewest: float, is_clear: bool
) -> None:
    content = build()
    claim = claim_of(content, rows_of(content, *lots(p, fewest)))
    assert (claim.is_clear, claim.is_causal) == (is_clear, is_clear)
    assert ("No clear difference" in claim.sentence) == (not is_clear)
    assert ("probably reduces" in claim.sentence) == is_clear
    assert (say_left_to_chance() in claim.notes) == (not is_clear)


def test_a_test_that_may_not_be_told_leaves_nothing_clear(build: Build) -> None:
    content = build()
    rows = rows_of(content, *lots(0.001, 3.0, n=9))
    assert not claim_of(content, rows).is_clear
    block = say_permutation(content.plan.outcomes[0], rows, content)
    assert block is not None
    assert "is not shown" in block.sentences[0]


def test_people_drawn_anew_decide_nothing(build: Build) -> None:
    content = build()
    assert claim_of(content, rows_of(content, *lots(0.2, 3.0, groups=False))).is_clear


def test_the_test_is_told_in_percent_of_ways_and_where_it_can_tell_nothing(build: Build) -> None:
    content = build()
    block = say_permutation(content.plan.outcomes[0], rows_of(content, *lots(0.0286, 3.0)), content)
    assert block is not None
    (sentence,) = block.sentences
    assert sentence.startswith("12 weeks: of all ways to draw the groups (about 920), 2.9\u00a0% give a difference")
    assert "this share cannot be smaller than 10.0\u00a0%" in sentence
    assert say_permutation(content.plan.outcomes[1], rows_of(content, *lots(0.0286, 3.0)), content) is None


def test_a_test_that_was_refused_says_why_and_speaks_of_no_lots(build: Build) -> None:
    content = build()
    refused = Result(analysis="permutation", statistic="p_value", estimand="stigma_post", outcome="stigma",
                     timepoint="post", verdict="refused:not_by_lot", method="Lots did not decide. Take it out.")  # fmt: skip
    block = say_permutation(content.plan.outcomes[0], rows_of(content, refused), content)
    assert block is not None
    assert "Lots did not decide" in block.sentences[0]
    assert block.caution == ""
    assert claim_of(content, rows_of(content, refused)).is_clear


@pytest.mark.parametrize("kind", ["waitlist", "stepped_wedge"])
def test_each_design_says_what_it_is_and_what_it_cannot_tell(build: Build, kind: DesignKind) -> None:
    content = build()
    content = replace(content, design=replace(content.design, kind=kind))
    assert DESIGNS[kind] != DESIGNS["randomised"]
    assert len(say_limits(content)) > len(say_limits(build()))


def test_a_waiting_list_is_told_as_strongly_as_a_randomised_study(build: Build) -> None:
    content = build()
    waits = replace(content, design=replace(content.design, kind="waitlist"))
    assert claim_of(waits, rows_of(waits)) == claim_of(content, rows_of(content))


def wedge(
    content: ReportContent,
    people: tuple[int, ...] = (30, 30, 30),
    *,
    estimate: tuple[float, float, float] = (-2.4, -4.2, -0.62),
    level: int = 3,
    n: int = 60,
) -> ReportContent:
    """A stepped wedge with as many people in each sequence."""
    timepoints = tuple(Timepoint(name, name, 8.0 * place) for place, name in enumerate(("t0", "t1", "t2")))
    arms = tuple(Arm(name, name, starts=f"t{place}") for place, name in enumerate(SEQUENCES, 1))
    mood = Measure("m", "M total", "felt stigma", 8, 40, "worse")
    design = StudyDesign("stepped_wedge", timepoints, arms, SEQUENCES, True, (), {"m": mood})
    plan = Plan.model_validate(
        {
            "sap": 1,
            "outcomes": [{"id": "stigma", "measure": "m", "role": "primary"}],
            "estimands": [{"id": "a", "outcome": "stigma", "contrast": "programme - before", "timepoint": "t2"}],
        }
    )
    value, low, high = estimate
    own = {"analysis": "model", "outcome": "stigma", "population": "intention_to_treat", "verdict": "estimated"}
    rows = [
        Result(**own, statistic="marginal_mean", arm=arm, timepoint=at.id, value=20.0, std_error=0.5, df=9.0,
               conf_low=19.0, conf_high=21.0, n=size)
        for arm, size in zip(SEQUENCES, people, strict=True)
        for at in timepoints
    ]  # fmt: skip
    rows.append(Result(**own, statistic="difference", estimand="a", timepoint="t2", contrast="programme - before",
                       value=value, std_error=0.9, df=40.0, conf_low=low, conf_high=high, p_value=0.01, n=n))  # fmt: skip
    rows.append(Result(analysis="certainty", statistic="level", outcome="stigma", estimand="a", value=level))
    return replace(content, design=design, plan=plan, results=results_table(rows))


@pytest.mark.parametrize(
    ("level", "start"), [(4, "The programme reduces felt stigma"), (2, "The programme may reduce felt stigma")]
)
def test_a_stepped_wedge_is_told_by_time_with_the_programme(build: Build, level: int, start: str) -> None:
    content = wedge(build(), level=level)
    claim = claim_of(content, rows_of(content))
    assert say_question(replace(content, question="")) == (
        "The plan asks about felt stigma up to t2, in groups that have the programme compared with groups that do not "
        "have it yet."
    )
    assert say_also_found(rows_of(content), content, {"a": claim})[0] == "The plan has no other outcome."
    assert claim.is_causal
    assert claim.sentence == (
        f"{start}: up to t2, people measured while their group had the programme scored 2.4 points lower on the M total "
        "than while it had not, allowing for time (95\u00a0% interval 0.6 to 4.2 points lower)."
    )


def test_a_stepped_wedge_without_a_clear_difference_makes_no_claim(build: Build) -> None:
    content = wedge(build(), estimate=(-0.9, -3.7, 2.0))
    claim = claim_of(content, rows_of(content))
    assert not claim.is_causal
    assert claim.sentence.startswith("No clear difference in felt stigma: up to t2, people measured while")
    assert SAME_EVERYWHERE in claim.notes


@pytest.mark.parametrize(("people", "are_hidden"), [((30, 30, 30), False), ((30, 30, 8), True)])
def test_means_of_a_stepped_wedge_are_shown_all_or_none(
    build: Build, people: tuple[int, ...], are_hidden: bool
) -> None:
    gated = gate_results(wedge(build(), people).results, "threshold-10")
    means = gated[gated["statistic"] == "marginal_mean"]
    assert means["hidden"].all() if are_hidden else not means["hidden"].any()
    (difference,) = gated[gated["statistic"] == "difference"].to_dict("records")
    assert not difference["hidden"]
    assert np.isnan([difference["n"], difference["std_error"], difference["df"]]).all()


def test_the_difference_of_a_stepped_wedge_is_hidden_with_few_people_on_a_side(build: Build) -> None:
    gated = gate_results(wedge(build(), n=9).results, "threshold-10")
    assert gated.loc[gated["statistic"] == "difference", "hidden"].all()
