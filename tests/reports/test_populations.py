"""What is said of people who were chosen later: among whom, by association alone, and not where few are left out."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from reports import ReportContent, gate_results, make_claim
from reports.claims import CHOSEN
from reports.reading import pick_one, read_rows

Build = Callable[..., ReportContent]


def asked_of_some(content: ReportContent, fewest: float, **population: object) -> ReportContent:
    """The content with the first estimand asked again of a population that leaves out `fewest` people of an arm."""
    plan = content.plan.model_dump(exclude_unset=True)
    plan["populations"] = [{"id": "often", "attended_at_least": 4} | population]
    first = plan["estimands"][0]
    plan["estimands"].append(first | {"id": "often_post", "population": "often"})
    row = content.results[(content.results["analysis"] == "model") & (content.results["estimand"] == first["id"])]
    row = row.assign(estimand="often_post", population="often", n=row["n"] - fewest, fewest=fewest)
    return replace(
        content,
        plan=type(content.plan).model_validate(plan),
        results=pd.concat([content.results, row], ignore_index=True),
    )


def say(content: ReportContent):
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return make_claim(content.plan.estimands[-1], rows, content), rows


@pytest.mark.parametrize("kind", ["randomised", "matched_comparison"])
def test_people_who_came_often_are_compared_by_association_alone(build: Build, kind: str) -> None:
    claim, _ = say(asked_of_some(build(kind=kind), 20))
    assert claim.sentence.startswith("Among people who came to 4 sessions at least, where they were offered any: ")
    assert "was associated with" in claim.sentence
    assert not claim.is_causal
    assert CHOSEN in claim.notes


def test_a_population_has_the_words_of_the_plan_where_it_gives_any(build: Build) -> None:
    content = asked_of_some(build(), 20, label="people of the core group", answered=["baseline"])
    assert say(content)[0].sentence.startswith("Among people of the core group: ")


def test_a_population_that_leaves_out_a_few_is_not_shown_and_the_certainty_of_everybody_stays(build: Build) -> None:
    claim, rows = say(asked_of_some(build(), 3))
    assert not claim.is_answered
    assert "not shown" in claim.sentence
    everybody = pick_one(rows, analysis="certainty", statistic="level")
    assert everybody is not None
    assert everybody.is_shown
