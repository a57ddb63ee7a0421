"""What is drawn on paper with lines and not with letters: the scale of the verdict and the timelines."""

from collections.abc import Callable

from fpdf import FPDF

from core.charts import LIGHT
from core.report.blocks import Timeline
from core.report.chart import pieces, ticks

Rgb = tuple[int, int, int]
Axis = Callable[[float], float]


def rgb_of(colour: str) -> Rgb:
    """ "#c2303c" as numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


INK, MUTED, LINE = rgb_of(LIGHT.text), rgb_of(LIGHT.muted), (220, 216, 207)
FAKE = rgb_of(LIGHT.fake)
VERDICT_COLOURS: dict[str, Rgb] = {"fake": FAKE, "uncertain": (128, 81, 10), "real": (31, 96, 71)}
SOFT: dict[str, Rgb] = {
    "fake": (233, 174, 178),
    "uncertain": (236, 207, 154),
    "real": (169, 208, 190),
    "ground": (243, 241, 236),
    "stretch": (248, 226, 228),
}
LABELS_MM = 9


def draw_scale(pdf: FPDF, share: float, limits: tuple[float, float], left: float, top: float, width: float) -> None:
    """Where a probability lies between the thresholds; 10 mm high, labels included."""
    edges = [0.0, *limits, 1.0]
    for start, end, name in zip(edges, edges[1:], ("real", "uncertain", "fake"), strict=False):
        pdf.set_fill_color(*SOFT[name])
        pdf.rect(left + start * width, top, (end - start) * width, 4, style="F")
    pdf.set_fill_color(*INK)
    pdf.rect(left + share * width - 0.5, top - 1, 1, 6, style="F")
    pdf.set_font(style="", size=7.5)
    pdf.set_text_color(*MUTED)
    for edge in edges:
        pdf.set_xy(left + edge * width - 8 + (8 if edge == 0 else -8 if edge == 1 else 0), top + 5)
        pdf.cell(16, 4, f"{100 * edge:.0f} %", align="L" if edge == 0 else "R" if edge == 1 else "C")
    pdf.set_xy(pdf.l_margin, top - 2)


def draw_timeline(pdf: FPDF, timeline: Timeline, left: float, top: float, width: float, height: float) -> None:
    """Axes, thresholds, stretches and the line itself; the axis of time takes 8 mm more below `height`."""
    x0, wide = left + LABELS_MM, width - LABELS_MM - 2

    def x(time_s: float) -> float:
        return x0 + wide * min(1.0, max(0.0, time_s / timeline.end_s))

    def y(share: float) -> float:
        return top + height * (1.04 - share) / 1.08

    for start_s, end_s in timeline.stretches:
        pdf.set_fill_color(*SOFT["stretch"])
        pdf.rect(x(start_s), top, max(0.4, x(end_s) - x(start_s)), height, style="F")
    pdf.set_draw_color(*LINE)
    pdf.set_line_width(0.2)
    pdf.rect(x0, top, wide, height)
    pdf.set_draw_color(*MUTED)
    pdf.set_dash_pattern(0.5, 0.8)
    for limit in timeline.limits or ():
        pdf.line(x0, y(limit), x0 + wide, y(limit))
    pdf.set_dash_pattern()
    _points(pdf, timeline, x, y)
    for share in ticks(timeline):
        pdf.set_xy(left, y(share) - 2)
        pdf.cell(LABELS_MM - 1, 4, f"{100 * share:.0f} %", align="R")
    for time_s in time_ticks(timeline.end_s):
        pdf.line(x(time_s), top + height, x(time_s), top + height + 0.8)
        pdf.set_xy(x(time_s) - 8, top + height + 0.8)
        pdf.cell(16, 4, f"{time_s:g}", align="C")
    pdf.set_xy(x0, top + height + 4)
    pdf.cell(wide, 4, timeline.axis, align="C")
    pdf.set_xy(pdf.l_margin, top)


def _points(pdf: FPDF, timeline: Timeline, x: Axis, y: Axis) -> None:
    colour = rgb_of(LIGHT.people[timeline.order % len(LIGHT.people)])
    size = 0.5 if len(timeline.points) > 300 else 0.9
    pdf.set_draw_color(*colour)
    pdf.set_line_width(0.35)
    for piece in pieces(timeline):
        pdf.polyline([(x(point.time_s), y(point.fake_probability)) for point in piece])
    pdf.set_line_width(0.2)
    for point in timeline.points:
        pdf.set_fill_color(*((255, 255, 255) if point.uncertain else colour))
        corner = (x(point.time_s) - size / 2, y(point.fake_probability) - size / 2)
        pdf.ellipse(*corner, size, size, style="DF")
    pdf.set_draw_color(*MUTED)


def time_ticks(end_s: float) -> list[float]:
    """Round moments from 0 on, five to ten of them."""
    step = next((step for step in _STEPS if end_s / step <= 10), _STEPS[-1])
    return [round(i * step, 2) for i in range(int(end_s / step) + 1)]


_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 36000)
