"""What is reported before training: counts, and each fault in the data with a sentence and its files."""

import re

import cv2
import numpy as np
import pytest

from core.data.survey import survey
from core.errors import Cancelled, DataError
from tests.data.support import picture, save, scene, two_classes
from tests.media.make_media import numbered_video, truncate


def grainy(seed, size=(64, 64), grain=25.0):
    noise = np.random.default_rng(seed).normal(0, grain, (*size, 3))
    return np.clip(scene(seed, size) + noise, 0, 255).astype(np.uint8)


def fill(folder, suffix=".jpg", *, fake_size=(64, 64), fake_suffix=None, fake_quality=90, fake_count=120):
    """Data without fault by default: 120 pictures a class to train on, 30 to validate on."""
    seed = 0
    for split, count in (("train", 120), ("val", 30)):
        for label in ("Real", "Fake"):
            fake = label == "Fake"
            for number in range(fake_count if fake and split == "train" else count):
                end, size = (fake_suffix or suffix, fake_size) if fake else (suffix, (64, 64))
                save(
                    folder / split / label / f"{number}x{end}", grainy(seed, size), quality=fake_quality if fake else 90
                )
                seed += 1
    return folder


def warned(folder):
    return {warning.kind: warning for warning in survey([folder]).warnings}


def test_data_without_fault(tmp_path):
    seen = survey([fill(tmp_path / "faces")])
    assert seen.warnings == ()
    assert (seen.pictures, seen.videos, seen.classes) == (300, 0, ("real", "fake"))
    assert seen.counts == {
        ("faces", "train", "real"): 120,
        ("faces", "train", "fake"): 120,
        ("faces", "val", "real"): 30,
        ("faces", "val", "fake"): 30,
    }
    assert seen.formats == {"JPEG": 300}
    assert {one.side_px for one in seen.facts} == {64}
    assert seen.size_bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.jpg"))


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        (
            {"fake_size": (96, 96)},
            "size",
            "real pictures are 64 and fake ones 96 pixels large .* 100% of pairs",
        ),
        ({"fake_suffix": ".png"}, "format", "100% of the real pictures are JPEG and 100% of the fake ones PNG"),
        (
            {"fake_quality": 50},
            "compression",
            "bytes a pixel .* one size and quality",
        ),  # told by strength of compression
        ({"fake_count": 600}, "imbalance", "train has 5 times as many fake samples as real ones"),
        ({"fake_count": 40}, "few", "train has only 40 fake pictures: a detector needs hundreds"),
    ],
)
def test_classes_that_differ(tmp_path, changes, kind, sentence):
    found = warned(fill(tmp_path / "faces", **changes))
    assert set(found) == {kind}
    assert re.search(sentence, found[kind].sentence)


def test_one_class_only_offers_self_blending(tmp_path):
    for number in range(10):
        picture(tmp_path / f"Real/{number}x.png", number)
    found = warned(tmp_path)
    assert "--self-blend 1" in found["one_class"].sentence
    assert "few" in found  # said at once, not after the first was mended


def test_only_fakes(tmp_path):
    for number in range(10):
        picture(tmp_path / f"Fake/{number}x.png", number)
    assert "There are no real pictures" in warned(tmp_path)["one_class"].sentence


def test_one_picture(tmp_path):
    picture(tmp_path / "Real/a.png")
    sentences = [warning.sentence for warning in survey([tmp_path]).warnings if warning.kind == "few"]
    assert sentences[0].startswith("train has only 1 real picture: a detector needs hundreds")
    assert sentences[1].startswith("val has no real pictures: its figures")


def test_a_picture_with_two_labels(tmp_path):
    two_classes(tmp_path)
    real = tmp_path / "train/Real/Real-train00x.png"
    copy = save(tmp_path / "train/Fake/copy.jpg", cv2.imread(str(real))[..., ::-1], quality=95)
    warning = warned(tmp_path)["class_duplicates"]
    assert set(warning.paths) == {real, copy}
    assert warning.sentence.startswith("2 pictures stand in two classes")


def test_a_fake_made_from_a_frame_is_no_mislabelled_copy(tmp_path):
    """It is nearly the same picture, but for a part of the face; that is what fakes are."""
    two_classes(tmp_path)
    rgb = scene(77, (128, 128))
    save(tmp_path / "train/Real/frame.png", rgb)
    rgb[40:80, 40:80] = np.clip(rgb[40:80, 40:80] * 0.9 + 12.0, 0, 255).astype(np.uint8)
    save(tmp_path / "train/Fake/frame.png", rgb)
    assert "class_duplicates" not in warned(tmp_path)


@pytest.mark.parametrize(("label", "swapped"), [("Real", False), ("Fake", True)])
def test_the_same_picture_in_two_splits(tmp_path, label, swapped):
    two_classes(tmp_path)
    original = tmp_path / "train/Real/Real-train00x.png"
    copy = tmp_path / f"val/{label}/again.png"
    copy.write_bytes(original.read_bytes())
    warning = warned(tmp_path)["split_copies"]
    assert set(warning.paths) == {original, copy}
    assert ("with another label" in warning.sentence) == swapped


def test_unreadable_files_are_named(tmp_path):
    two_classes(tmp_path)
    bad = [tmp_path / "train/Real" / name for name in ("empty.png", "text.jpg", "half.jpg")]
    bad[0].write_bytes(b"")
    bad[1].write_text("text")
    truncate(save(tmp_path / "whole.jpg", scene(5, (200, 200))), bad[2], 0.5)
    bad.append(tmp_path / "val/Fake/film.mp4")
    bad[3].write_text("no film")
    warning = warned(tmp_path)["unreadable"]
    assert set(warning.paths) == set(bad)
    assert warning.sentence.startswith("4 of 28 files cannot be used and will be left out. The first: ")


def test_videos_are_counted_and_need_no_hundreds(tmp_path):
    two_classes(tmp_path)
    for label, count in (("Real", 3), ("Fake", 4)):
        for split in ("train", "val"):
            numbered_video(tmp_path / split / label / "clip.mp4", count + len(split))
    seen = survey([tmp_path])
    assert (seen.pictures, seen.videos) == (24, 4)
    assert "h264" in seen.formats
    assert not seen.warnings


def test_nothing_at_all(tmp_path):
    with pytest.raises(DataError, match="No pictures were found"):
        survey([tmp_path])


def test_progress_and_stopping(tmp_path):
    calls = []
    survey([two_classes(tmp_path)], on_progress=lambda *call: calls.append(call))
    assert calls[-1] == (24, 24)
    with pytest.raises(Cancelled):
        survey([two_classes(tmp_path)], should_stop=lambda: True)
