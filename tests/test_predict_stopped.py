"""predict.py stopped on its way: what was found until then is kept, said, and gone on from. Disks that are full."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import predict
from tests.analysis.fakes import FakeDetector, FakeFinder, picture

ROOT = Path(__file__).parents[1]
IN_A_PROCESS = (
    "import sys, predict, core.analysis.image as i\n"
    "from tests.analysis.fakes import FakeDetector, FakeFinder\n"
    "i.default_finder = FakeFinder; predict._load = lambda a: FakeDetector()\n"
    "raise SystemExit(predict.main(sys.argv[1:]))"
)


class Stopping(FakeDetector):
    """Is stopped while it judges one more than so many pictures."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def predict(self, crops, **options):
        if len(self.batches) == self.after:
            raise KeyboardInterrupt
        return super().predict(crops, **options)


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(picture(3.0)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command with a detector that is stopped after so many pictures."""
    monkeypatch.setattr("core.analysis.image.default_finder", FakeFinder)

    def command(*arguments, after=99):
        monkeypatch.setattr(predict, "_load", lambda _: Stopping(after))
        status = predict.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return command


@pytest.mark.parametrize(("form", "suffix"), [("csv", ".csv"), ("json", ".json"), ("table", "")])
def test_the_part_is_kept_beside_what_was_there(media, tmp_path, run, form, suffix):
    output, part = tmp_path / f"out{suffix}", tmp_path / f"out.partial{suffix}"
    output.write_text("of another day")
    status, out, err = run(media, "--format", form, "--output", output, "--overwrite", after=2)
    assert (status, out) == (130, "")
    assert err == f"predict.py: stopped; what was found until then is in {part}\n"
    assert output.read_text() == "of another day"
    text = part.read_text()
    assert "0.png" in text and "1.png" in text and "2.png" not in text
    if form == "json":
        assert len(json.loads(text)) == 2  # it is whole in itself
    assert {path.name for path in tmp_path.iterdir()} == {"media", output.name, part.name}


def test_a_table_says_that_it_ends_early(media, run):
    status, out, _ = run(media, after=3)
    assert status == 130
    assert out.splitlines()[-1] == "Stopped after 3 files: 3 likely fake"


def test_lines_are_gone_on_from(media, tmp_path, run):
    output = tmp_path / "out.jsonl"
    arguments = (media, "--format", "jsonl", "--output", output)
    assert run(*arguments, after=1)[2] == f"predict.py: stopped; what was found until then is in {output}\n"
    with output.open("a") as file:
        file.write('{"path": "half a li')  # as kill -9 or a full disk leaves it
    assert run(*arguments, "--resume", after=2)[0] == 130
    assert run(*arguments, "--resume")[0] == 0
    assert [Path(json.loads(line)["path"]).name for line in output.read_text().splitlines()] == [
        f"{number}.png" for number in range(4)
    ]
    before = output.read_bytes()
    assert run(*arguments, "--resume")[0] == 0  # nothing is left
    assert output.read_bytes() == before
    status, _, err = run(*arguments)  # without it, nothing is wiped
    assert status == 2
    assert "holds the records of an earlier scan: give --resume" in err
    assert output.read_bytes() == before


def test_what_could_not_be_read_is_tried_again(media, tmp_path, run):
    output, damaged = tmp_path / "out.jsonl", media / "1.png"
    arguments = (media, "--format", "jsonl", "--output", output)
    whole = damaged.read_bytes()
    damaged.write_bytes(b"")
    assert run(*arguments)[0] == 1
    assert run(*arguments, "--resume")[0] == 1  # it is still damaged, and that is not 0
    damaged.write_bytes(whole)
    assert run(*arguments, "--resume")[0] == 0
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert [Path(record["path"]).name for record in records] == ["0.png", "2.png", "3.png", "1.png"]
    assert "error" not in [record["verdict"] for record in records]


def test_what_is_read_is_not_written_over(media, run):
    before = (media / "1.png").read_bytes()
    status, _, err = run(media, "--output", media / "1.png")
    assert status == 2
    assert "is to be read and would be written over" in err
    assert (media / "1.png").read_bytes() == before


@pytest.mark.parametrize("text", ["path,verdict\n", "[1]\n", '{"verdict": "fake"}\n'])
def test_other_files_are_not_gone_on_from(media, tmp_path, run, text):
    output = tmp_path / "out.jsonl"
    output.write_text(text)
    status, _, err = run(media, "--format", "jsonl", "--output", output, "--resume")
    assert status == 2
    assert "name the output of the scan to go on with" in err
    assert output.read_text() == text


@pytest.mark.parametrize("arguments", [("--resume",), ("--resume", "--format", "jsonl"), ("--resume", "--output", "x")])
def test_what_cannot_be_gone_on_from_is_told(media, run, capsys, arguments):
    with pytest.raises(SystemExit, match="2"):
        run(media, *arguments)
    assert "--resume goes on with JSON Lines" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("form", predict.FORMATS)
def test_a_full_disk_is_a_sentence(media, form):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", IN_A_PROCESS, media, "--format", form],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("predict.py: error: The results cannot be written (No space left on device): make room")


def test_a_service_that_is_ended_leaves_by_the_same_way():
    code = (
        "import runpy, signal, sys\nsys.argv = ['predict.py', '--help']\n"
        "try: runpy.run_path('predict.py', run_name='__main__')\nexcept SystemExit: pass\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.getsignal(signal.SIGINT)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
