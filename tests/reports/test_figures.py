import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest

from analysis.design import Arm, Timepoint
from analysis.model_words import COMMON_BASELINE
from analysis.plan import Outcome
from reports import ReportContent, gate_results
from reports.figures import CONFIG, LEAST_SHARE, axis_range, figure_json, plot_outcome
from reports.figures.attrition import draw_attrition
from reports.figures.drawing import better_end, directed, in_one_line, time_axis, wrapped
from reports.figures.flow import draw_flow
from reports.figures.forest import draw_forest
from reports.figures.intervals import Interval, Mark, better_side, plot_intervals
from reports.figures.lines import bare, cut_lines, split_lines
from reports.figures.stacks import Part, Piece, plot_stacks
from reports.figures.strips import lay_strips
from reports.figures.svg import height_of, width_of
from reports.figures.trajectories import draw_trajectories
from reports.language import open_language, say, speaking
from reports.reading import Rows, pick, read_rows

Build = Callable[..., ReportContent]


def means_of(content: ReportContent) -> Rows:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return pick(rows, statistic="marginal_mean", outcome="stigma")


def drawn(content: ReportContent) -> dict:  # type: ignore[type-arg]
    figure = plot_outcome(means_of(content), content.design, content.design.measures["ssci-8.total"])
    return json.loads(figure_json(figure))


def test_chart_holds_the_gated_means_and_their_intervals(build: Build) -> None:
    content = build()
    traces = drawn(content)["data"]
    for trace, arm in zip(traces, content.design.arms, strict=True):
        rows = pick(means_of(content), arm=arm.id)
        assert trace["y"] == [row.value for row in rows]
        np.testing.assert_allclose(np.add(trace["y"], trace["error_y"]["array"]), [row.conf_high for row in rows])
        np.testing.assert_allclose(
            np.subtract(trace["y"], trace["error_y"]["arrayminus"]), [row.conf_low for row in rows]
        )


def test_arms_that_the_model_makes_start_alike_are_said_to_and_the_observed_start_has_its_place(build: Build) -> None:
    content = build()
    outcome, results = content.plan.primary, content.results.copy()
    assert "start alike" not in captioned(content, outcome)
    results.loc[results["statistic"] == "marginal_mean", "method"] += f" {COMMON_BASELINE}"
    content = replace(content, results=results)
    caption = captioned(content, outcome)
    assert "The model takes the arms to start alike. What was observed at Baseline stands under " in caption
    unseen = replace(content, results=results[results["analysis"] != "descriptive"])
    assert "start alike. The axis" in captioned(unseen, outcome)
    assert "start alike" not in captioned(replace(content, design=replace(content.design, arms=content.design.arms[:1]),
                                                  results=results[results["arm"] != "usual"]), outcome)  # fmt: skip


def captioned(content: ReportContent, outcome: Outcome) -> str:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return draw_trajectories(outcome, rows, content)[0].caption


def test_hidden_mean_is_not_in_the_data_of_the_chart(recount: Build) -> None:
    content = recount(usual=(231, 7, 160))
    hidden = content.results[(content.results["statistic"] == "marginal_mean") & (content.results["arm"] == "usual")
                             & (content.results["timepoint"] == "post")]["value"].iloc[0]  # fmt: skip
    usual = drawn(content)["data"][1]
    assert usual["y"][1] is None
    assert usual["hovertext"][1] == ""
    assert hidden not in usual["y"]
    assert usual["connectgaps"] is False


def test_nothing_to_show_gives_no_chart(recount: Build) -> None:
    content = recount(usual=(9, 8, 7), peer=(9, 8, 7))
    assert plot_outcome(means_of(content), content.design, content.design.measures["ssci-8.total"]) is None


def test_arms_differ_without_colour(build: Build) -> None:
    arms = (Arm("peer", "A"), Arm("usual", "B", is_reference=True))
    traces = drawn(build(arms=arms))["data"]
    assert len({trace["marker"]["symbol"] for trace in traces}) == len(traces)
    assert len({trace["line"]["dash"] for trace in traces}) == len(traces)


def test_time_axis_is_true_to_scale_and_names_the_timepoints(build: Build) -> None:
    axis = drawn(build())["layout"]["xaxis"]
    assert axis["tickvals"] == [0, 12, 26]
    assert axis["ticktext"] == ["Baseline", "12<br>weeks", "26<br>weeks"]


def test_axis_says_which_way_is_good(build: Build) -> None:
    assert "lower is better" in drawn(build())["layout"]["yaxis"]["title"]["text"]


def test_axis_shows_every_interval_and_does_not_enlarge_trifles(build: Build) -> None:
    content = build()
    measure = content.design.measures["ssci-8.total"]
    rows = list(means_of(content))
    low, high = axis_range(rows, measure)
    assert low <= min(row.conf_low for row in rows)
    assert high >= max(row.conf_high for row in rows)
    assert high - low >= LEAST_SHARE * (measure.maximum - measure.minimum)
    assert measure.minimum <= low < high <= measure.maximum


@pytest.mark.parametrize("label", ["<b>x</b>", "<a href='javascript:alert(1)'>x</a>", "</script><script>alert(1)</script>",
                                   "<span style=\"background:url(https://evil.example)\">x</span>", "{{ 7 * 7 }}"])  # fmt: skip
def test_labels_reach_plotly_escaped(build: Build, label: str) -> None:
    arms = (Arm("peer", label), Arm("usual", "Usual care", is_reference=True))
    times = (Timepoint("baseline", label, 0), Timepoint("post", "12 weeks", 12), Timepoint("late", "26 weeks", 26))
    content = build(arms=arms, timepoints=times)
    figure = drawn(content)
    for text in (figure["data"][0]["name"], *figure["data"][0]["hovertext"], *figure["layout"]["xaxis"]["ticktext"]):
        assert "<" not in text.replace("<br>", "")
        assert ">" not in text.replace("<br>", "")


def test_figure_json_cannot_leave_its_script_element(build: Build) -> None:
    content = build(arms=(Arm("peer", "</script>"), Arm("usual", "&lt;", is_reference=True)))
    text = figure_json(plot_outcome(means_of(content), content.design, content.design.measures["ssci-8.total"]))
    assert not set("<>&") & set(text)


def test_chart_offers_nothing_to_send_anywhere() -> None:
    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["displayModeBar"] is False


PHONE = 280  # pixels that a figure has at the least
LANGUAGES = ["en", "es", "fr", "ar"]


def all_drawn(content: ReportContent) -> dict[str, dict[str, Any]]:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    items = [*draw_flow(rows, content), *draw_attrition(rows, content), *draw_forest(rows, content),
             *draw_trajectories(content.plan.outcomes[0], rows, content)]  # fmt: skip
    bars = plot_stacks([LONG], [Part(LONG, "#0b5a97", (Piece(0.0, 60.0, ("60",)),))])
    row = next(row for row in rows if row.analysis == "model" and row.conf_low == row.conf_low)
    measure = content.design.measures["ssci-8.total"]
    title = wrapped(say("{first} less {second}, {unit}", first=LONG, second=LONG, unit=say("points")), 30)
    mark = Mark(0.0, say("Margin: {value}", value="3"))
    strips = plot_intervals([Interval(LONG, row, "")], title, marks=(mark,), sides=better_side(measure))
    figures = {item.id: item.figure for item in items} | {"bars": bars, "strips": strips}
    assert len(figures) == 6
    return {name: figure.to_plotly_json()["layout"] for name, figure in figures.items()}


LONG = "Comme des personnes semblables qui sont venues"


@pytest.mark.parametrize("tag", LANGUAGES)
def test_no_line_is_wider_than_a_phone_and_no_label_than_its_strip(build: Build, tag: str) -> None:
    with speaking(open_language(tag)):
        layouts = all_drawn(build())
    for name, layout in layouts.items():
        boxes = {
            (box["x0"] + box["x1"]) / 2: box["x1"] - box["x0"]
            for box in layout.get("shapes", ())
            if box["type"] == "rect"
        }
        for each in (each for each in layout.get("annotations", ()) if each["text"]):
            room = boxes[each["x"]] / 100 * (PHONE - 12) if name == "flow" else PHONE - 40
            assert width_of(each["text"], each.get("font", {}).get("size", 14)) <= room, (name, each["text"])
        title = layout["xaxis"].get("title", {})
        assert width_of(title.get("text", ""), title.get("font", {}).get("size", 14)) <= PHONE - 40, name


@pytest.mark.parametrize("tag", LANGUAGES)
def test_margins_hold_the_lines_in_them(build: Build, tag: str) -> None:
    with speaking(open_language(tag)):
        layouts = all_drawn(build())
    for name, layout in layouts.items():
        axis, margin = layout["xaxis"], layout["margin"]
        if title := axis.get("title", {}).get("text"):
            ticks = max(height_of(text, 14) for text in axis.get("ticktext", ["0"]))
            assert ticks + height_of(title, axis["title"]["font"]["size"]) + 5 <= margin["b"], name
        above = [
            each
            for each in layout.get("annotations", ())
            if (each.get("yref"), each["y"], each.get("yanchor")) == ("paper", 1, "bottom")
        ]
        assert all(height_of(each["text"], each["font"]["size"]) <= margin["t"] for each in above), name
    rows = layouts["forest"]["yaxis"]["ticktext"]
    plot = layouts["forest"]["height"] - layouts["forest"]["margin"]["t"] - layouts["forest"]["margin"]["b"]
    assert max(height_of(label, 13) for label in rows) <= plot / len(rows)


@pytest.mark.parametrize(("tag", "side", "place"), [("en", "left", 0), ("fr", "left", 0), ("ar", "right", 1)])
def test_labels_of_strips_begin_where_reading_begins(tag: str, side: str, place: int) -> None:
    with speaking(open_language(tag)):
        label = lay_strips([LONG]).labels[0]
    assert (label["x"], label["xanchor"], label["align"]) == (place, side, side)
    assert label["text"].count("<br>") == 1


def test_a_part_with_a_direction_of_its_own_is_whole_on_each_of_its_lines() -> None:
    with speaking(open_language("ar")):
        text = say("{first} less {second}, {unit}", first="one two", second="three four five", unit="points")
        lines = wrapped(text, 12).split("<br>")
    assert len(lines) > 2
    for line in lines:
        depth = 0
        for character in line:
            depth += {"\u2067": 1, "\u2068": 1, "\u2069": -1}.get(character, 0)
            assert depth > 0 or character == "\u2069"  # all of it lies within the line's own direction
        assert depth == 0
    assert bare(" ".join(lines)) == bare(text)


def test_marks_of_direction_in_a_label_cannot_end_the_direction_of_a_line() -> None:
    assert split_lines("\u2069\u2069one two", 5) == ["one", "two"]
    assert split_lines("\u2068one two", 5) == ["\u2068one\u2069", "\u2068two\u2069"]


def test_a_line_that_only_begins_with_a_part_of_its_own_has_the_direction_of_the_language_as_a_whole() -> None:
    with speaking(open_language("ar")):
        text = say(
            "{arm}, {timepoint}", arm="\u0630\u0631\u0627\u0639 A", timepoint="12 \u0623\u0633\u0628\u0648\u0639 B"
        )
        assert (text[0], text[-1]) == ("\u2067", "\u2069")
        assert directed(text) == f"\u2067{text}\u2069"
        assert directed(directed(text)) == directed(text)
        assert in_one_line(directed(text)) == directed(text)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_label_of_any_length_has_a_few_lines_and_an_ellipsis(build: Build, tag: str) -> None:
    content = build()
    long = "A name <b>of</b> an arm that never comes to an end " * 12
    arms = tuple(replace(arm, label=f"{arm.id} {long}") for arm in content.design.arms)
    timepoints = tuple(replace(at, label=f"{at.id} {long}") for at in content.design.timepoints)
    with speaking(open_language(tag)):
        layouts = all_drawn(replace(content, design=replace(content.design, arms=arms, timepoints=timepoints)))
    texts = [each["text"] for layout in layouts.values() for each in layout.get("annotations", ())]
    texts += [text for layout in layouts.values() for text in layout["xaxis"].get("ticktext", ())]
    assert any("\u2026" in text for text in texts)
    for text in texts:
        assert len(text.split("<br>")) <= 14, text  # texts of a box, six lines each
    assert all(layout["height"] < 1500 for layout in layouts.values())


def test_an_ellipsis_stands_within_the_direction_of_its_line() -> None:
    lines = ["\u2067one\u2069", "\u2067two three\u2069", "four"]
    assert cut_lines(lines, 3) == lines
    assert cut_lines(lines, 2) == ["\u2067one\u2069", "\u2067two thre\u2026\u2069"]


def test_labels_that_touch_in_small_type_too_stand_at_two_heights() -> None:
    weeks = (0, 6, 12, 18, 24)
    axis = time_axis([Timepoint(f"t{week}", f"{week} months", week) for week in weeks])
    assert axis["tickfont"]["size"] == 12
    leading = [len(text) - len(text.lstrip("\u00a0<br>")) > 0 for text in axis["ticktext"]]
    assert leading == [False, True, False, True, False]


def test_the_good_end_of_an_axis_is_named_there(build: Build) -> None:
    down, up = (build().design.measures[name] for name in ("ssci-8.total", "who-5.total"))
    assert (better_end(down)["text"], better_end(down)["y"]) == ("\u2193 better", 0)
    assert (better_end(up)["text"], better_end(up)["y"]) == ("\u2191 better", 1)
    assert (better_side(down), better_side(up)) == (("\u2190 better", ""), ("", "better \u2192"))
    assert better_end(down) | {"text": ANY} in drawn(build())["layout"]["annotations"]


def test_points_at_the_edge_of_a_chart_are_whole(build: Build) -> None:
    assert all(trace["cliponaxis"] is False for trace in drawn(build())["data"])


def test_labels_of_timepoints_are_smaller_only_where_neighbours_would_touch() -> None:
    near = [Timepoint("a", "Baseline", 0), Timepoint("b", "12 weeks", 12), Timepoint("c", "26 weeks", 26)]
    far = [Timepoint("a", "Départ", 0), Timepoint("b", "12 semaines", 12), Timepoint("c", "26 semaines", 26)]
    assert time_axis(near)["tickfont"]["size"] == 14
    assert time_axis(far)["tickfont"]["size"] == 12
