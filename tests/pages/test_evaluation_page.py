"""The evaluation page: opens with what shipped, measures a folder, moves thresholds, compares, shows mistakes."""

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation import Request, anonymous, evaluate, to_json
from core.evaluation.gallery import SHOWN
from core.evaluation.mistakes import most_confident
from core.evaluation.results import finished, keep
from core.evaluation_html import as_html
from pages.components import evaluation_form, evaluation_mistakes, resources
from pages.components import text as page_text
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


def exported(document: dict) -> str:
    """What the page's HTML button gives, without Plotly."""
    html = as_html(document, evaluation_mistakes.cards(document))
    return html[: html.index("<script>")]


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


def test_the_handle_that_was_not_moved_keeps_its_exact_limit(app: AppTest, document: dict) -> None:
    """.6951 is shown as 70 %: one face between the two tells which of them counts."""
    items = {
        **document["items"],
        "fake_probability": [0.6975] * 40,
        "held": [False] * 40,
    }
    thresholds = {"real_below": 0.3, "fake_above": 0.6951}
    keep({**document, "detector": {**document["detector"], "thresholds": thresholds}, "items": items})
    section(evaluation_page(app), "Verdicts")
    for low in (30, 40):
        app.slider[0].set_value((low, 70)).run()
        assert {metric.label: metric.value for metric in app.metric}["Uncertain"] == "0.0 %", low
    app.slider[0].set_value((70, 70)).run()  # beyond the exact limit: the two never cross
    assert not app.exception


def test_videos_keep_their_thresholds_until_a_handle_is_moved(app: AppTest, document: dict) -> None:
    items = {**document["items"], "fake_probability": [0.65] * 40, "held": [False] * 40, "video": [True] * 40}
    limits = {
        "thresholds": {"real_below": 0.3, "fake_above": 0.7},
        "video_thresholds": {"real_below": 0.3, "fake_above": 0.6},
    }
    keep({**document, "detector": {**document["detector"], **limits}, "items": items})
    section(evaluation_page(app), "Verdicts")
    assert "fake from 60 %" in words(app)
    assert {metric.label: metric.value for metric in app.metric}["Uncertain"] == "0.0 %"
    app.slider[0].set_value((30, 80)).run()
    assert {metric.label: metric.value for metric in app.metric}["Uncertain"] == "100.0 %"


def test_thresholds_stay_where_they_were_put(app: AppTest, document: dict) -> None:
    keep(document)
    section(evaluation_page(app), "Verdicts").slider[0].set_value((10, 90)).run()
    section(app, "Figures")
    assert section(app, "Verdicts").slider[0].value == (10, 90)


def test_right_is_the_share_of_the_verdicts_given(app: AppTest, document: dict) -> None:
    """Of nine reals eight are right, of a single fake none: the mean of both classes would be 44.4 %."""
    said = [0.1] * 8 + [0.9] + [0.1] + [0.5] * 30
    fakes = [False] * 9 + [True] + [False] * 30
    keep({**document, "items": {**document["items"], "fake_probability": said, "fake": fakes, "held": [False] * 40}})
    section(evaluation_page(app), "Verdicts")
    assert {metric.label: metric.value for metric in app.metric}["Right when it decides"] == "80.0 %"


def test_a_source_that_is_called_all_has_its_own_verdicts(app: AppTest, tmp_path: Path) -> None:
    root = labelled_folder(tmp_path / "data", 10, sources=("all", "two"))
    keep(evaluate(Request((str(root / "all"), str(root / "two"))), colour_detector(), finder=FINDER))
    section(evaluation_page(app), "Verdicts")
    counted = []
    for part in ("all", "all (source)", "two"):
        next(one for one in app.selectbox if one.label == "Source").set_value(part).run()
        chart = json.loads(app.get("plotly_chart")[0].proto.spec)
        shown = [one["text"].rpartition(">")[2] for one in chart["layout"]["annotations"]]
        counted.append(sum(map(int, shown)))
    assert counted == [40, 20, 20]


def test_of_one_class_it_says_what_is_missing_instead_of_a_chart(app: AppTest, data: Path) -> None:
    for path in data.glob("*/Fake/*"):
        path.unlink()
    keep(evaluate(Request((str(data / "one"),)), colour_detector(), finder=FINDER))
    evaluation_page(app)
    assert not app.exception
    assert "need real and fake faces" in words(app)
    assert not app.get("plotly_chart")
    assert "nan" not in words(app).lower()
    assert app.dataframe[0].proto.placeholder == "–"


def test_what_was_noted_of_the_choice_is_said(app: AppTest, document: dict) -> None:
    keep({**document, "notes": ["These data name no splits."]})
    assert "These data name no splits" in words(evaluation_page(app))


def test_what_has_no_interval_breaks_nothing(app: AppTest, document: dict) -> None:
    """Of a handful of groups no interval is given: a dash stands there, in every section."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: [None, None] if key.endswith("_95") else without(item) for key, item in value.items()}
        return [without(item) for item in value] if isinstance(value, list) else value

    keep(without(document))
    evaluation_page(app)
    for name in ("Figures", "Curves", "Verdicts", "Robustness", "Comparison"):
        section(app, name)
        assert not app.exception, name
    section(app, "Figures")
    assert "AUC –" in words(app)


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
    run_until(reloaded, lambda app: bool(app.metric))
    assert "Measuring on" not in words(reloaded)


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


def test_two_that_look_the_same_can_both_be_opened_and_removed(app: AppTest, document: dict) -> None:
    twins = [keep(document), keep(document)]
    choice = evaluation_page(app).selectbox(key="evaluation_choice")
    assert len(set(choice.options)) == 2
    for path in twins:
        app.selectbox(key="evaluation_choice").set_value(str(path)).run()
        assert app.selectbox(key="evaluation_choice").value == str(path)
    app.button(key="evaluation_remove").click().run()
    assert not app.exception
    assert [path.exists() for path in twins] == [True, False]
    assert app.selectbox(key="evaluation_choice").value == str(twins[0])


def test_times_are_those_of_the_reader_s_clock(app: AppTest, document: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_text, "moment", lambda unix_s: f"clock {unix_s:.0f}")
    keep({**document, "created": "2026-11-26T23:30:00Z"})
    evaluation_page(app)
    assert "measured clock 1795735800" in words(app)
    assert "(clock 1795735800)" in app.selectbox(key="evaluation_choice").options[0]


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
        ("created", None),
        ("figures", {}),
        ("seconds", float("nan")),
        ("items", {"path": []}),
    ],
)
def test_a_damaged_one_is_refused_with_a_sentence(
    app: AppTest, document: dict, damage: bytes | tuple[str, object]
) -> None:
    evaluation_page(app)
    data = damage if isinstance(damage, bytes) else json.dumps({**document, damage[0]: damage[1]}).encode()
    app.file_uploader[0].upload("mine.json", data).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "measure again" in app.error[0].value or "take a file" in app.error[0].value
    assert not app.metric
    assert not finished()  # nothing was kept


def test_a_damaged_file_on_disk_does_not_hide_the_others(app: AppTest, document: dict) -> None:
    path = keep(document)
    path.with_name("broken.json").write_text("{")
    evaluation_page(app)
    assert not app.exception
    assert len(app.error) == 1
    assert app.metric
    app.button(key="evaluation_remove_broken.json").click().run()
    assert not app.error
    assert not path.with_name("broken.json").exists()
    assert path.exists()


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
