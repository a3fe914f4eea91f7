"""Figures of who changed, spread, assumptions, sessions, sites, formats and reliability: they hold gated rows only."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.distribution_part import name_band
from analysis.plan import Plan
from analysis.plan_parts import ExposureResponse, FormatComparison, Margin
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, render_report
from reports.figures import figure_json
from reports.figures.changes import draw_changes
from reports.figures.distribution import draw_distribution
from reports.figures.dose import draw_dose
from reports.figures.drawing import GRID
from reports.figures.formats import draw_formats
from reports.figures.funnel import draw_funnels
from reports.figures.reliability import draw_reliability
from reports.figures.sensitivity import draw_sensitivity
from reports.figures.static import static_svg
from reports.reading import Rows, pick, read_rows
from reports.sections import Illustration

Build = Callable[..., ReportContent]
DRAWERS = (draw_changes, draw_distribution, draw_sensitivity, draw_dose)
OF_STUDY = (draw_funnels, draw_formats)
BANDS = ("8", "9:13", "14:18", "19:23", "24:28", "29:33", "34:39", "40")
COUNTS = (40, 30, 25, 25, 20, 20, 15, 15)
"""People by band at a timepoint of an arm; all of them may be told."""


@pytest.fixture
def content(build: Build) -> ReportContent:
    """Content whose plan asks everything that is drawn; the rows come with each test."""
    return build_content(build)


@pytest.fixture(scope="module")
def everything(build: Build) -> tuple[ReportContent, Rows]:
    """Content with rows of every part, and the rows that may leave."""
    full = put(build_content(build), *ALL_ROWS)
    return full, gated(full)


def build_content(build: Build, kind: str = "randomised", **more: Any) -> ReportContent:
    plain = build(kind, **more)
    first = plain.plan.estimands[0]
    arm = plain.design.arms[0].id
    margin = Margin(value=4, question="non_inferiority", source="A source of our own")
    keys = plain.plan.model_dump(mode="json", exclude_unset=True) | {
        "sensitivity": ["completers", "jump_to_reference", {"delta": 2}, {"delta": 4}, "tipping_point"],
        "exposure_response": [ExposureResponse(id="sessions", estimand=first.id, arm=arm).model_dump()],
        "formats": [FormatComparison(id="format", outcome="stigma", arm=arm, timepoint="post", covariates=[],
                                     margin=margin).model_dump()],
    }  # fmt: skip
    return replace(plain, plan=Plan.model_validate(keys))


def put(content: ReportContent, *rows: Result) -> ReportContent:
    return replace(content, results=pd.concat([content.results, results_table(rows)], ignore_index=True))


def gated(content: ReportContent) -> Rows:
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile))


def draw(
    drawer: Callable[..., tuple[Illustration, ...]], content: ReportContent, rows: Rows | None = None
) -> tuple[Illustration, ...]:
    rows = gated(content) if rows is None else rows
    return drawer(content.plan.primary, rows, content) if drawer in DRAWERS else drawer(rows, content)


def traces(illustration: Illustration) -> list[dict[str, Any]]:
    return json.loads(figure_json(illustration.figure))["data"]


def words(illustration: Illustration) -> str:
    return f"{illustration.caption} {illustration.alternative}".replace("\u00a0", " ")


def changes(shares: dict[tuple[str, str], tuple[int, int, int]], **more: Any) -> Iterator[Result]:
    """Rows of (arm, timepoint) -> people better, about the same, worse."""
    for (arm, timepoint), counts in shares.items():
        for statistic, count in zip(("improved", "unchanged", "worsened"), counts, strict=True):
            yield Result(analysis="change_counts", outcome="stigma", arm=arm, timepoint=timepoint, item="meaningful",
                         statistic=statistic, value=count / sum(counts), conf_low=0.1, conf_high=0.9, n=sum(counts),
                         fewest=min(count, sum(counts) - count), **more)  # fmt: skip


def spread(
    counts: tuple[int, ...] = COUNTS, bands: tuple[str, ...] = BANDS, arms: tuple[str, ...] = ("peer", "usual")
) -> Iterator[Result]:
    for arm, timepoint in itertools.product(arms, ("baseline", "late")):
        for band, count in zip(bands, counts, strict=True):
            yield Result(analysis="distribution", statistic="share", outcome="stigma", arm=arm, timepoint=timepoint,
                         item=band, value=count / sum(counts), n=sum(counts))  # fmt: skip


def assumption(item: str, value: float, low: float, high: float, **more: Any) -> Result:
    usual: dict[str, Any] = {"statistic": "difference", "outcome": "stigma", "estimand": "stigma_post",
                             "timepoint": "post", "contrast": "peer - usual", "n": 180, "verdict": "estimated"}  # fmt: skip
    return Result(analysis="sensitivity", item=item, value=value, conf_low=low, conf_high=high, **(usual | more))


def assumptions() -> list[Result]:
    return [
        assumption("missing_at_random", -2.4, -4.2, -0.6),
        assumption("jump_to_reference", -2.0, -3.7, -0.3),
        assumption("completers", -2.6, -4.6, -0.5),
        assumption("delta 2", -1.9, -3.7, -0.1),
        assumption("delta 4", -1.4, -3.3, 0.4),
        assumption("tipping_point", 2.4, float("nan"), float("nan"), statistic="tipping_point"),
    ]


def bands_of_sessions(**people: int) -> Iterator[Result]:
    """Rows of band -> people."""
    values = {"below_third": -0.9, "third_to_two_thirds": -2.1, "two_thirds_or_more": -3.4}
    for band, value in values.items():
        n = people.get(band, 60)
        yield Result(analysis="dose", statistic=f"mean_change_{band}", outcome="stigma", estimand="stigma_post",
                     arm="peer", timepoint="post", item="sessions", value=value, conf_low=value - 1.5,
                     conf_high=value + 1.5, n=n, fewest=n, verdict="estimated")  # fmt: skip


def sites(number: int, seed: int = 3, **more: Any) -> Iterator[Result]:
    """Rows of so many sites of 12 to 90 people, one of them far out."""
    rng = np.random.default_rng(seed)
    at: dict[str, Any] = {"analysis": "sites", "outcome": "stigma", "timepoint": "post", "verdict": "estimated"} | more
    for place in range(number):
        n = int(rng.integers(12, 90))
        error = 9 / np.sqrt(n)
        value = float(rng.normal(0, error)) if place else 5 * error
        beyond = int(abs(value) > 1.96 * error) + int(abs(value) > 3.09 * error)
        own = at | {"item": f"Site {place + 1:02d}", "n": n}
        yield Result(
            statistic="site_prediction", value=value / 2, conf_low=value / 2 - 1, conf_high=value / 2 + 1, **own
        )
        for name, reach in (("95", 1.96), ("998", 3.09)):
            yield Result(statistic=f"site_funnel_{name}", value=value, conf_low=-reach * error, conf_high=reach * error,
                         **own)  # fmt: skip
        yield Result(statistic="site_position", value=float(beyond), **own)


def formats(**more: Any) -> Result:
    usual: dict[str, Any] = {"outcome": "stigma", "arm": "peer", "timepoint": "post", "contrast": "online - in_person",
                             "item": "format", "n": 60, "fewest": 60, "verdict": "estimated"}  # fmt: skip
    return Result(analysis="formats", statistic="format_difference", value=-0.8, conf_low=-2.6, conf_high=1.0,
                  **(usual | more))  # fmt: skip


ALL_ROWS = (
    *changes({("peer", "post"): (90, 60, 40), ("usual", "post"): (60, 80, 60)}),
    *spread(), *assumptions(), *bands_of_sessions(), *sites(12), formats(),
)  # fmt: skip


@pytest.mark.parametrize("drawer", [*DRAWERS, *OF_STUDY, draw_reliability])
def test_figures_are_left_out_where_no_row_may_be_drawn(
    drawer: Callable[..., Any], everything: tuple[ReportContent, Rows]
) -> None:
    content, rows = everything
    assert draw(drawer, content, rows)
    hidden = tuple(replace(row, hidden=True, value=float("nan")) for row in rows)
    assert draw(drawer, content, ()) == draw(drawer, content, hidden) == ()


@pytest.mark.parametrize("drawer", [*DRAWERS, *OF_STUDY, draw_reliability])
def test_every_figure_is_drawn_as_a_still_as_well_and_says_what_to_see(
    drawer: Callable[..., Any], everything: tuple[ReportContent, Rows]
) -> None:
    for each in draw(drawer, *everything):
        assert static_svg(each).startswith("<svg")
        assert any(character.isdigit() for character in each.caption)
        assert each.alternative.endswith(".")


def test_the_report_with_every_figure_holds_no_word_that_claims_too_much(build: Build) -> None:
    for kind in ("randomised", "single_group"):
        content = build_content(build, kind)
        arms = {arm.id for arm in content.design.arms}
        rows = [row for row in ALL_ROWS if row.arm in ("", *arms) and (kind != "single_group" or not row.contrast)]
        assert 'data-figure="figure-changes-stigma"' in render_report(put(content, *rows))


def test_people_of_100_are_drawn_as_they_are_told_and_add_up(content: ReportContent) -> None:
    full = put(content, *changes({("peer", "post"): (90, 60, 40), ("usual", "post"): (60, 80, 60)}))
    (drawn,) = draw(draw_changes, full)
    told = {
        (row.arm, row.statistic): 100 * row.value
        for row in pick(gated(full), analysis="change_counts", arm=("peer", "usual"))
    }
    for trace, statistic in zip(traces(drawn), ("improved", "unchanged", "worsened"), strict=True):
        assert trace["x"] == pytest.approx([told["peer", statistic], told["usual", statistic]])
    assert np.sum([trace["x"] for trace in traces(drawn)], axis=0) == pytest.approx([100, 100])
    assert "Peer support, 12 weeks: 47 better, 21 worse." in words(drawn)


def test_a_hidden_share_is_not_drawn_and_that_is_said(content: ReportContent) -> None:
    full = put(content, *changes({("peer", "post"): (90, 96, 4), ("usual", "post"): (60, 80, 60)}))
    (drawn,) = draw(draw_changes, full)
    better, same, worse, hidden = traces(drawn)
    assert [len(trace["x"]) for trace in (better, same, worse, hidden)] == [2, 1, 1, 1]
    assert hidden["x"][0] == pytest.approx(100 - better["x"][0])
    assert hidden["marker"]["pattern"]["shape"] == "/"
    assert "Peer support, 12 weeks: 47 better." in words(drawn)
    assert "Hatched parts are not shown" in words(drawn)
    assert "Hatched" not in words(draw(draw_changes, put(content, *changes({("peer", "post"): (90, 60, 40)})))[0])


def test_parts_of_a_bar_differ_in_lightness() -> None:
    from reports.figures.changes import COLOURS
    from reports.figures.stacks import shades

    def lightness(colour: str) -> float:
        return sum(
            weight * int(colour[at : at + 2], 16) for weight, at in zip((0.21, 0.72, 0.07), (1, 3, 5), strict=True)
        )

    known = sorted(map(lightness, COLOURS.values()))
    assert min(np.diff(known)) > 40
    ramp = [lightness(colour) for colour in shades(8)]
    assert all(np.diff(ramp) < -15)


def test_bands_are_drawn_from_the_lowest_and_their_ends_are_marked(content: ReportContent) -> None:
    full = put(content, *spread())
    (drawn,) = draw(draw_distribution, full)
    assert traces(drawn)[0]["name"] == "8 (lowest possible)"
    assert traces(drawn)[-1]["name"] == "40 (highest possible)"
    outlined = [trace["name"] for trace in traces(drawn) if trace["marker"]["line"]["width"] == 2]
    assert outlined == ["8 (lowest possible)", "40 (highest possible)"]
    assert "Outlined: people at an end of the range" in words(drawn)
    assert drawn.table is not None
    assert drawn.table.columns == ("Scores", "Peer support, Baseline", "Usual care, Baseline", "Peer support, 26 weeks",
                                   "Usual care, 26 weeks")  # fmt: skip
    for line, trace in zip(drawn.table.rows, traces(drawn), strict=True):
        assert list(line[1:]) == [f"{people:.0f}" for people in trace["x"]]
    starts = np.array([trace["base"] for trace in traces(drawn)])
    assert np.cumsum([trace["x"] for trace in traces(drawn)], axis=0)[:-1] == pytest.approx(starts[1:])


def test_ends_that_do_not_stand_apart_are_said_to_be_hidden(content: ReportContent) -> None:
    few = put(content, *spread((4, 66, 25, 25, 20, 20, 26, 4)))
    (drawn,) = draw(draw_distribution, few)
    assert traces(drawn)[0]["name"] == "8 to 13"
    assert "the lowest possible score, 8, or the highest, 40, is not shown apart" in words(drawn)


def test_bands_that_meet_are_told_so_that_no_score_is_in_two(content: ReportContent) -> None:
    (drawn,) = draw(draw_distribution, put(content, *spread((60, 70, 60), ("8:22", "22:31.5", "31.5:40"))))
    assert [trace["name"] for trace in traces(drawn)] == ["8 to below 22", "22 to below 31.5", "31.5 to 40"]


def test_arms_whose_bands_are_hidden_are_named_beside_the_figure(content: ReportContent) -> None:
    def hide(rows: Rows, **where: str) -> str:
        gated = tuple(
            replace(row, hidden=True, value=float("nan")) if pick((row,), analysis="distribution", **where) else row
            for row in rows
        )
        return words(draw(draw_distribution, content, gated)[0])

    rows = gated(put(content, *spread()))
    assert "Not shown" not in words(draw(draw_distribution, content, rows)[0])
    assert "Not shown, so that nobody can be recognised: Usual care." in hide(rows, arm="usual")
    one = hide(rows, arm="usual", timepoint="late")
    assert "Not shown, so that nobody can be recognised: Usual care, 26 weeks." in one


def test_the_main_analysis_stands_first_and_completers_last(content: ReportContent) -> None:
    drawn = draw(draw_sensitivity, put(content, *assumptions()))[0]
    layout = json.loads(figure_json(drawn.figure))["layout"]
    labels = [each["text"].replace("<br>", " ") for each in layout["annotations"]]
    assert labels[0] == "Main analysis"
    assert labels[-2:] == ["Only people with a score at every timepoint", "\u2190 better"]
    main, others = traces(drawn)
    assert main["x"] == [pytest.approx(-2.4, abs=0.06)]
    assert max(others["y"]) < main["y"][0]
    band = next(shape for shape in layout["shapes"] if shape["type"] == "rect")
    assert (band["x0"], band["x1"]) == (-2, 2)
    assert "The main interval leaves out zero; not all others that are shown do." in words(drawn)


def test_the_caption_rounds_each_answer_as_its_table_does(content: ReportContent) -> None:
    """One answer that happens to be whole must not take the decimals from the others."""
    rows = [assumption("missing_at_random", -2.4, -4.2, -0.6), assumption("completers", -2.0, -4.0, 1.0)]
    (drawn,) = draw(draw_sensitivity, put(content, *rows))
    assert (
        "the main analysis says \u22122.4; under the other assumptions that are shown it is \u22122.4 to \u22122."
        in words(drawn)
    )


def test_the_tipping_point_is_marked_on_the_points_added(content: ReportContent) -> None:
    drawn = draw(draw_sensitivity, put(content, *assumptions()))[1]
    (line,) = traces(drawn)
    assert line["x"] == [0, 2, 4]
    shapes = json.loads(figure_json(drawn.figure))["layout"]["shapes"]
    assert any(shape["type"] == "line" and shape["x0"] == shape["x1"] == pytest.approx(2.4) for shape in shapes)
    assert "Shaded: from 2.4 points worse on, the interval would hold zero." in words(drawn)


def test_one_result_is_no_line_and_a_tipping_point_beyond_the_scale_is_none_either(content: ReportContent) -> None:
    one = [row for row in assumptions() if not row.item.startswith("delta")]
    assert [each.id for each in draw(draw_sensitivity, put(content, *one))] == ["sensitivity-stigma_post"]
    far = assumption("tipping_point", 40.0, float("nan"), float("nan"), statistic="tipping_point")
    drawn = draw(draw_sensitivity, put(content, *assumptions()[:-1], far))[1]
    layout = json.loads(figure_json(drawn.figure))["layout"]
    low, high = layout["xaxis"]["range"]
    assert (low, high) == (pytest.approx(-3.84), 32)  # the scale is from 8 to 40
    assert not any(shape["type"] == "rect" or shape["x0"] == shape["x1"] for shape in layout["shapes"])
    assert "The tipping point lies beyond the scale" in words(drawn)
    assert "Shaded" not in words(drawn)


def test_words_on_hatching_stand_on_a_ground_of_their_own(content: ReportContent) -> None:
    full = put(content, *changes({("peer", "post"): (90, 96, 4), ("usual", "post"): (60, 80, 60)}))
    (drawn,) = draw(draw_changes, full)
    hidden = traces(drawn)[-1]
    (told,) = [each for each in json.loads(figure_json(drawn.figure))["layout"]["annotations"]
               if each["text"] == "not shown"]  # fmt: skip
    assert hidden["text"] == [""]
    assert told["bgcolor"] == "#ffffff"
    assert told["x"] == pytest.approx(hidden["base"][0] + hidden["x"][0] / 2)
    assert told["y"] == hidden["y"][0]


def test_limits_of_sites_are_straight_lines_from_the_smallest_to_the_largest(content: ReportContent) -> None:
    (drawn,) = draw(draw_funnels, put(content, *sites(60)))
    lines = [trace for trace in traces(drawn) if trace["mode"] == "lines"]
    assert [len(line["x"]) for line in lines] == [2, 2, 2, 2]
    reaches = lines[0]["x"]
    for line, slope in zip(lines, (-1, 1, -3.09 / 1.96, 3.09 / 1.96), strict=True):
        assert line["y"] == pytest.approx([slope * reach for reach in reaches], rel=0.02)


def test_hidden_assumptions_are_not_in_the_figure(content: ReportContent) -> None:
    rows = [assumption("missing_at_random", -2.4, -4.2, -0.6), assumption("completers", -9.87, -11.0, -8.0, fewest=4)]
    (drawn,) = draw(draw_sensitivity, put(content, *rows))
    assert "-9.8" not in figure_json(drawn.figure)
    assert "Only people" not in figure_json(drawn.figure)


def test_change_by_sessions_leaves_out_what_is_hidden_and_says_so(content: ReportContent) -> None:
    (drawn,) = draw(draw_dose, put(content, *bands_of_sessions(below_third=7)))
    (points,) = traces(drawn)
    assert points["x"] == [1, 2]
    assert "Less than a third: not shown." in words(drawn)
    assert "this does not tell what a session does" in words(drawn)
    one = bands_of_sessions(below_third=7, third_to_two_thirds=5)
    assert draw(draw_dose, put(content, *one)) == ()


def test_sites_lie_in_their_limits_without_names_or_ranks(content: ReportContent) -> None:
    full = put(content, *sites(60))
    (drawn,) = draw(draw_funnels, full)
    shown = pick(gated(full), statistic="site_funnel_95")
    points = [trace for trace in traces(drawn) if trace["mode"] == "markers"]
    assert sum(len(trace["x"]) for trace in points) == len([row for row in shown if row.is_shown]) == 60
    assert all("text" not in trace for trace in points)
    assert [text[:7] for text in points[0]["hovertext"]] == sorted(text[:7] for text in points[0]["hovertext"])
    lows = [
        trace
        for trace in traces(drawn)
        if trace["mode"] == "lines" and "95" in str(trace["name"]) and trace["showlegend"]
    ]
    assert lows[0]["y"] == sorted(lows[0]["y"], reverse=True)
    assert "Of 60 sites," in words(drawn)
    assert "Several sites may share a mark, for numbers are rounded;" in words(drawn)
    assert draw(draw_funnels, put(content, *sites(1))) == ()


def test_formats_are_held_against_the_margin_on_its_side(content: ReportContent, build: Build) -> None:
    (drawn,) = draw(draw_formats, put(content, formats()))
    layout = json.loads(figure_json(drawn.figure))["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [0, 4]
    sides = [each["text"].replace("<br>", " ") for each in layout["annotations"] if each.get("x") in (0, 1)][-2:]
    assert sides == ["Online fared better", "In person fared better"]
    assert drawn.table is not None
    assert drawn.table.rows == (("SSCI-8 total, 12 weeks", "\u22120.8", "\u22122.6 to 1.0", "4"),)
    part = content.plan.formats[0].model_copy(update={"outcome": "wellbeing"})
    other = replace(content, plan=content.plan.model_copy(update={"formats": [part]}))
    layout = json.loads(figure_json(draw(draw_formats, put(other, formats(outcome="wellbeing")))[0].figure))["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [0, -4]
    sides = [each["text"].replace("<br>", " ") for each in layout["annotations"] if each.get("x") in (0, 1)][-2:]
    assert sides == ["In person fared better", "Online fared better"]


def test_reliability_has_its_guide_line_and_says_what_is_below(content: ReportContent) -> None:
    (drawn,) = draw(draw_reliability, content)
    layout = json.loads(figure_json(drawn.figure))["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [0.7]
    assert traces(drawn)[0]["x"] == [0.88]
    assert "No value is below it." in words(drawn)
    weak = content.results.assign(
        value=content.results["value"].mask(content.results["statistic"] == "cronbach_alpha", 0.6)
    )
    (drawn,) = draw(draw_reliability, replace(content, results=weak))
    assert "Some values are below it" in words(drawn)


def test_the_line_asked_for_stands_over_the_grid_so_that_its_dashes_show(content: ReportContent) -> None:
    (drawn,) = draw(draw_reliability, content)
    still = str(static_svg(drawn))
    assert still.index('stroke-dasharray="9 5"') > still.index(GRID)


def test_the_range_of_alpha_is_that_of_every_timepoint_also_of_those_not_drawn(content: ReportContent) -> None:
    first, *_, last = content.design.timepoints
    between = [replace(last, id=f"between_{number}", label=f"Visit {number}") for number in range(4)]
    (alpha,) = content.results[content.results["statistic"] == "cronbach_alpha"].to_dict("records")[:1]
    more = pd.DataFrame([alpha | {"timepoint": "between_1", "value": 0.97}])
    long = replace(
        content,
        design=replace(content.design, timepoints=(first, *between, last)),
        results=pd.concat([content.results, more], ignore_index=True),
    )
    (drawn,) = draw(draw_reliability, long)
    assert "from 0.88 to 0.97" in drawn.caption
    assert f"Drawn are {first.label} and {last.label} alone" in drawn.caption
    assert 0.97 not in [value for trace in traces(drawn) for value in trace["x"]]


def test_labels_of_a_study_are_no_mark_up(everything: tuple[ReportContent, Rows]) -> None:
    content, rows = everything
    peer, usual = content.design.arms
    arms = (replace(peer, label="<b>A</b>"), replace(usual, label="<i>B</i>"))
    hostile = replace(content, design=replace(content.design, arms=arms))
    for drawer in (*DRAWERS, *OF_STUDY):
        for each in draw(drawer, hostile, rows):
            assert not re.search("<[bi]>", json.dumps(each.figure.to_plotly_json()))


def test_bands_have_names_that_can_be_read_back() -> None:
    assert [name_band(*ends) for ends in ((0, 0), (0, 2.5), (-3, -1))] == ["0", "0:2.5", "-3:-1"]
