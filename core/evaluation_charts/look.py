"""What all figures of an evaluation have in common: axes, bands, names made safe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from core.charts import Palette

HEIGHT = 380
BANDS = 5
"""So many curves have their bands, pale enough to be seen through; of more only the first has."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SHARES = {"tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1], "tickformat": ".0%"}
Part = Mapping[str, Any]


def band(figure: go.Figure, x: Sequence[Any], low: Sequence[Any], high: Sequence[Any], colour: str) -> None:
    """A pale band between two lines, which has no entry in the legend; none where there is nothing to draw."""
    if len(x):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        figure.add_trace(
            go.Scatter(
                x=[*x, *reversed(x)],
                y=[*high, *reversed(low)],
                mode="lines",
                fill="toself",
                fillcolor=f"rgba({red},{green},{blue},0.13)",
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        )


def edges_of(part: Part, key: str = "auc_95") -> Sequence[float | None]:
    """An interval; two times None where nothing can be said, as of a handful of faces."""
    return part.get(key) or (None, None)


def bars(values: Sequence[float], edges: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    """Error bars from the lower to the upper edges; none where an edge is not known."""
    pairs = list(zip(values, edges, strict=True))
    up = [0 if high is None else high - value for value, (_, high) in pairs]
    down = [0 if low is None else value - low for value, (low, _) in pairs]
    return {"type": "data", "array": up, "arrayminus": down}


def auc_axis(shown: Iterable[float | None], least: float) -> dict[str, Any]:
    """An axis from `least` to 1 that reaches further down where something shown lies there."""
    lowest = min([least, *(value - 0.03 for value in shown if value is not None)])
    return {"range": [lowest, 1.02], "tick0": 0, "dtick": 0.1 if lowest > 0.3 else 0.2, "tickformat": ".1f"}


def dress(figure: go.Figure, colours: Palette, height: int, x_title: str, y_title: str) -> None:
    """Size, legend below, axes that cannot be dragged, no ground of its own."""
    words = {"color": colours.muted, "size": 12}
    # at the figure's own lower end: as many lines as the names need, and the plot keeps clear of them
    lower_end = {"orientation": "h", "x": 0, "xref": "container", "y": 0, "yref": "container", "yanchor": "bottom"}
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 20, "t": 18, "b": 0},
        legend={**lower_end, "maxheight": 0.6, "font": {"color": colours.text, "size": 12}},
        hovermode="closest",
        dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": colours.text},
    )
    axis = {"gridcolor": colours.grid, "zeroline": False, "fixedrange": True, "tickfont": words, "automargin": True}
    figure.update_xaxes(title={"text": x_title, "font": words}, **axis)
    figure.update_yaxes(title={"text": y_title, "font": words}, **axis)


def share(part: float) -> str:
    """ "4.3 %"."""
    return f"{100 * part:.1f} %"


def text(name: str) -> str:
    """A name from a folder, which Plotly would read as HTML."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
