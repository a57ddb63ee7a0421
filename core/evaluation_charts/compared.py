"""AUC side by side: sources, detectors, changed copies, qualities of the face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go

from core.charts import palette
from core.evaluation.changes import KINDS
from core.evaluation.text import difference_interval, interval, interval_words, signed_interval
from core.evaluation_charts.look import BANDS, DASHES, Part, auc_axis, band, bars, dress, edges_of, text


def areas(
    figures: Mapping[str, Part], baseline: Mapping[str, Part], *, dark: bool = False, height: int | None = None
) -> go.Figure:
    """AUC with its interval by part, and beside it, hollow, that of the spectrum alone."""
    colours, figure = palette(dark), go.Figure()
    rows = [(name, f) for name, f in figures.items() if f.get("auc") is not None]
    spectrum = [(name, f) for name, f in baseline.items() if f.get("auc") is not None and name in figures]
    looks = (
        ("This detector", rows, "circle", colours.people[0]),
        ("Spectrum alone", spectrum, "diamond-open", colours.muted),
    )
    for title, points, symbol, colour in looks:
        edges = [edges_of(point) for _, point in points]
        values = [point["auc"] for _, point in points]
        thickness = 2 if symbol == "circle" else 1
        if points:
            figure.add_trace(
                go.Scatter(
                    x=values,
                    y=[text(name) for name, _ in points],
                    error_x={**bars(values, edges), "color": colour, "thickness": thickness, "width": 5},
                    customdata=[[interval(pair)] for pair in edges],
                    mode="markers",
                    name=title,
                    marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2}},
                    hovertemplate=f"{title}, %{{y}}<br>AUC <b>%{{x:.3f}}</b> (%{{customdata[0]}})<extra></extra>",
                )
            )
    figure.add_vline(x=0.5, line={"color": colours.muted, "width": 1, "dash": "dot"})
    dress(figure, colours, height or 120 + 36 * len(rows), "AUC: 0.5 is chance, 1 is perfect", "")
    figure.update_xaxes(**auc_axis(_shown(f for _, f in [*rows, *spectrum]), 0.47))
    figure.update_yaxes(categoryorder="array", categoryarray=[text(name) for name, _ in rows][::-1])
    return figure


def _shown(parts: Iterable[Part]) -> list[float | None]:
    """All that is drawn of them: the areas and the lower edges of their intervals."""
    return [value for part in parts for value in (part.get("auc"), edges_of(part)[0])]


def difference(figures: Mapping[str, Part], *, dark: bool = False, height: int | None = None) -> go.Figure:
    """AUC of one detector minus that of the other by part, with its 95 % interval; 0 is no difference.

    The interval is DeLong's, or the bootstrap's by groups where DeLong's does not hold; the axis says which.
    """
    colours, figure = palette(dark), go.Figure()
    names = list(figures)
    values = [figures[name]["difference"] for name in names]
    edges = [difference_interval(figures[name]) for name in names]
    colour = colours.people[0]
    hover = "%{y}: <b>%{x:+.3f}</b> (%{customdata[0]})<extra></extra>"
    figure.add_trace(
        go.Scatter(
            x=values,
            y=[text(name) for name in names],
            error_x={**bars(values, edges), "color": colour, "thickness": 2, "width": 6},
            customdata=[[signed_interval(pair)] for pair in edges],
            mode="markers",
            marker={"size": 10, "color": colour},
            hovertemplate=hover,
        )
    )
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1, "dash": "dot"})
    dress(
        figure,
        colours,
        height or 126 + 34 * len(names),
        f"← other · better by · this →<br>95 % interval: {interval_words(figures.values())}",
        "",
    )
    figure.update_layout(showlegend=False)
    reach = 1.15 * max(0.02, *(abs(edge) for pair in [values, *edges] for edge in pair if edge is not None))
    figure.update_xaxes(range=[-reach, reach], tickformat="+.2f")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def robustness(
    levels: Sequence[Part],
    kind: str,
    parts: Sequence[str],
    clean: Mapping[str, Part],
    *,
    dark: bool = False,
    height: int | None = None,
) -> go.Figure:
    """AUC of one kind of change, from the untouched pictures on to the strongest; bands as in `roc`.

    Args:
        levels: The document's `robustness`.
        kind: One of `KINDS`.
        parts: Whose lines are drawn.
        clean: AUC and interval of the same pictures untouched, by part.
        dark: Drawn for a dark page.
        height: In pixels; by default as much as the legend asks for.
    """
    colours, figure = palette(dark), go.Figure()
    chosen = [level for level in levels if level["kind"] == kind]
    ticks = ["as is", *(f"{level['level']:g}" for level in chosen)]
    for order, part in enumerate(parts):
        points = [clean.get(part, {}), *(level["figures"].get(part, {}) for level in chosen)]
        y = [point.get("auc") for point in points]
        edges = [edges_of(point) for point in points]
        colour = colours.people[order % len(colours.people)]
        known = [at for at, (low, high) in enumerate(edges) if low is not None and high is not None]
        if order == 0 or len(parts) <= BANDS:
            band(figure, known, [edges[at][0] for at in known], [edges[at][1] for at in known], colour)
        line = {"color": colour, "width": 2, "dash": DASHES[order % len(DASHES)]}
        figure.add_trace(
            go.Scatter(
                x=list(range(len(ticks))),
                y=y,
                mode="lines+markers",
                line=line,
                marker={"size": 6, "color": colour},
                customdata=[[text(label), interval(edge)] for label, edge in zip(ticks, edges, strict=True)],
                name=text(part),
                hovertemplate=f"{text(part)}, %{{customdata[0]}}<br>AUC <b>%{{y:.3f}}</b> "
                "(%{customdata[1]})<extra></extra>",
            )
        )
    lines = 0 if len(parts) == 1 else 1 + len(parts) // 2  # of the legend, on a narrow screen
    dress(figure, colours, height or 230 + 24 * lines, _unit(kind), "AUC")
    figure.update_layout(showlegend=len(parts) > 1)
    # level in every chart: on a narrow one some would be tilted
    figure.update_xaxes(tickvals=list(range(len(ticks))), ticktext=ticks, tickangle=0, range=[-0.2, len(ticks) - 0.8])
    # one axis for all kinds, which stand beside each other
    every = [clean, *(level["figures"] for level in levels)]
    figure.update_yaxes(**auc_axis(_shown(figures.get(part, {}) for figures in every for part in parts), 0.4))
    return figure


def _unit(kind: str) -> str:
    """What the levels of a kind are: "Quality", "Factor", "Kernel, px"."""
    words = KINDS[kind].unit.replace("×", "factor").replace(" {} ", ", ").replace("{}", "").strip()
    return words[:1].upper() + words[1:]


def gate(measured: Part, *, dark: bool = False, height: int = 260) -> go.Figure:
    """AUC by one figure of face quality, with 95 % intervals, and where the limit in use lies among the bins.

    Args:
        measured: One entry of the document's `gates`.
        dark: Drawn for a dark page.
        height: In pixels.
    """
    colours, figure = palette(dark), go.Figure()
    bins = [one for one in measured["bins"] if one["auc"] is not None]
    labels = [bin_label(one, measured) for one in bins]
    values, edges = [one["auc"] for one in bins], [edges_of(one) for one in bins]
    figure.add_trace(
        go.Scatter(
            x=labels,
            y=values,
            error_y={**bars(values, edges), "color": colours.people[0], "thickness": 1.2, "width": 4},
            customdata=[[one["real"], one["fake"]] for one in bins],
            mode="lines+markers",
            line={"color": colours.people[0], "width": 2},
            marker={"size": 8},
            hovertemplate="%{x}: AUC <b>%{y:.3f}</b><br>%{customdata[0]} real, %{customdata[1]} fake<extra></extra>",
        )
    )
    below = sum(one["from"] < measured["in_use"] for one in bins)
    if 0 < below < len(bins):
        figure.add_vline(x=below - 0.5, line={"color": colours.text, "width": 1.2, "dash": "dash"})
        font = {"size": 11, "color": colours.muted}
        figure.add_annotation(
            x=below - 0.5, y=1, yref="paper", yanchor="bottom", text="limit in use", font=font, showarrow=False
        )
    dress(figure, colours, height, measured["title"], "AUC")
    figure.update_layout(showlegend=False)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(**auc_axis(_shown(bins), 0.35))
    return figure


def bin_label(one: Part, measured: Part) -> str:
    """ "40 to 56"; "200 and more" for the last, whose upper edge is only there to hold everything."""
    if one["to"] == measured["bins"][-1]["to"]:
        return f"{one['from']:g} and more"
    return f"{one['from']:g} to {one['to']:g}"
