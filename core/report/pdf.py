"""A report as a PDF: A4, text that can be searched and copied, timelines as lines and not as pixels.

The font in `fonts/` covers Latin, Greek, Cyrillic, Arabic and Hebrew letters; a character that it lacks, such as a
Chinese one in a file's name, is spelled out as [U+6F22], so that none is lost without a word.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, WrapMode, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from core.report import blocks as b
from core.report.pdf_drawings import INK, LINE, MUTED, SOFT, VERDICT_COLOURS, draw_scale, draw_timeline
from core.words import Words

FONTS = Path(__file__).parent / "fonts"
FONT = "report"
MARGIN_MM, GAP_MM = 18, 3
BODY_PT, SMALL_PT = 10, 8.5
WHOLE_MM, FRAME_COLUMNS, FACE_COLUMNS = 80, 2, 4
TIMELINE_MM = 27
HEADING_MM = 16


def as_pdf(blocks: Iterable[b.Block], to: Words, made_at: datetime) -> bytes:
    """The whole file."""
    listed = list(blocks)
    title = next((block for block in listed if isinstance(block, b.Title)), b.Title("", ""))
    with Paper(title, to, made_at) as paper:
        for place, block in enumerate(listed):
            if isinstance(block, b.Heading):
                paper.keep(HEADING_MM + paper.first_mm(listed[place + 1 : place + 3]))
            paper.draw(block)
        return bytes(paper.output())


def characters_of(font: object) -> set[int]:
    """Code points that a font has a glyph for."""
    return set(font.cmap) if isinstance(font, TTFFont) else set()


class Paper(FPDF):
    """Draws blocks one below the other. Used as a context: fpdf2 leaves the files of its fonts open."""

    def __init__(self, title: b.Title, to: Words, made_at: datetime) -> None:
        super().__init__(unit="mm", format="A4")
        self._head, self._to = title, to
        self.add_font(FONT, "", FONTS / "DejaVuSansCondensed.ttf")
        self.add_font(FONT, "B", FONTS / "DejaVuSansCondensed-Bold.ttf")
        self._known = {style: characters_of(self.fonts[FONT + style]) for style in ("", "B")}
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM)
        self.c_margin = 0  # text begins where pictures and tables do
        self.set_title(f"{title.product}: {title.text}")
        self.set_lang(to.language)
        self.set_creation_date(made_at)
        self._drawers: dict[type, Callable[[Any], None]] = {
            b.Title: self._title,
            b.Headline: self._headline,
            b.Heading: self._heading,
            b.Paragraph: self._paragraph,
            b.Items: self._items,
            b.Pairs: self._pairs,
            b.Table: self._table,
            b.Figures: self._figures,
            b.Timeline: self._timeline,
            b.Command: self._command,
        }
        self.add_page()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def draw(self, block: b.Block) -> None:
        self._drawers[type(block)](block)

    def footer(self) -> None:
        """Name of the file and number of the page; called by fpdf2."""
        self.set_y(-12)
        self._ink(MUTED, SMALL_PT)
        counted = self._to("report.page", page=self.page_no(), pages="{nb}")
        name = self.spelled(self._head.text)
        while self.get_string_width(name) > 0.7 * self.epw:
            name = f"{name[: len(name) - 5]}…"
        self.cell(0.75 * self.epw, 5, name)
        self.cell(0.25 * self.epw, 5, counted, align="R")

    def spelled(self, text: str, style: str = "") -> str:
        """The text with every character that the font lacks spelled out."""
        known = self._known[style]
        return "".join(char if ord(char) in known or char == "\n" else f"[U+{ord(char):04X}]" for char in text)

    def first_mm(self, following: list[b.Block]) -> float:
        """What must stand on the same page as the heading before it: a first picture, chart or some lines."""
        for block in following:
            if isinstance(block, b.Figures) and block.figures[0].wide:
                return WHOLE_MM + 12
            if isinstance(block, b.Figures | b.Timeline):
                return 52
        return 14

    def keep(self, height_mm: float) -> None:
        """Begin a new page unless so much fits on this one."""
        if self.will_page_break(height_mm):
            self.add_page()

    def _ink(self, colour: tuple[int, int, int], size_pt: float, style: str = "") -> None:
        self.set_font(FONT, style, size_pt)
        self.set_text_color(*colour)

    def _write(self, text: str, size_pt: float = BODY_PT, **options: Any) -> None:
        colour, style = options.pop("colour", INK), options.pop("style", "")
        self._ink(colour, size_pt, style)
        line_mm = size_pt * 0.48
        options = {"align": "L", "new_x": XPos.LMARGIN, "new_y": YPos.NEXT, **options}
        self.multi_cell(options.pop("width", 0), line_mm, self.spelled(text, style), **options)

    def _title(self, title: b.Title) -> None:
        self._write(title.product, SMALL_PT, colour=MUTED)
        self._write(title.text, 18, style="B")
        self.ln(2)

    def _headline(self, headline: b.Headline) -> None:
        colour = VERDICT_COLOURS.get(headline.verdict, MUTED)
        self.keep(45)
        top, left = self.get_y(), self.l_margin
        self.set_left_margin(left + 6)
        self.set_y(top + 2)
        self._write(headline.word, 16, style="B", colour=colour)
        if headline.probability:
            self._write(headline.probability, BODY_PT, style="B")
        if headline.share is not None and headline.limits is not None:
            draw_scale(self, headline.share, headline.limits, self.l_margin, self.get_y() + 2, 95)
            self._ink(MUTED, SMALL_PT)
            self.set_y(self.get_y() + 13)
        self._write(headline.caution)
        self.set_left_margin(left)
        self.set_fill_color(*colour)
        self.rect(left, top, 1.6, self.get_y() + 2 - top, style="F")
        self.set_y(self.get_y() + 4)

    def _heading(self, heading: b.Heading) -> None:
        self.ln(4)
        self._write(heading.text, 13, style="B")
        self.ln(1)

    def _paragraph(self, paragraph: b.Paragraph) -> None:
        if paragraph.muted:
            self._write(paragraph.text, SMALL_PT, colour=MUTED)
        else:
            self._write(paragraph.text)
        self.ln(1)

    def _items(self, items: b.Items) -> None:
        left = self.l_margin
        for sentence in items.sentences:
            self.keep(BODY_PT * 0.48)
            self._ink(MUTED, BODY_PT)
            self.cell(4, BODY_PT * 0.48, "–")
            self.set_left_margin(left + 4)
            self._write(sentence)
            self.set_left_margin(left)
            self.set_x(left)
            self.ln(0.8)
        self.ln(1)

    def _pairs(self, pairs: b.Pairs) -> None:
        self._rows((), pairs.rows, (3, 9))

    def _table(self, table: b.Table) -> None:
        longest = [max(len(row[i]) for row in (table.head, *table.rows)) for i in range(len(table.head))]
        self._rows(table.head, table.rows, tuple(min(30, max(11, length)) for length in longest))

    def _rows(self, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], widths: tuple[int, ...]) -> None:
        self._ink(INK, SMALL_PT + 0.5)
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        self.set_fill_color(255, 255, 255)  # a cell with a style of its own is filled with whatever was used last
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=widths,
            first_row_as_headings=bool(head),
            headings_style=FontFace(emphasis="BOLD", color=MUTED),
            line_height=4.4,
            padding=(1.1, 1.2),
            text_align="LEFT",
            v_align="TOP",
            wrapmode=WrapMode.WORD,
        ) as table:
            if head:
                table.row([self.spelled(cell, "B") for cell in head])
            for name, *others in rows:
                row = table.row()
                row.cell(self.spelled(name), style=None if head else FontFace(color=MUTED))
                for cell in others:
                    row.cell(self.spelled(cell))
        self.ln(1.5)

    def _figures(self, figures: b.Figures) -> None:
        small = [figure for figure in figures.figures if not figure.wide]
        for figure in figures.figures:
            if figure.wide:
                self._row_of_figures([figure], min(self.epw, WHOLE_MM * figure.size_wh[0] / figure.size_wh[1]))
        wide_frames = all(figure.size_wh[0] > 1.3 * figure.size_wh[1] for figure in small)
        columns = FRAME_COLUMNS if wide_frames else FACE_COLUMNS
        width = (self.epw - (columns - 1) * GAP_MM) / columns
        for start in range(0, len(small), columns):
            self._row_of_figures(small[start : start + columns], width)

    def _row_of_figures(self, figures: list[b.Figure], width_mm: float) -> None:
        heights = [width_mm * figure.size_wh[1] / figure.size_wh[0] for figure in figures]
        self.keep(max(heights) + 12)
        top, bottom = self.get_y(), self.get_y()
        for place, figure in enumerate(figures):
            left = self.l_margin + place * (width_mm + GAP_MM)
            self.image(io.BytesIO(figure.jpeg), left, top, width_mm, alt_text=figure.caption)
            self.set_xy(left, top + heights[place] + 1)
            self._write(figure.caption, SMALL_PT, colour=MUTED, width=width_mm)
            bottom = max(bottom, self.get_y())
        self.set_xy(self.l_margin, bottom + 2.5)

    def _timeline(self, timeline: b.Timeline) -> None:
        self.keep(TIMELINE_MM + 16)
        self._write(timeline.title, BODY_PT, style="B")
        self._ink(MUTED, 7.5)
        draw_timeline(self, timeline, self.l_margin, self.get_y() + 1, self.epw, TIMELINE_MM)
        self.set_xy(self.l_margin, self.get_y() + TIMELINE_MM + 11)

    def _command(self, command: b.Command) -> None:
        self.set_fill_color(*SOFT["ground"])
        self._write(command.text, BODY_PT, fill=True, padding=2.5)
        self.ln(1.5)
