"""Sections of the HTML file on how far a detector carries: another detector, robustness, face quality, heatmaps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from html import escape
from typing import Any, get_args

import plotly.graph_objects as go

from core import evaluation_charts as charts
from core.evaluation.changes import KINDS
from core.evaluation.document import Document
from core.evaluation.gates import asked
from core.evaluation.parts import ALL
from core.evaluation.robustness import kinds_in
from core.evaluation.text import (
    EXPLANATION_HEAD,
    UNDECIDED,
    explanation_rows,
    explanation_words,
    interval,
    interval_words,
    number,
    p_value,
    robustness_rows,
    share_with_interval,
    signed_interval,
)
from core.evaluation_html.page import Draw, Page, table


def comparison(document: Document, page: Page) -> Iterator[str]:
    """Two detectors on the same media."""
    measured = document["comparison"]
    name, other = document["detector"]["name"], measured["other"]["name"]
    other = f"{other} {measured['other']['sha256'][:8]}" if other == name else other
    rows = []
    for part, f in measured["figures"].items():
        tests = [
            cell
            for way in ("delong", "bootstrap")
            for cell in (signed_interval(f[way]["difference_95"]), p_value(f[way]["p"]))
        ]
        rows.append(
            [part, str(f["items"]), number(f["auc"]), number(f["other_auc"]), f"{f['difference']:+.3f}", *tests]
        )
    head = ["source", "faces", name, other, "difference", "95 % (DeLong)", "p", "95 % (bootstrap)", "p"]
    yield f"<h2>Against {escape(other)}</h2>{table(head, rows)}<div class='grid'>"
    yield page.chart(
        "Difference in AUC",
        f"On the same media, with 95 % intervals ({interval_words(measured['figures'].values())}). "
        "An interval that holds 0 shows no difference that chance could not make.",
        lambda dark: charts.difference(measured["figures"], dark=dark),
    )
    both = {name: document["curves"].get(ALL), other: (measured.get("other_curves") or {}).get(ALL)}
    if all(both.values()):
        yield page.chart("ROC of both", "All sources.", lambda dark: charts.roc(both, dark=dark))
    yield "</div>"


def robustness(measured: dict[str, Any], page: Page) -> Iterator[str]:
    """A chart a kind of change, and all figures."""
    levels, clean = measured["levels"], measured["untouched"]
    pictures = clean[ALL]["real"] + clean[ALL]["fake"]
    yield (
        f"<h2>Robustness</h2><p>AUC on changed copies of the same {pictures} pictures, where a face is still found; "
        "how many verdicts are lost stands in the table.</p><div class='grid'>"
    )
    for kind in kinds_in(levels):
        draw = _robustness_chart(levels, kind, clean)
        yield page.chart(KINDS[kind].title, "", draw)
    yield f"</div>{table(['change', *clean, *UNDECIDED], robustness_rows(measured, list(clean)))}"


def _robustness_chart(levels: list[dict[str, Any]], kind: str, clean: dict[str, Any]) -> Draw:
    return lambda dark: charts.robustness(levels, kind, list(clean), clean, dark=dark)


def gates(measured: dict[str, Any], page: Page) -> Iterator[str]:
    """Errors by quality of the face."""
    yield "<h2>Where it errs</h2><p>Wrong verdicts by quality of the face, as if no gate stood in the way.</p>"
    for gate in measured.values():
        rows = [
            [charts.bin_label(one, gate), *(str(one[label]) for label in ("real", "fake"))]
            + [number(one["auc"]), interval(one["auc_95"])]
            + [share_with_interval(one, key) for key in ("real_called_fake", "fake_called_real")]
            for one in gate["bins"]
            if one["real"] + one["fake"]
        ]
        yield f"<h3>{escape(gate['title'])}</h3>"
        yield f'<p class="muted">Limit in use {gate["in_use"]:g}; asked for: {asked(gate)}.</p>'
        yield page.chart("AUC", "", partial(_gate_chart, gate))
        yield table(["range", "real", "fake", "AUC", "95 %", "real called fake", "fake called real"], rows)


def _gate_chart(gate: dict[str, Any], dark: bool) -> go.Figure:
    return charts.gate(gate, dark=dark)


def explanations(measured: dict[str, Any], page: Page) -> Iterator[str]:
    """How faithful each method's heatmaps are."""
    yield f"<h2>Explanations</h2><p>{escape(explanation_words(measured))}</p>"
    yield table(list(EXPLANATION_HEAD), explanation_rows(measured))
    yield f'<p class="muted">{escape(measured["rule"])}</p><div class="grid">'
    for which in get_args(charts.Which):
        caption = "Lower is better." if which == "deletion" else "Higher is better."
        yield page.chart(which.capitalize(), caption, partial(_faithfulness_chart, measured, which))
    yield "</div>"


def _faithfulness_chart(measured: dict[str, Any], which: charts.Which, dark: bool) -> go.Figure:
    return charts.faithfulness(measured, which, dark=dark)
