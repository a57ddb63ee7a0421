"""Files that are damaged, or made to do harm: refused in one sentence that names them, and nothing in them runs."""

import json
import pickle
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.detector.loading import load_keras
from core.detector.weights import CONFIG_MEMBER, WEIGHTS_MEMBER
from core.errors import DetectorError
from tests.detector import networks

PIXELS = networks.crops().astype(np.float32) / 255


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
