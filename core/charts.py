"""Plotly figures: pure functions from reports to figures, drawn for a light or a dark page.

Colours carry no meaning alone: bands are labelled, uncertain points have a shape of their own, stretches have a hover.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from core.analysis.types import FrameReport, TrackReport
from core.timeline_points import Point, points_by_track, uncertain_stretches, usual_step_s

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

WEBGL_FROM = 4000
"""From so many points on, one page element a point makes the browser crawl; WebGL does not."""
UNCERTAIN_Y, FAKE_Y = -0.045, 1.045
"""Where the marks of stretches run: the uncertain ones just under 0, the manipulated ones just above 1."""


@dataclass(frozen=True)
class Palette:
    """Colours of one appearance: what is said of faces, the people, and what stays in the background."""

    fake: str
    uncertain: str
    real: str
    text: str
    muted: str
    grid: str
    paper: str
    people: tuple[str, ...]


LIGHT = Palette(
    fake="#c2303c",
    uncertain="#b9770e",
    real="#2c7a5b",
    text="#1c2430",
    muted="#667085",
    grid="rgba(102,112,133,0.18)",
    paper="rgba(252,251,249,0.55)",
    people=("#2458c5", "#7c3fc4", "#0b7d8f", "#a83e86", "#5d6a1d", "#53606f"),
)
DARK = Palette(
    fake="#ff7a80",
    uncertain="#f0b354",
    real="#5fcf9f",
    text="#e8ebf0",
    muted="#98a2b3",
    grid="rgba(152,162,179,0.18)",
    paper="rgba(18,22,28,0.55)",
    people=("#7fa8ff", "#c39bff", "#53cfe0", "#f08fcb", "#c6d46a", "#b4bfcc"),
)


def palette(dark: bool) -> Palette:
    """The colours for a dark or a light page."""
    return DARK if dark else LIGHT


def _with_gaps(points: Sequence[Point], step_s: float) -> tuple[list[float | None], list[float | None], list[str]]:
    """x, y and marker symbols, with a hole where the person was away, so that no line claims to know that time."""
    limit = max(3 * step_s, 0.5)
    x: list[float | None] = []
    y: list[float | None] = []
    symbols: list[str] = []
    for index, point in enumerate(points):
        if index and point.time_s - points[index - 1].time_s > limit:
            x, y, symbols = [*x, None], [*y, None], [*symbols, "circle"]
        x.append(point.time_s)
        y.append(point.fake_probability)
        symbols.append("diamond-open" if point.uncertain else "circle")
    return x, y, symbols


def _add_people(figure: go.Figure, people: dict[int, list[Point]], step_s: float, colours: Palette) -> None:
    many = sum(len(points) for points in people.values()) > WEBGL_FROM
    trace_type = go.Scattergl if many else go.Scatter
    for order, (track, points) in enumerate(people.items()):
        x, y, symbols = _with_gaps(points, step_s)
        colour = colours.people[order % len(colours.people)]
        marker = {"size": 4 if len(points) > 300 else 6, "symbol": symbols, "color": colour}
        figure.add_trace(
            trace_type(
                x=x,
                y=y,
                name=f"Person {track}",
                # Plotly selects nothing on lines alone: the markers are what a click finds.
                mode="lines+markers",
                line={"color": colour, "width": 1.8},
                marker=marker,
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
                hovertemplate=f"Person {track}<br>%{{x:.2f}} s: <b>%{{y:.0%}}</b><extra></extra>",
            )
        )


def _add_marks(figure: go.Figure, name: str, stretches: Iterable[tuple[float, float]], y: float, colour: str) -> None:
    """A thick line along each stretch, with a word in the legend; nothing where there is none."""
    x = [value for start_s, end_s in stretches for value in (start_s, end_s, None)]
    if x:
        heights = [None if value is None else y for value in x]
        line = {"color": colour, "width": 5}
        figure.add_trace(go.Scatter(x=x, y=heights, mode="lines", name=name, line=line, hoverinfo="skip"))


WORDS_WH = 0.35, 0.12
"""Of a timeline's width and height: what the words of a band take."""
ANCHORS = {"right": 1 - WORDS_WH[0], "left": 0.0, "center": 0.5 - WORDS_WH[0] / 2}
"""Where they may stand along the axis of time, and where they begin there."""


def _bands(
    thresholds: "Thresholds", colours: Palette, points: Sequence[Point], end_s: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The three verdicts as shapes, and their words as annotations where fewest points lie behind them."""
    low, high = thresholds.real_below, thresholds.fake_above
    # most points lie near 0 or 1: the words keep to the thresholds if they can, where few lines run
    bands = (
        (0.0, low, colours.real, "no manipulation found", ((low, "top"), (0.0, "bottom"))),
        (low, high, colours.uncertain, "uncertain", (((low + high) / 2, "middle"),)),
        (high, 1.0, colours.fake, "likely fake", ((high, "bottom"), (1.0, "top"))),
    )
    across = {"x0": 0, "x1": 1, "xref": "x domain", "yref": "y", "layer": "below"}
    shapes, notes = [], []
    for bottom, top, colour, words, heights in bands:
        line: dict[str, Any] = {"width": 0}
        shapes.append(
            {**across, "type": "rect", "y0": bottom, "y1": top, "fillcolor": colour, "opacity": 0.13, "line": line}
        )
        places = [(y, yanchor, xanchor) for y, yanchor in heights for xanchor in ANCHORS]
        y, yanchor, xanchor = min(places, key=lambda place: _behind(points, end_s, *place))
        notes.append(
            {
                "x": {"right": 1, "left": 0, "center": 0.5}[xanchor],
                "xref": "paper",
                "xanchor": xanchor,
                "y": y,
                "yanchor": yanchor,
                "text": words,
                "font": {"size": 11, "color": colour},
                "showarrow": False,
                "bgcolor": colours.paper,  # a line that runs there all the same passes behind the words
            }
        )
    for edge in (low, high):
        line = {"color": colours.muted, "width": 1, "dash": "dot"}
        shapes.append({**across, "type": "line", "y0": edge, "y1": edge, "line": line})
    return shapes, notes


def _behind(points: Sequence[Point], end_s: float, y: float, yanchor: str, xanchor: str) -> int:
    """How many points words at this place would cover."""
    (width, height), start = WORDS_WH, ANCHORS[xanchor]
    foot = y - height * {"bottom": 0.0, "middle": 0.5, "top": 1.0}[yanchor]
    return sum(
        start <= one.time_s / end_s <= start + width and foot <= one.fake_probability <= foot + height for one in points
    )


def _upright(start_s: float, end_s: float, **look: Any) -> dict[str, Any]:
    """A shape from the top of the chart to its foot."""
    return {"x0": start_s, "x1": end_s, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain", **look}


def timeline(
    frames: Sequence[FrameReport],
    tracks: Sequence[TrackReport],
    thresholds: "Thresholds",
    *,
    duration_s: float | None = None,
    cursor_s: float | None = None,
    dark: bool = False,
    height: int = 360,
) -> go.Figure:
    """Fake probability over time: one line a person, the three verdicts as bands, manipulated stretches shaded.

    Args:
        frames: Analysed frames in the order of time; may be those so far of an analysis that still runs.
        tracks: The people, whose manipulated stretches are shaded; empty while it runs.
        thresholds: Where the bands lie.
        duration_s: How far the axis of time reaches; to the last frame if None.
        cursor_s: The moment that the page shows, marked by a line; none if None.
        dark: Drawn for a dark page.
        height: In pixels.
    """
    colours = palette(dark)
    people, step_s = points_by_track(frames), usual_step_s(frames)
    manipulated = [(stretch.start_s, stretch.end_s) for track in tracks for stretch in track.stretches]
    uncertain = [stretch for points in people.values() for stretch in uncertain_stretches(points, step_s)]
    end_s = max([duration_s or 0.0, 0.1, *(frame.time_s for frame in frames[-1:])])
    figure = go.Figure()
    shapes, notes = _bands(thresholds, colours, [point for points in people.values() for point in points], end_s)
    shade: dict[str, Any] = {"fillcolor": colours.fake, "opacity": 0.08, "line": {"width": 0}, "layer": "below"}
    shapes += [_upright(*stretch, type="rect", **shade) for stretch in manipulated]
    _add_people(figure, people, step_s, colours)
    _add_marks(figure, "Looks manipulated", manipulated, FAKE_Y, colours.fake)
    _add_marks(figure, "Uncertain", uncertain, UNCERTAIN_Y, colours.uncertain)
    if cursor_s is not None:
        shapes.append(_upright(cursor_s, cursor_s, type="line", line={"color": colours.text, "width": 1.5}))
    # All at once: Plotly's add_hrect and its like look through the figure anew for each, 60 ms in all.
    figure.update_layout(
        shapes=shapes,
        annotations=notes,
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "font": {"color": colours.text}},
        hovermode="closest",
        dragmode="pan",
        clickmode="event+select",
        # A click anywhere on the chart means the nearest moment; the usual 20 px are hard to hit with a thumb.
        hoverdistance=-1,
        uirevision="timeline",
    )
    figure.update_xaxes(
        range=[0, end_s], minallowed=0, maxallowed=end_s, title_text="Seconds", showgrid=False, zeroline=False
    )
    figure.update_yaxes(
        range=[-0.08, 1.08],
        title_text="Fake probability",
        **_marks([0, thresholds.real_below, thresholds.fake_above, 1]),
        gridcolor="rgba(0,0,0,0)",
        zeroline=False,
        fixedrange=True,
        automargin=True,
    )
    return figure


def _marks(shares: Sequence[float]) -> dict[str, list[Any]]:
    """Ticks at these shares, written as percentages are in sentences."""
    return {"tickvals": list(shares), "ticktext": [f"{100 * share:.0f} %" for share in shares]}


WORD = 0.15
"""Of a strip's width: what a percentage takes. An end closer to a limit has no number of its own."""


def probability_strip(
    fake_probability: float, thresholds: "Thresholds", *, dark: bool = False, height: int = 68
) -> go.Figure:
    """Where one fake probability (0..1) lies between the two thresholds: a small scale with a marker."""
    colours = palette(dark)
    figure = go.Figure()
    limits = thresholds.real_below, thresholds.fake_above
    edges = [0.0, *limits, 1.0]
    for left, right, colour in zip(edges, edges[1:], (colours.real, colours.uncertain, colours.fake), strict=False):
        figure.add_shape(
            type="rect", x0=left, x1=right, y0=0, y1=1, fillcolor=colour, opacity=0.3, line_width=0, layer="below"
        )
    marker = {"symbol": "line-ns", "size": 20, "line": {"width": 4, "color": colours.text}}
    figure.add_trace(go.Scatter(x=[fake_probability], y=[0.5], mode="markers", marker=marker, hoverinfo="skip"))
    figure.update_layout(height=height, margin={"l": 12, "r": 18, "t": 4, "b": 22}, showlegend=False)
    figure.update_xaxes(
        range=[-0.005, 1.005],
        **_marks([edge for edge in edges if edge in limits or all(abs(edge - one) > WORD for one in limits)]),
        tickangle=0,  # rather than Plotly's slant where there is little room
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        tickfont={"size": 11, "color": colours.muted},
    )
    figure.update_yaxes(range=[-0.35, 1.35], visible=False, fixedrange=True)
    return figure
