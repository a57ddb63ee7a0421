"""core.media.quantiser: what x264 was told to do is what is read back."""

import numpy as np
import pytest

from core.media import Sampling, VideoReader
from tests.media.make_media import write_video

QP_OF_I = 3  # x264 codes those that others are predicted from so much finer


def noise(count=12):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (96, 128, 3), dtype=np.uint8) for _ in range(count)]


def told(path, sampling=None):
    with VideoReader(path, sampling) as reader:
        return [frame.quantiser for frame in reader]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("qp", [20, 40])
def test_the_quantiser_is_the_one_that_was_set(tmp_path, qp, pix_fmt):
    options = {"qp": str(qp), "bf": "0", "sc_threshold": "0"}
    path = write_video(tmp_path / "a.mp4", noise(), pix_fmt=pix_fmt, options=options)
    found = told(path)
    assert len(found) == 12
    assert all(qp - QP_OF_I - 0.5 <= one <= qp + 0.5 for one in found)
    assert found[-1] == pytest.approx(qp, abs=0.5)  # not the first frame, which is finer


def test_frames_between_have_that_of_what_they_are_predicted_from(tmp_path):
    path = write_video(tmp_path / "a.mp4", noise(), options={"qp": "30", "bf": "3", "b-pyramid": "none"})
    assert max(told(path)) <= 30.5  # B-frames are coded 2 to 3 coarser


def test_a_seek_tells_too(tmp_path):
    path = write_video(tmp_path / "a.mp4", noise(60), options={"qp": "33", "g": "10"})
    found = told(path, Sampling.per_second(2))
    assert found
    assert all(29 <= one <= 34 for one in found)


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx-vp9", "mjpeg"])
def test_other_codecs_do_not_tell(tmp_path, codec):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_video(tmp_path / "a.mkv", noise(3), codec=codec, pix_fmt=pix_fmt)
    assert set(told(path)) == {None}
