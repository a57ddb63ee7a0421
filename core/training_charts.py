"""Plotly figures of training: curves of one run, runs over each other, the confusion matrix, what a data set holds.

All take the lines of a run's metrics.jsonl and batches.jsonl as they are on disk: what is missing or is no number is
left out, since a run's folder may be half written or edited by hand.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

import plotly.graph_objects as go

from core.charts import Palette, palette

Line = Mapping[str, Any]
MOST_TICKS = 10
MOST_POINTS = 1500
"""Of a line per batch: more than a screen has pixels are thinned out before they are sent to the browser."""
PHASES = {"head": "head only", "training": "whole network"}


def number(line: Line, key: str) -> float | None:
    """A finite number of a line, None for anything else."""
    value = line.get(key)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if usable and value is not None else None


def points(lines: Iterable[Line], x: str, y: str) -> tuple[list[float], list[float]]:
    """Two lists, x and y, of the lines that have both, at most `MOST_POINTS` of them."""
    pairs = [(number(line, x), number(line, y)) for line in lines]
    both = [(at, value) for at, value in pairs if at is not None and value is not None]
    stride = -(-len(both) // MOST_POINTS) or 1
    return [at for at, _ in both[::stride]], [value for _, value in both[::stride]]


def smooth(values: Sequence[float], share: float = 0.9) -> list[float]:
    """Exponential moving average that starts without a bias (as Adam's moments): each value weighs 1 - `share`."""
    smoothed, mean = [], 0.0
    for count, value in enumerate(values, 1):
        mean = share * mean + (1 - share) * value
        smoothed.append(mean / (1 - share**count))
    return smoothed


def loss(epochs: Sequence[Line], batches: Sequence[Line], *, dark: bool = False, height: int = 260) -> go.Figure:
    """Training loss, batch by batch where that is known, and validation loss after each epoch."""
    colours = palette(dark)
    figure = go.Figure()
    x, y = points(batches, "step", "loss")
    if x:
        faint = {"color": colours.people[0], "width": 1}
        figure.add_trace(
            go.Scatter(x=x, y=y, mode="lines", opacity=0.25, line=faint, showlegend=False, hoverinfo="skip")
        )
        _add_line(figure, "Training", x, smooth(y), colours.people[0], ".3f", markers=len(x) < 2)
    else:
        _add_line(figure, "Training", *points(epochs, "step", "loss"), colours.people[0], ".3f")
    _add_line(figure, "Validation", *points(epochs, "step", "val_loss"), colours.people[1], ".3f")
    return _finish(figure, epochs, colours, height)


def auc(epochs: Sequence[Line], *, dark: bool = False, height: int = 260) -> go.Figure:
    """Validation AUC after each epoch: the mean over the sources, each source thinner, a ring around the best."""
    colours = palette(dark)
    figure = go.Figure()
    sources = sorted({name for line in epochs for name in _by_source(line)})
    for order, source in enumerate(sources if len(sources) > 1 else []):
        lines = [{"step": line.get("step"), "auc": _by_source(line).get(source)} for line in epochs]
        colour = colours.people[(order + 1) % len(colours.people)]
        x, y = points(lines, "step", "auc")
        _add_line(figure, source, x, y, colour, ".3f", width=1.2, markers=len(x) < 2)
    x, y = points(epochs, "step", "val_auc")
    _add_line(figure, "Mean" if len(sources) > 1 else "Validation", x, y, colours.people[0], ".3f")
    if y:
        best = y.index(max(y))
        ring = {"symbol": "circle-open", "size": 13, "color": colours.text, "line": {"width": 2}}
        figure.add_trace(
            go.Scatter(x=[x[best]], y=[y[best]], mode="markers", marker=ring, hoverinfo="skip", showlegend=False)
        )
    figure = _finish(figure, epochs, colours, height)
    figure.update_yaxes(range=_auc_range(figure))
    return figure


def learning_rate(
    epochs: Sequence[Line], batches: Sequence[Line], *, dark: bool = False, height: int = 260
) -> go.Figure:
    """The learning rate, batch by batch where that is known."""
    colours = palette(dark)
    figure = go.Figure()
    x, y = points(batches or epochs, "step", "learning_rate")
    _add_line(figure, "Learning rate", x, y, colours.people[2], ".2g", markers=len(x) < 2)
    figure = _finish(figure, epochs, colours, height)
    figure.update_layout(showlegend=False)
    figure.update_yaxes(rangemode="tozero", tickformat=".2~g", nticks=5)
    return figure


def overlay(
    runs: Mapping[str, Sequence[Line]],
    measure: str,
    *,
    by_minutes: bool = False,
    dark: bool = False,
    height: int = 340,
) -> go.Figure:
    """One line a run.

    Args:
        runs: Name of a run -> its lines of metrics.jsonl.
        measure: "val_auc", "loss" or "val_loss".
        by_minutes: Over minutes of training instead of epochs.
        dark: Drawn for a dark page.
        height: In pixels.
    """
    colours = palette(dark)
    figure = go.Figure()
    for order, (name, lines) in enumerate(runs.items()):
        seconds, values = points(lines, "elapsed_s" if by_minutes else "epoch", measure)
        x = [at / 60 for at in seconds] if by_minutes else seconds
        _add_line(figure, name, x, values, colours.people[order % len(colours.people)], ".3f")
    _lay_out(figure, colours, height)
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title_text="Minutes of training" if by_minutes else "Epoch", showgrid=False, zeroline=False)
    if measure == "val_auc":
        figure.update_yaxes(range=_auc_range(figure))
    return figure


def confusion(matrix: Sequence[Sequence[float]], classes: Sequence[str], *, dark: bool = False) -> go.Figure:
    """Truth against answer: counts, and their share of the truth's row as shade.

    Args:
        matrix: (n, n) counts; row i holds the pictures that are class i, column j those that were called class j.
        classes: Their n names.
        dark: Drawn for a dark page.
    """
    colours = palette(dark)
    shares = [[value / (sum(row) or 1) for value in row] for row in matrix]
    words = [
        [f"<b>{value:,.0f}</b><br>{share:.0%}" for value, share in zip(row, part, strict=True)]
        for row, part in zip(matrix, shares, strict=True)
    ]
    shade = colours.people[0]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=[f"called {name}" for name in classes],
            y=[f"is {name}" for name in classes],
            text=words,
            texttemplate="%{text}",
            textfont={"size": 14, "color": colours.text},
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
            colorscale=[[0, _faded(shade, 0.04)], [1, _faded(shade, 0.5)]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    _lay_out(figure, colours, 100 + 100 * len(classes) if len(classes) < 4 else 60 * len(classes))
    figure.update_xaxes(side="top", showgrid=False, fixedrange=True, tickfont={"size": 13})
    figure.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True, tickfont={"size": 13})
    return figure


def holdings(counts: Mapping[str, Mapping[str, int]], *, dark: bool = False) -> go.Figure:
    """How many pictures of each class each split has: one bar a split.

    Args:
        counts: Split -> class -> number of pictures; "real" is the only real class.
        dark: Drawn for a dark page.
    """
    colours = palette(dark)
    classes = sorted({name for split in counts.values() for name in split}, key=lambda name: (name != "real", name))
    figure = go.Figure()
    for order, name in enumerate(classes):
        figure.add_trace(
            go.Bar(
                y=list(counts),
                x=[split.get(name, 0) for split in counts.values()],
                name=name,
                orientation="h",
                marker={"color": colours.people[order % len(colours.people)], "opacity": 0.85},
                texttemplate="%{x:,}",
                textposition="inside",
                insidetextanchor="middle",
                insidetextfont={"color": "#12161c" if dark else "#ffffff"},
                textangle=0,
                hovertemplate=f"%{{y}}: %{{x:,}} {name}<extra></extra>",
            )
        )
    longest = max((sum(split.values()) for split in counts.values()), default=1)
    _lay_out(figure, colours, 76 + 34 * len(counts))
    figure.update_layout(barmode="stack", bargap=0.25, showlegend=True, hovermode="closest")
    figure.update_layout(legend={"traceorder": "normal"})
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, longest])
    figure.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True, tickfont={"size": 13})
    return figure


def _by_source(line: Line) -> dict[str, Any]:
    by_source = line.get("val_auc_by_source")
    return dict(by_source) if isinstance(by_source, dict) else {}


def _auc_range(figure: go.Figure) -> list[float]:
    """From just under the lowest value to 1, and never less than the upper half: noise shall not look like news."""
    values = [value for trace in figure.data for value in trace.y or () if value is not None]
    return [min([0.5, *(value - 0.03 for value in values)]), 1.01]


def _add_line(
    figure: go.Figure,
    name: str,
    x: Sequence[float],
    y: Sequence[float],
    colour: str,
    digits: str,
    *,
    width: float = 2,
    markers: bool = True,
) -> None:
    """A line with a name; none where there is no point."""
    if x:
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                name=name,
                mode="lines+markers" if markers and len(x) < 60 else "lines",
                line={"color": colour, "width": width},
                marker={"size": 5, "color": colour},
                hovertemplate=f"{name}: <b>%{{y:{digits}}}</b><extra></extra>",
            )
        )


def _finish(figure: go.Figure, epochs: Sequence[Line], colours: Palette, height: int) -> go.Figure:
    """Axes of a single run: steps below, labelled by the epochs that ended there, with a line where a phase began."""
    _lay_out(figure, colours, height)
    steps, numbers = points(epochs, "step", "epoch")
    stride = -(-len(steps) // MOST_TICKS) or 1
    shown = [(step, epoch) for step, epoch in zip(steps, numbers, strict=True) if int(epoch) % stride == 0]
    figure.update_xaxes(showgrid=False, zeroline=False, rangemode="tozero", title_text="Batch")
    if shown:
        ticks = [f"{epoch:g}" for _, epoch in shown]
        figure.update_xaxes(tickvals=[step for step, _ in shown], ticktext=ticks, title_text="Epoch")
    for before, after in pairwise(epochs):
        at = number(before, "step")
        if at is not None and after.get("phase") != before.get("phase") and after.get("phase") in PHASES:
            figure.add_vline(x=at, line={"color": colours.muted, "width": 1, "dash": "dot"})
            figure.add_annotation(
                x=at,
                y=0,
                yref="paper",
                yanchor="bottom",
                xanchor="left",
                text=PHASES[after["phase"]],
                showarrow=False,
                font={"size": 11, "color": colours.muted},
            )
    return figure


def _lay_out(figure: go.Figure, colours: Palette, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 18, "b": 0},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.03,
            "yanchor": "bottom",
            "font": {"color": colours.text, "size": 12},
        },
        hovermode="x unified",
        dragmode=False,
        uirevision="training",
    )
    figure.update_yaxes(gridcolor=colours.grid, zeroline=False, fixedrange=True, automargin=True)
    figure.update_xaxes(fixedrange=True, automargin=True)


def _faded(colour: str, opacity: float) -> str:
    """ "#2458c5" as rgba with an opacity."""
    to_int: Callable[[int], int] = lambda start: int(colour[start : start + 2], 16)  # noqa: E731
    return f"rgba({to_int(1)},{to_int(3)},{to_int(5)},{opacity})"
