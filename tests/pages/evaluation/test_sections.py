"""The evaluation page: opens with what shipped, shows every section, moves thresholds."""

import json
import os
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from core.evaluation import Request, anonymous, evaluate, to_json
from core.evaluation.results import keep
from tests.evaluation.support import FINDER, labelled_folder
from tests.evaluation.support import detector as colour_detector
from tests.pages.evaluation.support import evaluation_page, section
from tests.pages.support import ColourDetector, open_app, words, write_detector


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


def test_what_one_evaluation_leaves_out_is_a_click_away_in_another_of_the_same_detector(
    detector: ColourDetector, document: dict
) -> None:
    folder = Path(os.environ["DEEPFAKE_MODELS"]) / "tiny"
    (folder / "evaluation.json").write_text(to_json(anonymous({**document, "gates": None, "explanations": None})))
    (folder / "evaluation-val.json").write_text(to_json(anonymous(document)))
    other = {**document["detector"], "sha256": "0" * 64}
    keep({**document, "detector": other, "explanations": {"of": "another detector"}})
    app = evaluation_page(open_app())
    section(app, "Explanations")
    assert not [one for one in app.button if one.key == "has_explanations"]
    section(app, "Face quality")
    assert "were not measured" in words(app)
    app.button(key="has_gates").click().run()
    assert not app.exception
    assert app.selectbox(key="evaluation_choice").value.endswith("tiny/evaluation-val.json")
    assert "Brightness" in words(app)
    assert not [one for one in app.button if one.key == "has_gates"]


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


def test_right_is_the_share_of_the_verdicts_given_for_as_many_fakes_as_reals(app: AppTest, document: dict) -> None:
    """Of nine reals eight are right, of a single fake none: as `accuracy` of the figures has it, not 80 %."""
    said = [0.1] * 8 + [0.9] + [0.1] + [0.5] * 30
    fakes = [False] * 9 + [True] + [False] * 30
    keep({**document, "items": {**document["items"], "fake_probability": said, "fake": fakes, "held": [False] * 40}})
    section(evaluation_page(app), "Verdicts")
    assert {metric.label: metric.value for metric in app.metric}["Right when it decides"] == "44.4 %"


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


def test_what_has_no_interval_breaks_nothing(app: AppTest, document: dict) -> None:
    """Of a handful of groups no interval is given, and the page says why."""

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
    assert "Too few files for intervals" in words(app)
    assert "AUC –" not in words(app)


def test_a_column_that_is_called_as_a_figure_is(app: AppTest, document: dict) -> None:
    figures = document["figures"]["all"]
    value = {**figures, "against": None}
    keep({**document, "columns": {"Fake": {"one": value, "two": value}}})
    evaluation_page(app)
    assert not app.exception
    table = next(one.value for one in app.dataframe if "Fake (column)" in one.value)
    assert list(table["Fake (column)"]) == ["one", "two"]
    assert list(table["Fake"]) == [figures["fake"]] * 2
