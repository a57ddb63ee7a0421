"""What all figures of an evaluation have in common: axes, bands, names made safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from core.charts import Palette

HEIGHT = 380
BANDS = 2
"""So many curves have their bands; of more only the first has."""
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


def dress(figure: go.Figure, colours: Palette, height: int, x_title: str, y_title: str) -> None:
    """Size, legend below, axes that cannot be dragged, no ground of its own."""
    words = {"color": colours.muted, "size": 12}
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 20, "t": 18, "b": 0},
        legend={
            "orientation": "h",
            "x": 0,
            "y": -68 / (height - 78),
            "yanchor": "top",
            "font": {"color": colours.text, "size": 12},
        },
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
