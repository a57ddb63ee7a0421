"""Curves of methods of explanation: what becomes of a verdict while a face is blurred away, or comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import plotly.graph_objects as go

from core.charts import palette
from core.evaluation_charts.look import DASHES, HEIGHT, SHARES, dress, text

Which = Literal["deletion", "insertion"]
TITLES = {"deletion": "Most important pixels blurred away", "insertion": "Most important pixels made sharp"}
BLIND = {"chance": "By chance", "middle": "Middle of the crop"}


def faithfulness(measured: Mapping[str, Any], which: Which, *, dark: bool = False) -> go.Figure:
    """Mean fake probability over the share of pixels, a line a method; dotted: maps that know nothing.

    Args:
        measured: The `explanations` of an evaluation.
        which: `deletion` falls fast for a good map, `insertion` rises fast.
        dark: Drawn for a dark page.
    """
    colours, figure = palette(dark), go.Figure()
    for order, one in enumerate(measured["methods"].values()):
        line = {
            "color": colours.people[order % len(colours.people)],
            "width": 2,
            "dash": DASHES[order // len(colours.people) % len(DASHES)],
        }
        _add(figure, one[f"{which}_curve"], text(one["title"]), line)
    for name, words in BLIND.items():
        line = {"color": colours.muted, "width": 1.5, "dash": "dot" if name == "chance" else "dashdot"}
        _add(figure, measured["baselines"][name][f"{which}_curve"], words, line)
    # on a narrow screen each name has a line of the legend to itself
    dress(figure, colours, HEIGHT + 10 * len(figure.data), TITLES[which], "Mean fake probability")
    figure.update_xaxes(range=[-0.01, 1.01], **SHARES)
    figure.update_yaxes(range=[-0.01, 1.01], **SHARES)
    return figure


def _add(figure: go.Figure, curve: list[float], name: str, line: dict[str, Any]) -> None:
    shares = [step / (len(curve) - 1) for step in range(len(curve))]
    hover = f"{name}<br>%{{x:.0%}} of the pixels: <b>%{{y:.0%}}</b><extra></extra>"
    figure.add_trace(go.Scatter(x=shares, y=curve, mode="lines", line=line, name=name, hovertemplate=hover))
