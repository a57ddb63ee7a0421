"""The two-minute preset from the command line to a detector that judges a picture: nothing is patched."""

import json

import pytest

import train
from core.analysis import analyze_image
from core.data.sample_set import sample_data_set
from core.detector import load_detector
from core.samples import sample_image


@pytest.mark.slow
def test_the_quick_preset_on_the_sample_set(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEEPFAKE_RUNS", str(tmp_path / "runs"))
    run = tmp_path / "runs" / "quick"
    small = ["--input-size", "71", "--head-epochs", "2", "--epoch-pictures", "64", "--init", "none"]
    arguments = ["--data", str(sample_data_set()), "--preset", "quick", *small, "--run-dir", str(run)]
    assert train.main([*arguments, "--export", "h5"]) == 0, capsys.readouterr().err
    assert json.loads((run / "status.json").read_text())["state"] == "finished"
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["phase"]) for line in lines] == [(1, "head"), (2, "head")]
    detector = load_detector(run / "model")
    assert detector.spec.input_size == 71
    assert all(detector.spec.metrics[split]["all"][kind] > 0 for split in ("val", "test") for kind in ("real", "fake"))
    assert analyze_image(sample_image(), detector).faces
    assert (run / "model/export/model.h5").is_file()
    assert not (run / "model/MODEL_CARD.md").read_text().count(str(tmp_path))
