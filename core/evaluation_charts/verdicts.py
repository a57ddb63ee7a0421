"""How probabilities are spread, and what comes of two thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from core.charts import Palette, palette
from core.evaluation_charts.look import HEIGHT, SHARES, dress, share

if TYPE_CHECKING:
    from core.detector.spec import Thresholds


WIDTHS = {"real below": 0.16, "fake from here": 0.3}
"""What stands at the thresholds, and the share of a narrow chart's axis that it takes."""


def histogram(
    fake_probability: Sequence[float],
    fake: Sequence[bool],
    thresholds: Thresholds,
    *,
    dark: bool = False,
    height: int = HEIGHT,
    bins: int = 25,
) -> go.Figure:
    """How probabilities are spread: fakes upwards, reals downwards, each as shares of its class."""
    colours, figure = palette(dark), go.Figure()
    p, is_fake = np.asarray(fake_probability, dtype=np.float64), np.asarray(fake, dtype=bool)
    edges = np.linspace(0, 1, bins + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    for name, members, sign, colour in (("Fakes", is_fake, 1, colours.fake), ("Reals", ~is_fake, -1, colours.real)):
        counts = np.histogram(p[members], edges)[0]
        parts = counts / max(1, counts.sum())
        figure.add_trace(
            go.Bar(
                x=middles,
                y=sign * parts,
                width=1 / bins,
                customdata=np.stack([counts, parts, edges[:-1], edges[1:]], axis=1),
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                opacity=0.85,
                hovertemplate=f"{name} given %{{customdata[2]:.0%}} to %{{customdata[3]:.0%}}: "
                "<b>%{customdata[0]}</b> (%{customdata[1]:.1%})<extra></extra>",
            )
        )
    _thresholds(figure, thresholds, colours)
    dress(figure, colours, height, "Fake probability", "Share of the class")
    figure.update_layout(barmode="overlay", bargap=0, margin_t=34)  # two lines of words over the plot
    figure.update_xaxes(range=[0, 1], **SHARES)
    figure.update_yaxes(tickformat=".0%", zeroline=True, zerolinecolor=colours.muted, showticklabels=False)
    return figure


def _thresholds(figure: go.Figure, thresholds: Thresholds, colours: Palette) -> None:
    """A line at each, with its words on the outer side, or on the inner one where they would be cut off."""
    below, above = thresholds.real_below, thresholds.fake_above
    outside = (below >= WIDTHS["real below"], above <= 1 - WIDTHS["fake from here"])
    sides = ("right" if outside[0] else "left", "left" if outside[1] else "right")
    # over one another where both stand on the same side and near each other
    lift = 14 if not all(outside) and above - below < sum(WIDTHS.values()) else 0
    for words, edge, anchor, up in zip(WIDTHS, (below, above), sides, (0, lift), strict=True):
        figure.add_vline(x=edge, line={"color": colours.text, "width": 1.2, "dash": "dash"})
        look = {"font": {"size": 11, "color": colours.muted}, "showarrow": False, "yshift": up}
        figure.add_annotation(x=edge, y=1, yref="paper", yanchor="bottom", xanchor=anchor, text=words, **look)


def confusion_matrix(real: Sequence[int], fake: Sequence[int], *, dark: bool = False, height: int = 250) -> go.Figure:
    """What reals and fakes were called, as counts and shares of each; right is green, wrong red, the rest amber."""
    colours = palette(dark)
    columns = ("called real", "uncertain", "called fake")
    hues = ((colours.real, colours.uncertain, colours.fake), (colours.fake, colours.uncertain, colours.real))
    figure = go.Figure()
    for row, (counts, hue) in enumerate(zip((real, fake), hues, strict=True)):
        total = max(1, sum(counts))
        for column, count in enumerate(counts):
            part = count / total
            x0, y0 = column + 0.03, row + 0.04
            figure.add_shape(
                type="rect",
                x0=x0,
                x1=x0 + 0.94,
                y0=y0,
                y1=y0 + 0.92,
                fillcolor=hue[column],
                opacity=0.10 + 0.55 * part,
                line_width=0,
                layer="below",
            )
            figure.add_annotation(
                x=column + 0.5,
                y=row + 0.5,
                text=f"<b>{share(part)}</b><br>{count}",
                font={"size": 15, "color": colours.text},
                showarrow=False,
            )
    tick = {"showgrid": False, "zeroline": False, "fixedrange": True, "tickfont": {"color": colours.text, "size": 13}}
    figure.add_trace(go.Scatter(x=[0, 3], y=[0, 2], mode="markers", marker={"opacity": 0}, hoverinfo="skip"))
    figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)
    figure.update_xaxes(range=[0, 3], tickvals=[0.5, 1.5, 2.5], ticktext=columns, side="top", **tick)
    figure.update_yaxes(range=[2, 0], tickvals=[0.5, 1.5], ticktext=["real", "fake"], automargin=True, **tick)
    return figure
