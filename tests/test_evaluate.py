"""evaluate.py as a command: table, files, exit codes, and one sentence for each thing that is wrong."""

import json

import pytest

import evaluate as command
from core import detector as detectors
from core.errors import DetectorError
from core.evaluation import gallery, run
from tests.evaluation.support import FINDER, detector, labelled_folder


@pytest.fixture
def data(tmp_path, fresh_home, monkeypatch):
    """A folder of pictures, and detectors by name."""
    known = {"default": detector(), "other": detector("other", gain=0.1)}

    def load(name, engine):
        if name not in known:
            raise DetectorError(f'There is no detector "{name}".')
        return known[name]

    monkeypatch.setattr(detectors, "load_detector", load, raising=False)
    for module in (run, gallery):
        monkeypatch.setattr(module, "default_finder", lambda: FINDER)
    return labelled_folder(tmp_path / "data", 8, splits=("val", "test"), sources=("",))


def test_table_and_files(data, tmp_path, capsys):
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    code = command.main(
        ["--data", str(data), "--compare", "other", "--baseline", "--json", str(out), "--html", str(page)]
    )
    assert code == 0
    said = capsys.readouterr().out
    assert "tiny against other" in said
    assert "test split" in said
    document = json.loads(out.read_text())
    assert document["figures"]["all"]["real"] == 8
    html = page.read_text()
    assert html.startswith("<!doctype html>")
    assert "data:image/jpeg;base64," in html[: html.index("<script>")]  # after it comes Plotly
    assert "data:image" not in out.read_text()
    assert not list(tmp_path.glob(".*.part"))


def test_limit_and_split(data, tmp_path):
    out = tmp_path / "out.json"
    assert command.main(["--data", str(data), "--split", "all", "--limit", "4", "--output", str(out)]) == 0
    document = json.loads(out.read_text())
    assert document["data"]["split"] == "all"
    assert len(document["items"]["fake"]) == 4


def test_anonymous_files_name_nothing(data, tmp_path):
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    assert command.main(["--data", str(data), "--anonymous", "--json", str(out), "--html", str(page)]) == 0
    html = page.read_text()
    for text in (out.read_text(), html[: html.index("<script>")]):
        assert str(tmp_path) not in text
        assert ".png" not in text
        assert "<img" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "{data}/nothing"], "There is no folder"),
        (["--data", "{data}", "--model", "nobody"], "no detector"),
        (["--data", "{data}", "--compare", "nobody"], "no detector"),
        (["--data", "{data}", "--split", "train"], "no train pictures"),
        (["--data", "{data}", "--limit", "0"], "at least 2"),
        (["--data", "{data}", "--gates", "--robustness-limit", "-5"], "at least 2"),
        (["--data", "{data}", "--robustness", "--changes", "jpeg", "fog"], "no change 'fog'"),
        (["--data", "{data}", "--compare", "default"], "compared with itself"),
        (["--data", "{data}", "--json", "{data}"], "cannot be written"),  # a folder
        (["--data", "{data}", "--json", "/proc/x.json"], "cannot be written"),  # a folder that takes no files
        (["--data", "{data}", "--json", "{data}/x.txt"], "does not end in .json"),
        (["--data", "{data}", "--html", "{data}/val/Real/0.png"], "does not end in .html"),  # a picture
        (["--data", "{data}", "--html", "{data}/no/where.html"], "cannot be written"),
    ],
)
def test_what_is_wrong_is_one_sentence(data, capsys, arguments, words):
    assert command.main([argument.format(data=data) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "arguments",
    [
        [],  # no data
        ["--data", "x", "--split", "holdout"],  # no such split
        ["--data", "x", "--limit", "many"],  # no number
        ["--data", "x", "--explanations", "few"],
        ["--data", "x", "--changes", "jpeg"],  # of what is not asked for
        ["--data", "x", "--robustness-limit", "5"],
        ["--data", "x", "--anonymous"],
    ],
)
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as exit_:
        command.main(arguments)
    assert exit_.value.code == 2


def test_explanations_on_no_faces_says_what_is_allowed(capsys):
    with pytest.raises(SystemExit):
        command.main(["--data", "x", "--explanations", "0"])
    assert "must be a number of faces from 1 on, and is 0" in capsys.readouterr().err


def test_what_was_chosen_or_left_out_is_said(tmp_path, data, capsys):
    folder = labelled_folder(tmp_path / "unsplit", 12)
    out = tmp_path / "out.json"
    assert command.main(["--data", str(folder), "--split", "val", "--json", str(out)]) == 0
    assert "These data name no splits" in capsys.readouterr().out
    assert len(json.loads(out.read_text())["notes"]) == 1


def test_a_linked_file_is_written_through_its_link(data, tmp_path):
    (tmp_path / "link.json").symlink_to("out.json")
    assert command.main(["--data", str(data), "--json", str(tmp_path / "link.json")]) == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "out.json").read_text())["figures"]


def test_stopped_by_the_keyboard(data, monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure", interrupted)
    assert command.main(["--data", str(data)]) == 130
    assert "remembered" in capsys.readouterr().err
