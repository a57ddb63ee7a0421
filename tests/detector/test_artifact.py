"""A detector's folder: saved whole and small, refused when it is not what it says."""

import json
import pickle
import shutil

import h5py
import keras
import numpy as np
import pytest

from core.detector import build_network
from core.detector.artifact import load_spec, save_artifact, save_spec
from core.detector.engine import load_detector
from core.detector.loading import load_keras
from core.detector.shrink import shrink
from core.detector.spec import DetectorSpec, Preprocessing
from core.errors import DetectorError
from tests.detector import networks
from tests.detector.networks import SIZE

PIXELS = networks.crops().astype(np.float32) / 127.5 - 1


@pytest.mark.parametrize(
    ("make", "classes"),
    [
        (networks.flat, ("real", "fake")),
        (lambda: networks.flat(dropout=0.2), ("real", "fake")),
        (lambda: networks.flat(("real", "a", "b")), ("real", "a", "b")),
        (lambda: networks.randomised(networks.classic()), ("real", "fake")),  # nested in memory, flat on disk
    ],
)
@pytest.mark.parametrize("weights_file", ["model.keras", "model.h5"])
def test_what_is_saved_answers_the_same_for_us_and_for_plain_keras(tmp_path, make, classes, weights_file):
    model = make()
    model.compile("adam", "binary_crossentropy")
    networks.saved(tmp_path / "d", model, classes=classes, weights_file=weights_file)
    answers = networks.halved(model)(PIXELS, training=False)
    assert np.ptp(answers) > 0.3
    for loaded in (load_keras(tmp_path / "d"), keras.models.load_model(tmp_path / "d" / weights_file, compile=False)):
        assert {variable.dtype for variable in loaded.weights} == {"float32"}
        np.testing.assert_allclose(loaded(PIXELS, training=False), answers, atol=1e-5)


def test_kernels_lie_there_as_float16_and_statistics_as_float32(tiny, tmp_path):
    shutil.unpack_archive(tiny / "model.keras", tmp_path, "zip")
    kinds = set()
    with h5py.File(tmp_path / "model.weights.h5") as h5:
        h5.visititems(lambda _, one: kinds.add((one.ndim == 4, str(one.dtype))) if hasattr(one, "dtype") else None)
    assert kinds == {(True, "float16"), (False, "float32")}


def test_a_kernel_beyond_float16_keeps_its_numbers(tmp_path):
    model = networks.flat()
    first = model.get_layer("block1_conv1")
    first.set_weights([first.get_weights()[0] * 1e6])
    networks.saved(tmp_path / "d", model)
    np.testing.assert_array_equal(
        load_keras(tmp_path / "d").get_layer("block1_conv1").get_weights(), first.get_weights()
    )


@pytest.mark.slow
def test_xception_takes_at_most_50_mb_and_answers_the_same(tmp_path):
    model = networks.randomised(build_network(71))
    pixels = networks.crops(8, 71).astype(np.float32) / 127.5 - 1
    path = tmp_path / "model.keras"
    model.save(path)
    shrink(path, {})
    assert path.stat().st_size <= 50e6
    answers = networks.halved(model)(pixels, training=False)
    assert np.ptp(answers) > 0.3
    loaded = keras.models.load_model(path, compile=False)
    np.testing.assert_allclose(loaded(pixels, training=False), answers, atol=1e-5)


def test_the_spec_that_was_written_is_the_one_that_is_read(tmp_path):
    written = networks.saved(tmp_path / "d", licence="research only", metrics={"auc": 0.9})
    assert load_spec(tmp_path / "d") == written
    assert len(written.weights_sha256) == 64


def test_saving_again_replaces_the_weights_and_leaves_the_card(tmp_path):
    first = networks.saved(tmp_path / "d")
    (tmp_path / "d" / "MODEL_CARD.md").write_text("limits")
    second = networks.saved(tmp_path / "d", networks.flat(seed=1))
    assert first.weights_sha256 != second.weights_sha256
    assert {path.name for path in (tmp_path / "d").iterdir()} == {"model.keras", "model.json", "MODEL_CARD.md"}
    assert [path.name for path in tmp_path.iterdir()] == ["d"]  # nothing half-made is left
    assert load_detector(tmp_path / "d").sha256 == second.weights_sha256


def test_a_save_that_fails_leaves_what_was_there(tmp_path):
    before = networks.saved(tmp_path / "d")
    with pytest.raises(DetectorError, match=r"1 output.*3 classes"):
        networks.saved(tmp_path / "d", classes=("real", "a", "b"))
    assert load_detector(tmp_path / "d").spec == before
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_weights_parted_from_their_folder_keep_what_makes_them_usable(tmp_path):
    networks.saved(tmp_path / "d", preprocessing=Preprocessing(1 / 64, -2.0))
    shutil.copy(tmp_path / "d" / "model.keras", tmp_path / "alone.keras")
    spec = load_spec(tmp_path / "alone.keras")
    assert spec.preprocessing == Preprocessing(1 / 64, -2.0)
    assert (spec.name, spec.input_size) == ("alone", SIZE)


def without_spec(folder):
    (folder / "model.json").unlink()


def broken_json(folder):
    (folder / "model.json").write_text('{"name": "tiny",\n "input_size": }')


def binary_json(folder):
    (folder / "model.json").write_bytes(b"\xff\xfe\x00\x01")


def odd_json(folder):
    (folder / "model.json").write_text("[]")


def odd_value(folder):
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "input_size": "large"}))


def without_weights(folder):
    (folder / "model.keras").unlink()


def other_weights(folder):
    networks.flat(seed=5).save(folder / "model.keras")


def one_bit(folder):
    data = bytearray((folder / "model.keras").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.keras").write_bytes(data)


def without_hash(folder):
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "weights_sha256": ""}))


def pickle_beside(folder):
    (folder / "optimizer.pkl").write_bytes(pickle.dumps([1]))


def disguised_pickle_beside(folder):
    (folder / "notes.md").write_bytes(pickle.dumps([1], protocol=2))


def other_classes(folder):
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "classes": ["real", "a", "b"]}))


def no_folder(folder):
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (no_folder, "no detector"),
        (without_spec, "no model.json"),
        (broken_json, "no valid JSON .line 2, column 16"),
        (binary_json, "no valid JSON"),
        (odd_json, "one JSON object"),
        (odd_value, '"input_size" .* whole number'),
        (without_weights, "no model.keras"),
        (other_weights, "not the file that model.json names"),
        (one_bit, "not the file that model.json names"),
        (without_hash, "not the file that model.json names"),
        (pickle_beside, "optimizer.pkl.* is a pickle"),
        (disguised_pickle_beside, "notes.md.* is a pickle"),
        (other_classes, "1 output.* 3 classes"),
    ],
)
def test_a_damaged_folder_gives_one_sentence(tiny, tmp_path, damage, words):
    folder = tmp_path / "damaged"
    shutil.copytree(tiny, folder)
    damage(folder)
    with pytest.raises(DetectorError, match=words) as caught:
        load_detector(folder)
    assert "\n" not in str(caught.value)


def test_a_new_calibration_needs_no_new_weights(tiny, tmp_path):
    shutil.copytree(tiny, tmp_path / "d")
    spec = load_spec(tmp_path / "d")
    save_spec(tmp_path / "d", DetectorSpec.from_dict({**spec.to_dict(), "calibration": {"slope": 2, "intercept": 1}}))
    assert load_detector(tmp_path / "d").probability(0.0) == pytest.approx(1 / (1 + np.exp(-1)))


def test_a_network_that_is_no_detector_is_not_saved(tmp_path):
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    with pytest.raises(DetectorError, match="Flatten"):
        save_artifact(tmp_path / "d", model, DetectorSpec(name="d", input_size=SIZE))
    assert not (tmp_path / "d").exists()
