"""The evaluation page: opens with what shipped, measures a folder, moves thresholds, compares, shows mistakes."""

import hashlib
import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation import Request, anonymous, evaluate, to_json
from core.evaluation.results import keep
from pages.components import evaluation_form
from tests.evaluation.support import FINDER, labelled_folder
from tests.evaluation.support import detector as colour_detector
from tests.pages.support import ColourDetector, open_app, run_until, words, write_detector


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return labelled_folder(tmp_path / "data", 10, sources=("one", "two"))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Everything measured, by the weights of the app's own detector and by another."""
    root = labelled_folder(tmp_path_factory.mktemp("measured") / "data", 10, sources=("one", "two"))
    folders = tuple(str(root / source) for source in ("one", "two"))
    request = Request(folders, baseline=True, robustness=True, robustness_limit=4, gates=True)
    found = evaluate(request, colour_detector(), colour_detector("other", gain=-0.2), finder=FINDER)
    found["detector"]["sha256"] = hashlib.sha256(b"weights").hexdigest()
    return found


def evaluation_page(app: AppTest) -> AppTest:
    return app.switch_page("pages/evaluation.py").run()


def section(app: AppTest, name: str) -> AppTest:
    app.session_state["evaluation_tabs"] = name
    return app.run()


def start(app: AppTest, folder: str) -> AppTest:
    app.text_input(key="evaluation_folder").set_value(folder)
    return app.button(key="evaluation_start").click().run()


def test_nothing_measured_says_what_to_do(app: AppTest) -> None:
    evaluation_page(app)
    assert not app.exception
    assert "Nothing was measured yet" in words(app)
    assert app.button(key="evaluation_start")


def test_page_opens_with_what_shipped_with_the_chosen_detector(detector: ColourDetector, document: dict) -> None:
    folder = Path(os.environ["DEEPFAKE_MODELS"])
    write_detector(folder / "another")
    (folder / "another/evaluation.json").write_text(to_json({**anonymous(document), "created": "2020-01-01T00:00:00Z"}))
    (folder / "tiny/evaluation.json").write_text(to_json(anonymous(document)))
    app = open_app()
    app.selectbox(key="detector_choice").select("tiny").run()
    evaluation_page(app)
    assert not app.exception
    assert app.selectbox(key="evaluation_choice").value.endswith("tiny/evaluation.json")
    assert [metric.label for metric in app.metric][:2] == ["AUC", "Equal error rate"]
    section(app, "Mistakes")
    assert "without the media" in words(app)


def test_every_section_of_a_whole_evaluation(app: AppTest, document: dict) -> None:
    keep(document)
    evaluation_page(app)
    assert not app.exception
    for name, said in (
        ("Curves", "Precision and recall"),
        ("Verdicts", "Where the probabilities lie"),
        ("Robustness", "H.264"),
        ("Comparison", "other"),
        ("Face quality", "Brightness"),
        ("Mistakes", "Given"),
    ):
        section(app, name)
        assert not app.exception, name
        assert said in words(app), name


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


def test_thresholds_move_the_confusion_matrix(app: AppTest, document: dict) -> None:
    keep(document)
    section(evaluation_page(app), "Verdicts")
    (slider,) = app.slider
    assert slider.value == (30, 70)
    slider.set_value((0, 100)).run()
    assert not app.exception
    said = {metric.label: metric.value for metric in app.metric}
    assert said["Uncertain"] == "100.0 %"
    assert said["Reals called fake"] == "0.0 %"
    app.slider[0].set_value((50, 50)).run()
    assert {metric.label: metric.value for metric in app.metric}["Uncertain"] == "0.0 %"


def test_measuring_a_folder_shows_its_figures(app: AppTest, data: Path) -> None:
    start(evaluation_page(app), str(data))
    assert not app.exception
    run_until(app, lambda app: bool(app.metric))
    assert not app.exception
    assert "20 real and 20 fake" in words(app)
    assert app.selectbox(key="evaluation_choice").value


def test_comparing_two_detectors(detector: ColourDetector, data: Path) -> None:
    write_detector(Path(os.environ["DEEPFAKE_MODELS"]) / "second")
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


def test_names_of_strangers_stay_text(app: AppTest, document: dict) -> None:
    nasty = "[x](http://y)"
    keep({**document, "detector": {**document["detector"], "name": nasty}, "data": {**document["data"], "name": nasty}})
    evaluation_page(app)
    assert not app.exception
    assert "[x](http" not in words(app)


def test_removing_one(app: AppTest, document: dict) -> None:
    path = keep(document)
    evaluation_page(app)
    app.button(key="evaluation_remove").click().run()
    assert not app.exception
    assert not path.exists()


def test_an_evaluation_from_elsewhere_can_be_opened(app: AppTest, document: dict) -> None:
    evaluation_page(app)
    app.file_uploader[0].upload("mine.json", to_json(document).encode()).run()
    assert not app.exception
    assert app.metric
    # a stranger's file must not make the server show pictures by their paths
    section(app, "Mistakes")
    assert "without the media" in words(app)


@pytest.mark.parametrize(
    "damage",
    [
        b"{",  # not JSON
        b'{"kind": "other"}',  # something else
        b'{"kind": "deepfake-evaluation", "schema_version": 1, "detector": {}, "data": {}, "figures": {}, "curves": {},'
        b' "calibration": {}, "items": {}}',  # hollow
    ],
)
def test_a_damaged_one_is_refused_with_a_sentence(app: AppTest, damage: bytes) -> None:
    evaluation_page(app)
    app.file_uploader[0].upload("mine.json", damage).run()
    assert not app.exception
    assert len(app.error) == 1
    assert not app.metric


def test_a_damaged_file_on_disk_does_not_hide_the_others(app: AppTest, document: dict) -> None:
    path = keep(document)
    path.with_name("broken.json").write_text("{")
    evaluation_page(app)
    assert not app.exception
    assert len(app.error) == 1
    assert app.metric


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
