"""What a training starts from: weights by name, by file, from a run; what does not fit is a sentence."""

import keras
import numpy as np
import pytest

from core.detector.artifact import DetectorSpec, save_artifact
from core.detector.network import HEAD_LAYER, build_network, split_off_head
from core.errors import TrainingError
from core.training import initial
from core.training.config import TrainConfig
from core.training.initial import initial_network
from core.training.start import check_start
from tests.training.tiny import build

CLASSES = ("real", "fake")


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(initial, "build_network", build)
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEEPFAKE_MODELS", str(tmp_path / "model"))


def settings(init, **changes):
    return TrainConfig(**{"init": str(init), "input_size": 71, "dropout": 0.0, **changes})


def trained():
    model = build(71)
    for variable in model.weights:
        variable.assign(np.random.default_rng(0).uniform(0.5, 1.5, variable.shape))
    return model


def save_detector(folder):
    save_artifact(folder, trained(), DetectorSpec(name=folder.name, input_size=71))
    return folder


def save_run(folder):
    (folder / "checkpoints").mkdir(parents=True)
    trained().save(folder / "checkpoints/best.keras")
    return folder


@pytest.mark.parametrize(
    "place",
    [
        lambda base: save_detector(base / "model/other") and "other",  # by the name of a detector that is installed
        lambda base: save_detector(base / "mine"),  # a detector's folder
        lambda base: save_detector(base / "mine") / "model.keras",
        lambda base: save_run(base / "run"),  # its best checkpoint
        lambda base: save_run(base / "run") / "checkpoints/best.keras",
    ],
)
def test_weights_are_taken_over(tiny, tmp_path, place):
    model = initial_network(settings(place(tmp_path)), CLASSES)
    for mine, theirs in zip(model.weights, trained().weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3)  # kernels are stored as float16


@pytest.mark.parametrize(("theirs", "mine"), [(14, 4), (4, 3)])
def test_a_network_of_fewer_blocks_takes_over_the_first_ones(tmp_path, theirs, mine):
    """So that the quick preset, which has four, can start from the detector that ships, which has all."""
    source = build_network(71, blocks=theirs)
    source.save(tmp_path / "whole.keras")
    model = initial_network(settings(tmp_path / "whole.keras", blocks=mine), CLASSES)
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, 71, 71, 3)).astype(np.float32)
    expected = keras.Model(source.input, source.get_layer(f"block{mine + 1}_sepconv1_act").input)(pixels)
    np.testing.assert_allclose(split_off_head(model)[0](pixels), expected, rtol=1e-4, atol=1e-5)


def test_a_network_of_more_blocks_does_not(tmp_path):
    build_network(71, blocks=2).save(tmp_path / "short.keras")
    with pytest.raises(TrainingError, match="another network"):
        initial_network(settings(tmp_path / "short.keras", blocks=3), CLASSES)


def test_another_number_of_classes_gets_a_new_head(tiny, tmp_path):
    model = initial_network(settings(save_run(tmp_path / "run")), ("real", "gan", "swap"))
    assert model.output_shape == (None, 3)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], trained().layers[1].get_weights()[0])
    assert np.abs(model.get_layer(HEAD_LAYER).get_weights()[0]).max() < 2


def test_chance_alone(tiny):
    keras.utils.set_random_seed(1)
    first = initial_network(settings("none"), CLASSES).get_weights()[0]
    assert (first != initial_network(settings("none"), CLASSES).get_weights()[0]).any()


def not_a_model(base):
    (base / "text.keras").write_text("no model")
    return base / "text.keras"


def another_network(base):
    inputs = keras.Input((71, 71, 3))
    x = keras.layers.Conv2D(8, 3, strides=8, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x)).save(base / "other.keras")
    return base / "other.keras"


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (lambda _: "nowhere.h5", "no weights at nowhere.h5.*--init default"),
        (not_a_model, r"text\.keras"),
        (another_network, "another network"),
    ],
)
def test_what_does_not_fit_is_a_sentence(tiny, tmp_path, place, sentence):
    with pytest.raises(TrainingError, match=sentence):
        initial_network(settings(place(tmp_path)), CLASSES)


def test_offline_without_the_imagenet_weights(monkeypatch):
    def offline(*_, **__):
        raise Exception("URL fetch failure on https://x: None -- [Errno -2] Name or service not known")

    monkeypatch.setattr(initial, "build_network", offline)
    with pytest.raises(TrainingError, match=r"cannot be downloaded.*--init default"):
        initial_network(settings("imagenet"), CLASSES)


def test_a_full_disk_while_they_are_downloaded_is_no_missing_connection(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(initial, "build_network", full)
    with pytest.raises(OSError, match="No space"):
        initial_network(settings("imagenet"), CLASSES)


def test_weights_without_the_top(tmp_path):
    base = keras.applications.Xception(weights=None, include_top=False, input_shape=(71, 71, 3))
    base.save_weights(tmp_path / "base.weights.h5")
    for blocks in (3, 14):
        model = initial_network(settings(tmp_path / "base.weights.h5", blocks=blocks), CLASSES)
        np.testing.assert_array_equal(model.layers[1].get_weights()[0], base.layers[1].get_weights()[0])
    (tmp_path / "bad.weights.h5").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="no weights of Xception"):
        initial_network(settings(tmp_path / "bad.weights.h5"), CLASSES)


@pytest.mark.parametrize(
    ("blocks", "features"),
    [(2, (None, 17, 17, 128)), (4, (None, 5, 5, 728)), (12, (None, 5, 5, 728)), (13, (None, 3, 3, 1024))],
)
def test_a_network_of_fewer_blocks(blocks, features):
    model = build_network(71, blocks=blocks)
    base, head = split_off_head(model)
    assert base.output_shape == features
    names = [layer.name for layer in base.layers]
    assert any(name.startswith(f"block{blocks}_") for name in names)
    assert not any(name.startswith(f"block{blocks + 1}_") for name in names)
    # both halves together are the whole
    inputs = np.random.default_rng(0).normal(size=(2, 71, 71, 3)).astype(np.float32)
    whole = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(head.predict(base.predict(inputs, verbose=0), verbose=0), whole, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "classes", "blocks", "sentence"),
    [
        (32, ("real", "fake"), 14, "at least 71"),
        (160, ("real",), 14, "two or more"),
        (160, ("real", "real"), 14, "different names"),
        (160, ("real", "fake"), 15, "from 2 to 14"),
    ],
)
def test_network_arguments(size, classes, blocks, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_network(size, classes, blocks=blocks)


def test_missing_weights_are_told_before_any_data_are_looked_at(tmp_path):
    check_start(settings("none"))
    with pytest.raises(TrainingError, match="There are no weights at nowhere"):
        check_start(settings("nowhere"))
