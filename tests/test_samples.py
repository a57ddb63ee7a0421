"""The samples are what they say: where the face is manipulated, when, and by nothing else."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core import samples
from core.errors import SetupError
from core.media import VideoReader, load_image, probe_video
from core.media.sampling import Sampling
from core.samples import Manipulation, SampleVideo, manipulate, sample_image, sample_images, sample_video, truth_about

FACE_XYXY = (200, 110, 252, 165)
"""Eyes to mouth in the portrait, well inside of the manipulation."""
HAIR_XYXY = (200, 40, 252, 70)
"""Right above the manipulation, and in view in every frame."""


@pytest.fixture(scope="module")
def clip() -> SampleVideo:
    return sample_video()


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8], box_xyxy: tuple[int, int, int, int]) -> float:
    left, top, right, bottom = box_xyxy
    region = np.s_[top:bottom, left:right]
    return float(np.abs(one[region].astype(float) - other[region]).mean())


def test_stills() -> None:
    original, manipulated = (load_image(sample_images()[name]).rgb for name in ("original", "manipulated"))
    assert original.shape == manipulated.shape == (512, 512, 3)
    left, top, right, bottom = samples.PATCH_XYXY
    outside = np.ones((512, 512), bool)
    outside[top:bottom, left:right] = False
    np.testing.assert_array_equal(original[outside], manipulated[outside])
    assert difference(original, manipulated, FACE_XYXY) > 5  # in grey levels: a manipulation worth the name
    border = np.s_[[top, bottom - 1], left:right]
    np.testing.assert_array_equal(original[border], manipulated[border])  # no visible edge of the patch


def test_the_sample_image_is_the_real_one() -> None:
    assert sample_image() == sample_images()["original"]
    assert sample_image().suffix == ".png"


def test_clip_is_a_plain_video(clip: SampleVideo) -> None:
    info = probe_video(clip.path)
    assert info.size_wh == (1280, 720)
    assert info.fps == pytest.approx(25)
    assert info.duration_s == pytest.approx(10, abs=0.05)
    assert info.codec == "h264"
    assert info.browser_playable
    assert clip.path.stat().st_size < 5_000_000


def in_portrait(view: NDArray[np.uint8], time_s: float) -> NDArray[np.uint8]:
    """A view of the clip brought back to the pixels of the portrait."""
    return cv2.warpAffine(view, samples._camera(time_s) / samples.MASTER_SCALE, (512, 512))


def test_clip_is_manipulated_when_it_says(clip: SampleVideo) -> None:
    """Each frame beside the same view of the untouched portrait: what remains is grain, H.264, and the manipulation."""
    side = 512 * samples.MASTER_SCALE
    master = cv2.resize(load_image(sample_image()).rgb, (side, side), interpolation=cv2.INTER_LANCZOS4)
    real_faces, fake_faces, surroundings = [], [], []
    with VideoReader(clip.path, Sampling.every_frame()) as reader:
        for frame in reader:
            matrix = samples._camera(frame.time_s)
            view = cv2.warpAffine(master, matrix, samples.SIZE_WH, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            there, here = in_portrait(frame.rgb, frame.time_s), in_portrait(view, frame.time_s)
            fake = clip.fake_start_s <= frame.time_s < clip.fake_end_s
            (fake_faces if fake else real_faces).append(difference(there, here, FACE_XYXY))
            surroundings.append(difference(there, here, HAIR_XYXY))
    assert (len(real_faces), len(fake_faces)) == (175, 75)
    assert max(real_faces) < 3 < 6 < min(fake_faces)  # every single frame, the ones at the border included
    assert max(surroundings) < 4  # and nothing else was touched
    assert np.std(fake_faces) > 3 * np.std(real_faces)  # it flickers


def test_the_camera_never_looks_past_the_portrait() -> None:
    width, height = samples.SIZE_WH
    corners = np.array([[0, 0, 1], [width, height, 1]]).T
    for time_s in np.arange(0, samples.DURATION_S, 1 / samples.FPS):
        seen = samples._camera(float(time_s)) @ corners / samples.MASTER_SCALE
        assert seen.min() >= 0 and seen.max() <= 512


def test_made_once(clip: SampleVideo) -> None:
    paths = [clip.path, *sample_images().values()]
    before = [path.stat().st_mtime_ns for path in paths]
    assert [sample_video().path, *sample_images().values()] == paths
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_made_anew_they_are_the_same(fresh_home: Path, tmp_path: Path) -> None:
    first = {name: path.read_bytes() for name, path in sample_images().items()}
    for path in sample_images().values():
        assert path.is_relative_to(fresh_home / "samples")
        path.unlink()
    assert {name: path.read_bytes() for name, path in sample_images().items()} == first
    assert not list(fresh_home.rglob("*.part"))


def test_manipulation_leaves_its_input_alone() -> None:
    portrait = samples._portrait()
    before = portrait.copy()
    manipulate(portrait, Manipulation())
    np.testing.assert_array_equal(portrait, before)


def test_without_scikit_image(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "find_spec", lambda _: None)
    with pytest.raises(SetupError, match=r"scikit-image.*pip install -r requirements\.txt"):
        sample_image()


def test_the_truth_is_told_of_samples_only(tmp_path):
    assert "untouched" in truth_about(sample_images()["original"])
    assert "mirror image" in truth_about(sample_images()["manipulated"])
    copy = tmp_path / "media.png"  # as the history keeps one, or an upload
    copy.write_bytes(sample_images()["manipulated"].read_bytes())
    assert "mirror image" in truth_about(copy)
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert truth_about(copy) is None
    assert truth_about(tmp_path / "astronaut.png") is None
