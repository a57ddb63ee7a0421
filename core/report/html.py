"""A report as one HTML file: all inside, nothing fetched, light or dark as the reader's system is, printable.

Everything that is written passes `escape`, for names and metadata come from strangers; charts' data are JSON that
cannot end its own element. A policy in the head forbids the page to load anything, whatever might slip through.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from plotly.offline import get_plotlyjs

from core.report import blocks as b
from core.report.chart import HEIGHT_PX, timeline_figure

CONFIG = {"displayModeBar": False, "responsive": True}
PAPER_WIDTH_PX = 660
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --ground: #fcfbf9; --card: #fff; --ink: #1c2430; --muted: #5f6878; --line: #dcd8cf;
  --fake: #b3202d; --uncertain: #8a5a08; --real: #1f6047;
  --soft-fake: #e9aeb2; --soft-uncertain: #eccf9a; --soft-real: #a9d0be; }
@media screen and (prefers-color-scheme: dark) { :root { --ground: #12161c; --card: #171c24; --ink: #e8ebf0;
  --muted: #98a2b3; --line: #303846; --fake: #ff9a9f; --uncertain: #f0b354; --real: #7fdcb0;
  --soft-fake: #6d2f36; --soft-uncertain: #5e4620; --soft-real: #24513f; } }
@media print { :root { --ground: #fff; color-scheme: light; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 56rem; background: var(--ground); color: var(--ink);
  font: 16px/1.55 "Source Sans 3", "Source Sans Pro", system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, .word { font-family: "Source Serif 4", "Source Serif Pro", Georgia, serif; line-height: 1.25; }
h1 { font-size: 1.9rem; margin: .1rem 0 1.2rem; } h2 { font-size: 1.3rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .2rem; } p { margin: .3rem 0 .8rem; max-width: 46rem; }
.muted, figcaption { color: var(--muted); font-size: .92rem; } .product { color: var(--muted); margin: 0; }
ul { margin: .3rem 0 .8rem; padding-left: 1.2rem; max-width: 46rem; } li { margin: .25rem 0; }
.card { border: 1px solid var(--line); border-radius: 8px; background: var(--card); padding: 1rem 1.25rem; }
.verdict { border-left: 6px solid var(--muted); margin-bottom: .9rem; } .fake { border-left-color: var(--fake); }
.uncertain { border-left-color: var(--uncertain); } .real { border-left-color: var(--real); }
.word { font-size: 1.6rem; font-weight: 600; margin: 0; } .fake .word { color: var(--fake); }
.uncertain .word { color: var(--uncertain); } .real .word { color: var(--real); }
.verdict p:last-child { margin-bottom: 0; }
.scale { display: block; width: 100%; max-width: 30rem; height: 46px; margin: .4rem 0; font-size: 12px; }
.scale text { fill: var(--muted); } .scale .mark { fill: var(--ink); }
table { border-collapse: collapse; width: 100%; font-size: .94rem; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
tr:first-child > * { border-top: 0; } th { color: var(--muted); font-weight: 600; }
.pairs th { width: 13rem; } .wide { overflow-x: auto; padding: 0; margin: .5rem 0 .8rem; }
.wide td, .wide th { overflow-wrap: break-word; } .pairs td { overflow-wrap: anywhere; }
.grid { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); }
.frames { grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }
figure { margin: 0; padding: .6rem; break-inside: avoid; }
figure img { display: block; max-width: 100%; margin: 0 auto .35rem; }
figure.whole { grid-column: 1 / -1; } figure.whole img { max-height: 34rem; }
.time { margin: .6rem 0; break-inside: avoid; }
pre { white-space: pre-wrap; padding: .8rem 1rem; font: .9rem/1.5 ui-monospace, monospace; margin: .5rem 0; }
tr, figure, .verdict, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; }
@page { margin: 15mm; } @media print { html { font-size: 11px; } body { padding: 0; font-size: 1rem; max-width: none; }
  h2 { margin-top: 1.3rem; } p, ul { max-width: none; } .wide { overflow: visible; }
  .grid { grid-template-columns: repeat(3, 1fr); } .frames { grid-template-columns: repeat(2, 1fr); }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } figure.whole img { max-height: 95mm; } }
@media (max-width: 40rem) { .pairs th, .pairs td { display: block; width: auto; }
  .pairs td { border-top: 0; padding-top: 0; } }
"""

SCRIPT = """
const charts = JSON.parse(document.getElementById("charts").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
function draw(inDark, width) {
  for (const [id, both] of Object.entries(charts)) {
    const figure = both[inDark ? "dark" : "light"];
    Plotly.react(id, figure.data, { ...figure.layout, width, autosize: !width }, %s);
  }
}
draw(dark.matches);
dark.addEventListener("change", () => draw(dark.matches));
addEventListener("beforeprint", () => draw(false, %d));
addEventListener("afterprint", () => draw(dark.matches));
"""


def as_html(blocks: Iterable[b.Block], language: str) -> str:
    """The whole file; Plotly's script (5 MB) is in it only if there is a timeline to draw."""
    page = _Page()
    listed = list(blocks)
    body = "\n".join(page.draw(block) for block in listed)
    title = next((escape(f"{block.product}: {block.text}") for block in listed if isinstance(block, b.Title)), "")
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{body}\n{page.scripts()}</body>\n</html>\n"
    )


class _Page:
    """Draws blocks, and gathers the charts while it does."""

    def __init__(self) -> None:
        self._charts: dict[str, dict[str, Any]] = {}
        self._drawers: dict[type, Callable[[Any], str]] = {
            b.Title: lambda x: f'<p class="product">{escape(x.product)}</p><h1>{escape(x.text)}</h1>',
            b.Headline: _headline,
            b.Heading: lambda x: f"<h2>{escape(x.text)}</h2>",
            b.Paragraph: lambda x: f"<p{' class=muted' * x.muted}>{escape(x.text)}</p>",
            b.Items: lambda x: f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in x.sentences)}</ul>",
            b.Pairs: _pairs,
            b.Table: _table,
            b.Figures: _figures,
            b.Timeline: self._timeline,
            b.Command: lambda x: f'<pre class="card">{escape(x.text)}</pre>',
        }

    def draw(self, block: b.Block) -> str:
        return self._drawers[type(block)](block)

    def _timeline(self, timeline: b.Timeline) -> str:
        name = f"chart-{len(self._charts)}"
        self._charts[name] = {
            look: timeline_figure(timeline, dark=look == "dark").to_plotly_json() for look in ("light", "dark")
        }
        title = escape(timeline.title)
        return (
            f'<figure class="card time"><h3>{title}</h3>'
            f'<div id="{name}" role="img" aria-label="{title}" style="height:{HEIGHT_PX}px"></div></figure>'
        )

    def scripts(self) -> str:
        """Nothing where there is nothing to draw."""
        if not self._charts:
            return ""
        text = json.dumps(self._charts, default=list, separators=(",", ":"))
        data = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        script = SCRIPT % (json.dumps(CONFIG), PAPER_WIDTH_PX)
        return (
            f'<script type="application/json" id="charts">{data}</script>\n'
            f"<script>{get_plotlyjs()}</script>\n<script>{script}</script>\n"
        )


def _headline(headline: b.Headline) -> str:
    number = f"<p><strong>{escape(headline.probability)}</strong></p>" if headline.probability else ""
    return (
        f'<section class="card verdict {escape(headline.verdict)}"><p class="word">{escape(headline.word)}</p>{number}'
        f"{_scale(headline)}<p>{escape(headline.caution)}</p></section>"
    )


def _scale(headline: b.Headline) -> str:
    """Where the probability lies between the thresholds, as a drawing that prints."""
    if headline.share is None or headline.limits is None:
        return ""
    edges = [0.0, *headline.limits, 1.0]
    bars = "".join(
        f'<rect x="{100 * left:.2f}%" y="6" width="{100 * (right - left):.2f}%" height="16" '
        f'style="fill:var(--soft-{name})"/>'
        for left, right, name in zip(edges, edges[1:], ("real", "uncertain", "fake"), strict=False)
    )
    anchors = ("start", "middle", "middle", "end")
    labels = "".join(
        f'<text x="{100 * edge:.2f}%" y="40" text-anchor="{anchor}">{100 * edge:.0f} %</text>'
        for edge, anchor in zip(edges, anchors, strict=True)
    )
    mark = f'<rect class="mark" x="calc({100 * headline.share:.2f}% - 2px)" y="2" width="4" height="24"/>'
    return f'<svg class="scale" role="img" aria-label="{escape(headline.probability)}">{bars}{labels}{mark}</svg>'


def _pairs(pairs: b.Pairs) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs.rows)
    return f'<div class="card wide"><table class="pairs">{rows}</table></div>'


def _table(table: b.Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f'<div class="card wide"><table><tr>{head}</tr>{rows}</table></div>'


def _figures(figures: b.Figures) -> str:
    frames = all(figure.size_wh[0] > 1.3 * figure.size_wh[1] for figure in figures.figures)
    drawn = "".join(
        f'<figure class="card{" whole" * figure.wide}"><img alt="{escape(figure.caption)}" '
        f'src="data:image/jpeg;base64,{base64.b64encode(figure.jpeg).decode()}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
        for figure in figures.figures
    )
    return f'<div class="grid{" frames" * frames}">{drawn}</div>'
