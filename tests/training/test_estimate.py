"""How long a run will take: from what was measured here, scaled by pixels, and honest about what was not."""

import json

import pytest

from core.errors import SetupError
from core.training import estimate
from core.training.config import TrainConfig
from core.training.estimate import estimate_minutes, measure_speed, record_speed, seconds_of_training
from core.training.presets import PRESETS


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(estimate, "cpu_computes_bfloat16", lambda: True)
    return tmp_path / "home"


def settings(**changes):
    return TrainConfig(**{"head_epochs": 0, "epochs": 10, "epoch_pictures": 3000, "batch_size": 30, **changes})


def test_what_runs_measured_is_used():
    config = settings()
    assert not estimate_minutes(config, 0).measured
    record_speed(config, "training", 50.0)
    found = estimate_minutes(config, 0)
    assert found.measured
    assert found.minutes == pytest.approx(30000 / 50 / 60, abs=0.1)
    assert seconds_of_training(config) == pytest.approx(600)


def test_another_size_is_scaled_by_its_pixels():
    record_speed(settings(input_size=100), "training", 40.0)
    assert seconds_of_training(settings(input_size=200)) == pytest.approx(30000 / 10)
    assert estimate_minutes(settings(input_size=200), 0).measured
    # of two that were measured the nearer one counts
    record_speed(settings(input_size=224), "training", 7.0)
    assert seconds_of_training(settings(input_size=200)) == pytest.approx(30000 / (7 * (224 / 200) ** 2))


@pytest.mark.parametrize("changes", [{"precision": "float32"}, {"blocks": 4}])
def test_what_is_of_another_kind_is_not(changes):
    record_speed(settings(), "training", 50.0)
    assert not estimate_minutes(settings(**changes), 0).measured


def test_more_work_takes_longer():
    plain = estimate_minutes(settings(), 1000).minutes
    assert estimate_minutes(settings(epochs=20), 1000).minutes > 1.5 * plain
    assert estimate_minutes(settings(), 50000).minutes > plain + 20  # faces are found first
    assert estimate_minutes(settings(minutes=5.0), 0).minutes == pytest.approx(5, abs=0.2)
    quick, standard, thorough = (estimate_minutes(one.config(), 2200).minutes for one in PRESETS.values())
    assert quick < 4
    assert 30 < standard < 60
    assert thorough > 120


@pytest.mark.parametrize("text", ["", "[]", "{", '{"training/160": 3, "a/b/c/d": 1, "training/160/14/auto": -1}'])
def test_a_damaged_memory_is_forgotten(home, text):
    home.mkdir()
    (home / "speed.json").write_text(text)
    assert not estimate_minutes(settings(), 0).measured
    record_speed(settings(), "training", 10.0)
    assert estimate_minutes(settings(), 0).measured


def test_nowhere_to_remember_is_no_reason_to_fail(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "file"))
    record_speed(settings(), "training", 10.0)
    assert not estimate_minutes(settings(), 0).measured


def test_speed_is_measured_in_a_process_of_its_own(home):
    config = settings(input_size=71, blocks=2, batch_size=2, epoch_pictures=2, precision="float32")
    measure_speed(config)
    assert set(json.loads((home / "speed.json").read_text())) == {"features/71/2/float32", "training/71/2/float32"}
    assert estimate_minutes(config, 0).measured


def test_a_measurement_that_fails_is_a_sentence(monkeypatch):
    monkeypatch.setattr(estimate.sys, "executable", "/bin/false")
    with pytest.raises(SetupError, match="could not be measured"):
        measure_speed(settings())


def test_a_processor_without_bfloat16_is_expected_to_take_longer(monkeypatch):
    times = []
    for computes in (True, False):
        monkeypatch.setattr(estimate, "cpu_computes_bfloat16", lambda computes=computes: computes)
        times.append(estimate.estimate_minutes(settings(), 1000).minutes)
    assert times[1] > 4 * times[0]
