"""Exports give the same numbers as the detector that they are of."""

import sys

import keras
import numpy as np
import pytest

from core.detector import load_detector
from core.errors import SetupError
from core.training import export
from core.training.export import export_detector
from tests.detector.networks import SIZE, crops, saved

SCALE, OFFSET = 1 / 127.5, -1.0


@pytest.fixture
def folder(tmp_path):
    saved(tmp_path / "tiny")
    return tmp_path / "tiny"


def probabilities(folder, pixels):
    return load_detector(folder, engine="tensorflow").predict(pixels).class_probabilities[:, 1]


def test_h5_opens_in_plain_keras(folder):
    path = export_detector(folder, "h5")
    pixels = crops(16, SIZE)
    plain = keras.models.load_model(path).predict(pixels * SCALE + OFFSET, verbose=0)[:, 0]
    np.testing.assert_allclose(plain, probabilities(folder, pixels), atol=1e-5)
    assert plain.std() > 0.1  # not all alike, which anything would pass


def test_openvino_takes_pixels(folder):
    import openvino as ov

    compiled = ov.Core().compile_model(export_detector(folder, "openvino"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    pixels = crops(16, SIZE)
    logits = np.concatenate([compiled(one[None])["logits"] for one in pixels])[:, 0]
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), probabilities(folder, pixels), atol=2e-3)


def test_a_text_says_what_the_numbers_mean(folder):
    for kind, words in (("h5", "0.00784314 + -1"), ("openvino", "uint8")):
        text = export_detector(folder, kind).with_suffix(".txt").read_text()
        assert words in text
        assert f"{SIZE} x {SIZE}" in text
    names = {path.name for path in (folder / "export").iterdir()}
    assert names == {"model.h5", "model.xml", "model.bin", "model.txt"}


def test_onnx_without_its_packages_is_a_sentence(folder, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "onnx" else object())
    with pytest.raises(SetupError, match="needs onnx: run pip install tf2onnx onnx"):
        export_detector(folder, "onnx")


def test_onnx_gives_the_same_numbers(folder):
    pytest.importorskip("tf2onnx", reason="an optional package")
    runtime = pytest.importorskip("onnxruntime", reason="an optional package")
    session = runtime.InferenceSession(str(export_detector(folder, "onnx")))
    pixels = crops(16, SIZE)
    feed = {session.get_inputs()[0].name: (pixels * SCALE + OFFSET).astype(np.float32)}
    np.testing.assert_allclose(session.run(None, feed)[0][:, 0], probabilities(folder, pixels), atol=1e-5)
    assert "tf2onnx" in sys.modules


def test_a_full_disk_is_a_sentence(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(export._WRITERS, "h5", full)
    with pytest.raises(SetupError, match="No space left"):
        export_detector(folder, "h5")
