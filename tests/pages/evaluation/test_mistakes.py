"""The evaluation page: the most confident mistakes, with their evidence."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.evaluation import anonymous
from core.evaluation.gallery import SHOWN
from core.evaluation.mistakes import most_confident
from core.evaluation.results import keep
from tests.pages.evaluation.support import evaluation_page, exported, section
from tests.pages.support import words


def test_mistakes_come_with_their_evidence(app: AppTest, document: dict) -> None:
    keep(document)
    section(evaluation_page(app), "Mistakes")
    assert not app.exception
    assert "no evidence maps" not in words(app)
    assert app.slider(key="opacity_evaluation")


def test_mistakes_of_a_detector_that_is_gone(app: AppTest, document: dict) -> None:
    keep({**document, "detector": {**document["detector"], "sha256": "0" * 64}})
    section(evaluation_page(app), "Mistakes")
    assert not app.exception
    assert "no evidence maps" in words(app)


def test_mistakes_whose_files_are_gone(app: AppTest, document: dict) -> None:
    paths = [f"/gone/{Path(path).name}" for path in document["items"]["path"]]
    keep({**document, "items": {**document["items"], "path": paths}})
    section(evaluation_page(app), "Mistakes")
    assert not app.exception
    assert "does not exist" in words(app)


def test_the_html_file_has_the_pictures_that_the_page_has(app: AppTest, document: dict) -> None:
    items = document["items"]
    assert exported(document).count("<img") == len(most_confident(items, SHOWN)) > 0
    gone = {**document, "detector": {**document["detector"], "sha256": "0" * 64}}
    for without in (gone, anonymous(document)):
        assert "<img" not in exported(without)
    assert Path(items["path"][most_confident(items, 1)[0]]).name in exported(gone)  # the table stays


def test_a_video_has_its_picture_too(app: AppTest, document: dict, clip: Path) -> None:
    """A red clip that is said to be real."""
    items = {name: column[:1] for name, column in document["items"].items()}
    said = {"path": [str(clip)], "verdict": ["fake"], "fake": [False], "fake_probability": [0.98], "video": [True]}
    keep({**document, "items": {**items, **said}})
    section(evaluation_page(app), "Mistakes")
    assert not app.exception
    assert len(app.get("image")) == 1
    assert "clip.mp4 · second\N{NO-BREAK SPACE}" in words(app)
