import json
from collections.abc import Callable

import numpy as np
import pytest

from analysis.design import Arm, Timepoint
from reports import ReportContent, gate_results
from reports.figures import CONFIG, LEAST_SHARE, axis_range, figure_json, plot_outcome
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
