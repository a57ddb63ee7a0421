"""HTML and PDF: nothing from a file can break out of them, nothing is fetched, every letter can be printed."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from core.provenance import Credentials, Fact, Findings, Note
from core.report import blocks, report_bytes
from core.report.document import document
from core.report.html import as_html
from core.report.pdf import Paper
from core.report.pdf_drawings import time_ticks
from core.words import LANGUAGES, words
from tests.report.support import WHEN, clip_content, picture_content

EVIL = '"><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\u202e</style>'
ODD_NAMES = [f"{EVIL}.png".replace("/", "∕"), "漢字 🎭 \u202egnp.exe.png", "Müller – Señor Ça.png", "x" * 200 + ".png"]


class Elements(HTMLParser):
    """Tags and attributes as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def parsed(html: str) -> Elements:
    found = Elements()
    found.feed(html)
    return found


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clip_content(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def hostile(tmp_path):
    """A picture whose every text is an attempt."""
    from dataclasses import replace

    found = picture_content(tmp_path / "a.png", 4.0)
    credentials = Credentials("invalid", EVIL, EVIL, EVIL, EVIL, (EVIL,), (EVIL,), 1, (EVIL,))
    findings = Findings(credentials, (Fact("camera", EVIL),), (Note("camera", {"camera": EVIL + "{signer}"}),))
    report = replace(found.report, path=EVIL, model=EVIL, reasons=(EVIL,), warnings=(EVIL,))
    return replace(found, findings=findings, report=report)


def test_a_clip_is_self_contained_and_interactive(clip):
    html = report_bytes(clip, ".html", "de").decode()
    assert '<html lang="de">' in html
    assert html.count("Plotly.react") >= 1 and len(html) > 3_000_000  # the script itself is inside
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', html, re.DOTALL)[1])
    assert len(charts) == 2
    assert {"light", "dark"} == set(charts["chart-0"])
    addresses = [value for name, value in parsed(html).attributes if name in ("src", "href")]
    assert all(value.startswith("data:image/jpeg;base64,") for value in addresses)
    assert "default-src 'none'" in html.replace("&#x27;", "'")


def test_a_picture_needs_no_plotly(tmp_path):
    html = report_bytes(picture_content(tmp_path / "a.png", 4.0), ".html").decode()
    assert len(html) < 500_000
    assert "<script" not in html


def test_markup_from_a_file_stays_text(hostile):
    html = report_bytes(hostile, ".html").decode()
    found = parsed(html)
    assert "script" not in found.tags
    assert not any(name.startswith("on") for name, _ in found.attributes)
    assert html.count("<style>") == html.count("</style>") == 1
    assert not any("evil" in (value or "") for name, value in found.attributes if name in ("src", "href"))
    assert "alert(1)" in html  # it is shown, as text


def test_data_of_charts_cannot_end_their_element():
    timeline = blocks.Timeline(EVIL, EVIL, (), (), 1.0, None, 0.1, 0)
    html = as_html([timeline], "en")
    start = html.index('id="charts">') + len('id="charts">')
    data = html[start : html.index("</script>", start)]
    assert EVIL in json.loads(data)["chart-0"]["light"]["layout"]["xaxis"]["title"]["text"]


def test_hostile_text_on_paper(hostile):
    for language in ("en", "de"):
        assert report_bytes(hostile, ".pdf", language).startswith(b"%PDF-")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_of_a_catalogue_can_be_printed(language):
    text = "".join(words(language).texts.values())
    with Paper(blocks.Title("", ""), words(language), WHEN) as paper:
        for style in ("", "B"):
            assert paper.spelled(text, style) == text


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(tmp_path, name):
    from dataclasses import replace

    found = picture_content(tmp_path / "a.png", 4.0)
    found = replace(found, report=replace(found.report, path=name))
    assert report_bytes(found, ".pdf").startswith(b"%PDF-")
    assert report_bytes(found, ".html")


def test_a_character_without_a_glyph_is_spelled_out():
    with Paper(blocks.Title("", ""), words("en"), WHEN) as paper:
        assert paper.spelled("漢ß.png") == "[U+6F22]ß.png"


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext: apt-get install poppler-utils")
def test_text_can_be_copied_out_of_the_pdf(clip, tmp_path):
    import subprocess

    path = tmp_path / "a.pdf"
    path.write_bytes(report_bytes(clip, ".pdf", "fr"))
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    assert clip.sha256 in text
    assert "Probablement truqué" in text


def test_pages_are_counted(clip):
    with Paper(blocks.Title("a", "b"), words("en"), WHEN) as paper:
        for block in document(clip, words("en")):
            paper.draw(block)
        assert 2 <= paper.page_no() <= 5


@pytest.mark.parametrize(
    ("end_s", "expected"),
    [
        (0.1, [0.0, 0.1]),
        (10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (61, [0, 10, 20, 30, 40, 50, 60]),
        (5400, [0, 600, 1200, 1800, 2400, 3000, 3600, 4200, 4800, 5400]),
    ],
)
def test_time_ticks(end_s, expected):
    assert time_ticks(end_s) == expected
