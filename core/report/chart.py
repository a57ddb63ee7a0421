"""One person's timeline as a Plotly figure: the same picture that `pdf_timeline` draws on paper."""

import plotly.graph_objects as go

from core.charts import LIGHT, palette
from core.report.blocks import Timeline
from core.timeline_points import Point

HEIGHT_PX = 150


def timeline_figure(timeline: Timeline, *, dark: bool = False) -> go.Figure:
    """Fake probability over time: thresholds dotted, manipulated stretches shaded, hollow points uncertain.

    The person's name stands in the page and not in the figure.
    """
    colours = palette(dark)
    colour = colours.people[timeline.order % len(LIGHT.people)]
    figure = go.Figure()
    for start_s, end_s in timeline.stretches:
        figure.add_vrect(x0=start_s, x1=end_s, fillcolor=colours.fake, opacity=0.14, line_width=0, layer="below")
    for limit in timeline.limits or ():
        figure.add_hline(y=limit, line={"color": colours.muted, "width": 1, "dash": "dot"}, layer="below")
    x, y, symbols = [], [], []
    for piece in pieces(timeline):
        x += [*(point.time_s for point in piece), None]
        y += [*(point.fake_probability for point in piece), None]
        symbols += [*("circle-open" if point.uncertain else "circle" for point in piece), "circle"]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines+markers",
            line={"color": colour, "width": 1.6},
            marker={"symbol": symbols, "color": colour, "size": 4 if len(x) > 300 else 6},
            hovertemplate="%{x:.2f} s: <b>%{y:.0%}</b><extra></extra>",
        )
    )
    text = {"color": colours.text, "size": 12}
    figure.update_layout(
        template="none",
        height=HEIGHT_PX,
        margin={"l": 48, "r": 12, "t": 6, "b": 38},
        showlegend=False,
        font=text,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode="pan",
    )
    figure.update_xaxes(
        range=[0, timeline.end_s],
        minallowed=0,
        maxallowed=timeline.end_s,
        title={"text": timeline.axis, "standoff": 4},
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        range=[-0.06, 1.06], tickvals=ticks(timeline), tickformat=".0%", fixedrange=True, showgrid=False, zeroline=False
    )
    return figure


def ticks(timeline: Timeline) -> list[float]:
    """Where the axis of probability is labelled: at its ends and at the thresholds."""
    return [0.0, *(timeline.limits or (0.5,)), 1.0]


def pieces(timeline: Timeline) -> list[list[Point]]:
    """The points in runs without a gap, so that no line claims to know the time in which the person was away."""
    limit = max(3 * timeline.step_s, 0.5)
    runs: list[list[Point]] = []
    for point in timeline.points:
        if runs and point.time_s - runs[-1][-1].time_s <= limit:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs
