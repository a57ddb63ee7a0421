"""The command line with detectors that cannot be used: one sentence, exit code 2, no traceback."""

import pickle

import pytest

import predict
from core.samples import sample_image
from tests.detector import networks


def missing(folder):
    (folder / "model.json").unlink()
    (folder / "model.keras").unlink()
    folder.rmdir()


def without_weights(folder):
    (folder / "model.keras").unlink()


def other_weights(folder):
    weights = folder / "model.keras"
    weights.write_bytes(weights.read_bytes() + b"\0")


def broken_json(folder):
    (folder / "model.json").write_text('{"name": ')


def pickle_beside(folder):
    (folder / "extra.pkl").write_bytes(pickle.dumps({"a": 1}))


def pickle_as_weights(folder):
    (folder / "model.keras").write_bytes(pickle.dumps({"a": 1}))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (missing, "no detector"),  # the folder is not there
        (without_weights, "model.keras"),  # half of it is not there
        (other_weights, "sha256"),  # not the file that model.json names
        (broken_json, "no valid JSON"),
        (pickle_beside, "pickle"),
        (pickle_as_weights, "model.keras"),
    ],
)
def test_detectors_that_cannot_be_used(tmp_path, capsys, damage, sentence):
    folder = tmp_path / "models" / "mine"
    networks.saved(folder)
    damage(folder)
    try:
        code = predict.main([str(sample_image()), "--model", str(folder)])
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_usable_one_gives_a_record(tmp_path, capsys):
    networks.saved(tmp_path / "mine")
    assert predict.main([str(sample_image()), "--model", str(tmp_path / "mine"), "--format", "jsonl"]) == 0
    assert '"verdict"' in capsys.readouterr().out
