"""What the training page makes of numbers and of what a run has written: pure functions, case by case."""

from pathlib import Path
from typing import Any

import pytest

from core.training.runs import read_run
from pages.components import training_live, training_run, training_settings, training_words
from tests.pages.training_runs import write_run


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),  # not known
        (-4.0, "–"),  # a clock that was set back
        (0.0, "0 s"),
        (89.0, "89 s"),
        (91.0, "2 min"),
        (89 * 60.0, "89 min"),
        (200 * 60.0, "3 h 20 min"),
    ],
)
def test_span(seconds: float | None, expected: str) -> None:
    assert training_words.span(seconds) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0.2, "about a minute"),
        (2.4, "about 2 minutes"),
        (38.0, "about 40 minutes"),  # as exact as a guess is
        (61.0, "about 60 minutes"),
        (95.0, "about 1.5 hours"),
        (630.0, "about 10.5 hours"),
    ],
)
def test_about(minutes: float, expected: str) -> None:
    assert training_words.about(minutes) == expected


@pytest.mark.parametrize(
    ("size_bytes", "expected"), [(None, "–"), (859_700_000.0, "860 MB"), (2_340_000_000.0, "2.3 GB")]
)
def test_memory(size_bytes: float | None, expected: str) -> None:
    assert training_words.memory(size_bytes) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (True, "yes"),  # not "1"
        (0.0003, "0.0003"),
        (("a", "b"), "a, b"),
        ((), "–"),
        ("", "–"),
        (None, "–"),
        (0, "0"),  # zero is a value
    ],
)
def test_value(setting: object, expected: str) -> None:
    assert training_words.value(setting) == expected


def test_a_state_that_nobody_knows_is_shown_by_its_name() -> None:
    assert training_words.look("dancing").word == "Dancing"


@pytest.mark.parametrize(
    ("status", "share", "said"),
    [
        ({"phase": "preparing", "done": 50, "total": 200}, 0.25, "Preparing the faces · 50 of 200"),
        ({"phase": "training", "step": 850, "epoch": 9}, 0.5, "Training the whole network · epoch 9 of 17"),
        (
            {"phase": "head", "step": 99_999, "epoch": 1},
            1.0,
            "Training the head · epoch 1 of 17",
        ),  # never beyond the end
        ({"phase": "starting"}, 0.0, "Starting"),
        ({}, 0.0, "Starting"),  # nothing said yet
        ({"phase": "measuring", "done": "many", "total": 0}, 0.0, "Measuring on the test pictures"),  # edited by hand
        ({"phase": 7}, 0.0, "7"),
    ],
)
def test_progress(tmp_path: Path, status: dict[str, Any], share: float, said: str) -> None:
    cleared = dict.fromkeys(("phase", "step", "epoch", "elapsed_s", "steps_total"))
    folder = write_run(
        tmp_path,
        "run",
        "running",
        done=0,
        status={**cleared, "epochs": 17, **status},
        epoch_pictures=2400,
        batch_size=24,
    )
    assert training_live.progress(read_run(folder)) == (share, said)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ([], None),
        ([{"confusion": [[1, 2], [3, 4]], "classes": ["real", "gan"]}], ([[1, 2], [3, 4]], ["real", "gan"])),
        ([{"confusion": [[1, 2], [3, 4]]}], ([[1, 2], [3, 4]], ["real", "fake"])),  # classes not said
        (
            [{"confusion": [[1, 2], [3, 4]]}, {"confusion": [[1]]}],
            ([[1, 2], [3, 4]], ["real", "fake"]),
        ),  # the last is damaged
        ([{"confusion": [[1, 2], [3]], "classes": ["real", "fake"]}], None),  # not square
        ([{"confusion": "none", "classes": ["real", "fake"]}], None),
        ([{"confusion": [["1", 2], [3, 4]], "classes": ["real", "fake"]}], None),  # no counts
    ],
)
def test_the_newest_whole_confusion_matrix(epochs: list[dict[str, Any]], expected: Any) -> None:
    assert training_live.latest_confusion(epochs) == expected


def test_the_matrix_in_words() -> None:
    assert training_live.in_words([[8, 2], [1, 9]], ["real", "fake"]) == "Called wrongly: 2 of 10 real, 1 of 10 fake."


ONE = {"real": 10, "fake": 20, "auc": 0.9, "auc_95": [0.85, 0.95], "real_called_fake": 0.05, "uncertain": 0.1}


@pytest.mark.parametrize(
    ("by_source", "sources"),
    [
        ({}, []),
        ({"all": ONE}, ["all together"]),
        ({"all": ONE, "mine": ONE}, ["mine"]),  # the same twice says nothing more
        ({"all": ONE, "b": ONE, "a": ONE}, ["b", "a", "all together"]),
        ({"all": "x", "mine": {"auc": None, "auc_95": None}}, ["mine"]),  # edited by hand
    ],
)
def test_figures_of_a_finished_detector(by_source: dict[str, Any], sources: list[str]) -> None:
    rows = training_run.figures(by_source)
    assert [row["Source"] for row in rows] == sources
    for row in rows:
        assert row["95 %"] in ("0.850 – 0.950", "–")
        assert row["Pictures"] in (30, 0)


@pytest.mark.parametrize(
    ("default", "step"),
    [(3e-4, 3e-5), (0.05, 0.05), (0.0, 0.05), (0.88, 0.05), (1e-3, 1e-4), (0.02, 0.002), (0.999, 0.05)],
)
def test_a_press_changes_a_number_by_a_sensible_step(default: float, step: float) -> None:
    assert training_settings.step_of(default) == pytest.approx(step)


def test_sentences_on_settings_use_the_forms_names() -> None:
    assert (
        training_words.with_labels("batch_size must be even.")
        == f"{training_words.setting_label('batch_size')} must be even."
    )
    assert training_words.with_labels("self_blend and composite together.").startswith(
        training_words.setting_label("self_blend")
    )
    assert training_words.with_labels("Give the detector a name.") == "Give the detector a name."
    assert training_words.about(9587 * 60) == "about 399 days"
