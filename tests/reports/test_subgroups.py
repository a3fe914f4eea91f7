"""For whom, by which way and what could have been shown, in words that a programme manager can read."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import pandas as pd
import pytest

from analysis.design import Covariate
from analysis.mediation_part import REFUSALS as WAYS
from analysis.results import Result, results_table
from analysis.subgroups_part import REFUSALS
from reports import ReportContent, gate_results
from reports.lint import lint_claims
from reports.precision import say_precision
from reports.reading import read_rows
from reports.subgroups import say_subgroups

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
ASKED = {"id": "by_age", "estimand": "stigma_post", "covariate": "age", "reason": "named before"}
WAY = {"id": "way", "estimand": "stigma_post", "mediator": "wellbeing", "timepoint": "post"}


def with_rows(content: ReportContent, *rows: Result, **plan: object) -> ReportContent:
    own = content.plan.model_dump(exclude_unset=True) | plan
    results = pd.concat([content.results, results_table(rows)], ignore_index=True)
    return replace(content, plan=type(content.plan).model_validate(own), results=results)


def gated(content: ReportContent):
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile))


def row(analysis: str, statistic: str, **more: object) -> Result:
    known = {"estimand": "stigma_post", "outcome": "stigma", "timepoint": "post", "verdict": "estimated", "n": 60.0}
    return Result(analysis=analysis, statistic=statistic, **(known | more))  # type: ignore[arg-type]


def by_age(value: float, low: float, high: float, p_value: float, **more: object) -> Iterator[Result]:
    numbers = {"value": value, "conf_low": low, "conf_high": high, "p_value": p_value}
    yield row("subgroups", "interaction", item="age", method="per standard deviation", **(numbers | more))
    for side in ("below", "above"):
        yield row("subgroups", "difference", item=f"age=one SD {side} the mean", **(numbers | more))


def test_no_planned_characteristic_is_said_aloud(build: Build) -> None:
    (block,) = say_subgroups(gated(build()), build())
    assert block.sentences == (
        "The plan asks for no comparison between kinds of people, such as younger and older ones, so none was made.",
    )


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((-0.4, -1.6, 0.8, 0.5), "No clear sign that the difference is not the same"),
        ((-1.4, -2.6, -0.2, 0.02), "The difference was not the same at all values"),
    ],
)
def test_the_interaction_comes_first_and_is_clear_or_not(build: Build, numbers, words) -> None:
    content = with_rows(build(), *by_age(*numbers), subgroups=[ASKED])
    (block,) = say_subgroups(gated(content), content)
    assert block.sentences[0].startswith(words)
    assert "named before" in block.sentences[1]
    assert [line[0] for line in block.tables[0].rows] == ["one SD below the mean", "one SD above the mean"]


def test_a_refused_or_hidden_characteristic_says_why(build: Build) -> None:
    refused = with_rows(
        build(),
        row(
            "subgroups",
            "interaction",
            item="age",
            verdict="refused:too_few_in_level",
            method="Too few.",
            n=float("nan"),
        ),
        subgroups=[ASKED],
    )
    assert "Too few." in say_subgroups(gated(refused), refused)[0].sentences[0]
    hidden = with_rows(build(), *by_age(-1.4, -2.6, -0.2, 0.02, fewest=6.0), subgroups=[ASKED])
    assert "is not shown" in say_subgroups(gated(hidden), hidden)[0].sentences[0]
    assert not say_subgroups(gated(hidden), hidden)[0].tables


def test_a_way_is_exploratory_and_passes_the_lint(build: Build) -> None:
    paths = [
        row("mediation", name, item="wellbeing at post", value=value, conf_low=value - 0.6, conf_high=value + 0.6)
        for name, value in (("total", -2.4), ("direct", -1.3), ("indirect", -1.1))
    ]
    content = with_rows(build(), *paths, mediation=[WAY])
    block = say_subgroups(gated(content), content)[-1]
    assert block.items[1].startswith("By this way: 1.1 points lower")
    assert block.caution.startswith("Exploratory")
    lint_claims(" ".join((block.heading, *block.sentences, *block.items, block.caution)), "matched_comparison")


def test_what_could_have_been_shown_stands_beside_unclear_answers_only(build: Build) -> None:
    found = row("precision", "detectable_change", value=2.6)
    unclear = with_rows(build(estimate=(-0.9, -3.7, 2.0), p_value=0.3), found)
    block = say_precision(unclear.plan.primary, gated(unclear), unclear)
    assert block is not None
    assert "would have shown a true difference of 2.6 points" in block.sentences[0]
    assert "too small to rule it out well" in block.sentences[0]
    refused = with_rows(build(verdict="refused:too_few_participants"), found)
    block = say_precision(refused.plan.primary, gated(refused), refused)
    assert block is not None
    assert block.sentences[0].startswith("At 12 weeks nothing was compared.")
    assert "so few people would often miss it" in block.sentences[0]
    clear = with_rows(build(), found)
    assert say_precision(clear.plan.primary, gated(clear), clear) is None


def test_of_what_could_have_been_shown_one_digit_is_left_where_standard_errors_are_withheld(recount: Build) -> None:
    content = with_rows(recount(peer=(204, 200, 195)), row("precision", "detectable_change", value=2.64))
    table = gate_results(content.results, "threshold-10")
    answer = table[(table["analysis"] == "model") & (table["estimand"] == "stigma_post")].iloc[0]
    kept = table.loc[table["analysis"] == "precision", "value"].item()
    assert kept == (3.0 if answer["std_error"] != answer["std_error"] else 2.6)
    assert answer["std_error"] != answer["std_error"]


LABELS = ("Age", "Place", "town", "farm", "felt stigma", "mental well-being", "12 weeks", "26 weeks", "named before")


@pytest.mark.parametrize(
    ("kind", "what", "is_clear"),
    [
        *product(("randomised", "single_group"), ("number", "pair", "levels"), (True, False)),
        *product(("randomised",), ("hidden", "refused", "missing"), (True,)),
    ],
)
def test_every_word_comes_from_the_catalogue(build: Build, kind: str, what: str, is_clear: bool) -> None:
    content = build(kind)
    places = (*content.design.covariates, Covariate("place", "Place", "category", ("village", "town", "farm")))
    content = replace(content, design=replace(content.design, covariates=places))
    asked = ASKED if what in ("number", "hidden") else ASKED | {"covariate": "place"}
    end = -0.2 if is_clear else 0.8
    numbers = {"value": -1.4, "conf_low": -2.6, "conf_high": end, "p_value": 0.02 if is_clear else 0.5}
    own = {"prespecified": is_clear}
    rows = list(by_age(*numbers.values(), **own, **({"fewest": 6.0} if what == "hidden" else {})))
    if what in ("pair", "levels"):
        numbers |= {"value": float("nan")} if what == "levels" else {}
        rows = [row("subgroups", "interaction", item="place", **numbers, **own)]
        rows += [row("subgroups", "difference", item=f"place={level}", **numbers, **own) for level in ("town", "farm")]
    if what == "refused":
        rows = [row("subgroups", "interaction", item="place", verdict="refused:design", method=REFUSALS["design"])]
    content = with_rows(content, *([] if what == "missing" else rows), subgroups=[asked])
    assert find_unmarked(LABELS, say_subgroups, gated(content), content) == []


def test_two_levels_are_those_that_were_compared_whatever_was_declared(build: Build) -> None:
    content = build()
    places = (*content.design.covariates, Covariate("place", "Place", "category", ("village", "town", "farm")))
    content = replace(content, design=replace(content.design, covariates=places))
    numbers = {"value": -1.4, "conf_low": -2.6, "conf_high": -0.2, "p_value": 0.02}
    rows = [row("subgroups", "interaction", item="place", **numbers)]
    rows += [row("subgroups", "difference", item=f"place={level}", **numbers) for level in ("town", "farm")]
    content = with_rows(content, *rows, subgroups=[ASKED | {"covariate": "place"}])
    (block,) = say_subgroups(gated(content), content)
    assert "compared with town, among farm it was 1.4 points lower" in block.sentences[0]


@pytest.mark.parametrize("more", [{}, {"fewest": 4.0}, {"verdict": "refused:in_groups", "method": WAYS["in_groups"]}])
def test_every_word_of_a_way_comes_from_the_catalogue(build: Build, more: dict[str, object]) -> None:
    numbers = {"value": -1.4, "conf_low": -2.6, "conf_high": -0.2}
    paths = [
        row("mediation", name, item="wellbeing at post", **(numbers | more)) for name in ("total", "direct", "indirect")
    ]
    content = with_rows(build(), *paths, mediation=[WAY])
    assert find_unmarked(LABELS, say_subgroups, gated(content), content) == []
    unasked = with_rows(build(), mediation=[WAY])
    assert find_unmarked(LABELS, say_subgroups, gated(unasked), unasked) == []
