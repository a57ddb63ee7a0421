"""An evaluation as one HTML file: all inside, nothing fetched, light or dark as the reader's system is, printable.

Plotly's script is in it once. Each chart is in it twice, in light and in dark colours, and the fitting one is drawn.
Names come from folders of strangers: every one of them is escaped, in text as in the charts' data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, get_args

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from core import evaluation_charts as charts
from core.detector.spec import Thresholds
from core.evaluation.changes import KINDS
from core.evaluation.document import Document
from core.evaluation.mistakes import most_confident
from core.evaluation.robustness import kinds_in
from core.evaluation.text import (
    EXPLANATION_HEAD,
    explanation_rows,
    explanation_words,
    interval,
    number,
    percent,
    share_with_interval,
    signed_interval,
)
from core.evaluation_html.style import SCRIPT, STYLE

Draw = Callable[[bool], go.Figure]
CONFIG = {"displayModeBar": False, "responsive": True}
LISTED = 20


def as_html(document: Document) -> str:
    """The whole file."""
    page = _Page()
    body = "\n".join(_sections(document, page))
    title = escape(f"Evaluation of {document['detector']['name']} on {document['data']['name']}")
    script = SCRIPT % json.dumps(CONFIG)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        f'<script type="application/json" id="charts">{page.data()}</script>\n'
        f"<script>{get_plotlyjs()}</script>\n<script>{script}</script>\n</body>\n</html>\n"
    )


class _Page:
    """Gathers the charts while the text is written."""

    def __init__(self) -> None:
        self._charts: dict[str, dict[str, Any]] = {}

    def chart(self, title: str, caption: str, draw: Draw) -> str:
        """A card that holds a chart in both colours."""
        name = f"chart-{len(self._charts)}"
        self._charts[name] = {look: draw(look == "dark").to_plotly_json() for look in ("light", "dark")}
        height = self._charts[name]["light"]["layout"]["height"]
        return (
            f"<figure><h3>{escape(title)}</h3>"
            f'<div id="{name}" role="img" aria-label="{escape(title)}" style="height:{height}px"></div>'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def data(self) -> str:
        """JSON that cannot end the script element it stands in."""
        text = json.dumps(self._charts, cls=_Encoder, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class _Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return o.tolist() if hasattr(o, "tolist") else list(o)


def _sections(document: Document, page: _Page) -> Iterator[str]:
    yield _head(document)
    yield _figures(document)
    yield from _curves(document, page)
    yield from _decisions(document, page)
    yield from _columns(document)
    if document.get("comparison"):
        yield from _comparison(document, page)
    if document.get("robustness"):
        yield from _robustness(document["robustness"], page)
    if document.get("gates"):
        yield from _gates(document["gates"], page)
    if document.get("explanations"):
        yield from _explanations(document["explanations"], page)
    yield from _mistakes(document)


def _head(document: Document) -> str:
    detector, data = document["detector"], document["data"]
    limits = detector["thresholds"]
    how = (
        f"{data['split']} split, measured {document['created'][:10]} in {document['seconds']:g} s with "
        f"{detector['engine']} ({detector['precision']}). Below {percent(limits['real_below'])} it says “no "
        f"manipulation found”, from {percent(limits['fake_above'])} on “fake”, between them “uncertain”."
    )
    return (
        f"<h1>{escape(detector['name'])} on {escape(data['name'])}</h1><p>{escape(how)}</p>"
        f'<p class="muted">Weights {escape(detector["sha256"][:16])}…; intervals are 95 % and by bootstrap unless said '
        "otherwise. They tell of chance, not of other data: on media unlike these a detector does worse.</p>"
    )


def _table(head: list[str], rows: list[list[str]], path_column: bool = False) -> str:
    """Cells are escaped here, and only here."""
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    for first, *others in rows:
        opening = '<td class="path">' if path_column else "<td>"
        lines.append(f"{opening}{escape(first)}</td>" + "".join(f"<td>{escape(cell)}</td>" for cell in others))
    return '<div class="wide"><table>' + "".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"


HEAD = ["real", "fake", "no face", "AUC", "95 % interval", "EER", "real called fake", "fake called real", "uncertain"]


def _cells(figures: Mapping[str, Any]) -> list[str]:
    counts = [str(figures[key]) for key in ("real", "fake", "no_face")]
    areas = [number(figures["auc"]), interval(figures["auc_95"]), percent(figures["eer"])]
    return [*counts, *areas, *(percent(figures[key]) for key in ("real_called_fake", "fake_called_real", "uncertain"))]


def _figures(document: Document) -> str:
    baseline = document.get("baseline") or {}
    head, rows = ["source", *HEAD], []
    for part, figures in document["figures"].items():
        low = [number(baseline.get(part, {}).get("auc"))] if baseline else []
        rows.append([part, *_cells(figures), *low])
    words = ""
    if baseline:
        head.append("spectrum alone")
        words = (
            '<p class="muted">The last column is the AUC of a logistic regression on the spectrum of the same crops. '
            "Where it is high, a source can be told apart without knowing anything about faces.</p>"
        )
    return f"<h2>Figures</h2>{_table(head, rows)}{words}"


def _columns(document: Document) -> Iterator[str]:
    for column, values in (document.get("columns") or {}).items():
        yield f"<h2>By {escape(column)}</h2>"
        rows = [[value, *_cells(figures), figures["against"] or ""] for value, figures in values.items()]
        yield _table([column, *HEAD, "against"], rows)


def _curves(document: Document, page: _Page) -> Iterator[str]:
    curves = document["curves"]
    if not any(curves.values()):
        return
    yield '<h2>How well it ranks</h2><div class="grid">'
    yield page.chart(
        "ROC", "Fakes found over reals called fake, at every threshold.", lambda dark: charts.roc(curves, dark=dark)
    )
    yield page.chart(
        "Precision and recall",
        "For as many fakes as reals, whatever the folder holds.",
        lambda dark: charts.precision_recall(curves, dark=dark),
    )
    yield "</div>"


def _decisions(document: Document, page: _Page) -> Iterator[str]:
    items, limits = document["items"], Thresholds(**document["detector"]["thresholds"])
    judged = [(p, fake) for p, fake in zip(items["fake_probability"], items["fake"], strict=True) if p is not None]
    error = document["calibration"].get("all")
    yield '<h2>What its numbers mean</h2><div class="grid">'
    if error:
        yield page.chart(
            "Calibration",
            f"Calibration error at equal base rates, debiased: {number(error['ece'])} "
            f"(95 % {interval(error['ece_95'])}); Brier score {number(error['brier'])}.",
            lambda dark: charts.calibration(error["bins"], dark=dark),
        )
    yield page.chart(
        "Spread of the probabilities",
        "Fakes upwards, reals downwards; dashed are the thresholds.",
        lambda dark: charts.histogram([p for p, _ in judged], [fake for _, fake in judged], limits, dark=dark),
    )
    yield "</div>"


def _comparison(document: Document, page: _Page) -> Iterator[str]:
    comparison = document["comparison"]
    name, other = document["detector"]["name"], comparison["other"]["name"]
    other = f"{other} {comparison['other']['sha256'][:8]}" if other == name else other
    rows = []
    for part, f in comparison["figures"].items():
        tests = [
            cell
            for way in ("delong", "bootstrap")
            for cell in (signed_interval(f[way]["difference_95"]), f"{f[way]['p']:.3g}")
        ]
        rows.append(
            [part, str(f["items"]), number(f["auc"]), number(f["other_auc"]), f"{f['difference']:+.3f}", *tests]
        )
    head = ["source", "faces", name, other, "difference", "95 % (DeLong)", "p", "95 % (bootstrap)", "p"]
    yield f"<h2>Against {escape(other)}</h2>{_table(head, rows)}<div class='grid'>"
    yield page.chart(
        "Difference in AUC",
        "On the same media, with DeLong's 95 % interval. An interval that holds 0 shows no difference.",
        lambda dark: charts.difference(comparison["figures"], dark=dark),
    )
    yield "</div>"


def _robustness(measured: dict[str, Any], page: _Page) -> Iterator[str]:
    levels, clean = measured["levels"], measured["untouched"]
    pictures = clean["all"]["real"] + clean["all"]["fake"]
    yield f"<h2>Robustness</h2><p>AUC on changed copies of the same {pictures} pictures.</p><div class='grid'>"
    for kind in kinds_in(levels):
        draw = _robustness_chart(levels, kind, clean)
        yield page.chart(KINDS[kind].title, "", draw)
    yield "</div>"


def _robustness_chart(levels: list[dict[str, Any]], kind: str, clean: dict[str, Any]) -> Draw:
    return lambda dark: charts.robustness(levels, kind, list(clean), clean, dark=dark)


def _gates(gates: dict[str, Any], page: _Page) -> Iterator[str]:
    yield "<h2>Where it errs</h2><p>Wrong verdicts by quality of the face, as if no gate stood in the way.</p>"
    for gate in gates.values():
        asked = "none" if gate["suggested"] is None else f"{gate['suggested']:g}"
        rows = [
            [charts.bin_label(one, gate), *(str(one[label]) for label in ("real", "fake"))]
            + [number(one["auc"]), interval(one["auc_95"])]
            + [share_with_interval(one, key) for key in ("real_called_fake", "fake_called_real")]
            for one in gate["bins"]
            if one["real"] + one["fake"]
        ]
        yield f"<h3>{escape(gate['title'])}</h3>"
        yield f'<p class="muted">Limit in use {gate["in_use"]:g}; asked for: {asked}.</p>'
        yield page.chart("AUC", "", partial(_gate_chart, gate))
        yield _table(["range", "real", "fake", "AUC", "95 %", "real called fake", "fake called real"], rows)


def _gate_chart(gate: dict[str, Any], dark: bool) -> go.Figure:
    return charts.gate(gate, dark=dark)


def _explanations(measured: dict[str, Any], page: _Page) -> Iterator[str]:
    yield f"<h2>Explanations</h2><p>{escape(explanation_words(measured))}</p>"
    yield _table(list(EXPLANATION_HEAD), explanation_rows(measured))
    yield f'<p class="muted">{escape(measured["rule"])}</p><div class="grid">'
    for which in get_args(charts.Which):
        caption = "Lower is better." if which == "deletion" else "Higher is better."
        yield page.chart(which.capitalize(), caption, partial(_faithfulness_chart, measured, which))
    yield "</div>"


def _faithfulness_chart(measured: dict[str, Any], which: charts.Which, dark: bool) -> go.Figure:
    return charts.faithfulness(measured, which, dark=dark)


def _mistakes(document: Document) -> Iterator[str]:
    items = document["items"]
    if "path" not in items:
        return
    rows = [
        [
            "/".join(Path(items["path"][at]).parts[-4:]),
            items["source"][at],
            items["label"][at],
            percent(items["fake_probability"][at]),
        ]
        for at in most_confident(items, LISTED)
    ]
    if rows:
        yield "<h2>Most confident mistakes</h2>"
        yield _table(["file", "source", "is", "fake probability"], rows, path_column=True)
