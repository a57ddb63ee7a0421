"""Two videos on one axis of time: what the Compare page draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from core import charts
from core.analysis.types import VideoReport

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

ROWS = ((0.56, 0.96), (0.0, 0.40))
"""Shares of the height, from below, that the first and the second chart take; names stand above each."""


@dataclass(frozen=True)
class Row:
    """One of the two charts.

    Attributes:
        name: Stands above it, and before the people in the legend.
        report: Whose frames and tracks are drawn.
        thresholds: Of the detector that gave it.
        starts_s: Where it starts on the shared axis, in seconds.
    """

    name: str
    report: VideoReport
    thresholds: "Thresholds"
    starts_s: float = 0.0

    @property
    def end_s(self) -> float:
        """Where it ends on the shared axis, in seconds."""
        frames = self.report.frames
        return self.starts_s + max(self.report.duration_s, frames[-1].time_s if frames else 0.0, 0.1)


def compared_timelines(
    rows: tuple[Row, Row], *, cursor_s: float | None = None, dark: bool = False, height: int = 520
) -> go.Figure:
    """The timelines of two videos, one above the other: panning and zooming moves both, for there is one axis.

    Args:
        rows: The upper and the lower chart.
        cursor_s: A moment on the shared axis, marked in both.
        dark: Drawn for a dark page.
        height: In pixels.
    """
    colours = charts.palette(dark)
    figures = [charts.timeline(row.report.frames, row.report.tracks, row.thresholds, dark=dark) for row in rows]
    figure = go.Figure(layout=figures[0].layout)
    shapes: list[Any] = []
    words: list[Any] = []
    named: set[str] = set()
    for place, (row, one) in enumerate(zip(rows, figures)):
        axis = "y" if place == 0 else "y2"
        for trace in one.data:
            figure.add_trace(_moved_trace(trace, row, axis, named))
        shapes += [_moved(shape, axis, row.starts_s) for shape in one.layout.shapes]
        words += [_on_axis(note, axis) for note in one.layout.annotations]
        words.append(_name(row.name, ROWS[place][1], colours.text))
    if cursor_s is not None:
        line = {"color": colours.text, "width": 1.5}
        shapes.append({"type": "line", "x0": cursor_s, "x1": cursor_s, "yref": "paper", "y0": 0, "y1": 1, "line": line})
    span = [min(0.0, *(row.starts_s for row in rows)), max(row.end_s for row in rows)]
    lower = {**figures[1].layout.yaxis.to_plotly_json(), "domain": ROWS[1], "anchor": "x"}
    figure.update_layout(shapes=shapes, annotations=words, height=height, yaxis2=lower, margin={"t": 4})
    figure.update_layout(yaxis={"domain": ROWS[0]}, legend={"y": -0.14})
    figure.update_xaxes(
        range=span,
        minallowed=span[0],
        maxallowed=span[1],
        anchor="y2",
        showspikes=True,  # under the pointer, through both charts
        spikemode="across",
        spikesnap="cursor",
        spikethickness=1,
        spikedash="dot",
        spikecolor=colours.muted,
    )
    return figure


def _moved_trace(trace: Any, row: Row, axis: str, named: set[str]) -> Any:
    """A trace of one chart as it stands in both; words of the legend that mean the same in both stand there once."""
    person = str(trace.name).startswith("Person")
    once = person or trace.name not in named
    named.add(trace.name)
    trace.update(x=_later(trace.x, row.starts_s), yaxis=axis, showlegend=once)
    if person:
        side = row.name[:1]
        trace.update(name=f"{side} · {trace.name}", hovertemplate=f"{side} · {trace.hovertemplate}")
    return trace


def _later(x: Sequence[float | None] | None, by_s: float) -> list[float | None]:
    return [None if value is None else value + by_s for value in x or ()]


def _moved(shape: Any, axis: str, by_s: float) -> dict[str, Any]:
    """A shape as it stands on the shared axis: bands span it, stretches move along with their video."""
    moved: dict[str, Any] = _on_axis(shape, axis)
    if moved.get("xref") == "x":
        moved.update(x0=moved["x0"] + by_s, x1=moved["x1"] + by_s)
    return moved


def _on_axis(part: Any, axis: str) -> dict[str, Any]:
    moved: dict[str, Any] = part.to_plotly_json()
    moved["yref"] = str(moved.get("yref", "y")).replace("y", axis, 1)
    return moved


def _name(text: str, y: float, colour: str) -> dict[str, Any]:
    words = text if len(text) <= 60 else f"{text[:40]}…{text[-18:]}"
    safe = words.replace("&", "&amp;").replace("<", "&lt;")  # Plotly reads some HTML
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": y, "yref": "paper", "yanchor": "bottom"}
    return {"text": f"<b>{safe}</b>", "showarrow": False, "font": {"size": 13, "color": colour}, **place}
