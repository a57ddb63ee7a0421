"""core.media.quantiser: what x264 was told to do is what is read back."""

import struct
from types import SimpleNamespace

import numpy as np
import pytest

from core.media import Sampling, VideoReader
from core.media.quantiser import quantiser_of
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
    assert all(qp - QP_OF_I - 0.5 <= one <= qp + 0.5 for one in found[1:])  # the first may not be known yet
    assert found[-1] == pytest.approx(qp, abs=0.5)  # not the first frame, which is finer


def test_frames_between_have_that_of_what_they_are_predicted_from(tmp_path):
    path = write_video(tmp_path / "a.mp4", noise(), options={"qp": "30", "bf": "3", "b-pyramid": "none"})
    assert max(told(path)[1:]) <= 30.5  # B-frames are coded 2 to 3 coarser


def test_a_seek_tells_too(tmp_path):
    path = write_video(tmp_path / "a.mp4", noise(60), options={"qp": "33", "g": "10"})
    found = told(path, Sampling.per_second(2))
    assert len(found) == 5
    assert all(29 <= one <= 34 for one in found[1:])
    assert found[0] is None or 29 <= found[0] <= 34  # its blocks may not be known yet


def test_blocks_that_are_not_known_yet_do_not_count():
    def frame(*blocks):
        head = struct.pack("=I4xQQii", len(blocks), 40, 24, 1, 26)
        data = head.ljust(40, b"\0") + b"".join(struct.pack("=6i", 0, 0, 16, 16, qp - 26, 0) for qp in blocks)
        return SimpleNamespace(side_data={"VIDEO_ENC_PARAMS": data})

    assert quantiser_of(frame(0, 30, 34, 0)) == 32
    assert quantiser_of(frame(0, 0)) is None


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx-vp9", "mjpeg"])
def test_other_codecs_do_not_tell(tmp_path, codec):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_video(tmp_path / "a.mkv", noise(3), codec=codec, pix_fmt=pix_fmt)
    assert set(told(path)) == {None}
