"""core.training_charts: what a figure says, read back from its traces."""

from typing import Any

import pytest

from core import charts, training_charts
from core.training_charts import points, smooth


def epoch(number: int, **fields: Any) -> dict[str, Any]:
    return {"epoch": number, "step": 10 * number, "elapsed_s": 60.0 * number - 30, "phase": "training", **fields}


TWO_EPOCHS = [
    epoch(1, phase="head", loss=0.7, val_loss=0.69, val_auc=0.6, val_auc_by_source={"a": 0.5, "b": 0.7}),
    epoch(2, loss=0.6, val_loss=0.68, val_auc=0.55, val_auc_by_source={"a": 0.45, "b": 0.65}),
]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ([], [])),  # nothing yet
        ([{"step": 1, "loss": 0.5}, {"step": 2}], ([1.0], [0.5])),  # a line of an older trainer
        ([{"step": 1, "loss": "low"}, {"step": None, "loss": 1.0}], ([], [])),  # edited by hand
        ([{"step": 1, "loss": float("nan")}, {"step": 2, "loss": float("inf")}], ([], [])),  # diverged
        ([{"step": True, "loss": 1.0}], ([], [])),  # JSON's true is no number
    ],
)
def test_points_are_those_that_are_numbers(lines: list[dict[str, Any]], expected: tuple[list[float], ...]) -> None:
    assert points(lines, "step", "loss") == expected


def test_no_more_points_than_a_screen_shows() -> None:
    x, y = points([{"step": step, "loss": 1.0} for step in range(100_000)], "step", "loss")
    assert len(x) == len(y) <= training_charts.MOST_POINTS
    assert x[0] == 0
    assert x[-1] > 99_000


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),  # nothing
        ([3.0, 3.0, 3.0], [3.0, 3.0, 3.0]),  # without the correction it would begin at 0.3
        ([0.0, 1.0], [0.0, 0.1 / 0.19]),  # by hand: (0.9·0 + 0.1·1) / (1 − 0.9²)
    ],
)
def test_smooth_starts_without_a_bias(values: list[float], expected: list[float]) -> None:
    assert smooth(values) == pytest.approx(expected)


def test_auc_shows_each_source_the_mean_and_the_best() -> None:
    figure = training_charts.auc(TWO_EPOCHS)
    named = {trace.name: list(trace.y) for trace in figure.data if trace.name}
    assert named == {"a": [0.5, 0.45], "b": [0.7, 0.65], "Mean": [0.6, 0.55]}
    (ring,) = [trace for trace in figure.data if not trace.name]
    assert (ring.x, ring.y) == ((10.0,), (0.6,))
    assert figure.layout.yaxis.range[0] < 0.45  # worse than chance is not cut off


def test_a_single_source_is_the_mean_itself() -> None:
    figure = training_charts.auc([epoch(1, val_auc=0.6, val_auc_by_source={"a": 0.6})])
    assert [trace.name for trace in figure.data if trace.name] == ["Validation"]


def test_epochs_label_the_axis_and_a_phase_begins_where_the_one_before_ended() -> None:
    figure = training_charts.loss(TWO_EPOCHS, [])
    assert figure.layout.xaxis.ticktext == ("1", "2")
    assert figure.layout.xaxis.tickvals == (10.0, 20.0)
    assert [(note.text, note.x) for note in figure.layout.annotations] == [("whole network", 10.0)]


def test_many_epochs_do_not_crowd_the_axis() -> None:
    figure = training_charts.loss([epoch(number, loss=0.5) for number in range(1, 98)], [])
    assert len(figure.layout.xaxis.ticktext) <= training_charts.MOST_TICKS


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([], [10.0, 20.0]),  # by epochs where batches are not known
        ([{"step": 1, "loss": 0.9}, {"step": 3, "loss": 0.8}], [1.0, 3.0]),
    ],
)
def test_loss_is_drawn_as_finely_as_it_is_known(batches: list[dict[str, Any]], expected: list[float]) -> None:
    (training,) = [trace for trace in training_charts.loss(TWO_EPOCHS, batches).data if trace.name == "Training"]
    assert list(training.x) == expected


@pytest.mark.parametrize("make", [training_charts.loss, training_charts.learning_rate])
def test_a_run_without_a_line_gives_an_empty_figure(make: Any) -> None:
    assert len(make([], []).data) == 0


@pytest.mark.parametrize(
    ("by_minutes", "expected"),
    [(False, (1.0, 2.0)), (True, (0.5, 1.5))],
)
def test_overlay_has_a_line_a_run(by_minutes: bool, expected: tuple[float, ...]) -> None:
    runs = {"one": TWO_EPOCHS, "two": [epoch(1, val_auc=0.9)], "none yet": []}
    figure = training_charts.overlay(runs, "val_auc", by_minutes=by_minutes)
    assert [trace.name for trace in figure.data] == ["one", "two"]
    assert figure.data[0].x == expected


def test_confusion_shades_by_the_share_of_the_truth() -> None:
    figure = training_charts.confusion([[3, 1], [0, 0]], ["real", "fake"])
    (cells,) = figure.data
    assert [list(row) for row in cells.z] == [[0.75, 0.25], [0, 0]]  # a class without pictures divides by no zero
    assert cells.text[0][0] == "<b>3</b><br>75%"
    assert list(cells.x) == ["called real", "called fake"]


def test_holdings_stacks_classes_with_real_first() -> None:
    figure = training_charts.holdings({"train": {"gan": 5, "real": 9}, "val": {"real": 2}})
    assert [trace.name for trace in figure.data] == ["real", "gan"]
    assert [list(trace.x) for trace in figure.data] == [[9, 2], [5, 0]]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_those_of_the_page(dark: bool) -> None:
    figure = training_charts.overlay({"one": TWO_EPOCHS}, "loss", dark=dark)
    assert figure.data[0].line.color == charts.palette(dark).people[0]
