"""The evaluation page: measures a folder, compares two detectors, says what is wrong with a choice."""

import os
import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation import evaluate
from core.evaluation.results import finished, keep
from pages.components import evaluation_form, resources
from tests.evaluation.support import detector as colour_detector
from tests.pages.evaluation.support import evaluation_page, section, start
from tests.pages.support import ColourDetector, open_app, run_until, words, write_detector


def test_measuring_a_folder_shows_its_figures(app: AppTest, data: Path) -> None:
    start(evaluation_page(app), str(data))
    assert not app.exception
    run_until(app, lambda app: bool(app.metric))
    assert not app.exception
    assert "20 real and 20 fake" in words(app)
    assert app.selectbox(key="evaluation_choice").value


def test_a_measurement_is_found_again_after_a_reload(app: AppTest, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def slow(*args, **options):
        assert go_on.wait(20)
        return evaluate(*args, **options)

    monkeypatch.setattr(evaluation_form, "evaluate", slow)
    start(evaluation_page(app), str(data))
    reloaded = evaluation_page(open_app())  # to Streamlit a reload is another tab
    assert "Measuring on" in words(reloaded)
    assert [button for button in reloaded.button if button.label == "Stop"]
    go_on.set()
    # a run of the page that begins before the end and reaches the figures after it has both
    run_until(reloaded, lambda app: bool(app.metric) and "Measuring on" not in words(app))


def test_the_form_stands_open_after_an_error_and_closed_after_a_success(
    app: AppTest, data: Path, document: dict
) -> None:
    keep(document)
    keep_open = "evaluation_form_open"
    assert not evaluation_page(app).session_state[keep_open]
    start(app, "/no/such/folder")
    run_until(app, lambda app: "There is no folder" in words(app))
    assert app.session_state[keep_open]
    app.text_input(key="evaluation_folder").set_value(str(data)).run()  # the message goes, the form stays
    assert "There is no folder" not in words(app)
    assert app.session_state[keep_open]
    app.button(key="evaluation_start").click().run()
    run_until(app, lambda app: "20 real and 20 fake with" in words(app) and len(finished()) == 2)
    run_until(app, lambda app: not app.session_state[keep_open])


def test_comparing_two_detectors(detector: ColourDetector, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_detector(Path(os.environ["DEEPFAKE_MODELS"]) / "second")
    second = colour_detector("second", gain=-0.2)  # a detector is not compared with itself
    monkeypatch.setattr(resources, "load_detector", lambda path, **_: second if "second" in str(path) else detector)
    app = evaluation_page(open_app())
    app.selectbox(key="evaluation_other").select("tiny")  # "second" comes first
    start(app, str(data))
    run_until(app, lambda app: bool(app.metric))
    section(app, "Comparison")
    assert not app.exception
    assert "on what has a face for both" in words(app)


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("", "Name a folder"),
        ("/no/such/folder", "There is no folder"),
    ],
)
def test_a_wrong_folder_is_said(app: AppTest, folder: str, said: str) -> None:
    start(evaluation_page(app), folder)
    run_until(app, lambda app: said in words(app))
    assert not app.exception


def test_a_folder_without_labels_is_said_by_the_job(app: AppTest, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    start(evaluation_page(app), str(tmp_path / "empty"))
    run_until(app, lambda app: "No pictures were found" in words(app))
    assert not app.exception


def test_a_job_that_is_stopped_says_that_it_goes_on_from_there(
    app: AppTest, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import Cancelled

    def stopped(*_, **__):
        raise Cancelled

    monkeypatch.setattr(evaluation_form, "evaluate", stopped)
    start(evaluation_page(app), str(data))
    run_until(app, lambda app: "goes on from there" in words(app))
    assert not app.exception
