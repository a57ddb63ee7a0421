"""The mean of two epochs' weights takes the best checkpoint's place, and says of which epochs it is."""

import keras
import numpy as np
import pytest

from benchmarks.average import average
from core.training import initial, loop
from core.training.checkpoints import read_state
from core.training.finish import _averaged
from tests.training.tiny import Watcher, build, made_up, settings


@pytest.mark.parametrize("batch_norm", ["train", "fold"])
def test_the_mean_of_best_and_last(tmp_path, monkeypatch, batch_norm):
    monkeypatch.setattr(initial, "build_network", build)
    monkeypatch.setattr("core.data.prepare.is_tight_source", lambda *_: True)
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "home"))
    config = settings(made_up(tmp_path / "data"), batch_norm=batch_norm, patience=0)
    best = loop.fit(config, tmp_path / "run", tmp_path / "cache", watch=Watcher())
    crops = np.random.default_rng(0).normal(size=(2, 71, 71, 3)).astype(np.float32)
    single = keras.models.load_model(best).get_weights()
    ended = read_state(best.with_name("last.keras")).epoch
    assert read_state(best).epoch < ended  # or there were nothing to average

    for _ in range(2):  # done twice it is the same
        assert average(tmp_path / "run") == best
        mean = keras.models.load_model(best)
        assert read_state(best).averaged == (read_state(best).epoch, ended)
    assert _averaged(tmp_path / "run") == {"averaged_epochs": [read_state(best).epoch, ended]}  # for the card
    last = keras.models.load_model(best.with_name("last.keras"))
    if batch_norm == "fold":
        last = initial.usual_network(last, config, ("real", "fake"))
    for found, one, other in zip(mean.get_weights(), single, last.get_weights(), strict=True):
        np.testing.assert_allclose(found, (one + other) / 2, atol=1e-6)
    assert mean.predict(crops, verbose=0).shape == (2, 1)

    average(tmp_path / "run", also=[best.with_name("last.keras")])  # an epoch counts once
    assert read_state(best).averaged == (read_state(best).epoch, ended)

    begun = build(71, ("real", "fake"))
    begun.save(tmp_path / "start.keras")
    average(tmp_path / "run", tmp_path / "start.keras")
    assert read_state(best).averaged == (0, read_state(best).epoch, ended)
    three = keras.models.load_model(best)
    apart = [np.abs(a - b).max() for a, b in zip(three.get_weights(), mean.get_weights(), strict=True)]
    assert max(apart) > 1e-3
    if batch_norm == "train":
        for found, one, two in zip(three.get_weights(), mean.get_weights(), begun.get_weights(), strict=True):
            np.testing.assert_allclose(found, (2 * one + two) / 3, atol=1e-5)

    average(tmp_path / "run", tmp_path / "start.keras", with_best=False)
    assert read_state(best).averaged == (0, ended)
    assert read_state(best).epoch == ended
