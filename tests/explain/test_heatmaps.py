"""core.explain.heatmaps: PNG files that never overwrite, never leave their folder, and show the right frame."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.analysis import analyze_image, analyze_video
from core.explain.heatmaps import safe_stem, strongest_scores, write_heatmaps
from core.explain.overlay import LEGEND_HEIGHT
from core.media import Sampling
from tests.analysis.fakes import FakeDetector, FakeFinder, boxes, picture
from tests.media.make_media import write_video


def image_report(path: Path, *logits):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(*logits)).save(path, "PNG")
    return analyze_image(path, FakeDetector(), FakeFinder(*boxes(len(logits))))


def test_one_picture_for_each_face(tmp_path):
    report = image_report(tmp_path / "a.png", -3.0, 3.0)
    written = write_heatmaps(report, tmp_path / "out" / "deep", crop_scale=1.0)
    assert [path.name for path in written] == ["a-face1.png", "a-face2.png"]
    drawn = np.array(Image.open(written[1]))
    assert drawn.shape == (240 + LEGEND_HEIGHT, 320, 3)
    assert drawn[70, 150, 0] > drawn[70, 150, 1]  # the second face, red
    assert drawn[70, 60, 0] == drawn[70, 60, 1]  # the first one is left to its own picture


def test_names_that_collide_do_not_overwrite(tmp_path):
    out = tmp_path / "out"
    first = write_heatmaps(image_report(tmp_path / "x" / "a.png", 3.0), out, crop_scale=1.0)
    second = write_heatmaps(image_report(tmp_path / "y" / "a.png", -3.0), out, crop_scale=1.0)
    third = write_heatmaps(image_report(tmp_path / "a.jpg", 1.0), out, crop_scale=1.0)
    names = [path.name for path in [*first, *second, *third]]
    assert names == ["a-face1.png", "a-face1-2.png", "a-face1-3.png"]
    assert len(list(out.iterdir())) == 3


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("portrait", "portrait"),
        ("..", "file"),
        ("../../etc/passwd", "_.._etc_passwd"),
        (".hidden", "hidden"),
        ("two\nlines 🎭", "two_lines__"),
        ("漢字-é", "漢字-é"),
        ("a:b%03d\\c", "a_b_03d_c"),
        ("\udcff", "_"),  # a byte that is not text
        ("", "file"),
    ],
)
def test_safe_stem(stem, expected):
    assert safe_stem(stem) == expected


@pytest.mark.parametrize("stem", ["x" * 300, "漢" * 100, "é" * 121])
def test_long_names_are_cut_to_what_file_systems_hold(stem):
    assert 0 < len(safe_stem(stem).encode()) <= 120
    assert stem.startswith(safe_stem(stem))


def test_strongest_frames_of_each_person(tmp_path):
    frames = [picture(3.0 if i in (4, 6, 7) else -3.0, -4.0) for i in range(12)]
    path = write_video(tmp_path / "clip.mp4", frames, fps=10, options={"crf": "8"})
    report = analyze_video(path, FakeDetector(), FakeFinder(*boxes(2)), sampling=Sampling.every_frame())
    left = [t for t, score in strongest_scores(report) if score.face.box_xyxy[0] == 40]
    assert sorted(round(t, 2) for t in left) == [0.4, 0.6, 0.7]
    written = write_heatmaps(report, tmp_path / "out", crop_scale=1.0)
    assert len(written) == 6
    assert all(path.name.startswith("clip-person") for path in written)
    assert np.array(Image.open(written[0])).shape == (240 + LEGEND_HEIGHT, 320, 3)


def test_nothing_is_written_without_faces_or_maps(tmp_path):
    path = tmp_path / "a.png"
    image_report(path, 3.0)
    bare = analyze_image(path, FakeDetector(), FakeFinder(), maps=False)
    assert write_heatmaps(bare, tmp_path / "out", crop_scale=1.0) == []
    assert write_heatmaps(image_report(path, None), tmp_path / "out", crop_scale=1.0) == []
