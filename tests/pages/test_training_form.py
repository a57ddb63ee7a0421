"""The training page's form: presets and settings, and the run that begins with those that were chosen."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.training import estimate
from core.training.presets import PRESETS
from pages.components import training_form, training_settings
from pages.components.training_words import setting_label
from tests.pages.support import run_until, words
from tests.pages.training_forms import can_start, data_set, give_path, start

PHASES = ("features", "head", "training")


def test_nothing_starts_without_data(form: AppTest) -> None:
    assert not form.exception
    assert not can_start(form)
    assert "Choose the data first." in words(form)


def test_a_preset_brings_its_settings_and_what_was_changed_wins(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces"))
    form.button(key="preset_quick").click().run()
    form.number_input(key="set_quick_seed").set_value(7).run()
    form.text_input(key="training_name").set_value("  Office  ").run()
    config = start(form)
    assert config == PRESETS["quick"].config(
        seed=7, name="Office", data=(str(tmp_path / "faces"),), init="tiny", description=config.description
    )


def test_each_preset_keeps_what_was_changed_in_it(form: AppTest) -> None:
    form.number_input(key="set_standard_seed").set_value(5).run()
    form.button(key="preset_quick").click().run()
    assert form.number_input(key="set_quick_seed").value == 0
    form.button(key="preset_standard").click().run()
    assert form.number_input(key="set_standard_seed").value == 5


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("input_size", 3, "input_size"),
        ("batch_size", 7, "batch_size"),  # odd
        ("batch_size", 0, "batch_size"),
        ("learning_rate", 0.0, "learning_rate"),
        ("epochs", -1, "epochs"),
        ("epoch_pictures", 2, "epoch_pictures"),  # less than a batch
        ("self_blend", 1.5, "self_blend"),
        ("dropout", 1.0, "dropout"),
        ("seed", -1, "seed"),
        ("source_weights", "web", "source_weights"),  # not name=number
    ],
)
def test_what_is_impossible_says_so_and_does_not_start(
    form: AppTest, tmp_path: Path, field: str, value: float | str, named: str
) -> None:
    widget = form.text_input if isinstance(value, str) else form.number_input
    widget(key=f"set_standard_{field}").set_value(value).run()  # type: ignore[arg-type]
    assert not form.exception
    assert len(form.error) == 1
    assert setting_label(named) in form.error[0].value.replace("\\", "")
    assert not can_start(form)


def test_a_run_needs_a_name(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces"))
    form.text_input(key="training_name").set_value(" ").run()
    assert not can_start(form)
    assert "name" in form.error[0].value


def test_every_setting_has_a_widget(form: AppTest) -> None:
    for name in training_settings.KNOWN:
        assert form.get_by_key(f"set_standard_{name}").value is not None


def test_times_are_said_for_every_preset(form: AppTest) -> None:
    said = words(form)
    assert said.count(":material/schedule: about") == len(PRESETS)
    assert "Guessed, until a run has done its first batches" in said


def test_the_speed_of_this_machine_is_measured_on_request(form: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        training_form, "measure_speed", lambda config: [estimate.record_speed(config, name, 1e6) for name in PHASES]
    )
    guessed = words(form)
    form.button(key="training_measure").click().run()
    run_until(form, lambda app: "by the speed that was measured" in words(app))
    assert "about a minute" in words(form)
    assert "about a minute" not in guessed.split("Standard")[1].split("Thorough")[0]
