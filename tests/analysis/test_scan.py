"""core.analysis.scan: walks, and what becomes of files that fail."""

import os
import sys
from pathlib import Path

import cv2
import pytest
from PIL import Image

from core.analysis import collect, scan, scan_file
from core.analysis.types import ImageReport, VideoReport
from core.errors import Cancelled
from core.media import Sampling
from tests.analysis.fakes import FakeDetector, FakeFinder, picture
from tests.media.make_media import ODD_NAMES, large_png_header, sound_only, unknown_codec, write_video, zero_frames


def save(path: Path, logit=3.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(logit)).save(path, path.suffix.lstrip(".").replace("jpg", "jpeg") or "png")
    return path


def run(*paths, **options):
    return list(scan(paths, FakeDetector(), FakeFinder(), **options))


def test_folders_are_walked_sorted_and_quietly(tmp_path):
    names = ["b.png", "a.JPG", "sub/c.webp", "sub/deep/d.bmp", "sub.d/e.png"]
    wanted = [save(tmp_path / name.lower()).rename(tmp_path / name) for name in names]
    for name in ("notes.txt", ".hidden.png", ".git/f.png", "sub/noext", "model.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = collect([tmp_path])
    assert found.files == (*sorted(wanted[:2]), *wanted[2:])
    assert found.problems == ()


def test_links_are_followed_and_loops_end(tmp_path):
    save(tmp_path / "a" / "one.png")
    save(tmp_path / "elsewhere" / "two.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "link.png").symlink_to(tmp_path / "a" / "one.png")
    names = [path.name for path in collect([tmp_path / "a"]).files]
    assert names == ["link.png", "one.png", "two.png"]


def test_nothing_is_taken_twice(tmp_path):
    path = save(tmp_path / "a.png")
    found = collect([path, tmp_path, str(path), tmp_path / "sub" / ".." / "a.png"])
    assert found.files == (path,)


@pytest.mark.parametrize("content", [[], ["notes.txt"], ["sub/"]])
def test_a_folder_without_media_is_a_sentence(tmp_path, content):
    folder = tmp_path / "empty\nfolder"
    folder.mkdir()
    for name in content:
        (folder / name).mkdir() if name.endswith("/") else (folder / name).write_text("x")
    found = collect([folder])
    assert found.files == ()
    assert found.problems == ('The folder "empty�folder" holds no image and no video.',)


def test_an_unreadable_folder_is_a_sentence(tmp_path, monkeypatch):
    save(tmp_path / "a.png")
    (tmp_path / "locked").mkdir()
    original = os.scandir

    def deny(path):  # the tests may run as root, whom no permission stops
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", deny)
    found = collect([tmp_path])
    assert [path.name for path in found.files] == ["a.png"]
    place = "/".join((tmp_path / "locked").parts[-6:]).replace("//", "/")
    assert found.problems == (f'The folder "{place}" cannot be read (Permission denied): check its permissions.',)


def test_an_empty_path_is_not_this_folder():
    assert collect([""]).problems == ("An empty path was given: name a file or a folder, or . for this one.",)


def test_a_fault_with_one_file_is_told_of_that_file(tmp_path, monkeypatch, caplog):
    """And the next one is judged."""
    paths = [save(tmp_path / name) for name in ("a.png", "b.png")]
    module = sys.modules["core.analysis.scan"]  # whose name in the package is the function's
    original = module.analyze_image

    def fail(path, *rest, **options):
        if path.name == "a.png":
            raise cv2.error("!dsize.empty()")
        return original(path, *rest, **options)

    monkeypatch.setattr(module, "analyze_image", fail)
    first, second = scan(paths, FakeDetector(), FakeFinder())
    assert first.verdict == "error"
    assert first.error.startswith('"a.png" could not be analysed, by a fault of this program (error): ')
    assert "dsize" in caplog.text
    assert second.verdict != "error"


def test_kind_is_by_content_not_by_suffix(tmp_path):
    video = write_video(tmp_path / "a.mp4", [picture(3.0)] * 6, fps=5).rename(tmp_path / "really-a-video.jpg")
    image = save(tmp_path / "b.png").rename(tmp_path / "really-an-image.mp4")
    reports = run(video, image)
    assert [type(report) for report in reports] == [VideoReport, ImageReport]
    assert [report.verdict for report in reports] == ["fake", "fake"]


def bad(name, make):
    return pytest.param(name, make, id=name)


def make_video(path, change):
    source = write_video(path.with_name("source.mp4"), [picture(3.0)] * 6, fps=5)
    change(source, path)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        bad("empty.jpg", lambda path: path.write_bytes(b"")),
        bad("text.jpg", lambda path: path.write_text("not a picture")),
        bad("text.mp4", lambda path: path.write_text("not a video")),
        bad("notes.txt", lambda path: path.write_text("named, so it is tried")),
        bad("huge.png", large_png_header),
        bad("missing.png", lambda path: None),
        bad("sound.mp4", sound_only),
        bad("zero.mp4", lambda path: make_video(path, zero_frames)),
        bad("codec.mp4", lambda path: make_video(path, unknown_codec)),
        bad("half.mp4", lambda path: path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(300))),
    ],
)
def test_a_bad_file_becomes_a_record_and_the_scan_goes_on(tmp_path, name, make):
    path, good = tmp_path / name, save(tmp_path / "good.png")
    make(path)
    first, second = run(path, good)
    assert (first.verdict, first.fake_probability) == ("error", None)
    assert first.path == str(path)
    assert name in first.error
    assert first.error.endswith((".", ")"))
    assert "\n" not in first.error
    assert second.verdict == "fake"
    record = first.to_dict()
    assert record["kind"] == ("video" if name.endswith("mp4") else "image")
    assert record["model"] == "planted"


@pytest.mark.parametrize("name", [name for name in ODD_NAMES if name != ".."])
def test_odd_names_are_read_and_kept(tmp_path, name):
    path = tmp_path / f"{name}.png"
    Image.fromarray(picture(3.0)).save(path)
    (report,) = run(tmp_path)
    assert (report.path, report.verdict) == (str(path), "fake")


def test_a_null_byte_in_a_name_is_a_record():
    (report,) = run("a\0b.png")
    assert report.verdict == "error"


def test_one_pixel_has_no_face(tmp_path):
    path = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(path)
    assert run(path)[0].verdict == "no_face"


def test_an_unreadable_file_is_a_record(tmp_path, monkeypatch):
    path, original = save(tmp_path / "locked.png"), Path.open

    def deny(self, *args, **options):
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return original(self, *args, **options)

    monkeypatch.setattr(Path, "open", deny)
    (report,) = run(path)
    assert report.verdict == "error"
    assert "may not be read" in report.error


def test_progress_and_options_reach_the_video(tmp_path):
    path = write_video(tmp_path / "a.mp4", [picture(3.0)] * 20, fps=10)
    seen = []
    (report,) = run(path, sampling=Sampling.evenly(5), on_progress=lambda *told: seen.append(told), maps=True)
    assert len(report.frames) == 5
    assert report.frames[0].faces[0].activation_map is not None
    assert seen[-1][0] == path
    assert seen[-1][1].done == 5


def test_cancel(tmp_path):
    path = write_video(tmp_path / "a.mp4", [picture(3.0)] * 20, fps=10)
    assert run(path, should_cancel=lambda: True) == []
    with pytest.raises(Cancelled):
        scan_file(path, FakeDetector(), FakeFinder(), should_cancel=lambda: True)
