"""Both engines give the same answers, from the cache as without it, for one caller as for many at once."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from core.detector import engine as engines
from core.detector.artifact import load_spec, save_spec
from core.detector.engine import PROBABILITY_TOLERANCE, load_detector
from core.detector.openvino_engine import MAX_CACHED
from core.detector.spec import Calibration, Preprocessing
from core.errors import SetupError
from tests.detector import networks

BF16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
CROPS = networks.crops(24)


@pytest.fixture(scope="session")
def detectors(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    networks.saved(folder / "sigmoid")
    networks.saved(folder / "turned", classes=("fake", "real"))
    networks.saved(folder / "two", networks.classic(units=2), preprocessing=Preprocessing(1 / 255, 0.0))
    networks.saved(folder / "softmax", networks.flat(("real", "a", "b"), dropout=0.1), classes=("real", "a", "b"))
    return folder


@pytest.mark.parametrize(
    "precision", ["f32", pytest.param("bf16", marks=pytest.mark.skipif(not BF16, reason="the processor has no bf16"))]
)
@pytest.mark.parametrize("name", ["sigmoid", "turned", "two", "softmax"])
def test_the_engines_agree_within_the_stated_tolerance(detectors, name, precision):
    reference = load_detector(detectors / name, engine="tensorflow")
    fast = load_detector(detectors / name, engine="openvino", precision=precision)
    said, expected = fast.predict(CROPS), reference.predict(CROPS, batch_size=7)
    assert (fast.engine, fast.precision, reference.engine) == ("openvino", precision, "tensorflow")
    limit = PROBABILITY_TOLERANCE[precision]
    probabilities = reference.probability(expected.logits)
    assert np.ptp(probabilities) > 0.5  # answers that are all alike would agree under any fault
    np.testing.assert_allclose(fast.probability(said.logits), probabilities, atol=limit)
    np.testing.assert_allclose(said.class_probabilities, expected.class_probabilities, atol=limit)
    scale = np.abs(expected.activation_maps).max()
    np.testing.assert_allclose(said.activation_maps, expected.activation_maps, atol=limit * scale)


@pytest.mark.parametrize("engine", ["openvino", "tensorflow"])
def test_the_answer_is_that_of_the_network_and_the_map_its_evidence(detectors, engine):
    """Against Keras's own prediction, not against each other: both engines could share one fault."""
    model = networks.halved(networks.flat())
    detector = load_detector(detectors / "sigmoid", engine=engine, precision="f32")
    said = detector.predict(CROPS)
    answers = model(CROPS.astype(np.float32) / 127.5 - 1, training=False)
    np.testing.assert_allclose(said.class_probabilities[:, 1:], answers, atol=PROBABILITY_TOLERANCE["f32"])
    bias = model.layers[-1].get_weights()[1]
    np.testing.assert_allclose(said.activation_maps.mean((1, 2)) + bias, said.logits, atol=1e-4)


def test_an_occluded_place_loses_its_evidence(detectors):
    """The map must lie as the picture lies: turned or mirrored it would still have the right mean."""
    detector = load_detector(detectors / "sigmoid", precision="f32")
    plain = np.full((1, 32, 32, 3), 128, np.uint8)
    marked = plain.copy()
    marked[:, 2:12, 20:30] = np.random.default_rng(0).integers(0, 256, (1, 10, 10, 3))
    change = np.abs(np.diff([detector.predict(x).activation_maps[0] for x in (plain, marked)], axis=0))[0]
    rows, columns = np.array_split(change.sum(1), 2), np.array_split(change.sum(0), 2)
    assert rows[0].sum() > 2 * rows[1].sum()
    assert columns[1].sum() > 2 * columns[0].sum()


def test_the_classic_keras_2_file_answers_the_same_to_1e_5(keras2):
    detector = load_detector(keras2 / "model.h5", engine="tensorflow")
    said = detector.predict(np.load(keras2 / "pixels.npy"))
    np.testing.assert_allclose(said.class_probabilities[:, 1:], np.load(keras2 / "model.npy"), atol=1e-5)
    assert said.activation_maps.shape == (6, 3, 3)
    fast = load_detector(keras2 / "model.h5", engine="openvino", precision="f32")
    others = fast.predict(np.load(keras2 / "pixels.npy"))
    np.testing.assert_allclose(others.class_probabilities, said.class_probabilities, atol=PROBABILITY_TOLERANCE["f32"])
    np.testing.assert_allclose(others.activation_maps, said.activation_maps, atol=1e-3)


def test_other_layers_of_keras_2_run_in_openvino(keras2):
    fast = load_detector(keras2 / "small.h5", engine="openvino", precision="f32")
    said = fast.predict(np.load(keras2 / "pixels.npy"))
    np.testing.assert_allclose(said.class_probabilities, np.load(keras2 / "small.npy"), atol=1e-4)


def test_a_crop_has_the_same_answer_in_any_company(tiny):
    detector = load_detector(tiny)
    together, alone = detector.predict(CROPS), [detector.predict(CROPS[i : i + 1]) for i in range(len(CROPS))]
    np.testing.assert_array_equal(together.logits, np.concatenate([one.logits for one in alone]))


def test_no_crops_give_no_answers(tiny):
    said = load_detector(tiny).predict(CROPS[:0])
    assert (said.logits.shape, said.class_probabilities.shape, said.activation_maps.shape[0]) == ((0,), (0, 2), 0)


@pytest.mark.parametrize(
    ("crops", "words"),
    [
        (CROPS.astype(np.float32), "got float32"),
        (CROPS[0], r"got uint8 \(32, 32, 3\)"),  # one crop without its batch
        (CROPS[:, :16], r"shape \(n, 32, 32, 3\)"),  # another size
        (CROPS[..., :1], r"shape \(n, 32, 32, 3\)"),  # grey
    ],
)
def test_crops_of_another_form_are_refused(tiny, crops, words):
    with pytest.raises(ValueError, match=words):
        load_detector(tiny).predict(crops)


@pytest.mark.parametrize("engine", ["openvino", "tensorflow"])
def test_many_threads_get_their_own_answers(tiny, engine):
    detector = load_detector(tiny, engine=engine)
    expected = detector.predict(CROPS).logits
    parts = [np.array([i % 24, (i * 7) % 24, (i * 5) % 24]) for i in range(40)]
    with ThreadPoolExecutor(8) as tabs:
        answers = list(tabs.map(lambda part: detector.predict(CROPS[part]).logits, parts))
    for part, answer in zip(parts, answers, strict=True):
        np.testing.assert_allclose(answer, expected[part], atol=1e-5)


def test_calibration_is_applied(tmp_path):
    networks.saved(tmp_path / "d", calibration=Calibration(0.5, -1.0))
    detector = load_detector(tmp_path / "d")
    np.testing.assert_allclose(detector.probability([-2.0, 2.0, 400.0]), [1 / (1 + np.e**2), 0.5, 1.0])


def engine_files(home: Path) -> list[Path]:
    return sorted(home.glob("engines/*/*"))


def test_the_second_start_comes_from_the_cache(tiny, fresh_home, monkeypatch):
    first = load_detector(tiny).predict(CROPS).logits
    assert [path.name for path in engine_files(fresh_home)] == ["graph.bin", "graph.xml", "sha256"]
    monkeypatch.setattr("core.detector.openvino_engine.build_openvino", None)  # calling it would fail
    np.testing.assert_array_equal(load_detector(tiny).predict(CROPS).logits, first)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(path.read_bytes()[::-1]),  # as long as before: only its content tells
        lambda path: path.unlink(),
    ],
)
@pytest.mark.parametrize("name", ["graph.bin", "graph.xml", "sha256"])
def test_a_spoiled_cache_is_built_anew_and_nobody_need_know(tiny, fresh_home, name, damage):
    first = load_detector(tiny).predict(CROPS).logits
    damage(next(path for path in engine_files(fresh_home) if path.name == name))
    np.testing.assert_array_equal(load_detector(tiny).predict(CROPS).logits, first)
    assert len(engine_files(fresh_home)) == 3


def test_another_preprocessing_has_a_graph_of_its_own_and_not_too_many_are_kept(tiny, tmp_path, fresh_home):
    shutil.copytree(tiny, tmp_path / "d")
    logits = []
    for i in range(MAX_CACHED + 2):
        save_spec(tmp_path / "d", replace(load_spec(tiny), preprocessing=Preprocessing(1 / 255, -0.1 * i)))
        logits.append(load_detector(tmp_path / "d").predict(CROPS[:1]).logits[0])
    assert len(set(logits)) == MAX_CACHED + 2
    assert len(list((fresh_home / "engines").iterdir())) == MAX_CACHED


def test_a_home_that_cannot_be_written_to_is_no_obstacle(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "file" / "home"))
    assert load_detector(tiny).predict(CROPS).logits.shape == (24,)


START = """
import sys, time
began = time.perf_counter()
import numpy as np
from core.detector import load_detector
detector = load_detector(sys.argv[1], engine="openvino")
ready = time.perf_counter() - began
detector.predict(np.zeros((1, 32, 32, 3), np.uint8))
heavy = [name for name in ("tensorflow", "keras", "torch", "streamlit") if name in sys.modules]
print(ready, *heavy)
"""


def test_no_start_with_openvino_needs_tensorflow(tiny, fresh_home):
    """Neither the first nor the second: TensorFlow alone takes longer to import than all of the rest."""
    for _ in range(2):
        began = time.process_time()
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            [sys.executable, "-c", START, tiny],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[1:] == [], "imported what takes seconds"
        assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("device", "hidden", "expected"),
    [
        (False, None, "openvino"),  # no GPU
        (True, "-1", "openvino"),  # a GPU that is kept from us
        (True, None, "tensorflow"),
    ],
)
def test_the_engine_is_chosen_by_what_the_machine_has(tiny, monkeypatch, device, hidden, expected):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    if hidden:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi" if device else None)
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: ["GPU:0"] if device else [])
    monkeypatch.setattr("core.detector.tensorflow_engine._share_gpus", lambda tf: None)
    assert load_detector(tiny).engine == expected


def test_tensorflow_is_not_asked_where_there_is_no_device(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # importing it would fail
    if not Path("/dev/nvidia0").exists():
        assert engines.gpu_visible() is False


@pytest.mark.parametrize(
    ("package", "module", "engine", "words"),
    [
        ("openvino", "core.detector.openvino_engine", "openvino", "OpenVINO is not installed"),
        ("tensorflow", "core.detector.tensorflow_engine", "tensorflow", "TensorFlow is not installed"),
        ("keras", "core.detector.tensorflow_engine", "tensorflow", "TensorFlow is needed|Keras and TensorFlow"),
    ],
)
def test_a_package_that_is_missing_is_named(tiny, monkeypatch, package, module, engine, words):
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SetupError, match=words):
        load_detector(tiny, engine=engine)


def test_an_engine_that_does_not_exist_is_refused(tiny):
    with pytest.raises(ValueError, match="engine must be one of auto, openvino, tensorflow"):
        load_detector(tiny, engine="jax")
