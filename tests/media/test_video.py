import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.errors import MediaError
from core.media import Sampling, VideoReader, media_kind, probe_video, read_frame_at, read_frames_at
from core.media import seeking as seeking_module
from tests.media import make_media as make
from tests.media.make_media import colours, number_of, numbered, numbered_video, quadrants, write_video


def read(path: Path, sampling: Sampling | None = None) -> tuple[list[int], list[float], list[int], list[str]]:
    """Indexes, times, numbers read from the pictures, and warnings."""
    with VideoReader(path, sampling) as reader:
        frames = [(frame.index, frame.time_s, number_of(frame.rgb)) for frame in reader]
    indexes, times, numbers = ([row[column] for row in frames] for column in range(3))
    return indexes, times, numbers, reader.warnings


CONTAINERS = [
    ("mp4", "libx264", {}),
    ("mov", "libx264", {}),
    ("mkv", "libx264", {}),
    ("webm", "libvpx-vp9", {}),
    ("webm", "libvpx", {}),
    ("avi", "mpeg4", {}),
    ("avi", "mjpeg", {"pix_fmt": "yuvj420p"}),
    ("mp4", "libx264", {"pix_fmt": "yuv420p10le"}),
    ("mp4", "libx264", {"pix_fmt": "yuv444p"}),
    ("mp4", "libx264", {"size_wh": (66, 50)}),  # rows are padded in memory
]


@pytest.mark.parametrize(("suffix", "codec", "options"), CONTAINERS)
def test_every_frame_in_every_container(tmp_path, suffix, codec, options):
    path = numbered_video(tmp_path / f"a.{suffix}", 30, codec=codec, **options)
    indexes, times, numbers, warnings = read(path)
    assert indexes == list(range(30))
    assert numbers == [index % 24 for index in range(30)]
    assert times == pytest.approx([index / 25 for index in range(30)], abs=0.0011)  # Matroska rounds to milliseconds
    assert warnings == []
    assert media_kind(path) == "video"


def test_frames_are_arrays_of_their_own(tmp_path):
    with VideoReader(numbered_video(tmp_path / "a.mp4", 12, size_wh=(66, 50))) as reader:
        frames = [frame.rgb for frame in reader]
    # read only now: frames that shared a buffer would all show the last one
    assert [number_of(rgb) for rgb in frames] == list(range(12))
    for rgb in frames:
        assert rgb.dtype == np.uint8 and rgb.shape == (50, 66, 3) and rgb.flags.c_contiguous and rgb.flags.writeable


def test_gif_has_its_own_times_and_white_behind(tmp_path):
    path = make.gif(tmp_path / "a.gif", [numbered(index) for index in range(4)], [100, 300, 50, 200])
    indexes, times, numbers, _ = read(path)
    assert (indexes, numbers) == ([0, 1, 2, 3], [0, 1, 2, 3])
    assert times == pytest.approx([0, 0.1, 0.4, 0.45])
    assert probe_video(path).duration_s == pytest.approx(0.65)
    assert media_kind(path) == "video"
    assert media_kind(make.gif(tmp_path / "still.gif", [numbered(0)])) == "image"


TIMES = [0, 0.04, 0.08, 0.5, 0.54, 1.5, 1.54, 1.58, 3.0]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_frame_rate_keeps_the_times_of_the_stream(tmp_path, suffix):
    path = numbered_video(tmp_path / f"a.{suffix}", len(TIMES), times_s=TIMES)
    assert read(path)[1] == pytest.approx(TIMES, abs=0.0011)
    # at 0.75 and 2.25 s the frames of 0.54 and 1.58 s are still on screen: index ÷ fps would give others
    assert read(path, Sampling.evenly(2))[0][:1] == [4]
    assert read(path, Sampling.per_second(2))[0] == [0, 3, 4, 5, 7, 8]


def test_times_start_at_zero_where_the_stream_starts_late(tmp_path):
    path = numbered_video(tmp_path / "a.mkv", 5, times_s=[7 + index / 10 for index in range(5)])
    assert read(path)[1] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.0011)
    assert read(path, Sampling.per_second(5))[0] == [0, 2, 4]
    assert read_frame_at(path, 0.25).index == 2


class _Raw:
    def __init__(self, pts: int | None) -> None:
        self.pts, self.dts, self.duration = pts, None, 0


def test_missing_and_backward_time_stamps_are_bridged(tmp_path):
    from core.media.video_file import VideoFile

    with VideoFile(numbered_video(tmp_path / "a.mp4", 3)) as video:
        tick = 1 / 25 / float(video.stream.time_base)
        stamps = [0, None, round(2 * tick), round(1 * tick), None, round(10 * tick)]
        times = [time_s for _, time_s in video.timed(iter([_Raw(stamp) for stamp in stamps]))]
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.4])


# Quarters as a viewer sees them when "rgbw" is stored; rotations are counter-clockwise, mirroring comes after.
@pytest.mark.parametrize(
    ("rotation", "hflip", "expected", "clockwise"),
    [
        (0, False, "rgbw", 0),
        (90, False, "gwrb", 270),
        (180, False, "wbgr", 180),
        (-90, False, "brwg", 90),
        (0, True, "grwb", 0),  # the front camera of some phones
    ],
)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_rotation(tmp_path, rotation, hflip, expected, clockwise, pix_fmt):
    path = write_video(tmp_path / "a.mp4", [quadrants()] * 3, rotation=rotation, hflip=hflip, pix_fmt=pix_fmt)
    info = probe_video(path)
    with VideoReader(path) as reader:
        frames = list(reader)
    assert [colours(frame.rgb) for frame in frames] == [expected] * 3
    assert info.rotation_deg == clockwise
    assert info.size_wh == ((48, 64) if rotation in (90, -90) else (64, 48))
    assert frames[0].rgb.shape[1::-1] == info.size_wh
    assert colours(read_frame_at(path, 0.05).rgb) == expected


def test_pixels_that_are_not_square_become_square(tmp_path):
    path = write_video(tmp_path / "a.mp4", [quadrants(64, 48)] * 2, pixel_aspect=Fraction(3, 2))
    assert probe_video(path).size_wh == (96, 48)
    assert next(iter(VideoReader(path))).rgb.shape == (48, 96, 3)


@pytest.mark.parametrize(
    ("sampling", "text", "expected"),
    [
        (Sampling.every_frame(), "every frame", list(range(50))),
        (Sampling.per_second(5), "5 per second", [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]),
        (Sampling.per_second(10), "10 per second", [int(k * 2.5) for k in range(20)]),
        (Sampling.per_second(0.7), "0.7 per second", [0, 35]),
        (Sampling.per_second(100), "100 per second", list(range(50))),  # no frame twice
        (Sampling.evenly(1), "1 evenly spread", [25]),
        (Sampling.evenly(4), "4 evenly spread", [6, 18, 31, 43]),
        (Sampling.evenly(50), "50 evenly spread", list(range(50))),
        (Sampling.evenly(400), "400 evenly spread", list(range(50))),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "avi"])  # with a map of the frames, and without
def test_sampling(tmp_path, suffix, sampling, text, expected):
    path = numbered_video(tmp_path / f"a.{suffix}", 50, codec="libx264" if suffix == "mp4" else "mpeg4")
    indexes, times, numbers, _ = read(path, sampling)
    assert indexes == expected
    assert numbers == [index % 24 for index in expected]
    assert times == pytest.approx([index / 25 for index in expected])
    assert str(sampling) == text
    with VideoReader(path, sampling) as reader:
        assert reader.expected_frames == len(expected)


@pytest.mark.parametrize(
    ("make_sampling", "value", "exception"),
    [
        (Sampling.per_second, 0, pytest.raises(ValueError, match="above 0")),
        (Sampling.per_second, float("nan"), pytest.raises(ValueError, match="above 0")),
        (Sampling.per_second, 10**6, pytest.raises(ValueError, match="at most 1000")),
        (Sampling.evenly, 0, pytest.raises(ValueError, match="from 1")),
        (Sampling.evenly, 2.5, pytest.raises(ValueError, match="whole number")),
    ],
)
def test_sampling_checks(make_sampling, value, exception):
    with exception:
        make_sampling(value)


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        ("mp4", "libx264", {"g": "12", "bf": "3"}),
        ("mkv", "libx264", {"g": "12", "bf": "3"}),
        ("mp4", "libx264", {"g": "12", "bf": "3", "x264-params": "open-gop=1"}),
        ("webm", "libvpx-vp9", {"g": "12"}),
    ],
)
def test_seeking_gives_the_same_bytes_as_decoding(tmp_path, monkeypatch, suffix, codec, options):
    # Moving noise: a frame from the wrong reference, or one too early, differs; grey frames would look alike.
    noise = np.random.default_rng(0).integers(0, 255, (48, 160, 3), np.uint8)
    frames = [np.ascontiguousarray(noise[:, 2 * index % 96 :][:, :64]) for index in range(90)]
    path = write_video(tmp_path / f"a.{suffix}", frames, codec=codec, options=options)
    with VideoReader(path) as reader:
        whole = {frame.index: frame for frame in reader}
    monkeypatch.setattr(seeking_module, "_WORTH_A_SEEK", 1)
    for sampling in (Sampling.evenly(7), Sampling.per_second(3)):
        with VideoReader(path, sampling) as reader:
            for frame in reader:
                assert frame.time_s == pytest.approx(whole[frame.index].time_s)
                assert np.array_equal(frame.rgb, whole[frame.index].rgb), frame.index
    for index in (0, 11, 12, 13, 47, 89):
        assert np.array_equal(read_frame_at(path, index / 25).rgb, whole[index].rgb), index


@pytest.mark.parametrize("suffix", ["mp4", "avi", "gif"])
@pytest.mark.parametrize(
    ("time_s", "expected"),
    [(0.0, 0), (0.199, 1), (0.2, 2), (0.25, 2), (-3.0, 0), (99.0, 9)],
)
def test_read_frame_at(tmp_path, suffix, time_s, expected):
    if suffix == "gif":
        path = make.gif(tmp_path / "a.gif", [numbered(index) for index in range(10)], 100)
    else:
        path = numbered_video(tmp_path / f"a.{suffix}", 10, fps=10, codec="libx264" if suffix == "mp4" else "mpeg4")
    frame = read_frame_at(path, time_s)
    assert (frame.index, frame.time_s, number_of(frame.rgb)) == (expected, pytest.approx(expected / 10), expected)


@pytest.mark.parametrize("suffix", ["mp4", "avi", "gif"])
def test_read_frames_at_gives_each_moment_its_frame(tmp_path, suffix):
    if suffix == "gif":
        path = make.gif(tmp_path / "a.gif", [numbered(index) for index in range(10)], 100)
    else:
        path = numbered_video(tmp_path / f"a.{suffix}", 10, fps=10, codec="libx264" if suffix == "mp4" else "mpeg4")
    asked = [0.55, 99.0, 0.2, 0.25, -3.0, 0.2]  # in no order, one twice, two of one frame, two outside
    found = list(read_frames_at(path, asked))
    assert [moment for moment, _ in found] == [-3.0, 0.2, 0.25, 0.55, 99.0]
    assert [number_of(frame.rgb) for _, frame in found] == [0, 2, 2, 5, 9]
    assert list(read_frames_at(path, [])) == []


def test_read_frames_at_says_which_moment_is_missing(tmp_path, monkeypatch):
    path = numbered_video(tmp_path / "a.mp4", 50, options={"g": "10"})

    def without_one(*args):
        yield from ((asked, *rest) for asked, *rest in seeking_module.frames_at(*args) if asked != 25)

    monkeypatch.setattr("core.media.video.frames_at", without_one)
    frames = read_frames_at(path, [0.4, 1.0, 1.6])
    assert next(frames)[1].index == 10
    with pytest.raises(MediaError, match=r"cannot be decoded at second 1\.0"):
        next(frames)  # and not the frame of the moment after it


@pytest.mark.parametrize(
    ("name", "options", "codec", "playable"),
    [
        ("a.mp4", {"sound_s": 1}, "h264", True),
        ("a.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}, "hevc", False),
        ("a.mp4", {"codec": "mpeg4"}, "mpeg4", False),
        ("a.mp4", {"pix_fmt": "yuv420p10le"}, "h264", False),
        ("a.mp4", {"pix_fmt": "yuv444p"}, "h264", False),
        ("a.mov", {}, "h264", False),
        ("a.mkv", {}, "h264", False),
        ("a.webm", {"codec": "libvpx", "sound_s": 1}, "vp8", True),
        ("a.webm", {"codec": "libvpx-vp9"}, "vp9", True),
        ("a.mkv", {"codec": "libvpx-vp9"}, "vp9", False),
        ("a.avi", {"codec": "mpeg4"}, "mpeg4", False),
    ],
)
def test_probe(tmp_path, name, options, codec, playable):
    info = probe_video(numbered_video(tmp_path / name, 25, **options))
    assert (info.path, info.size_wh, info.rotation_deg) == (tmp_path / name, (64, 48), 0)
    assert (info.codec, info.browser_playable, info.has_audio) == (codec, playable, "sound_s" in options)
    assert info.fps == pytest.approx(25, abs=0.01)
    assert info.duration_s == pytest.approx(1, abs=0.03)
    assert info.frame_count in (25, 26)  # estimated from the length in Matroska


def test_leaving_early_releases_the_file(tmp_path):
    path = numbered_video(tmp_path / "a.mp4", 50)
    for _ in range(3):
        with VideoReader(path) as reader:
            assert next(iter(reader)).index == 0
    assert list(reader) == []  # and a closed reader is at its end, not a crash
    assert not any(str(path) in os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x18ftypM4A \0\0\0\0", None),  # sound
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video"),  # old QuickTime
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"G" + b"\0" * 187 + b"G", "video"),  # transport stream
        (b"Good morning", None),
        (b"GIF89a", "image"),  # and no more
    ],
)
def test_media_kind_goes_by_content(tmp_path, head, expected):
    path = tmp_path / "a.jpg"
    path.write_bytes(head)
    assert media_kind(path) == expected
