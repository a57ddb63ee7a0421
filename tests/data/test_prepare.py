"""Preparing: crops as detection cuts them, made once, whole or not at all; what cannot be used is counted."""

import errno
import logging
import os
import threading
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.data import crops
from core.data.crops import face_crop, usable_as_is
from core.data.prepare import prepare, prepare_all
from core.errors import Cancelled, DataError, SetupError
from core.faces import crop_face
from core.faces.crop import resize_crop
from core.media import load_image
from tests.data.support import HeadFinder, picture, sample, save, scene
from tests.media.make_media import numbered_video, saved, truncate, write_video


@pytest.fixture(autouse=True)
def home(fresh_home):
    return fresh_home


@pytest.fixture
def finder():
    return HeadFinder()


@pytest.fixture
def tight(monkeypatch):
    monkeypatch.setattr("core.data.prepare.is_tight_source", lambda *_: True)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def black(path, size=(50, 50)):
    return save(path, np.zeros((*size, 3), np.uint8))


def test_faces_are_cropped_once_and_what_has_none_is_left_out(tmp_path, cache, finder):
    samples = [sample(picture(tmp_path / f"{i}.png", i, (100, 100))) for i in range(3)]
    samples.insert(1, sample(black(tmp_path / "black.png")))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    samples.append(sample(tmp_path / "broken.png"))
    samples.append(sample(tmp_path / "gone.png"))
    first = prepare_all(samples, cache, scale=0.88, finder=finder)
    assert [one.group for one in first.samples] == ["0", "1", "2"]  # in order
    assert [one.path.name for one in first.no_face] == ["black.png"]
    assert [one.path.name for one in first.unreadable] == ["broken.png", "gone.png"]
    assert cv2.imread(str(first.samples[0].path)).shape == (35, 35, 3)  # 0.88 x 40
    before = finder.calls
    assert prepare_all(samples, cache, scale=0.88, finder=finder) == first
    assert finder.calls - before <= 4  # the look whether they are tight crops; none is cropped again
    assert not list(cache.glob("*.part"))


def test_what_was_left_out_is_logged(tmp_path, cache, finder, caplog):
    samples = [sample(picture(tmp_path / "a.png", 1)), sample(black(tmp_path / "b.png"))]
    with caplog.at_level(logging.WARNING):
        assert len(prepare(samples, cache, scale=0.88, finder=finder)) == 1
    assert "1 of 2 left out: no face was found (the first: " in caplog.text


def test_crops_are_what_detection_cuts(tmp_path):
    path = picture(tmp_path / "a.png", 3, (120, 90))
    rgb = load_image(path).rgb
    (face,) = HeadFinder().find(rgb)
    crop = face_crop(rgb, HeadFinder(), 0.88, tight=False)
    assert (resize_crop(crop, 32) == crop_face(rgb, face, scale=0.88, size=32)).all()


def test_the_cache_goes_by_content(tmp_path, cache, finder):
    first, copy = picture(tmp_path / "a.png", 1), tmp_path / "b.png"
    copy.write_bytes(first.read_bytes())
    one, two = prepare([sample(first), sample(copy)], cache, scale=0.88, finder=finder)
    assert one.path == two.path
    picture(first, 2)  # other content under the old name
    assert prepare([sample(first)], cache, scale=0.88, finder=finder)[0].path != one.path
    assert prepare([sample(copy)], cache, scale=1.2, finder=finder)[0].path != one.path


@pytest.mark.parametrize("damage", [b"", b"\x89PNG half", None], ids=["empty", "cut off", "gone"])
def test_half_written_crops_do_not_count(tmp_path, cache, finder, damage):
    """A power cut can leave an empty file under a finished name; without a look it would be trained on."""
    film = numbered_video(tmp_path / "v.mp4", 10)
    samples = [sample(picture(tmp_path / "a.png", 1)), sample(film)]
    whole = prepare(samples, cache, scale=0.88, frames_per_video=2, finder=finder)
    contents = [one.path.read_bytes() for one in whole]
    for one in whole:
        one.path.unlink() if damage is None else one.path.write_bytes(damage)
    assert prepare(samples, cache, scale=0.88, frames_per_video=2, finder=finder) == whole
    assert [one.path.read_bytes() for one in whole] == contents


def test_left_over_parts_are_swept_and_those_of_others_are_not(tmp_path, cache, finder):
    cache.mkdir()
    for name, age in (("old.part", 7200), ("new.part", 10)):
        (cache / name).write_bytes(b"half")
        moment = (cache / name).stat().st_mtime - age
        os.utime(cache / name, (moment, moment))
    prepare([sample(picture(tmp_path / "a.png"))], cache, scale=0.88, finder=finder)
    assert [path.name for path in cache.glob("*.part")] == ["new.part"]


def test_a_video_becomes_crops_of_frames_spread_over_it(tmp_path, cache, finder):
    film = numbered_video(tmp_path / "v.mp4", 40, size_wh=(128, 96), fps=10)  # four seconds
    found = prepare([sample(film, label="swap", split="val")], cache, scale=0.88, frames_per_video=4, finder=finder)
    assert [one.time_s for one in found] == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.11)
    assert {(one.label, one.split, one.group) for one in found} == {("swap", "val", "v")}
    levels = [float(cv2.imread(str(one.path)).mean()) for one in found]
    assert levels == pytest.approx([10 + 10 * (number % 24) for number in (5, 15, 25, 35)], abs=12)
    before = finder.calls
    assert prepare([sample(film)], cache, scale=0.88, frames_per_video=4, finder=finder)[0].path == found[0].path
    assert finder.calls == before
    assert len(prepare([sample(film)], cache, scale=0.88, frames_per_video=2, finder=finder)) == 2


def test_a_kill_in_the_middle_of_a_video_loses_that_video_alone(tmp_path, cache, finder):
    class Killed(HeadFinder):
        def find(self, rgb, **options):
            if self.calls == 6:
                raise KeyboardInterrupt
            return super().find(rgb, **options)

    films = [sample(numbered_video(tmp_path / f"{n}.mp4", 20 + n)) for n in range(2)]
    prepare(films[:1], cache, scale=0.88, frames_per_video=4, finder=finder)
    with pytest.raises(KeyboardInterrupt):
        prepare(films[1:], cache, scale=0.88, frames_per_video=8, finder=Killed())
    again = HeadFinder()
    assert len(prepare(films[:1], cache, scale=0.88, frames_per_video=4, finder=again)) == 4
    assert again.calls == 0
    assert len(prepare(films[1:], cache, scale=0.88, frames_per_video=8, finder=again)) == 8


def test_a_video_without_faces_and_one_that_is_none(tmp_path, cache, finder):
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    dark = write_video(tmp_path / "dark.mp4", [np.zeros((48, 64, 3), np.uint8)] * 3)
    good = sample(picture(tmp_path / "a.png", 1))
    prepared = prepare_all([sample(dark), sample(tmp_path / "bad.mp4"), good], cache, scale=0.88, finder=finder)
    assert [one.path.name for one in prepared.no_face] == ["dark.mp4"]
    assert [one.path.name for one in prepared.unreadable] == ["bad.mp4"]


def test_tight_crops_are_kept_but_for_what_cannot_be_read(tmp_path, cache, finder, tight):
    whole = save(tmp_path / "whole.jpg", scene(1, (80, 80)))
    bad = [tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "gone.png"]
    bad[0].write_bytes(b"")
    bad[1].write_text("text")
    bad.append(truncate(whole, tmp_path / "half.jpg", 0.6))
    prepared = prepare_all([sample(path) for path in (whole, *bad)], cache, scale=0.88, finder=finder)
    assert prepared.samples == [sample(whole)]
    assert [one.path for one in prepared.unreadable] == bad
    assert finder.calls == 0


@pytest.mark.parametrize(
    ("name", "mode", "options", "as_is"),
    [
        ("a.jpg", "RGB", {}, True),
        ("a.png", "RGB", {}, True),
        ("a.png", "L", {}, True),
        ("a.png", "RGBA", {}, False),  # OpenCV would drop the transparency and show what is behind it
        ("a.png", "P", {}, False),
        ("a.webp", "RGB", {}, False),
        ("a.heic", "RGB", {}, False),  # OpenCV reads none
        ("a.gif", "P", {}, False),
    ],
)
def test_tight_crops_of_other_formats_are_converted(tmp_path, cache, finder, tight, name, mode, options, as_is):
    path = saved(tmp_path / name, Image.fromarray(scene(4, (64, 64))).convert(mode), **options)
    assert usable_as_is(path) is as_is
    (found,) = prepare([sample(path)], cache, scale=0.88, finder=finder)
    assert (found.path == path) is as_is
    read = cv2.cvtColor(cv2.imread(str(found.path)), cv2.COLOR_BGR2RGB)
    assert np.abs(read.astype(int) - load_image(path).rgb).max() <= 2  # two decoders of JPEG


def test_many_cached_pictures_take_no_looks(tmp_path, cache, finder, monkeypatch):
    samples = [sample(picture(tmp_path / f"{n}.png", n)) for n in range(5)]
    first = prepare(samples, cache, scale=0.88, finder=finder)
    monkeypatch.setattr("core.data.prepare.is_tight_source", lambda *_: False)
    monkeypatch.setattr(crops, "load_image", None)  # nothing is decoded …
    monkeypatch.setattr(crops, "file_digest", None)  # … nor read
    assert prepare(samples, cache, scale=0.88, finder=finder) == first


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (black, "No faces were found in the 2 pictures and videos of s: a detector needs"),
        (lambda path: path.write_bytes(b"text"), "None of the 2 pictures and videos can be read"),
    ],
)
def test_when_nothing_is_left(tmp_path, cache, finder, make, sentence):
    for name in ("a.png", "b.png"):
        make(tmp_path / name)
    with pytest.raises(DataError, match=sentence):
        prepare([sample(tmp_path / "a.png"), sample(tmp_path / "b.png")], cache, scale=0.88, finder=finder)


def test_no_samples_are_no_error(cache, finder):
    assert prepare([], cache, scale=0.88, finder=finder) == []


def test_a_full_disk_is_said_and_leaves_no_half_crops(tmp_path, cache, finder, monkeypatch):
    write = Path.write_bytes

    def full(self, data):
        if self.suffix == ".part":
            write(self, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    path = tmp_path / "a.png"
    picture(path)
    with pytest.raises(SetupError, match=r"cannot be kept in .*cache \(No space left on device\): make room"):
        prepare([sample(path)], cache, scale=0.88, finder=finder)
    assert not list(cache.iterdir())


def test_a_cache_that_cannot_be_made(tmp_path, finder):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="Face crops cannot be kept in"):
        prepare([sample(picture(tmp_path / "a.png"))], tmp_path / "file/cache", scale=0.88, finder=finder)


def test_progress_and_stopping(tmp_path, cache, finder):
    samples = [sample(picture(tmp_path / f"{n}.png", n)) for n in range(20)]
    calls, asked, three_told = [], count(), threading.Event()

    def on_progress(*call):
        calls.append(call)
        if len(calls) == 3:
            three_told.set()

    def should_stop():
        if next(asked) >= 10:  # on a busy machine all 20 might be done before three were told of
            three_told.wait(60)
        return three_told.is_set()

    with pytest.raises(Cancelled):
        prepare(samples, cache, scale=0.88, finder=finder, on_progress=on_progress, should_stop=should_stop)
    assert calls[:3] == [(1, 20), (2, 20), (3, 20)]
    assert len(prepare(samples, cache, scale=0.88, finder=finder, on_progress=lambda *c: calls.append(c))) == 20
    assert calls[-1] == (20, 20)
