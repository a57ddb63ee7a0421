"""predict.py --report and --metadata. The detector is planted; see tests/analysis/fakes.py."""

import json

import pytest
from PIL import Image

import predict
from tests.analysis.fakes import FakeDetector, FakeFinder, picture


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    detector = FakeDetector()
    monkeypatch.setattr(predict, "_load", lambda arguments: detector)
    monkeypatch.setattr("core.analysis.image.default_finder", FakeFinder)
    return detector


@pytest.fixture
def still(tmp_path):
    path = tmp_path / "fake.png"
    Image.fromarray(picture(3.0)).save(path)
    return path


def run(capsys, *arguments):
    status = predict.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(("suffix", "begin"), [(".html", b"<!doctype html>"), (".pdf", b"%PDF-")])
def test_report(capsys, still, tmp_path, suffix, begin):
    target = tmp_path / f"report{suffix}"
    status, out, err = run(capsys, still, "--report", target, "--language", "de")
    assert (status, err) == (0, "")
    assert "fake.png" in out  # the table comes all the same
    assert target.read_bytes().startswith(begin)
    if suffix == ".html":
        text = target.read_text()
        assert "Wahrscheinlich gefälscht" in text
        assert "data:image/jpeg" in text  # maps were kept for it


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("report.docx", "end in one of them"),
        ("missing/report.pdf", "cannot be written"),
        ("fake.png", "end in one of them"),  # never over the evidence itself
    ],
)
def test_what_is_wrong_is_told_before_the_work(capsys, still, tmp_path, planted, place, sentence):
    status, out, err = run(capsys, still, "--report", tmp_path / place)
    assert (status, out, planted.batches) == (2, "", [])
    assert err.startswith("predict.py: error:") and sentence in err


def test_one_file_only(capsys, still, tmp_path, planted):
    Image.fromarray(picture(-3.0)).save(tmp_path / "b.png")
    status, _, err = run(capsys, tmp_path, "--report", tmp_path / "r.html")
    assert (status, planted.batches) == (2, [])
    assert "one file, and 2 were given" in err


def test_a_file_that_cannot_be_read_gives_no_report(capsys, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("text")
    status, _, err = run(capsys, bad, "--report", tmp_path / "r.html")
    assert status == 1
    assert "no report" in err and "Traceback" not in err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_metadata_only_if_asked(capsys, still, tmp_path, form):
    assert "metadata" not in json.loads(run(capsys, still, "--format", "jsonl")[1])
    (tmp_path / "bad.jpg").write_text("text")
    _, out, _ = run(capsys, still, tmp_path / "bad.jpg", "--format", form, "--metadata")
    good, bad = json.loads(out) if form == "json" else map(json.loads, out.splitlines())
    assert good["metadata"]["content_credentials"]["state"] == "none"
    assert good["metadata"]["facts"]["format"] == "PNG"
    assert bad["metadata"] is None


def test_metadata_wants_json(capsys, still):
    with pytest.raises(SystemExit) as exit_info:
        predict.main([str(still), "--metadata"])
    assert exit_info.value.code == 2
    assert "--format json" in capsys.readouterr().err


def test_a_language_without_a_report_is_refused(capsys, still):
    with pytest.raises(SystemExit, match="2"):
        predict.main([str(still), "--language", "de"])
    assert "--language is that of a report" in capsys.readouterr().err
