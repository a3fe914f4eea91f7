"""Outcomes that are shares of people: sentences, tables and axes speak of percent, never of points."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from analysis.plan import Event
from reports import ReportContent, gate_results, make_claim, render_report
from reports.figures import plot_outcome
from reports.reading import pick, read_rows
from reports.summarise import summarise_report

Build = Callable[..., ReportContent]


def as_share(content: ReportContent, **border: float) -> ReportContent:
    """The same content, its primary outcome the share of people with a score beyond a border."""
    first, *others = content.plan.outcomes
    share = first.model_copy(update={"kind": "binary", "event": Event(**(border or {"at_least": 20.0}))})
    return replace(content, plan=content.plan.model_copy(update={"outcomes": [share, *others]}))


def sentence_of(content: ReportContent) -> str:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return make_claim(content.plan.estimands[0], rows, content).sentence


@pytest.mark.parametrize(
    ("kind", "estimate", "expected"),
    [
        (
            "randomised",
            (-12.4, -20.2, -4.6),
            "Peer support probably reduces the share of people with SSCI-8 total of at least 20: at 12 weeks, it was 12.4 "
            "percentage points lower in the Peer support arm than in the Usual care arm (95\u00a0% interval 4.6 to 20.2 "
            "percentage points lower).",
        ),
        (
            "randomised",
            (-2.0, -9.0, 5.0),
            "No clear difference in the share of people with SSCI-8 total of at least 20 at 12 weeks: it was 2 percentage "
            "points lower in the Peer support arm than in the Usual care arm (95\u00a0% interval from 9 percentage points "
            "lower to 5 percentage points higher).",
        ),
        (
            "single_group",
            (-12.4, -20.2, -4.6),
            "The share of people with SSCI-8 total of at least 20 was 12.4 percentage points lower at 12 weeks than at "
            "Baseline (95\u00a0% interval 4.6 to 20.2 percentage points lower). How much of that is due to the programme "
            "cannot be told.",
        ),
    ],
)
def test_a_claim_about_a_share_speaks_of_percentage_points(
    build: Build, kind: str, estimate: tuple[float, float, float], expected: str
) -> None:
    assert sentence_of(as_share(build(kind, estimate=estimate))) == expected


def test_a_matched_share_is_a_change_in_a_share(build: Build) -> None:
    said = sentence_of(as_share(build("matched_comparison", estimate=(-12.4, -20.2, -4.6))))
    assert "was associated with a change in the share of people with SSCI-8 total of at least 20 from Baseline" in said


def test_a_border_from_above_turns_the_good_way_round(build: Build) -> None:
    content = as_share(build(), at_most=15.0)
    measure = content.plan.measure_of("stigma", content.design)
    assert (measure.higher_is, measure.unit, measure.label) == ("better", "percent", "SSCI-8 total of at most 15")


def test_nothing_on_the_card_of_a_share_is_in_points(build: Build) -> None:
    content = as_share(build(estimate=(-12.4, -20.2, -4.6)))
    gated = gate_results(content.results, "threshold-10")
    card = summarise_report(content, gated).headline
    said = [
        card.heading,
        *(drawn.caption for drawn in card.illustrations),
        *card.facts,
        *(claim.sentence for claim in card.claims),
    ]
    said += [note for claim in card.claims for note in claim.notes]
    said += [text for table in card.tables for text in (table.caption, *table.columns, *table.notes)]
    assert any("percent" in text for text in said)
    assert not [text for text in said if re.search(r"(?<!percentage )\bpoints?\b", text)]
    rows = pick(read_rows(gated), statistic="marginal_mean", outcome="stigma")
    figure = plot_outcome(rows, content.design, content.plan.measure_of("stigma", content.design))
    assert figure is not None
    assert "percent of people, lower is better" in figure.layout.yaxis.title.text


def test_a_report_about_a_share_passes_its_own_lint(build: Build) -> None:
    assert "percentage points" in render_report(as_share(build(estimate=(-12.4, -20.2, -4.6))))


def classed(content: ReportContent, classes: float, **fewest: float) -> ReportContent:
    """Content whose primary outcome has few different scores, with so many people in the rarer class of each arm."""
    results = content.results
    own = (results["outcome"] == "stigma") & results["analysis"].isin(["descriptive", "change_within_arm", "model"])
    own &= results["statistic"] != "observed"
    results.loc[own, "classes"] = classes
    for arm, number in fewest.items():
        results.loc[own & ((results["arm"] == arm) | (results["arm"] == "")), "fewest"] = number
    return content


@pytest.mark.parametrize("few", [0.0, 1.0, 9.0])
def test_a_share_of_fewer_than_ten_people_is_hidden_with_all_that_tells_it(build: Build, few: float) -> None:
    gated = gate_results(classed(as_share(build()), 2.0, usual=50.0, peer=few).results, "threshold-10")
    own = gated["outcome"] == "stigma"
    means = own & gated["statistic"].isin(["mean", "marginal_mean"]) & (gated["timepoint"] != "baseline")
    assert gated.loc[means & (gated["arm"] == "peer"), "hidden"].all()
    assert not gated.loc[means & (gated["arm"] == "usual"), "hidden"].any()
    assert gated.loc[own & (gated["estimand"] != ""), "hidden"].all()
    assert gated[["classes", "fewest"]].isna().all(axis=None)


@pytest.mark.parametrize(("classes", "fewest"), [(2.0, 40.0), (3.0, float("nan")), (10.0, float("nan"))])
def test_an_outcome_of_few_different_scores_is_rounded_without_spread(
    build: Build, classes: float, fewest: float
) -> None:
    gated = gate_results(classed(as_share(build()), classes, usual=fewest, peer=fewest).results, "threshold-10")
    own = gated[(gated["outcome"] == "stigma") & gated["analysis"].isin(["descriptive", "change_within_arm", "model"])]
    assert own[["std_error", "df"]].isna().all(axis=None)
    spread = own["statistic"].isin(["sd", "standardised_change", "log_likelihood"]) | own["statistic"].str.startswith(
        "cov"
    )
    assert own.loc[spread, "hidden"].all()
    shown = own[own["statistic"].isin(["mean", "marginal_mean", "difference"])]
    assert not shown["hidden"].any()
    assert (shown["value"] == shown["value"].round(1)).all()


def test_a_scale_of_many_scores_keeps_its_digits(build: Build) -> None:
    gated = gate_results(build().results, "threshold-10")
    assert gated.loc[gated["statistic"] == "marginal_mean", "std_error"].notna().all()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "count",
            "at 12 weeks, the mean count was 2.4 lower in the Peer support arm than in the Usual care arm (95\u00a0%",
        ),
        ("ordinal", "at 12 weeks, the mean category was 2.4 lower in the Peer support arm than in the Usual care arm"),
    ],
)
def test_counts_and_categories_have_no_points(build: Build, kind: str, expected: str) -> None:
    content = build()
    first, *others = content.plan.outcomes
    outcomes = [first.model_copy(update={"kind": kind}), *others]
    content = replace(content, plan=content.plan.model_copy(update={"outcomes": outcomes}))
    said = sentence_of(content)
    assert expected in said
    assert "point" not in said
