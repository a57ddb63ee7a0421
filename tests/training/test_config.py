"""Settings: impossible values are refused in words, and a run's file comes back as it was."""

import pytest

from core.errors import TrainingError
from core.training.config import TrainConfig


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"input_size": 64}, "at least 71"),  # Xception leaves no features
        ({"batch_size": 3}, "even"),  # half real, half fake
        ({"batch_size": 0}, "even"),
        ({"epochs": 0}, "epochs"),
        ({"epoch_pictures": 8, "batch_size": 16}, "one batch"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"self_blend": 1.5}, "self_blend"),
        ({"crop_scale": 0.0}, "crop_scale"),
        ({"precision": "float16"}, "precision"),
    ],
)
def test_impossible_values(values, sentence):
    with pytest.raises(TrainingError, match=sentence):
        TrainConfig(**values)


def test_round_trip(tmp_path):
    config = TrainConfig(data=("a", "b"), epochs=3)
    config.save(tmp_path / "config.json")
    assert TrainConfig.load(tmp_path / "config.json") == config


@pytest.mark.parametrize("text", ["", "{", "[]", '{"epochs": "many"}'])
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(TrainingError, match=r"config\.json"):
        TrainConfig.load(tmp_path / "config.json")
    with pytest.raises(TrainingError, match="nowhere"):
        TrainConfig.load(tmp_path / "nowhere/config.json")
