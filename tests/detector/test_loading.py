"""Whatever Keras saved, nested or flat, new or old: one flat float32 network, the same answers. And nothing runs."""

import json
import pickle
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from core.detector.artifact import load_spec
from core.detector.loading import load_keras, read_graph
from core.detector.weights import CONFIG_MEMBER, WEIGHTS_MEMBER
from core.errors import DetectorError
from tests.detector import networks
from tests.detector.conftest import CLASSIC_SIZE
from tests.detector.networks import LAYERS, SIZE

PIXELS = networks.crops().astype(np.float32) / 255


def nested_functional():
    """A base called like a layer, the way of Keras's guide to transfer learning, with what only training needs."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = LAYERS.RandomFlip()(inputs)
    x = LAYERS.Rescaling(2.0, offset=-1.0)(x)
    x = LAYERS.GlobalAveragePooling2D()(networks.base()(x, training=False))
    outputs = LAYERS.Dense(1, activation="sigmoid")(LAYERS.Dropout(0.3)(x))
    return networks.randomised(keras.Model(inputs, outputs), scale=1 / 255, offset=0)


def any_size():
    return networks.classic(networks.base(None))


def separate_activation():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = LAYERS.Conv2D(4, 3, activation="swish")(inputs)
    x = LAYERS.Dense(1)(LAYERS.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, LAYERS.Activation("sigmoid")(x))
    for variable in model.weights:
        variable.assign(np.random.default_rng(0).normal(0, 1, variable.shape))
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.randomised(networks.flat(), scale=1 / 255, offset=0),  # as train.py saves it
        networks.classic,  # a model in a Sequential
        nested_functional,  # a model in a model, with dropout and augmentation
        any_size,  # include_top=False without an input shape
        separate_activation,  # the sigmoid as a layer of its own
    ],
)
def test_what_keras_3_saved_is_flat_and_answers_the_same(tmp_path, make, suffix):
    model = make()
    model.compile("adam", "binary_crossentropy")  # as a script leaves it: the file then holds more than a network
    path = tmp_path / f"model{suffix}"
    model.save(path)
    loaded = load_keras(path, SIZE)
    assert not any(isinstance(layer, keras.Model) for layer in loaded.layers)
    answers = model(PIXELS, training=False)
    assert np.ptp(answers) > 0.05  # equal answers would be equal under any fault
    np.testing.assert_allclose(loaded(PIXELS, training=False), answers, atol=1e-5)


def test_a_network_trained_in_mixed_precision_is_loaded_in_float32(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        networks.flat().save(tmp_path / "model.keras")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert {layer.compute_dtype for layer in load_keras(tmp_path / "model.keras").layers} == {"float32"}


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("model", "Xception"),  # the classic script
        ("small", "padding, depthwise, average pooling, ReLU 6, dropout, softmax"),
    ],
)
def test_what_keras_2_saved_answers_the_same(keras2, name, kinds):
    pixels = np.load(keras2 / "pixels.npy").astype(np.float32) / 255
    answers = np.load(keras2 / f"{name}.npy")
    assert np.ptp(answers) > 0.3
    np.testing.assert_allclose(load_keras(keras2 / f"{name}.h5")(pixels, training=False), answers, atol=1e-5)


def test_keras_3_itself_cannot_read_that_file(keras2):
    """The reason for a reader of our own; when Keras learns it, this says so."""
    with pytest.raises((TypeError, ValueError)):
        keras.models.load_model(keras2 / "model.h5", compile=False)


def test_a_classic_file_tells_how_it_is_used(keras2):
    spec = load_spec(keras2 / "model.h5")
    assert (spec.name, spec.input_size, spec.classes) == ("model", CLASSIC_SIZE, ("real", "fake"))
    assert (spec.preprocessing.scale, spec.preprocessing.offset) == (pytest.approx(1 / 255), 0.0)
    assert "unknown" in spec.description
    assert "neither calibrated nor measured" in spec.description


def test_pixels_are_not_scaled_twice(tmp_path):
    nested_functional().save(tmp_path / "own.keras")
    assert load_spec(tmp_path / "own.keras").preprocessing.scale == 1.0


def test_a_file_that_takes_any_size_is_given_xceptions_own(tmp_path):
    any_size().save(tmp_path / "any.keras")
    assert load_spec(tmp_path / "any.keras").input_size == 299


def headless(*layers):
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers])


CONV = {"filters": 4, "kernel_size": 3}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: headless(LAYERS.Lambda(lambda x: x), LAYERS.Dense(1)), "Lambda, which holds Python code"),
        (lambda: headless(LAYERS.Flatten(), LAYERS.Dense(1)), "Flatten.*no Xception"),
        (lambda: headless(LAYERS.LayerNormalization()), "LayerNormalization.*no Xception"),
        (lambda: headless(LAYERS.Conv2D(**CONV)), "must end in"),  # no head
        (lambda: headless(LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1)), "must end in"),  # no convolution
        (
            lambda: headless(LAYERS.Conv2D(**CONV), LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(8), LAYERS.Dense(1)),
            "must end in",  # two dense layers: evidence would not be linear
        ),
        (lambda: headless(LAYERS.Conv2D(**CONV), LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1)), "Dense.1, linear"),
        (
            lambda: headless(
                LAYERS.Conv2D(**CONV), LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(2, activation="sigmoid")
            ),
            "Dense.2, sigmoid",  # several labels at once
        ),
        (
            lambda: headless(LAYERS.Conv2D(8, 3), LAYERS.Conv2D(8, 3, groups=2)),
            "groups=2",  # a setting that is not supported, rather than a wrong answer
        ),
        (lambda: keras.Sequential([keras.Input((8,)), LAYERS.Dense(1, activation="sigmoid")]), "must be RGB"),
    ],
)
def test_what_is_no_detector_is_refused_with_its_reason(tmp_path, make, words):
    for suffix in (".keras", ".h5"):
        make().save(tmp_path / f"other{suffix}")
        with pytest.raises(DetectorError, match=rf"^other{suffix} cannot be used\. .*{words}"):
            read_graph(tmp_path / f"other{suffix}")


@pytest.mark.parametrize(
    ("shape", "words"),
    [((32, 48, 3), "32 × 48 is not square"), ((32, 32, 1), "must be RGB")],
)
def test_inputs_that_are_no_square_pictures_are_refused(tmp_path, shape, words):
    head = [LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1, activation="sigmoid")]
    keras.Sequential([keras.Input(shape), LAYERS.Conv2D(**CONV), *head]).save(tmp_path / "m.keras")
    with pytest.raises(DetectorError, match=words):
        read_graph(tmp_path / "m.keras")


def rewritten(source: Path, target: Path, member: str, data: bytes) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name != member:
                new.writestr(name, old.read(name))
        new.writestr(member, data)
    return target


def test_code_in_a_configuration_is_not_even_looked_at(tiny, tmp_path):
    """A known attack: a layer's settings name any Python function, and the reader imports and calls it."""
    with zipfile.ZipFile(tiny / "model.keras") as archive:
        config = json.loads(archive.read(CONFIG_MEMBER))
    trap = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    config["config"]["layers"][1]["config"]["kernel_initializer"] = trap
    config["compile_config"] = {"loss": trap}
    harmless = rewritten(tiny / "model.keras", tmp_path / "a.keras", CONFIG_MEMBER, json.dumps(config).encode())
    np.testing.assert_array_equal(load_keras(harmless)(PIXELS), load_keras(tiny / "model.keras")(PIXELS))
    config["config"]["layers"][1]["config"]["activation"] = trap
    harmful = rewritten(tiny / "model.keras", tmp_path / "b.keras", CONFIG_MEMBER, json.dumps(config).encode())
    with pytest.raises(DetectorError, match="activation that is not supported"):
        load_keras(harmful)


def no_file(path, tiny):
    return path / "none.h5"


def empty(path, tiny):
    (path / "a.keras").write_bytes(b"")
    return path / "a.keras"


def text(path, tiny):
    (path / "a.h5").write_text("hello")
    return path / "a.h5"


def pickled(path, tiny):
    (path / "model.h5").write_bytes(pickle.dumps({"weights": [1]}))
    return path / "model.h5"


def pickle_inside(path, tiny):
    return rewritten(tiny / "model.keras", path / "a.keras", "assets/data.pkl", b"anything")


def disguised_pickle_inside(path, tiny):
    return rewritten(tiny / "model.keras", path / "a.keras", "assets/words.txt", pickle.dumps([1], protocol=4))


def cut(path, tiny):
    data = (tiny / "model.keras").read_bytes()
    (path / "a.keras").write_bytes(data[: len(data) // 2])
    return path / "a.keras"


def spoiled_weights(path, tiny):
    return rewritten(tiny / "model.keras", path / "a.keras", WEIGHTS_MEMBER, b"\x89HDF\r\n\x1a\n" + b"x" * 99)


def no_weights(path, tiny):
    with h5py.File(path / "w.h5", "w") as empty_file:
        empty_file.create_group("layers")
    data = (path / "w.h5").read_bytes()
    return rewritten(tiny / "model.keras", path / "a.keras", WEIGHTS_MEMBER, data)


def weights_alone(path, tiny):
    networks.flat().save_weights(path / "a.weights.h5")
    return path / "a.weights.h5"


def other_archive(path, tiny):
    with zipfile.ZipFile(path / "a.keras", "w") as archive:
        archive.writestr("hello.txt", "hello")
    return path / "a.keras"


def broken_config(path, tiny):
    return rewritten(tiny / "model.keras", path / "a.keras", CONFIG_MEMBER, b"{")


def odd_config(path, tiny):
    return rewritten(tiny / "model.keras", path / "a.keras", CONFIG_MEMBER, b'{"class_name": "Sequential"}')


def deep_config(path, tiny):
    return rewritten(tiny / "model.keras", path / "a.keras", CONFIG_MEMBER, b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


def outside_link(path, tiny):
    networks.flat().save(path / "a.h5")
    with h5py.File(path / "a.h5", "a") as h5:
        h5["model_weights/stolen"] = h5py.ExternalLink("/etc/passwd", "/")
    return path / "a.h5"


def not_a_number(path, tiny):
    model = networks.flat()
    model.layers[-1].set_weights([model.layers[-1].get_weights()[0] * np.nan, np.zeros(1)])
    model.save(path / "a.keras")
    return path / "a.keras"


def other_shape(path, tiny):
    networks.flat().save(path / "a.keras")
    with zipfile.ZipFile(path / "a.keras") as archive:
        config = archive.read(CONFIG_MEMBER).replace(b'"filters": 12', b'"filters": 1000000000')
    return rewritten(path / "a.keras", path / "b.keras", CONFIG_MEMBER, config)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_file, "no such file"),
        (empty, "neither a .keras nor an .h5"),
        (text, "neither a .keras nor an .h5"),
        (pickled, "is a pickle"),
        (pickle_inside, "data.pkl.* is a pickle"),
        (disguised_pickle_inside, "words.txt.* is a pickle"),
        (cut, "damaged"),
        (spoiled_weights, "damaged"),
        (no_weights, "are missing"),
        (weights_alone, "weights without their network"),
        (other_archive, "not one that Keras 3 saved"),
        (broken_config, "damaged"),
        (odd_config, "damaged or of a kind unknown"),
        (deep_config, "nested too deep|damaged"),
        (outside_link, "points to other files"),
        (not_a_number, "not numbers"),
        (other_shape, "do not fit"),
    ],
)
def test_damaged_and_unsafe_files_give_one_sentence_that_names_them(tmp_path, tiny, make, words):
    path = make(tmp_path, tiny)
    with pytest.raises(DetectorError, match=words) as caught:
        load_keras(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_archive_that_swells_is_refused_before_it_is_unpacked(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("core.detector.weights.MAX_BYTES", 1000)
    with pytest.raises(DetectorError, match="unpacks to more than"):
        load_keras(tiny / "model.keras")


def test_a_size_that_the_network_cannot_take_is_said(tiny):
    with pytest.raises(DetectorError, match="do not fit 2 pixels"):
        load_keras(tiny / "model.keras", 2)
