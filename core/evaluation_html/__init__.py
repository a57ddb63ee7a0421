"""An evaluation as one HTML file: all inside, nothing fetched, light or dark as the reader's system is, printable.

Plotly's script is in it once. Each chart is in it twice, in light and in dark colours, and the fitting one is drawn.
Names come from folders of strangers: every one of them is escaped, in text as in the charts' data.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from plotly.offline import get_plotlyjs

from core import evaluation_charts as charts
from core.detector.spec import Thresholds
from core.evaluation.document import Document
from core.evaluation.gallery import Card
from core.evaluation.parts import ALL, part_of
from core.evaluation.text import areas, interval, number, percent, shares
from core.evaluation_html.mistakes import mistakes
from core.evaluation_html.page import Page, table
from core.evaluation_html.strength import comparison, explanations, gates, robustness
from core.evaluation_html.style import SCRIPT, STYLE

CONFIG = {"displayModeBar": False, "responsive": True}


def as_html(document: Document, cards: Sequence[Card] = ()) -> str:
    """The whole file.

    Args:
        document: An evaluation.
        cards: Its most confident mistakes with their pictures; see `core.evaluation.gallery`.
    """
    page = Page()
    body = "\n".join([*_sections(document, page), *mistakes(document, cards)])
    title = escape(f"Evaluation of {document['detector']['name']} on {document['data']['name']}")
    script = SCRIPT % json.dumps(CONFIG)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        f'<script type="application/json" id="charts">{page.data()}</script>\n'
        f"<script>{get_plotlyjs()}</script>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _sections(document: Document, page: Page) -> Iterator[str]:
    yield _head(document)
    yield _figures(document)
    yield from _curves(document, page)
    yield from _decisions(document, page)
    yield from _columns(document)
    if document.get("comparison"):
        yield from comparison(document, page)
    if document.get("robustness"):
        yield from robustness(document["robustness"], page)
    if document.get("gates"):
        yield from gates(document["gates"], page)
    if document.get("explanations"):
        yield from explanations(document["explanations"], page)


def _head(document: Document) -> str:
    detector, data = document["detector"], document["data"]
    limits = detector["thresholds"]
    count = len(document["items"]["fake"])
    drawn = f", at most {data['limit']} of each source" if data.get("limit") else ""
    how = (
        f"{data['split']} split, {count} pictures and videos{drawn}, measured {document['created'][:10]} (UTC) in "
        f"{document['seconds']:g} s with {detector['engine']} ({detector['precision']}). Below "
        f"{percent(limits['real_below'])} it says “no manipulation found”, from {percent(limits['fake_above'])} on "
        "“fake”, between them “uncertain”."
    )
    return (
        f"<h1>{escape(detector['name'])} on {escape(data['name'])}</h1><p>{escape(how)}</p>"
        f'<p class="muted">Weights {escape(detector["sha256"][:16])}…; intervals are 95 % and by bootstrap unless said '
        "otherwise. They tell of chance, not of other data: on media unlike these a detector does worse.</p>"
    )


HEAD = [
    *("real", "fake", "no face", "AUC", "95 % interval", "average precision", "EER"),
    *("right when it decides", "real called fake", "fake called real", "uncertain"),
]


def _cells(figures: Mapping[str, Any]) -> list[str]:
    counts = [str(figures[key]) for key in ("real", "fake", "no_face")]
    return [*counts, *areas(figures), *map(percent, [*shares(figures), figures["uncertain"]])]


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
    words += "".join(f'<p class="muted">{escape(note)}</p>' for note in document.get("notes") or [])
    lost = document.get("unreadable") or []
    if lost:
        words += f'<p class="muted">Could not be read, and not counted: {len(lost)} of the files.</p>'
    return f"<h2>Figures</h2>{table(head, rows)}{words}{_verdicts(document)}"


def _verdicts(document: Document) -> str:
    """The confusion matrices at the thresholds, gates applied: counts by source and class."""
    items = document["items"]
    rows = []
    for part in document["figures"]:
        for fake, label in ((False, "real"), (True, "fake")):
            said = Counter(
                verdict
                for verdict, source, is_fake in zip(items["verdict"], items["source"], items["fake"], strict=True)
                if is_fake == fake and part in (ALL, part_of(source))
            )
            rows.append([f"{part}, {label}", *(str(said[verdict]) for verdict in VERDICTS)])
    return f"<h3>Verdicts</h3>{table(['what it is', *VERDICTS.values()], rows)}"


VERDICTS = {"real": "called real", "uncertain": "uncertain", "fake": "called fake", "no_face": "no face"}


def _columns(document: Document) -> Iterator[str]:
    for column, values in (document.get("columns") or {}).items():
        yield f"<h2>By {escape(column)}</h2>"
        rows = [[value, *_cells(figures), figures["against"] or ""] for value, figures in values.items()]
        yield table([column, *HEAD, "against"], rows)


def _curves(document: Document, page: Page) -> Iterator[str]:
    curves = document["curves"]
    if not any(curves.values()):
        return
    yield '<h2>How well it ranks</h2><div class="grid">'
    yield page.chart(
        "ROC",
        "Fakes found over reals called fake, at every threshold. Shaded: 95 % bands by bootstrap.",
        lambda dark: charts.roc(curves, dark=dark),
    )
    yield page.chart(
        "Precision and recall",
        "For as many fakes as reals, whatever the folder holds.",
        lambda dark: charts.precision_recall(curves, dark=dark),
    )
    yield "</div>"


def _decisions(document: Document, page: Page) -> Iterator[str]:
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
    parts = {part: one for part, one in document["calibration"].items() if one}
    if len(parts) > 1:
        rows = [
            [part, number(one["ece"]), interval(one["ece_95"]), number(one["ece_plain"]), number(one["brier"])]
            for part, one in parts.items()
        ]
        yield table(["source", "calibration error", "95 % interval", "as measured", "Brier score"], rows)
