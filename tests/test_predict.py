"""predict.py: what it prints, writes and exits with. The detector is planted; see tests/analysis/fakes.py."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import predict
from core.errors import DetectorError
from tests.analysis.fakes import FakeDetector, FakeFinder, picture
from tests.media.make_media import truncate, write_video

ROOT = Path(__file__).parents[1]
IMAGE_KEYS = ["path", "kind", "verdict", "fake_probability", "faces", "reasons", "warnings", "error"]
VIDEO_KEYS = ["path", "kind", "verdict", "fake_probability", "tracks", "frames", "reasons", "warnings", "error"]
MODEL_KEYS = ["model", "model_sha256", "seconds"]


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    """A detector and a finder that read the truth off the pixels."""
    detector = FakeDetector()
    monkeypatch.setattr(predict, "_load", lambda arguments: detector)
    for module in ("image", "video"):
        monkeypatch.setattr(f"core.analysis.{module}.default_finder", FakeFinder)
    return detector


@pytest.fixture
def media(tmp_path):
    """A folder with a fake and a clean picture, a clip, and something else."""
    folder = tmp_path / "media"
    folder.mkdir()
    Image.fromarray(picture(3.0)).save(folder / "fake.png")
    Image.fromarray(picture(-3.0)).save(folder / "real.png")
    write_video(folder / "clip.mp4", [picture(-3.0)] * 20, fps=10)
    (folder / "notes.txt").write_text("nothing to see")
    return folder


def run(capsys, *arguments):
    status = predict.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_table_is_the_default(capsys, media):
    status, out, err = run(capsys, media)
    assert status == 0
    assert err == "predict.py: 1 file is left out, as no image and no video by the suffix\n"  # and no bar when piped
    assert [line.split()[0].rsplit("/")[-1] for line in out.splitlines()[2:5]] == ["clip.mp4", "fake.png", "real.png"]
    assert out.count("no manipulation found") == 3  # two rows and the count
    assert out.splitlines()[-1] == "3 files: 2 no manipulation found, 1 likely fake"


def test_records(capsys, media):
    status, out, _ = run(capsys, media, "--format", "json")
    clip, fake, real = json.loads(out)
    assert status == 0
    assert fake.keys() >= {*IMAGE_KEYS, *MODEL_KEYS}
    assert clip.keys() >= {*VIDEO_KEYS, *MODEL_KEYS}
    assert [record["kind"] for record in (clip, fake, real)] == ["video", "image", "image"]
    assert [record["verdict"] for record in (clip, fake, real)] == ["real", "fake", "real"]
    assert fake["path"] == str(media / "fake.png")
    assert fake["fake_probability"] == pytest.approx(0.9526, abs=1e-3)
    assert fake["model_sha256"] == "ab" * 32
    assert len(clip["frames"]) == 10  # five a second of two seconds


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        ([], 10),
        (["--every-frame"], 20),
        (["--fps", "2"], 4),
        (["--frames", "3"], 3),
    ],
)
def test_sampling(capsys, media, options, frames):
    _, out, _ = run(capsys, media / "clip.mp4", "--format", "json", *options)
    assert len(json.loads(out)[0]["frames"]) == frames


def test_jsonl_comes_line_by_line(media, tmp_path, planted, capsys, monkeypatch):
    lines_seen = []
    output, original = tmp_path / "out.jsonl", planted.predict

    def watch(crops, **options):
        lines_seen.append(len(output.read_text().splitlines()))
        return original(crops, **options)

    monkeypatch.setattr(planted, "predict", watch)
    status, out, _ = run(capsys, media / "real.png", media / "fake.png", "--format", "jsonl", "--output", output)
    assert (status, out) == (0, "")
    assert lines_seen == [0, 1]  # the first record is on the disk while the second file is analysed
    assert [json.loads(line)["verdict"] for line in output.read_text().splitlines()] == ["real", "fake"]


def test_csv(capsys, media):
    _, out, _ = run(capsys, media, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["verdict"], row["faces"], row["frames"]) for row in rows] == [
        ("real", "", "10"),
        ("fake", "1", ""),
        ("real", "1", ""),
    ]


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_output_appears_whole_or_not_at_all(capsys, media, tmp_path, planted, monkeypatch, form):
    output = tmp_path / "out"
    output.write_text("old")
    original = planted.predict

    def fail(crops, **options):
        if len(planted.batches) == 1:
            raise SystemExit("planted")  # what no file is to blame for
        return original(crops, **options)

    monkeypatch.setattr(planted, "predict", fail)
    with pytest.raises(SystemExit):
        predict.main(
            [str(media / "real.png"), str(media / "fake.png"), "--format", form, "--output", str(output), "--overwrite"]
        )
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out"]  # no half file stays
    monkeypatch.undo()


@pytest.mark.parametrize("option", ["--output", "--report"])
def test_nothing_is_written_over_unasked(capsys, media, tmp_path, option):
    precious = tmp_path / "notes.html"
    precious.write_text("mine")
    status, _, err = run(capsys, media / "real.png", option, precious)
    assert (status, precious.read_text()) == (2, "mine")
    assert "is there already" in err and "--overwrite" in err
    assert run(capsys, media / "real.png", option, precious, "--overwrite")[0] == 0
    assert precious.read_text() != "mine"


def test_output_has_ordinary_permissions(capsys, media, tmp_path):
    output = tmp_path / "out.csv"
    assert run(capsys, media / "real.png", "--format", "csv", "--output", output)[:2] == (0, "")
    mask = os.umask(0)
    os.umask(mask)
    assert output.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_bad_file_is_a_record_and_exit_1(capsys, media, tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("text")
    truncate(media / "clip.mp4", tmp_path / "cut.mp4", 0.02)
    paths = [tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "cut.mp4", tmp_path / "gone.png"]
    status, out, err = run(capsys, *paths, media / "real.png", "--format", "json")
    records = json.loads(out)
    assert status == 1
    assert [record["verdict"] for record in records] == ["error"] * 4 + ["real"]
    assert all(record["error"] and record["fake_probability"] is None for record in records[:4])
    assert "Traceback" not in err


def test_a_folder_without_media_is_a_sentence_and_exit_1(capsys, tmp_path, media):
    (tmp_path / "empty").mkdir()
    status, out, err = run(capsys, tmp_path / "empty", "--format", "json")
    assert (status, json.loads(out)) == (1, [])
    assert err == 'predict.py: The folder "empty" holds no image and no video.\n'
    status, out, _ = run(capsys, tmp_path / "empty", media / "real.png", "--format", "json")
    assert (status, len(json.loads(out))) == (1, 1)  # the rest is done


def test_no_face_is_not_a_failure(capsys, tmp_path):
    Image.fromarray(picture(None)).save(tmp_path / "a.png")
    status, out, _ = run(capsys, tmp_path / "a.png")
    assert status == 0
    assert "no face found" in out


def test_heatmaps(capsys, media, tmp_path):
    out = tmp_path / "maps"
    assert run(capsys, media, "--heatmaps", out)[0] == 0
    names = sorted(path.name for path in out.iterdir())
    assert [name for name in names if "clip" not in name] == ["fake-face1.png", "real-face1.png"]
    assert len([name for name in names if name.startswith("clip-person1-")]) == 3


@pytest.mark.parametrize("name", ["two\nlines.png", "emoji 🎭.png", "bell\x07.png", "-dash.png"])
def test_odd_names(capsys, tmp_path, name, monkeypatch):
    Image.fromarray(picture(3.0)).save(tmp_path / name)
    status, out, _ = run(capsys, tmp_path, "--heatmaps", tmp_path / "maps")
    assert (status, len(out.splitlines())) == (0, 5)
    assert not any(char in out for char in "\x07\x1b")
    assert json.loads(run(capsys, tmp_path / name, "--format", "jsonl")[1])["path"] == str(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert json.loads(run(capsys, "--format", "jsonl", "--", f"../{tmp_path.name}/{name}")[1])["verdict"] == "fake"


@pytest.mark.parametrize(
    "arguments",
    [
        [],  # no path
        ["a.png", "--format", "xml"],
        ["a.png", "--every-frame", "--fps", "3"],  # one sampling only
        ["a.png", "--fps", "0"],
        ["a.png", "--fps", "nan"],
        ["a.png", "--fps", "many"],
        ["a.png", "--frames", "0"],
        ["a.png", "--frames", "2.5"],
        ["a.png", "--engine", "abacus"],
        ["a.png", "--nonsense"],
    ],
)
def test_wrong_usage_is_exit_2(capsys, arguments):
    with pytest.raises(SystemExit) as exit_info:
        predict.main(arguments)
    assert exit_info.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--output", "--heatmaps"])
def test_places_that_cannot_be_written_to_are_told_before_the_work(capsys, media, tmp_path, planted, option):
    (tmp_path / "file").write_text("x")
    status, out, err = run(capsys, media, option, tmp_path / "file" / "deeper")
    assert (status, out, planted.batches) == (2, "", [])
    assert err.startswith("predict.py: error:") and "cannot be written" in err
    if option == "--output":
        assert run(capsys, media, option, tmp_path, "--format", "csv")[0] == 2  # a folder


def test_a_detector_that_cannot_be_loaded_is_exit_2(capsys, media, monkeypatch):
    def fail(arguments):
        raise DetectorError('There is no detector "x".')

    monkeypatch.setattr(predict, "_load", fail)
    assert run(capsys, media, "--model", "x") == (2, "", 'predict.py: error: There is no detector "x".\n')


def test_stopping_by_keyboard(capsys, media, monkeypatch):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "run", stop)
    assert run(capsys, media) == (130, "", "predict.py: stopped\n")


def test_help_opens_with_commands_and_states_the_default_sampling():
    """In a process of its own: help must not wait for TensorFlow."""
    code = "import sys, predict\ntry: predict.main(['--help'])\nfinally: assert 'tensorflow' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "python predict.py portrait.jpg" in done.stdout
    assert "default: 5 per second" in " ".join(done.stdout.split())


def test_a_closed_pipe_is_no_traceback(media):
    code = (
        "import predict, core.analysis.image as i, core.analysis.video as v\n"
        "from tests.analysis.fakes import FakeDetector, FakeFinder\n"
        "i.default_finder = v.default_finder = FakeFinder; predict._load = lambda a: FakeDetector()\n"
        f"raise SystemExit(predict.main([{str(media)!r}, '--format', 'jsonl']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


def test_heatmap_video(capsys, media, tmp_path, planted):
    film = tmp_path / "film.mp4"
    status, out, err = run(capsys, media / "clip.mp4", "--heatmap-video", film, "--format", "json")
    assert (status, err, json.loads(out)[0]["verdict"]) == (0, "", "real")
    assert film.stat().st_size > 1000
    batches, old = len(planted.batches), film.read_bytes()
    assert run(capsys, media / "clip.mp4", "--heatmap-video", film)[::2] == (
        2,
        f'predict.py: error: "{film}" is already there: remove it, or give the heatmap video another name.\n',
    )
    assert (len(planted.batches), film.read_bytes()) == (batches, old)  # told before the work; nothing overwritten


@pytest.mark.parametrize("paths", [["."], ["fake.png"], ["clip.mp4", "real.png"]])
def test_heatmap_video_of_anything_but_one_video(capsys, media, tmp_path, planted, paths):
    status, out, err = run(capsys, *(media / path for path in paths), "--heatmap-video", tmp_path / "a.mp4")
    assert (status, out, planted.batches) == (2, "", [])
    assert err == "predict.py: error: A heatmap video is made of one video: give one video, and nothing else.\n"


def test_heatmap_video_of_a_broken_video_is_told_and_the_record_is_there(capsys, media, tmp_path):
    truncate(media / "clip.mp4", tmp_path / "cut.mp4", 0.02)
    status, out, err = run(capsys, tmp_path / "cut.mp4", "--heatmap-video", tmp_path / "film.mp4", "--format", "json")
    assert (status, json.loads(out)[0]["verdict"]) == (1, "error")
    assert err.startswith("predict.py: no heatmap video: ") and not (tmp_path / "film.mp4").exists()
