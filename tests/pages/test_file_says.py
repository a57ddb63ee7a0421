"""The panel of what a file says of itself, and the report's button, on the pages of pictures and videos."""

import hashlib
import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.detector import DetectorSpec
from core.store import Store
from pages.components import filing
from pages.components.text import escape
from tests.pages.support import RED, noisy, run_until, words
from tests.report.support import picture_content


def camera_jpeg(camera: str) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = camera
    out = io.BytesIO()
    Image.fromarray(noisy(RED)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def opened(app: AppTest, content: bytes) -> AppTest:
    """The page with the panel of a file unfolded."""
    app.session_state[f"file_says_{hashlib.sha256(content).hexdigest()}"] = True
    return app.run()


def test_panel_is_folded_and_reads_nothing_until_it_is_opened(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.components import file_says

    monkeypatch.setattr(file_says, "examine", lambda path: pytest.fail("read although nobody asked"))
    app.file_uploader[0].upload("a.jpg", camera_jpeg("EOS R5"))
    app.run()
    assert not app.exception
    assert "Content Credentials" not in words(app)


def test_panel_says_what_it_is_worth_and_shows_hostile_text_as_text(app: AppTest) -> None:
    content = camera_jpeg("<b>x</b> [click](http://evil) **loud** :red[x]")
    app.file_uploader[0].upload("a.jpg", content)
    opened(app.run(), content)
    assert not app.exception
    said = words(app)
    assert "carries no Content Credentials. That proves nothing" in said
    assert "\\<b\\>x" in said and "[click](" not in said and "**loud**" not in said
    assert "not evidence by themselves" in said
    next(toggle for toggle in app.toggle if "spectrum" in toggle.label).set_value(True).run()
    assert not app.exception
    assert "Error levels" in words(app)


def test_video_has_panel_and_report_too(app: AppTest, clip: Path) -> None:
    page = app.switch_page("pages/video.py").run()
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), lambda app: bool(app.metric))
    opened(page, clip.read_bytes())
    assert not page.exception
    assert "hardly the file that a camera wrote" in words(page)
    assert {button.label for button in page.get("download_button")} >= {"HTML", "PDF", "JSON"}


@pytest.mark.parametrize(("suffix", "begin"), [(".html", b"<!doctype html>"), (".pdf", b"%PDF-")])
def test_report_is_made_on_the_click(tmp_path: Path, suffix: str, begin: bytes) -> None:
    found = picture_content(tmp_path / "a.png", 4.0)
    store = Store(tmp_path / "home")
    item = store.add(tmp_path / "a.png")
    spec = DetectorSpec(name="planted", input_size=32)
    detector = SimpleNamespace(spec=spec, sha256="ab" * 32, engine="openvino", precision="f32")
    assert filing.analysed_at(store, item, found.report) is None  # nothing was saved yet
    store.save_report(item.digest, "key", found.report)
    assert filing.analysed_at(store, item, found.report) is not None
    made = filing.make(store, item, found.report, detector, suffix, "es")  # type: ignore[arg-type]
    assert made.startswith(begin)


@pytest.mark.parametrize(
    ("text", "link"),  # what GitHub's Markdown, which the browser is given, makes links of
    [
        ("www.evil.example", r"www\."),
        ("WWW.evil.example", r"www\."),
        ("http://evil.example", r"https?://"),
        ("someone@evil.example", r"[-.\w+]+@"),
    ],
)
def test_markdown_makes_no_link_of_a_strangers_text(text: str, link: str) -> None:
    assert re.search(link, text, re.IGNORECASE)
    assert not re.search(link, escape(text).replace("\\", ""), re.IGNORECASE)


def test_language_of_the_report_is_remembered_for_the_next_file(app: AppTest) -> None:
    app.file_uploader[0].upload("a.jpg", camera_jpeg("A"))
    app.run()
    (choice,) = [box for box in app.selectbox if box.label == "Language"]
    choice.set_value("de").run()
    assert app.selectbox(key=choice.key).value == "de"
    app.file_uploader[0].upload("b.jpg", camera_jpeg("B"))
    app.run()
    *_, other = [box for box in app.selectbox if box.label == "Language"]
    assert other.key != choice.key
    assert other.value == "de"
