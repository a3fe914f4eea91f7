"""Still drawings: the numbers of the figure, labels that stay text, and nothing left out in silence."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from babel import Locale

from analysis.design import Arm, Timepoint
from reports import ReportContent, ReportError, gate_results
from reports.design_words import say_limits
from reports.figures.attrition import draw_attrition
from reports.figures.drawing import AXIS, escaped, lay_out, wrapped
from reports.figures.flow import draw_flow
from reports.figures.forest import draw_forest
from reports.figures.printed import lift_texts
from reports.figures.static import WIDTH, static_svg
from reports.figures.trajectories import draw_trajectories
from reports.language import open_language, speaking
from reports.reading import Rows, read_rows
from reports.sections import Illustration

Build = Callable[..., ReportContent]
TENTH = 0.051  # coordinates are rounded to a tenth


def rows_of(content: ReportContent) -> Rows:
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile))


def shown(figure: go.Figure, alternative: str = "A chart. It has axes.") -> Illustration:
    return Illustration(id="one", figure=figure, caption="", alternative=alternative)


class Elements(HTMLParser):
    """Names, attributes and texts of a drawing."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(svg)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag in ("text", "title", "desc"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] = f"{self.texts[-1]} {data}".strip()


def paths(svg: str) -> list[dict[str, str | None]]:
    return [values for tag, values in Elements(svg).found if tag == "path"]


class Scale:
    """Values of an axis from places in a drawing, read off two of its printed ticks."""

    def __init__(self, first: tuple[float, float], second: tuple[float, float]) -> None:
        (place, value), (other_place, other_value) = first, second
        self.step = (other_value - value) / (other_place - place)
        self.start = value - place * self.step

    def value(self, place: float) -> float:
        return self.start + place * self.step

    @property
    def room(self) -> float:
        return abs(self.step) * 2 * TENTH


def y_scale(svg: str) -> Scale:
    """The scale of numbers at the left: their texts end there, a little below their places."""
    found = re.findall(r'<text x="[\d.]+" y="([\d.]+)" text-anchor="end">([\u2212\d.]+)[^<]*</text>', svg)
    ticks = [(float(y) - 14 * 0.36, float(text.replace("\u2212", "-"))) for y, text in found]
    return Scale(ticks[0], ticks[-1])


def x_scale(svg: str) -> Scale:
    """The scale of numbers below, whose texts stand in the middle of their places."""
    found = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">([\u2212\d.]+)[^<]*</text>', svg)
    ticks = [(float(x), float(text.replace("\u2212", "-"))) for x, text in found]
    return Scale(ticks[0], ticks[-1])


def points(d: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", d)]


def test_a_line_goes_through_the_means_and_intervals_end_at_their_limits(build: Build) -> None:
    content = build()
    item = draw_trajectories(content.plan.outcomes[0], rows_of(content), content)[0]
    svg = static_svg(item)
    scale = y_scale(svg)
    lines = [path for path in paths(svg) if path.get("fill") == "none" and path.get("stroke-width") == "2.5"]
    lines = [line for line in lines if len(points(line["d"])) == 3]  # the keys of the legend have two points
    intervals = [path for path in paths(svg) if path.get("stroke-width") == "1.6"]
    for trace, line, interval in zip(item.figure.data, lines, intervals, strict=True):
        np.testing.assert_allclose([scale.value(y) for _, y in points(line["d"])], trace.y, atol=scale.room)
        ends = [scale.value(float(y)) for y in re.findall(r"M[\d.]+ [\d.]+V([\d.]+)", interval["d"])]
        limits = [(y - below, y + above) for y, below, above in
                  zip(trace.y, trace.error_y.arrayminus, trace.error_y.array, strict=True)]  # fmt: skip
        np.testing.assert_allclose(ends, [end for pair in limits for end in pair], atol=scale.room)


def test_arms_differ_in_dash_and_marker_in_a_drawing_too(build: Build) -> None:
    content = build()
    svg = static_svg(draw_trajectories(content.plan.outcomes[0], rows_of(content), content)[0])
    dashes = {path.get("stroke-dasharray") for path in paths(svg) if path.get("stroke-width") == "2.5"}
    assert dashes == {None, "9 5"}
    assert {path["fill"] for path in paths(svg) if path["d"].endswith("z")} == {"#0b5a97", "#fff"}


def test_a_hidden_mean_breaks_the_line_and_has_no_mark(recount: Build) -> None:
    content = recount(usual=(231, 7, 160))
    item = draw_trajectories(content.plan.outcomes[0], rows_of(content), content)[0]
    assert item.figure.data[1].y[1] is None
    line = next(path for path in paths(static_svg(item)) if path.get("stroke-dasharray") == "9 5")
    assert line["d"].count("M") == 2
    assert "L" not in line["d"]


@pytest.mark.parametrize("is_flat", [True, False])
@pytest.mark.parametrize("barmode", ["stack", "group"])
def test_bars_are_as_long_as_their_values(barmode: str, is_flat: bool) -> None:
    values = {"a": [20.0, 35.0], "b": [30.0, 5.0]}
    names = ["one", "two"]
    figure = go.Figure()
    for name, colour in (("a", "#0b5a97"), ("b", "#a34f00")):
        x, y = (values[name], names) if is_flat else (names, values[name])
        figure.add_bar(name=name, x=x, y=y, orientation="h" if is_flat else "v", marker={"color": colour})
    along = {**AXIS, "range": [0, 60]}
    lay_out(
        figure, barmode=barmode, **({"xaxis": along, "yaxis": AXIS} if is_flat else {"xaxis": AXIS, "yaxis": along})
    )
    svg = static_svg(shown(figure))
    scale = x_scale(svg) if is_flat else y_scale(svg)
    starts = [0.0, 0.0]
    for name, colour in (("a", "#0b5a97"), ("b", "#a34f00")):
        own = next(path for path in paths(svg) if path.get("fill") == colour)
        boxes = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", own["d"])
        for index, (x, y, wide, high) in enumerate(boxes):
            ends = (float(x), float(x) + float(wide)) if is_flat else (float(y) + float(high), float(y))
            expected = (starts[index], starts[index] + values[name][index])
            np.testing.assert_allclose([scale.value(end) for end in ends], expected, atol=2 * scale.room)
        if barmode == "stack":
            starts = [start + value for start, value in zip(starts, values[name], strict=True)]


def test_hatched_bars_are_told_apart_without_colour_and_lines_stay_inside() -> None:
    figure = go.Figure(
        go.Bar(x=["a"], y=[4], marker={"color": "#a34f00", "pattern": {"shape": "/", "bgcolor": "#ffffff"}})
    )
    svg = static_svg(shown(lay_out(figure, xaxis=AXIS, yaxis=AXIS)))
    box = next(path for path in paths(svg) if path.get("fill") == "#ffffff")
    x, y, wide, high = map(float, re.match(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", box["d"]).groups())  # type: ignore[union-attr]
    hatching = next(path for path in paths(svg) if path.get("stroke-width") == "1.6")
    ends = points(hatching["d"])
    assert len(ends) > 20
    assert all(
        x - TENTH <= across <= x + wide + TENTH and y - TENTH <= down <= y + high + TENTH for across, down in ends
    )


def test_a_reversed_axis_has_its_first_line_on_top() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2], y=["first", "second"], mode="markers", marker={"color": "#0b5a97"}))
    svg = static_svg(shown(lay_out(figure, xaxis=AXIS, yaxis={**AXIS, "autorange": "reversed"})))
    first, second = (float(re.search(rf'y="([\d.]+)"[^>]*>{name}<', svg)[1]) for name in ("first", "second"))  # type: ignore[index]
    assert first < second


HOSTILE = [
    "<b>x</b>", "</text></svg><script>alert(1)</script>", "\"><svg onload=alert(1)>", "' onmouseover='alert(1)",
    "<span style=\"background:url(https://evil.example)\">x</span>", "&lt;b&gt;", "]]><!--", "{{ 7 * 7 }}",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_labels_stay_text(build: Build, hostile: str) -> None:
    arms = (Arm("peer", hostile), Arm("usual", "Usual care", is_reference=True))
    times = (Timepoint("baseline", hostile, 0), Timepoint("post", "12 weeks", 12), Timepoint("late", "26 weeks", 26))
    content = build(arms=arms, timepoints=times)
    rows = rows_of(content)
    items = [*draw_trajectories(content.plan.outcomes[0], rows, content), *draw_flow(rows, content),
             *draw_attrition(rows, content), *draw_forest(rows, content)]  # fmt: skip
    assert len(items) == 4
    for item in items:
        elements = Elements(static_svg(replace(item, alternative=hostile)))
        assert {tag for tag, _ in elements.found} <= {"svg", "title", "desc", "g", "path", "text", "tspan"}
        assert not any(name.startswith("on") or name in ("style", "href") for _, own in elements.found for name in own)
    squeezed = "".join(Elements(static_svg(items[0])).texts).replace(" ", "")
    assert hostile.replace(" ", "") in squeezed


def test_a_break_is_a_line_and_other_mark_up_is_text() -> None:
    figure = lay_out(go.Figure(), xaxis={"visible": False, "range": [0, 1]}, yaxis={"visible": False, "range": [0, 1]},
                     annotations=[{"x": 0.5, "y": 0.5, "showarrow": False, "text": f"{wrapped('one two', 4)}<br>{escaped('<br>')}"}])  # fmt: skip
    svg = static_svg(shown(figure))
    assert Elements(svg).texts[-1] == "one two <br>"
    assert svg.count("<tspan") == 2


def test_the_name_of_a_drawing_is_its_alternative(build: Build) -> None:
    content = build()
    item = draw_attrition(rows_of(content), content)[0]
    svg = static_svg(item)
    elements = Elements(svg)
    root = elements.found[0][1]
    assert root["role"] == "img"
    named = {values["id"]: text for (tag, values), text in zip(
        [each for each in elements.found if each[0] in ("title", "desc")], elements.texts[:2], strict=True)}  # fmt: skip
    assert " ".join(named[name] for name in str(root["aria-labelledby"]).split()) == item.alternative
    assert root["viewbox"] == f"0 0 {WIDTH} {item.figure.layout.height}"


def plain() -> go.Figure:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], mode="lines", line={"color": "#0b5a97"}))
    return lay_out(figure, xaxis=dict(AXIS), yaxis=dict(AXIS))


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda figure: figure.add_pie(values=[1, 2]), "trace pie"),
        (lambda figure: figure.update_xaxes(type="log"), "layout.xaxis.type 'log'"),
        (lambda figure: figure.update_xaxes(side="top"), "layout.xaxis.side"),
        (lambda figure: figure.update_layout(yaxis2={"overlaying": "y"}), "layout.yaxis2"),
        (lambda figure: figure.update_traces(marker={"symbol": "star"}), "scatter.marker.symbol 'star'"),
        (lambda figure: figure.update_traces(line={"shape": "spline"}), "scatter.line.shape 'spline'"),
        (lambda figure: figure.update_traces(opacity=0.5), "scatter.opacity"),
        (lambda figure: figure.update_traces(y=np.array([3.0, 5.0])), "scatter.y that is no list"),
        (lambda figure: figure.add_shape(type="circle", x0=0, x1=1, y0=0, y1=1), "shape.type 'circle'"),
        (lambda figure: figure.add_annotation(text="x", x=1, y=1, textangle=45), "annotation.textangle 45"),
        (lambda figure: figure.update_layout(title="x"), "layout.title"),
    ],
)
def test_what_it_cannot_draw_is_refused_by_name(spoil: Callable[[go.Figure], object], named: str) -> None:
    figure = plain()
    static_svg(shown(figure))
    spoil(figure)
    with pytest.raises(ReportError, match=re.escape(named)):
        static_svg(shown(figure))


def test_the_same_figure_gives_the_same_text_without_anything_from_outside(build: Build) -> None:
    content = build()
    items = draw_trajectories(content.plan.outcomes[0], rows_of(content), content)
    again = draw_trajectories(content.plan.outcomes[0], rows_of(content), content)
    assert static_svg(items[0]) == static_svg(again[0])
    assert not re.search(r"url\(|href|style=|https?:|class=", static_svg(items[0]))


def test_right_to_left_text_keeps_its_direction_and_the_axes_stay(build: Build) -> None:
    arabic = replace(open_language("en"), locale=Locale.parse("ar"))
    content = build()
    with speaking(arabic):
        svg = static_svg(draw_trajectories(content.plan.outcomes[0], rows_of(content), content)[0])
    texts = re.findall(r"<t(?:ext|span)[^>]*>([^<]+)(?=<)", svg)
    words = [text for text in texts if re.search("[a-zA-Z]", text)]
    assert len(words) == 8
    assert all(text.startswith("\u2067") and text.endswith("\u2069") for text in words)
    assert 'direction="ltr"' in svg  # anchors are left and right in every language
    assert y_scale(svg.replace("\u2067", "").replace("\u2069", "")).step < 0
    assert "\u2067" not in static_svg(draw_trajectories(content.plan.outcomes[0], rows_of(content), content)[0])


def test_numbers_of_an_axis_have_their_minus_at_the_left_where_texts_run_from_right_to_left(build: Build) -> None:
    content = with_estimate(build(), "stigma", -2.4, -4.2, -0.6)
    with speaking(open_language("ar")):
        svg = static_svg(forest_of(content))
    assert ">\u22121<" in svg
    assert not re.search("\u2067[\u2212\\d.,%\\s]*\u2069", svg)


def test_a_name_in_the_legend_is_one_line_that_runs_one_way() -> None:
    name = "one two three four five six seven"
    with speaking(open_language("ar")):
        figure = go.Figure(go.Scatter(name=wrapped(name, 12), x=[1, 2], y=[3, 4], showlegend=True, mode="lines",
                                      line={"color": "#0b5a97"}))  # fmt: skip
        svg = static_svg(shown(lay_out(figure, xaxis=AXIS, yaxis=AXIS)))
    assert f">\u2067{name}\u2069<" in svg


def test_on_paper_texts_that_run_from_right_to_left_are_text_of_the_page(build: Build) -> None:
    content = build()
    with speaking(open_language("ar")):
        svg = static_svg(draw_trajectories(content.plan.outcomes[0], rows_of(content), content)[0])
    page = '<html lang="{}" dir="{}"><div class="still">{}</div></html>'
    assert lift_texts(page.format("en", "ltr", svg)) == page.format("en", "ltr", svg)
    lifted = lift_texts(page.format("ar", "rtl", svg))
    assert "<text" not in lifted
    assert "<path" in lifted
    printed = re.findall(r"<div style=[^>]*><span>([^<]*)</span></div>", lifted)
    assert printed == re.findall(r"<t(?:ext|span)[^>]*>([^<]+)(?=<)", svg)
    assert all("rotate(-90" in line for line in re.findall(r"<div[^>]*><span>[^<]*SSCI-8", lifted))
    assert "<script" not in lift_texts(page.format("ar", "rtl", svg.replace("SSCI-8", "&lt;script&gt;")))


def with_estimate(content: ReportContent, outcome: str, value: float, low: float, high: float) -> ReportContent:
    at = (content.results["estimand"] == f"{outcome}_post") & (content.results["analysis"] == "model")
    changed = content.results.copy()
    changed.loc[at, ["value", "conf_low", "conf_high"]] = value, low, high
    return replace(content, results=changed)


def declaring(content: ReportContent, **smallest: float) -> ReportContent:
    """The content with smallest meaningful changes of outcomes."""
    plan = content.plan.model_dump(exclude_unset=True)
    for outcome in plan["outcomes"]:
        if outcome["id"] in smallest:
            outcome["smallest_meaningful_change"] = {"value": smallest[outcome["id"]], "source": "declared"}
    return replace(content, plan=type(content.plan).model_validate(plan))


def forest_of(content: ReportContent) -> Illustration:
    return draw_forest(rows_of(content), content)[0]


def test_forest_holds_gated_numbers_over_the_declared_change_and_better_is_to_the_right(build: Build) -> None:
    content = with_estimate(declaring(build(), wellbeing=10.0), "wellbeing", -5.0, -12.0, 2.0)
    trace = forest_of(content).figure.data[0]
    assert trace.x == (1.2, -0.5)  # felt stigma: lower is better; well-being: higher is better
    np.testing.assert_allclose(np.subtract(trace.x, trace.error_x.arrayminus), [0.3, -1.2])
    np.testing.assert_allclose(np.add(trace.x, trace.error_x.array), [2.1, 0.2])
    item = forest_of(content)
    svg = static_svg(item)
    scale = x_scale(svg)
    ends = re.findall(r"M[\d.]+ [\d.]+H([\d.]+)", next(p["d"] for p in paths(svg) if p.get("stroke-width") == "2"))
    np.testing.assert_allclose([scale.value(float(end)) for end in ends], [0.3, 2.1, -1.2, 0.2], atol=scale.room)


def test_forest_table_holds_points_and_multiples_in_the_order_of_the_plan(build: Build) -> None:
    content = with_estimate(declaring(build(), wellbeing=10.0), "wellbeing", -5.0, -12.0, 2.0)
    table = forest_of(content).table
    assert table is not None
    assert table.rows[0] == (
        "Felt stigma at 12 weeks",
        "\u22122.4",
        "\u22124.2 to \u22120.6",
        "2",
        "1.20",
        "0.30 to 2.10",
    )
    assert table.rows[1][0] == "Mental well-being at 12 weeks"
    assert table.rows[1][3:5] == ("10", "\u22120.50")


def test_forest_says_what_it_does_not_draw(build: Build) -> None:
    table = forest_of(build()).table
    assert table is not None
    assert len(table.rows) == 1
    assert any("names no smallest difference" in note and "Mental well-being" in note for note in table.notes)


def test_refused_and_hidden_estimands_stand_in_the_table_of_the_forest_alone(build: Build) -> None:
    content = declaring(build(), wellbeing=10.0)
    at = content.results["estimand"] == "wellbeing_post"
    refused = content.results.copy()
    refused.loc[at, ["verdict", "value", "conf_low", "conf_high"]] = ["refused:no_scores", np.nan, np.nan, np.nan]
    item = forest_of(replace(content, results=refused))
    assert len(item.figure.data[0].x) == 1
    assert item.table is not None
    assert item.table.rows[1][1] == "not computed"
    hidden = content.results.copy()
    hidden.loc[at, "n"] = 4
    item = forest_of(replace(content, results=hidden))
    assert len(item.figure.data[0].x) == 1
    assert item.table is not None
    assert item.table.rows[1][1] == item.table.rows[1][4] == "not shown"
    nothing = content.results.assign(n=content.results["n"].where(content.results["estimand"] == "", 4))
    assert draw_forest(rows_of(replace(content, results=nothing)), content) == ()


def test_forest_draws_questions_of_everybody_alone(build: Build) -> None:
    content = build()
    plan = content.plan.model_dump(exclude_unset=True)
    plan["populations"] = [{"id": "often", "attended_at_least": 4}]
    plan["estimands"].append(plan["estimands"][0] | {"id": "often_post", "population": "often"})
    own = content.results[(content.results["estimand"] == "stigma_post") & (content.results["analysis"] == "model")]
    rows = own.assign(estimand="often_post", population="often")
    results = pd.concat([content.results, rows], ignore_index=True)
    item = forest_of(replace(content, plan=type(content.plan).model_validate(plan), results=results))
    assert len(item.figure.data[0].x) == 1
    assert item.table is not None
    assert any("chosen later" in note for note in item.table.notes)


def flow_texts(content: ReportContent) -> list[str]:
    return Elements(static_svg(draw_flow(rows_of(content), content)[0])).texts


def test_flow_tells_every_step_of_each_arm(build: Build) -> None:
    texts = flow_texts(build())
    for text in ("Eligible: 900", "Invited: 700", "Peer support In the data 220", "Usual care In the data 231"):
        assert text in texts
    assert any("190 (86\u00a0%)" in text and "12" in text for text in texts)
    assert any(text.startswith("In the model of") and text.endswith("231") for text in texts)


def test_people_are_said_to_have_started_only_where_nobody_can_have_been_allotted_before(build: Build) -> None:
    """Whom chance put into an arm and nobody has data of stands nowhere, so those in the data are no beginning."""
    by_lot, chosen = build(), build("comparison")
    (drawn,), (other,) = (draw_flow(rows_of(content), content) for content in (by_lot, chosen))
    assert "Peer support: 220 in the data, " in drawn.caption
    assert "started" not in drawn.caption
    assert "Peer support: 220 started, " in other.caption
    assert any(text.endswith("Started 220") for text in flow_texts(chosen))
    assert any("allotted to the arms and are not in the data" in limit for limit in say_limits(by_lot))
    assert not any("allotted" in limit for kind in ("comparison", "single_group") for limit in say_limits(build(kind)))


def boxes_of(item: Illustration) -> dict[str, dict[str, Any]]:
    """Text of each box -> its shape."""
    layout = item.figure.to_plotly_json()["layout"]
    shapes = {((box["x0"] + box["x1"]) / 2, (box["y0"] + box["y1"]) / 2): box
              for box in layout["shapes"] if box["type"] == "rect"}  # fmt: skip
    return {each["text"].replace("<br>", " "): shapes[each["x"], each["y"]]
            for each in layout["annotations"] if each["text"]}  # fmt: skip


def test_the_model_is_led_to_from_the_start_and_from_no_timepoint(build: Build) -> None:
    item = draw_flow(rows_of(content := build()), content)[0]
    boxes = boxes_of(item)
    arrows = [each for each in item.figure.to_plotly_json()["layout"]["annotations"] if each["showarrow"]]
    for arm, n in (("Peer support", "220"), ("Usual care", "231")):
        start = next(box for text, box in boxes.items() if text == f"{arm} In the data {n}")
        model = next(box for text, box in boxes.items() if text.startswith("In the model of") and
                     box["x0"] == start["x0"])  # fmt: skip
        to_model = [each for each in arrows if each["y"] == model["y0"] and model["x0"] <= each["x"] <= model["x1"]]
        assert [each["ay"] for each in to_model] == [start["y1"]]
        passed = [box for text, box in boxes.items() if "nswered at" in text and box["x0"] >= model["x0"]]
        assert not any(box["x0"] <= to_model[0]["x"] <= box["x1"] for box in passed)
    assert "so the line to it begins there" in item.caption


def test_flow_says_how_many_of_the_invited_are_not_in_the_data_and_that_nobody_knows_why(
    build: Build, recount: Build
) -> None:
    item = draw_flow(rows_of(content := build()), content)[0]
    texts = list(boxes_of(item))
    assert "Not invited: 200" in texts
    assert "Not in the data: 249 Why is not known" in texts
    assert "Not in the data: 249. Why is not known" in item.caption
    few = draw_flow(rows_of(content := recount(peer=(9, 8, 7))), content)[0]
    assert "Not in the data" not in " ".join(boxes_of(few)) + few.caption


def test_flow_tells_whose_first_and_last_scores_are_known_as_theirs(build: Build) -> None:
    content = build()
    item = draw_flow(rows_of(content), content)[0]
    known = {row.arm: row.people for row in rows_of(content)
             if row.analysis == "change_within_arm" and row.outcome == "stigma" and row.timepoint == "late"}  # fmt: skip
    told = [text for text in boxes_of(item) if text.startswith("Scores of felt stigma at both Baseline and 26 weeks")]
    assert [text.endswith(f" {count}") for text, count in zip(told, known.values(), strict=True)] == [True, True]


def test_flow_tells_of_withheld_numbers_as_far_as_it_may(recount: Build) -> None:
    item = draw_flow(rows_of(content := recount(peer=(220, 215, 214))), content)[0]
    told = " ".join(Elements(static_svg(item)).texts) + item.caption + str(item.figure.to_plotly_json())
    assert "at least 211" in told
    assert not re.search(r"\b21[45]\b", told)


def test_flow_of_many_arms_has_one_column_and_of_nobody_there_is_none(build: Build, recount: Build) -> None:
    arms = tuple(Arm(f"arm{place}", f"Arm {place}", is_reference=place == 0) for place in range(4))
    arms = (Arm("peer", "Arm 0"), Arm("usual", "Arm 1", is_reference=True), *arms[2:])
    counts = {"peer": (220, 190, 150), "usual": (231, 200, 160), "arm2": (120, 110, 90), "arm3": (130, 120, 100)}
    content = build(arms=arms, counts=counts)
    boxes = boxes_of(draw_flow(rows_of(content), content)[0])
    assert len({box["y0"] for box in boxes.values()}) == len(boxes)  # nothing stands beside anything
    assert any("Arm 2: 120 Arm 3: 130" in text for text in flow_texts(content))
    few = recount(usual=(9, 8, 7), peer=(9, 8, 7))
    assert draw_flow(rows_of(few), few) == ()


def test_attrition_draws_the_share_of_those_who_started(build: Build) -> None:
    content = build()
    item = draw_attrition(rows_of(content), content)[0]
    np.testing.assert_allclose(item.figure.data[0].y, [100, 100 * 190 / 220, 100 * 150 / 220], atol=1e-3)
    assert "68\u00a0% at 26 weeks" in item.caption
    svg = static_svg(item)
    scale = y_scale(svg)
    line = next(path for path in paths(svg) if path.get("stroke-width") == "2.5" and len(points(path["d"])) == 3)
    np.testing.assert_allclose([scale.value(y) for _, y in points(line["d"])], item.figure.data[0].y, atol=scale.room)


def test_attrition_marks_what_is_known_at_least_and_says_so(recount: Build) -> None:
    content = recount(peer=(220, 215, 214))
    item = draw_attrition(rows_of(content), content)[0]
    trace = item.figure.data[0]
    assert "circle-open" in trace.marker.symbol
    assert any("at least" in text.replace("<br>", " ") for text in trace.text)
    assert "the least that may be said: as many as that answered, or more." in item.caption
    assert not any(abs(y - 100 * hidden / 220) < 1e-6 for y in trace.y for hidden in (214, 215))
    assert "at least 95\u00a0%" in " ".join(Elements(static_svg(item)).texts)


def test_arm_of_which_no_share_may_be_said_is_named_as_not_drawn(recount: Build) -> None:
    content = recount(peer=(8, 7, 6))
    item = draw_attrition(rows_of(content), content)[0]
    assert len(item.figure.data) == 1
    assert "Not drawn, because it is not shown: Peer support." in item.caption


def test_nobody_followed_has_no_attrition(build: Build) -> None:
    content = build()
    rows = tuple(row for row in rows_of(content) if row.statistic != "allocated")
    assert draw_attrition(rows, content) == ()
