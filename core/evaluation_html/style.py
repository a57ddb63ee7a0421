"""Looks of the HTML file, and the script that draws its charts in the reader's colours."""

STYLE = """
:root { color-scheme: light dark;
  --ground: #fcfbf9; --card: #ffffff; --ink: #1c2430; --muted: #667085; --line: #dcd8cf; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #12161c; --card: #171c24; --ink: #e8ebf0; --muted: #98a2b3; --line: #303846; } }
@media print { :root { --ground: #fff; --card: #fff; --ink: #1c2430; --muted: #667085; --line: #dcd8cf; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 74rem; background: var(--ground); color: var(--ink);
  font: 16px/1.55 "Source Sans 3", "Source Sans Pro", system-ui, sans-serif; }
h1, h2, h3 { font-family: "Source Serif 4", "Source Serif Pro", Georgia, serif; line-height: 1.2; }
h1, h2 { margin: 2.2rem 0 .4rem; }
h1 { font-size: 2rem; margin-top: 0; } h2 { font-size: 1.4rem; } h3 { font-size: 1.05rem; margin: 0 0 .25rem; }
p { margin: .3rem 0 .8rem; max-width: 48rem; } .muted, figcaption { color: var(--muted); font-size: .92rem; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
tr:first-child > * { border-top: 0; } th { color: var(--muted); font-weight: 600;
  white-space: normal; vertical-align: bottom; line-height: 1.25; }
th:first-child, td:first-child { text-align: left; }
td.path { white-space: normal; overflow-wrap: anywhere; min-width: 15rem; }
table + h3, .wide + h3, figure + h3 { margin-top: 1.6rem; }
figure + .wide { margin-top: .8rem; } .wide { margin-bottom: .8rem; }
.grid { display: grid; gap: 1rem; margin: .8rem 0;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
figure { margin: 0; padding: 1rem; min-width: 0; break-inside: avoid;
  border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.faces { display: grid; gap: 1rem; margin: .8rem 0;
  grid-template-columns: repeat(auto-fill, minmax(min(14.5rem, 42vw), 1fr)); }
.faces figure { padding: .75rem; line-height: 1.35; } .faces figcaption { margin-top: .3em; font-size: .92em;
  overflow-wrap: anywhere; }
.faces img, .none { display: block; width: 100%; aspect-ratio: 1; margin: 0 0 .6rem; border-radius: 4px; }
.none { padding: 1rem; border: 1px dashed var(--line); overflow-wrap: anywhere; }
tr, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; }
@page { margin: 14mm; } @media print { body { padding: 0; font-size: 11px; } h2 { margin-top: 1.2rem; }
  .faces { grid-template-columns: repeat(4, 1fr); } .wide { overflow: visible; }
  table, .muted, figcaption { font-size: .92em; } th, td { padding: .2rem .3rem; } }
"""

SCRIPT = """
const charts = JSON.parse(document.getElementById("charts").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
function draw(inDark) {
  for (const [id, both] of Object.entries(charts)) {
    const figure = both[inDark ? "dark" : "light"];
    Plotly.react(id, figure.data, figure.layout, %s);
  }
}
draw(dark.matches);
dark.addEventListener("change", () => draw(dark.matches));
addEventListener("beforeprint", () => draw(false));
addEventListener("afterprint", () => draw(dark.matches));
"""
