"""What a static chart can draw, by name; anything else is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from data_contracts.errors import Problem
from reports.errors import ReportError
from reports.figures.svg import DASHES, HATCHES, SYMBOLS

_POINTER: Final = {"hoverinfo", "hovertext", "hovertemplate", "hoverlabel", "hoveron", "customdata", "meta"}
"""For a pointer alone: left out of a still drawing."""
_FONT: Final = {"size", "color", "family", "weight"}
_LINE: Final = {"color", "width", "dash", "shape", "simplify"}
_ERROR: Final = {"type", "symmetric", "array", "arrayminus", "color", "thickness", "width", "visible"}
_TRACE: Final = _POINTER | {"type", "name", "x", "y", "text", "textposition", "textfont", "marker", "showlegend",
                            "visible", "legendgroup", "legendrank", "orientation", "cliponaxis",
                            "error_x", "error_y"}  # fmt: skip
_AXIS: Final = {
    "type", "range", "autorange", "tickvals", "ticktext", "tickmode", "dtick", "tick0", "nticks", "tickformat",
    "tickprefix", "ticksuffix", "tickfont", "tickangle", "ticklabeloverflow", "ticks", "tickcolor", "ticklen",
    "showticklabels", "showgrid", "gridcolor", "griddash", "gridwidth", "zeroline", "zerolinecolor", "zerolinewidth",
    "showline", "linecolor", "linewidth", "title", "fixedrange", "automargin", "visible", "categoryorder",
    "categoryarray", "constrain",
}  # fmt: skip
_KNOWN: Final[Mapping[str, Collection[str]]] = {
    "layout": {
        "template", "height", "width", "autosize", "dragmode", "hovermode", "hoverlabel", "paper_bgcolor",
        "plot_bgcolor", "font", "margin", "legend", "showlegend", "xaxis", "yaxis", "shapes", "annotations", "barmode",
        "bargap", "separators", "uniformtext",
    },
    "layout.xaxis": _AXIS,
    "layout.yaxis": _AXIS,
    "layout.xaxis.title": {"text", "font", "standoff"},
    "layout.yaxis.title": {"text", "font", "standoff"},
    "layout.legend": {"orientation", "x", "y", "xanchor", "yanchor", "font", "traceorder", "itemclick",
                      "itemdoubleclick", "itemwidth", "itemsizing", "entrywidth", "entrywidthmode"},
    "scatter": _TRACE | {"mode", "line", "connectgaps", "fill", "fillcolor"},
    "scatter.line": _LINE,
    "scatter.marker": {"symbol", "size", "color", "line"},
    "scatter.marker.line": {"color", "width"},
    "scatter.error_x": _ERROR,
    "scatter.error_y": _ERROR,
    "scatter.textfont": _FONT,
    "bar": _TRACE - {"error_x", "error_y"} | {"base", "width", "insidetextanchor", "constraintext", "textangle"},
    "bar.marker": {"color", "line", "pattern"},
    "bar.marker.line": {"color", "width"},
    "bar.marker.pattern": {"shape", "fgcolor", "bgcolor", "fillmode", "size", "solidity"},
    "bar.textfont": _FONT,
    "shape": {"type", "x0", "x1", "y0", "y1", "xref", "yref", "fillcolor", "opacity", "line", "layer"},
    "shape.line": {"color", "width", "dash"},
    "annotation": _POINTER | {
        "text", "x", "y", "xref", "yref", "xanchor", "yanchor", "xshift", "yshift", "align", "font", "showarrow", "ax",
        "ay", "axref", "ayref", "arrowhead", "arrowsize", "arrowwidth", "arrowcolor", "standoff", "bgcolor",
        "bordercolor", "borderpad", "borderwidth", "textangle", "captureevents",
    },
    "annotation.font": _FONT,
}  # fmt: skip
_CHOICES: Final[Mapping[str, Collection[Any]]] = {
    "scatter.line.dash": tuple(DASHES),
    "scatter.line.shape": ("linear",),
    "scatter.marker.symbol": tuple(f"{name}{end}" for name in SYMBOLS for end in ("", "-open")),
    "scatter.mode": ("lines", "markers", "text", "lines+markers", "lines+text", "markers+text", "lines+markers+text"),
    "scatter.fill": ("none", "toself"),
    "bar.marker.pattern.shape": ("", *HATCHES),
    "shape.type": ("rect", "line"),
    "shape.layer": ("below", "between", "above"),
    "shape.line.dash": tuple(DASHES),
    "annotation.textangle": (0, -90),
    "layout.barmode": ("group", "stack", "overlay"),
    "layout.xaxis.type": ("-", "linear", "category"),
    "layout.yaxis.type": ("-", "linear", "category"),
    "layout.xaxis.autorange": (True, False, "reversed"),
    "layout.yaxis.autorange": (True, False, "reversed"),
    "layout.xaxis.tickangle": (0,),
    "layout.yaxis.tickangle": (0,),
    "layout.xaxis.categoryorder": ("array", "trace"),
    "layout.yaxis.categoryorder": ("array", "trace"),
    "layout.xaxis.griddash": tuple(DASHES),
    "layout.yaxis.griddash": tuple(DASHES),
}
_FREE: Final = {"layout.template", "layout.font", "layout.hoverlabel", "layout.margin", "layout.uniformtext"}
"""Read for a few values alone, or for a pointer."""


def refuse_unknown(name: str, traces: Collection[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
    """Refuse a figure that a still drawing would show otherwise than plotly does.

    Raises
    ------
    ReportError
        With everything in it that is not drawn.
    """
    found = list(_unknown("layout", layout))
    for trace in traces:
        kind = str(trace.get("type", "scatter"))
        found += _unknown(kind, trace) if kind in _KNOWN else [f"trace {kind}"]
        found += [f"{kind}.{letter} that is no list" for letter in "xy" if not isinstance(trace.get(letter),
                                                                                         list | tuple)]  # fmt: skip
    for shape in layout.get("shapes", ()):
        found += _unknown("shape", shape)
    for annotation in layout.get("annotations", ()):
        found += _unknown("annotation", annotation)
    if found:
        raise ReportError(
            Problem(
                "figure_not_drawn",
                f"The figure '{name}' has {', '.join(dict.fromkeys(found))}, which a still drawing does not know.",
                "Use what reports/figures/static.py lists, or teach it to draw this too.",
            )
        )


def _unknown(place: str, values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        path = f"{place}.{name}"
        if name not in _KNOWN[place]:
            yield path
        elif isinstance(value, Mapping) and path in _KNOWN:
            yield from _unknown(path, value)
        elif isinstance(value, Mapping) and path not in _FREE and not path.endswith("font"):
            yield path
        elif path in _CHOICES:
            each = value if isinstance(value, list | tuple) else (value,)
            yield from (f"{path} {one!r}" for one in each if one not in _CHOICES[path])
