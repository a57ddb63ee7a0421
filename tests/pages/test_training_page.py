"""The training page's runs: what it says of each state, what can be done, and damaged folders."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.detector import in_use
from core.training import runs
from core.training.records import read_lines
from pages.components import training_live, training_runs
from tests.detector import networks
from tests.pages.support import open_app, words
from tests.pages.training_runs import write_run

RUN = "20261120-091500-a1b2"


def open_training(run_id: str | None = None) -> AppTest:
    """The training page as the URL of a run opens it."""
    app = open_app()
    if run_id is not None:
        app.query_params["run"] = run_id
    app.switch_page("pages/training.py").run()
    assert not app.exception
    return app


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.main.button} | {button.label for button in app.get("download_button")}


def test_without_a_run_the_form_is_there_at_once(root: Path) -> None:
    app = open_training()
    assert "How thoroughly" in words(app)
    assert labels(app).isdisjoint({"All runs", "New run"})


@pytest.mark.parametrize(
    ("state", "options", "there", "not_there"),
    [
        ("running", {}, {"Stop"}, {"Delete", "Resume", "Download"}),
        ("queued", {"done": 0}, {"Take out of the queue"}, {"Stop", "Resume", "Delete"}),
        ("stopping", {}, set(), {"Stop", "Resume", "Delete"}),
        ("finished", {"model": True}, {"Use this detector", "Download", "Delete"}, {"Resume", "Stop"}),
        ("stopped", {}, {"Resume", "Make a detector of the best epoch", "Delete"}, {"Download", "Stop"}),
        ("failed", {}, {"Resume", "Make a detector of the best epoch", "Delete"}, {"Stop"}),
        ("failed", {"done": 0}, {"Start again"}, {"Make a detector of the best epoch"}),  # nothing was kept yet
        ("lost", {}, {"Resume", "Make a detector of the best epoch", "Delete"}, {"Stop"}),
    ],
)
def test_each_state_offers_what_makes_sense(
    root: Path, state: str, options: dict[str, int], there: set[str], not_there: set[str]
) -> None:
    if state == "queued":
        write_run(root, "20261120-091400-0000", "running")  # what it waits for
    write_run(root, RUN, state, name="Mine", **options)  # type: ignore[arg-type]
    app = open_training(RUN)
    assert "Mine" in words(app)
    assert there <= labels(app)
    assert labels(app).isdisjoint(not_there)


def test_a_failed_run_says_why(root: Path) -> None:
    write_run(root, RUN, "failed", status={"message": "The disk is full: make room and resume it."})
    assert [error.value for error in open_training(RUN).error] == ["The disk is full\\: make room and resume it."]


def test_a_running_one_shows_its_figures(root: Path) -> None:
    write_run(root, RUN, "running", done=6)
    shown = {metric.label: metric.value for metric in open_training(RUN).metric}
    assert shown["Images/s"] == "18.2"
    assert shown["Processor"] == "93 %"
    assert shown["Memory"] == "2.3 GB"
    assert shown["Time left"] == "25 min"  # 10 epochs of 150 s
    assert float(shown["Best val AUC"]) == pytest.approx(0.85, abs=0.05)


def test_curves_matrix_and_mistakes_are_drawn(root: Path) -> None:
    write_run(root, RUN, "finished", model=True)
    app = open_training(RUN)
    assert len(app.get("plotly_chart")) == 4
    assert len(app.get("image")) == training_live.MISTAKES
    assert "Called wrongly: " in words(app)


@pytest.mark.parametrize("run_id", ["20990101-000000-ffff", "../runs/" + RUN, "..", "", "/etc"])
def test_a_run_that_is_not_there_is_said_and_never_opened(root: Path, run_id: str) -> None:
    write_run(root, RUN, "finished")
    app = open_training(run_id)
    assert [warning.value for warning in app.warning]
    assert "All runs" in labels(app)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", "{"),  # half written
        ("config.json", '{"epochs": -3}'),  # impossible
        ("status.json", '{"state": "running", "heart'),  # half written
        ("status.json", "[]"),  # not an object
        ("status.json", '{"state": "dancing", "heartbeat": "now", "phase": 7, "gpu": "big"}'),  # edited by hand
        ("status.json", '{"state": "failed", "message": ["no"], "step": {}, "eta_s": "soon"}'),  # other types
        ("metrics.jsonl", '{"epoch": 1, "step": 50, "val_auc": 0.6}\n{"epoch": 2, "st'),  # the last line half written
        ("metrics.jsonl", '{"epoch": "one", "confusion": [[1], [2, 3]], "val_auc_by_source": 3}\n5\n\n'),
        ("batches.jsonl", "not json at all\n"),
        ("mistakes.json", '{"path": "x"}'),  # not a list
        ("mistakes.json", '[{"path": 3}, {"path": "/nowhere.png", "fake_probability": 0.4}, 7]'),
        ("mistakes.json", '[{"path": "/etc/passwd", "label": "real", "fake_probability": 0.4}]'),  # no picture
        ("note.txt", "**bold** <script>"),
    ],
)
def test_a_folder_edited_by_hand_breaks_nothing(root: Path, name: str, content: str) -> None:
    (write_run(root, RUN, "stopped") / name).write_text(content)
    assert "All runs" in labels(open_training(RUN))
    assert len(open_training().dataframe[0].value) == 1


def test_deleted_while_it_is_watched(root: Path) -> None:
    write_run(root, RUN, "running")
    write_run(root, "20261120-101500-ffff", "finished")
    app = open_training(RUN)
    shutil.rmtree(root / RUN)
    app.run()
    assert not app.exception
    assert app.warning


def test_the_table_says_what_matters(root: Path) -> None:
    write_run(root, RUN, "finished", done=6, peak=0.9, name="Old", note="first try", data=("/a/dfdc", "/b/mine"))
    write_run(root, "20261121-091500-a1b2", "running", done=2, name="New")
    table = open_training().dataframe[0].value
    assert table["Name"].tolist() == ["New", "Old"]  # the newest first
    assert [list(state) for state in table["State"]] == [["Running"], ["Finished"]]
    assert table["Data"].tolist() == ["dfdc", "dfdc, mine"]
    assert table["Epochs"].tolist() == ["2 of 17", "6 of 17"]
    assert table["Note"].tolist() == ["", "first try"]
    assert table["Best val AUC"].tolist()[1] == pytest.approx(0.85, abs=0.05)


def test_ticked_runs_lie_over_each_other(root: Path) -> None:
    write_run(root, RUN, "finished", name="Old", learning_rate=1e-3)
    write_run(root, "20261121-091500-a1b2", "finished", name="New")
    app = open_training()
    assert not app.get("plotly_chart")
    app.session_state[training_runs.COMPARED] = [RUN, "20261121-091500-a1b2"]
    app.run()
    assert len(app.get("plotly_chart")) == 1
    differing = app.dataframe[1].value
    assert differing.to_dict("records") == [{"Setting": "Learning rate", "New": "0.0003", "Old": "0.001"}]


@pytest.mark.parametrize(
    ("configs", "expected"),
    [
        ({"a": {"x": 1}, "b": {"x": 1}}, []),  # the same
        ({"a": {"x": 1.0}, "b": {"x": 2.0}}, [{"Setting": "X", "a": "1", "b": "2"}]),
        ({"a": {"data": ["/d", "/e"]}, "b": {"data": []}}, [{"Setting": "Data", "a": "/d, /e", "b": "–"}]),
        ({"a": {"x": 1}, "b": {}}, [{"Setting": "X", "a": "1", "b": "–"}]),  # an older run does not know the setting
        ({"a": {"name": "A"}, "b": {"name": "B"}}, []),  # names differ anyway
    ],
)
def test_differences(configs: dict[str, dict[str, object]], expected: list[dict[str, str]]) -> None:
    assert training_runs.differences(configs) == expected


def test_stop_asks_the_trainer_to_end(root: Path) -> None:
    folder = write_run(root, RUN, "running")
    app = open_training(RUN)
    app.button(key="run_stop").click().run()
    assert not app.exception
    assert runs.read_run(folder).state == "stopping"
    assert "Stop" not in labels(app)


@pytest.mark.parametrize(("key", "task"), [("run_resume", "train"), ("run_make", "finish")])
def test_a_stopped_run_goes_on(root: Path, key: str, task: str) -> None:
    folder = write_run(root, RUN, "stopped")
    app = open_training(RUN)
    app.button(key=key).click().run()
    assert not app.exception
    status = json.loads((folder / "status.json").read_text())
    assert (status["state"], status["task"]) == ("running", task)


def test_a_second_run_waits_for_the_first(root: Path) -> None:
    write_run(root, "20261120-091400-0000", "running")
    folder = write_run(root, RUN, "stopped")
    app = open_training(RUN)
    app.button(key="run_resume").click().run()
    assert runs.read_run(folder).state == "queued"
    assert "Waiting for the run before it" in [bar.proto.text for bar in app.get("progress")]


def test_what_cannot_be_done_is_a_sentence(root: Path) -> None:
    folder = write_run(root, RUN, "stopped")
    app = open_training(RUN)
    (folder / "config.json").write_text("{")  # damaged between two looks
    app.button(key="run_resume").click().run()
    assert not app.exception
    assert app.error


def test_a_note_is_kept_with_the_run(root: Path) -> None:
    folder = write_run(root, RUN, "finished")
    app = open_training(RUN)
    app.text_input(key=f"training_note_{RUN}").set_value("better light").run()
    assert runs.read_run(folder).note == "better light"
    assert open_training(RUN).text_input(key=f"training_note_{RUN}").value == "better light"


def test_delete_asks_first(root: Path) -> None:
    folder = write_run(root, RUN, "finished", name="Mine")
    app = open_training(RUN)
    app.button(key="run_delete").click().run()
    assert folder.exists()
    app.button(key="delete_yes").click().run()
    assert not app.exception
    assert not folder.exists()


@pytest.mark.parametrize("state", ["running", "stopping"])
def test_what_runs_cannot_be_deleted(root: Path, state: str) -> None:
    write_run(root, RUN, state)
    assert "Delete" not in labels(open_training(RUN))


def test_promote_and_undo(root: Path) -> None:
    networks.saved(write_run(root, RUN, "finished", name="Mine") / "model")
    app = open_training(RUN)
    app.button(key="run_use").click().run()
    assert not app.exception
    assert not app.error
    name = in_use.in_use()
    assert name is not None
    assert app.sidebar.selectbox(key="detector_choice").value == name
    assert {"Undo"} <= labels(app)
    app.button(key="run_undo").click().run()
    assert not app.exception
    assert in_use.in_use() is None
    assert "Use this detector" in labels(app)


def test_a_half_written_line_is_drawn_when_it_is_whole(root: Path) -> None:
    folder = write_run(root, RUN, "running", done=1)
    metrics = folder / "metrics.jsonl"
    whole = metrics.read_text()
    metrics.write_text(whole + whole[:40])
    assert len(read_lines(metrics)[0]) == 1
    assert open_training().dataframe[0].value["Epochs"].tolist() == ["1 of 17"]
    metrics.write_text(whole + whole)
    assert open_training().dataframe[0].value["Epochs"].tolist() == ["2 of 17"]


def test_read_only_hides_the_page_and_refuses_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(root, RUN, "finished", name="Secret")
    monkeypatch.setenv("DEEPFAKE_READ_ONLY", "1")
    app = open_training(RUN)
    assert [info.value for info in app.info]
    assert "Secret" not in words(app)
    assert not labels(app)
