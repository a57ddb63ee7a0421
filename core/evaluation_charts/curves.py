"""Curves: ROC, precision and recall, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.charts import palette
from core.evaluation_charts.look import BANDS, DASHES, HEIGHT, SHARES, Part, band, bars, dress, edges_of, text


def roc(curves: Mapping[str, Part | None], *, dark: bool = False, height: int = HEIGHT) -> go.Figure:
    """ROC curves by name as given; names whose curve is None are left out.

    Up to five have their 95 % bands, of more only the first: so many bands hide what they shall show.
    """
    figure = _square(curves, "roc", "Reals called fake", "Fakes found", dark, height)
    muted = palette(dark).muted
    chance = {"color": muted, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=chance, name="Chance", hoverinfo="skip"))
    return figure


def precision_recall(curves: Mapping[str, Part | None], *, dark: bool = False, height: int = HEIGHT) -> go.Figure:
    """Precision over recall at equal base rates, with 95 % bands."""
    figure = _square(curves, "pr", "Fakes found (recall)", "Right when it says fake (precision)", dark, height)
    chance = {"color": palette(dark).muted, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0.5, 0.5], mode="lines", line=chance, name="Chance", hoverinfo="skip"))
    figure.update_yaxes(range=[0.45, 1.01], tickvals=[0.5, 0.6, 0.7, 0.8, 0.9, 1])
    return figure


def _square(
    curves: Mapping[str, Part | None], which: str, x_title: str, y_title: str, dark: bool, height: int
) -> go.Figure:
    colours, figure = palette(dark), go.Figure()
    drawn = {name: both[which] for name, both in curves.items() if both}
    painted = [colours.people[order % len(colours.people)] for order in range(len(drawn))]
    shaded = len(drawn) if len(drawn) <= BANDS else 1
    for curve, colour in list(zip(drawn.values(), painted, strict=True))[:shaded]:  # below all lines
        edges = zip(curve["x"], curve["low"], curve["high"], strict=True)
        known = [(x, low, high) for x, low, high in edges if low is not None and high is not None]
        x, low, high = ([row[at] for row in known] for at in range(3))
        band(figure, x, low, high, colour)
    for order, ((name, curve), colour) in enumerate(zip(drawn.items(), painted, strict=True)):
        line = {"color": colour, "width": 2, "dash": DASHES[order % len(DASHES)]}
        hover = f"{text(name)}<br>{x_title} %{{x:.0%}}<br>{y_title} <b>%{{y:.1%}}</b><extra></extra>"
        figure.add_trace(
            go.Scatter(x=curve["x"], y=curve["y"], mode="lines", line=line, name=text(name), hovertemplate=hover)
        )
    dress(figure, colours, height, x_title, y_title)
    figure.update_xaxes(range=[-0.01, 1.01], **SHARES)
    figure.update_yaxes(range=[-0.01, 1.01], **SHARES)
    return figure


def calibration(bins: Sequence[Part], *, dark: bool = False, height: int = HEIGHT) -> go.Figure:
    """Observed share of fakes over the probability that was given, with 95 % intervals; the diagonal is perfect."""
    colours = palette(dark)
    x, y = [one["predicted"] for one in bins], [one["observed"] for one in bins]
    edges = [edges_of(one, "observed_95") for one in bins]
    counts = [one["count"] for one in bins]
    colour = colours.people[0]
    figure = go.Figure()
    perfect = {"color": colours.muted, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=perfect, name="Perfect", hoverinfo="skip"))
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            error_y={**bars(y, edges), "color": colour, "thickness": 1.2, "width": 4},
            customdata=counts,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 8, "color": colour},
            name="This detector",
            hovertemplate="said %{x:.1%}<br>were fake <b>%{y:.1%}</b><br>%{customdata} faces<extra></extra>",
        )
    )
    dress(figure, colours, height, "Probability it gave", "Share that was fake")
    figure.update_xaxes(range=[-0.02, 1.02], **SHARES)
    figure.update_yaxes(range=[-0.02, 1.02], **SHARES)
    return figure
