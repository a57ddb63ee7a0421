"""Plotly figures of an evaluation: pure functions from its document to figures, for a light or a dark page.

Lines are told apart by dashes as well as by colour, bands are named in the hover, and no figure needs a legend's colour
alone to be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from core.charts import Palette, palette
from core.evaluation.changes import KINDS

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

HEIGHT = 380
BANDS = 2
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SHARES = {"tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1], "tickformat": ".0%"}
Part = Mapping[str, Any]


def roc(curves: Mapping[str, Part | None], *, dark: bool = False, height: int = HEIGHT) -> go.Figure:
    """ROC curves by name as given; names whose curve is None are left out.

    Up to two have their 95 % bands, of more only the first: bands over bands hide what they shall show.
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
    for order, (name, curve) in enumerate(drawn.items()):
        colour = colours.people[order % len(colours.people)]
        if order == 0 or len(drawn) <= BANDS:
            _band(figure, curve["x"], curve["low"], curve["high"], colour)
        line = {"color": colour, "width": 2, "dash": DASHES[order % len(DASHES)]}
        hover = f"{_text(name)}<br>{x_title} %{{x:.0%}}<br>{y_title} <b>%{{y:.1%}}</b><extra></extra>"
        figure.add_trace(
            go.Scatter(x=curve["x"], y=curve["y"], mode="lines", line=line, name=_text(name), hovertemplate=hover)
        )
    _dress(figure, colours, height, x_title, y_title)
    figure.update_xaxes(range=[-0.01, 1.01], **SHARES)
    figure.update_yaxes(range=[-0.01, 1.01], **SHARES)
    return figure


def calibration(bins: Sequence[Part], *, dark: bool = False, height: int = HEIGHT) -> go.Figure:
    """Observed share of fakes over the probability that was given, with 95 % intervals; the diagonal is perfect."""
    colours = palette(dark)
    x, y = [one["predicted"] for one in bins], [one["observed"] for one in bins]
    up = [one["observed_95"][1] - one["observed"] for one in bins]
    down = [one["observed"] - one["observed_95"][0] for one in bins]
    counts = [one["count"] for one in bins]
    colour = colours.people[0]
    errors = {"type": "data", "array": up, "arrayminus": down, "color": colour, "thickness": 1.2, "width": 4}
    figure = go.Figure()
    perfect = {"color": colours.muted, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=perfect, name="Perfect", hoverinfo="skip"))
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            error_y=errors,
            customdata=counts,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 8, "color": colour},
            name="This detector",
            hovertemplate="said %{x:.1%}<br>were fake <b>%{y:.1%}</b><br>%{customdata} faces<extra></extra>",
        )
    )
    _dress(figure, colours, height, "Probability it gave", "Share that was fake")
    figure.update_xaxes(range=[-0.02, 1.02], **SHARES)
    figure.update_yaxes(range=[-0.02, 1.02], **SHARES)
    return figure


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
        share = counts / max(1, counts.sum())
        figure.add_trace(
            go.Bar(
                x=middles,
                y=sign * share,
                width=1 / bins,
                customdata=np.stack([counts, share, edges[:-1], edges[1:]], axis=1),
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                opacity=0.85,
                hovertemplate=f"{name} given %{{customdata[2]:.0%}} to %{{customdata[3]:.0%}}: "
                "<b>%{customdata[0]}</b> (%{customdata[1]:.1%})<extra></extra>",
            )
        )
    _thresholds(figure, thresholds, colours)
    _dress(figure, colours, height, "Fake probability", "Share of the class")
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(range=[0, 1], **SHARES)
    figure.update_yaxes(tickformat=".0%", zeroline=True, zerolinecolor=colours.muted, showticklabels=False)
    return figure


def _thresholds(figure: go.Figure, thresholds: Thresholds, colours: Palette) -> None:
    for edge, words, anchor in (
        (thresholds.real_below, "real below", "right"),
        (thresholds.fake_above, "fake from here", "left"),
    ):
        figure.add_vline(x=edge, line={"color": colours.text, "width": 1.2, "dash": "dash"})
        font = {"size": 11, "color": colours.muted}
        figure.add_annotation(
            x=edge, y=1, yref="paper", yanchor="bottom", xanchor=anchor, text=words, font=font, showarrow=False
        )


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
    ticks = ["untouched", *(f"{level['level']:g}" for level in chosen)]
    for order, part in enumerate(parts):
        points = [clean.get(part, {}), *(level["figures"].get(part, {}) for level in chosen)]
        y = [point.get("auc") for point in points]
        edges = [point.get("auc_95") or [None, None] for point in points]
        colour = colours.people[order % len(colours.people)]
        known = [at for at, (low, high) in enumerate(edges) if low is not None and high is not None]
        if order == 0 or len(parts) <= BANDS:
            _band(figure, known, [edges[at][0] for at in known], [edges[at][1] for at in known], colour)
        line = {"color": colour, "width": 2, "dash": DASHES[order % len(DASHES)]}
        figure.add_trace(
            go.Scatter(
                x=list(range(len(ticks))),
                y=y,
                mode="lines+markers",
                line=line,
                marker={"size": 6, "color": colour},
                customdata=[[_text(label), *edge] for label, edge in zip(ticks, edges, strict=True)],
                name=_text(part),
                hovertemplate=f"{_text(part)}, %{{customdata[0]}}<br>AUC <b>%{{y:.3f}}</b> "
                "(%{customdata[1]:.3f} to %{customdata[2]:.3f})<extra></extra>",
            )
        )
    lines = 0 if len(parts) == 1 else 1 + len(parts) // 2  # of the legend, on a narrow screen
    _dress(figure, colours, height or 230 + 24 * lines, _unit(kind), "AUC")
    figure.update_layout(showlegend=len(parts) > 1)
    figure.update_xaxes(tickvals=list(range(len(ticks))), ticktext=ticks, range=[-0.2, len(ticks) - 0.8])
    figure.update_yaxes(range=[0.4, 1.01], tickformat=".1f", dtick=0.1)
    return figure


def confusion_matrix(real: Sequence[int], fake: Sequence[int], *, dark: bool = False, height: int = 250) -> go.Figure:
    """What reals and fakes were called, as counts and shares of each; right is green, wrong red, the rest amber."""
    colours = palette(dark)
    columns = ("called real", "uncertain", "called fake")
    hues = ((colours.real, colours.uncertain, colours.fake), (colours.fake, colours.uncertain, colours.real))
    figure = go.Figure()
    for row, (counts, hue) in enumerate(zip((real, fake), hues, strict=True)):
        total = max(1, sum(counts))
        for column, count in enumerate(counts):
            share = count / total
            x0, y0 = column + 0.03, row + 0.04
            figure.add_shape(
                type="rect",
                x0=x0,
                x1=x0 + 0.94,
                y0=y0,
                y1=y0 + 0.92,
                fillcolor=hue[column],
                opacity=0.10 + 0.55 * share,
                line_width=0,
                layer="below",
            )
            figure.add_annotation(
                x=column + 0.5,
                y=row + 0.5,
                text=f"<b>{_share(share)}</b><br>{count}",
                font={"size": 15, "color": colours.text},
                showarrow=False,
            )
    tick = {"showgrid": False, "zeroline": False, "fixedrange": True, "tickfont": {"color": colours.text, "size": 13}}
    figure.add_trace(go.Scatter(x=[0, 3], y=[0, 2], mode="markers", marker={"opacity": 0}, hoverinfo="skip"))
    figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)
    figure.update_xaxes(range=[0, 3], tickvals=[0.5, 1.5, 2.5], ticktext=columns, side="top", **tick)
    figure.update_yaxes(range=[2, 0], tickvals=[0.5, 1.5], ticktext=["real", "fake"], automargin=True, **tick)
    return figure


def difference(figures: Mapping[str, Part], *, dark: bool = False, height: int | None = None) -> go.Figure:
    """AUC of one detector minus that of the other by part, with DeLong's 95 % interval; 0 is no difference."""
    colours, figure = palette(dark), go.Figure()
    names = list(figures)
    values = [figures[name]["difference"] for name in names]
    edges = [figures[name]["delong"]["difference_95"] for name in names]
    colour = colours.people[0]
    errors = {
        "type": "data",
        "array": [high - value for value, (_, high) in zip(values, edges, strict=True)],
        "arrayminus": [value - low for value, (low, _) in zip(values, edges, strict=True)],
        "color": colour,
        "thickness": 2,
        "width": 6,
    }
    hover = "%{y}: <b>%{x:+.3f}</b> (%{customdata[0]:+.3f} to %{customdata[1]:+.3f})<extra></extra>"
    figure.add_trace(
        go.Scatter(
            x=values,
            y=[_text(name) for name in names],
            error_x=errors,
            customdata=edges,
            mode="markers",
            marker={"size": 10, "color": colour},
            hovertemplate=hover,
        )
    )
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1, "dash": "dot"})
    _dress(
        figure,
        colours,
        height or 110 + 34 * len(names),
        "← other · better by · this →",
        "",
    )
    figure.update_layout(showlegend=False)
    reach = 1.15 * max([0.02, *(abs(edge) for pair in edges for edge in pair)])
    figure.update_xaxes(range=[-reach, reach], tickformat="+.2f")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


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
        edges = [point["auc_95"] for _, point in points]
        values = [point["auc"] for _, point in points]
        pairs = list(zip(values, edges, strict=True))
        bars = {
            "type": "data",
            "array": [(high or value) - value for value, (_, high) in pairs],
            "arrayminus": [value - (low or value) for value, (low, _) in pairs],
            "color": colour,
            "thickness": 2 if symbol == "circle" else 1,
            "width": 5,
        }
        if points:
            figure.add_trace(
                go.Scatter(
                    x=values,
                    y=[_text(name) for name, _ in points],
                    error_x=bars,
                    customdata=edges,
                    mode="markers",
                    name=title,
                    marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2}},
                    hovertemplate=f"{title}, %{{y}}<br>AUC <b>%{{x:.3f}}</b> "
                    "(%{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
                )
            )
    figure.add_vline(x=0.5, line={"color": colours.muted, "width": 1, "dash": "dot"})
    _dress(figure, colours, height or 120 + 36 * len(rows), "AUC: 0.5 is chance, 1 is perfect", "")
    lowest = min([0.5, *(f["auc_95"][0] or 1.0 for _, f in [*rows, *spectrum])])
    figure.update_xaxes(range=[lowest - 0.03, 1.01], tickformat=".1f", dtick=0.1)
    figure.update_yaxes(categoryorder="array", categoryarray=[_text(name) for name, _ in rows][::-1])
    return figure


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
    errors = {
        "type": "data",
        "array": [one["auc_95"][1] - one["auc"] for one in bins],
        "arrayminus": [one["auc"] - one["auc_95"][0] for one in bins],
        "color": colours.people[0],
        "thickness": 1.2,
        "width": 4,
    }
    figure.add_trace(
        go.Scatter(
            x=labels,
            y=[one["auc"] for one in bins],
            error_y=errors,
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
    _dress(figure, colours, height, measured["title"], "AUC")
    figure.update_layout(showlegend=False)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(range=[0.35, 1.02], tickvals=[0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1], tickformat=".1f")
    return figure


def bin_label(one: Part, measured: Part) -> str:
    """ "40 to 56"; "200 and more" for the last, whose upper edge is only there to hold everything."""
    if one["to"] == measured["bins"][-1]["to"]:
        return f"{one['from']:g} and more"
    return f"{one['from']:g} to {one['to']:g}"


def _band(figure: go.Figure, x: Sequence[Any], low: Sequence[Any], high: Sequence[Any], colour: str) -> None:
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


def _dress(figure: go.Figure, colours: Palette, height: int, x_title: str, y_title: str) -> None:
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


def _unit(kind: str) -> str:
    """What the levels of a kind are: "Quality", "Factor", "Kernel, px"."""
    words = KINDS[kind].unit.replace("×", "factor").replace(" {} ", ", ").replace("{}", "").strip()
    return words[:1].upper() + words[1:]


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"


def _text(name: str) -> str:
    """A name from a folder, which Plotly would read as HTML."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
