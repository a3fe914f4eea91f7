"""Sites as a funnel: what the scores of each site alone tell, within limits that widen where people are few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import plotly.graph_objects as go

from analysis.design import Measure, Timepoint
from reports.content import ReportContent
from reports.figures.drawing import AXIS, GRID, better_end, escaped, for_pointer, lay_out, wrapped
from reports.figures.intervals import find_range
from reports.figures.strips import SMALL, name_in_legend
from reports.language import say, say_many
from reports.numbers import decimals_of, format_count, format_interval, format_number, scale_of
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Illustration
from reports.sites import name_sites
from reports.theme import INK

_LOOKS: Final = (("circle", "#4d6b85", 8), ("diamond-open", "#a34f00", 11), ("triangle-up", "#1c2126", 12))
"""Symbol, colour and size of sites within both limits, beyond the first, beyond the second."""
_LINES: Final = (("dash", "#4a525a"), ("solid", "#4a525a"))


class Site(NamedTuple):
    """Gated rows of a site: its estimate with the limits of 95 %, those of 99.8 %, and where it lies."""

    near: Row
    far: Row
    position: int

    @property
    def reach(self) -> float:
        """Half the width of the 95 % limits: the fewer people, the wider."""
        return (self.near.conf_high - self.near.conf_low) / 2


def draw_funnels(rows: Rows, content: ReportContent) -> tuple[Illustration, ...]:
    """Return a funnel of the sites at each timepoint; nothing where fewer than two sites are shown.

    Parameters
    ----------
    rows : tuple of Row
        Gated results; sites that are hidden are not drawn, and no site has its name beside its point.
    content : ReportContent
        Labels, design and plan.
    """
    own = pick(rows, analysis="sites")
    names, drawn = name_sites(rows), []
    for timepoint in content.design.timepoints:
        sites = {names[site]: found for site, found in sorted(_sites(pick(own, timepoint=timepoint.id)))}
        if len(sites) >= 2:
            outcome = next(iter(sites.values())).near.outcome
            drawn.append(_draw(sites, timepoint, content.plan.measure_of(outcome, content.design)))
    return tuple(drawn)


def _sites(rows: Rows) -> Iterator[tuple[str, Site]]:
    for name in dict.fromkeys(row.item for row in pick(rows, statistic="site_funnel_95")):
        near, far, place = (
            pick_one(rows, item=name, statistic=f"site_{kind}") for kind in ("funnel_95", "funnel_998", "position")
        )
        if near is None or far is None or place is None:
            continue
        if all(row.is_shown for row in (near, far, place)) and near.conf_high > near.conf_low:
            yield name, Site(near, far, int(place.value))


def _draw(sites: dict[str, Site], timepoint: Timepoint, measure: Measure) -> Illustration:
    values = {"measure": measure.label, "timepoint": timepoint.label}
    return Illustration(
        id=f"sites-{timepoint.id}",
        figure=_plot(sites, measure),
        caption=" ".join(_caption(sites, values)),
        alternative=say(
            "Funnel of sites: the difference of each site from the average site in change of {measure} at {timepoint}, "
            "against how wide its limits are. The table below holds the same numbers, a line for each site.",
            **values,
        ),
    )


def _plot(sites: dict[str, Site], measure: Measure) -> go.Figure:
    figure = go.Figure()
    ordered = sorted(sites.values(), key=lambda site: site.reach)
    ends = [ordered[0].reach, ordered[-1].reach]
    names = (say("95\u00a0% limits"), say("99.8\u00a0% limits"))
    for name, (dash, colour), slope in zip(names, _LINES, (1.0, _slope(ordered)), strict=True):
        for sign in (-1, 1):
            figure.add_trace(go.Scatter(
                name=escaped(name), mode="lines", hoverinfo="skip", showlegend=sign < 0,
                x=ends, y=[round(sign * slope * end, 3) for end in ends],
                line={"color": colour, "width": 1.5, "dash": dash},
            ))  # fmt: skip
    for position, ((symbol, colour, size), name) in enumerate(zip(_LOOKS, _positions(), strict=True)):
        own = {label: site for label, site in sites.items() if site.position == position}
        if own:
            figure.add_trace(go.Scatter(
                name=name_in_legend(name), mode="markers", hoverinfo="text", x=[site.reach for site in own.values()],
                y=[site.near.value for site in own.values()], cliponaxis=False,
                hovertext=[for_pointer(_hover(label, site, name, measure)) for label, site in own.items()],
                marker={"symbol": symbol, "size": size, "color": colour, "line": {"color": colour, "width": 1.5}},
            ))  # fmt: skip
    far = [row for site in ordered for row in (site.near, site.far)]
    reaches = [site.reach for site in ordered]
    room = 0.1 * ((max(reaches) - min(reaches)) or max(reaches))
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
            "line": {"color": INK, "width": 1}}  # fmt: skip
    title = say("Half the width of the limits: fewer people to the left")
    return lay_out(
        figure,
        height=440,
        showlegend=True,
        margin={"l": 64, "r": 20, "t": 12, "b": 96},
        shapes=[zero],
        annotations=[better_end(measure)],
        xaxis={**AXIS, "range": [max(reaches) + room, max(min(reaches) - room, 0)], "showgrid": False, "nticks": 6,
               "tickangle": 0,
               "title": {"text": wrapped(title, 20), "font": {"size": SMALL}, "standoff": 10}},
        yaxis={**AXIS, "range": list(find_range(far, [0.0])), "gridcolor": GRID, "automargin": True,
               "title": {"text": wrapped(say("From the average site, {unit}", unit=scale_of(measure)), 30)}},
    )  # fmt: skip


def _slope(ordered: list[Site]) -> float:
    """Return how far the outer limits are, in reaches: the same for all sites, but for the rounding of each."""
    return sum(site.far.conf_high - site.far.conf_low for site in ordered) / (2 * sum(site.reach for site in ordered))


def _positions() -> tuple[str, str, str]:
    return (say("Within both limits"), say("Beyond the 95\u00a0% limits"), say("Beyond the 99.8\u00a0% limits"))


def _hover(label: str, site: Site, position: str, measure: Measure) -> str:
    decimals = decimals_of(measure)
    return say(
        "{site}: {value} (95\u00a0% limits {limits}). {position}.",
        site=label,
        value=format_number(site.near.value, decimals),
        limits=format_interval(site.near.conf_low, site.near.conf_high, decimals),
        position=position,
    )


def _caption(sites: dict[str, Site], values: dict[str, str]) -> Iterator[str]:
    yield say(
        "Each point is a site that may be shown: what its scores alone tell of change of {measure} at {timepoint}. The "
        "fewer people a site has, the further to the left it stands, and the further apart its 95\u00a0% and "
        "99.8\u00a0% limits are.",
        **values,
    )
    yield say(
        "Several sites may share a mark, for numbers are rounded; they were held against the limits before rounding."
    )
    counts = [sum(site.position >= least for site in sites.values()) for least in (1, 2)]
    all_of = format_count(len(sites))
    yield say_many(
        "Of {sites} sites, {count} lies beyond its 95\u00a0% limits; by chance alone about one in twenty does.",
        "Of {sites} sites, {count} lie beyond their 95\u00a0% limits; by chance alone about one in twenty does.",
        counts[0],
        sites=all_of,
        count=format_count(counts[0]),
    )
    if not counts[1]:
        yield say("None lies beyond its 99.8\u00a0% limits.")
        return
    yield say_many(
        "{count} lies beyond its 99.8\u00a0% limits, a reason to ask and not a verdict.",
        "{count} lie beyond their 99.8\u00a0% limits, a reason to ask and not a verdict.",
        counts[1],
        count=format_count(counts[1]),
    )
