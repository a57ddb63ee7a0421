import os
from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import Cancelled, MediaError
from core.media import H264Writer, VideoReader, make_preview, probe_video
from tests.media import make_media as make
from tests.media.make_media import colours, number_of, numbered, numbered_video, quadrants, write_video


def sound_of(path: Path) -> tuple[float, float, str]:
    """First and last second of the sound, and its codec."""
    with av.open(f"file:{path}") as container:
        stream = container.streams.audio[0]
        times = [frame.time for frame in container.decode(stream)]
        return times[0], times[-1], stream.codec_context.name


def boxes(path: Path) -> list[bytes]:
    """The types of the outer boxes of an MP4 file, in order."""
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        found.append(data[place + 4 : place + 8])
        place += int.from_bytes(data[place : place + 4], "big")
    return found


def test_what_is_written_can_be_read(tmp_path):
    path = tmp_path / "a.mp4"
    with H264Writer(path, (64, 48), 30) as writer:
        for index in range(20):
            writer.write(numbered(index))
    info = probe_video(path)
    assert (info.size_wh, info.fps, info.codec, info.has_audio) == ((64, 48), pytest.approx(30), "h264", False)
    assert info.browser_playable
    with VideoReader(path) as reader:
        frames = list(reader)
    assert [number_of(frame.rgb) for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == pytest.approx([index / 30 for index in range(20)], abs=1e-4)
    assert boxes(path).index(b"moov") < boxes(path).index(b"mdat")  # starts to play before it has all arrived
    assert os.listdir(tmp_path) == ["a.mp4"]  # noqa: PTH208


@pytest.mark.parametrize("height", [480, 720])  # below 720 lines, readers guess another colour matrix than above
def test_colours_survive(tmp_path, height):
    rgb = quadrants(64, height)
    with H264Writer(tmp_path / "a.mp4", (64, height), 25) as writer:
        writer.write(rgb)
    with VideoReader(tmp_path / "a.mp4") as reader:
        back = next(iter(reader)).rgb
    # In the middle of the quarters: a wrong matrix is off by 20 to 40 levels in pure colours, a wrong range by 16.
    for y in (height // 4, 3 * height // 4):
        for x in (16, 48):
            assert np.abs(back[y, x].astype(int) - rgb[y, x]).max() <= 6
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.pix_fmt, context.colorspace, context.color_range) == ("yuv420p", 1, 1)  # BT.709, video range


@pytest.mark.parametrize("size_wh", [(63, 48), (64, 47), (63, 47), (1, 1)])
def test_odd_sizes_get_one_more_row_or_column(tmp_path, size_wh):
    rgb = np.full((size_wh[1], size_wh[0], 3), 200, np.uint8)
    with H264Writer(tmp_path / "a.mp4", size_wh, 25) as writer:
        writer.write(rgb)
    with VideoReader(tmp_path / "a.mp4") as reader:
        back = next(iter(reader)).rgb
    assert back.shape[:2] == (size_wh[1] + size_wh[1] % 2, size_wh[0] + size_wh[0] % 2)
    assert np.abs(back.astype(int) - 200).max() <= 3  # black at the border would be seen


def test_times_of_their_own(tmp_path):
    times = [0, 0.1, 0.15, 1.0, 2.5]
    with H264Writer(tmp_path / "a.mp4", (64, 48), 25) as writer:
        for index, time_s in enumerate(times):
            writer.write(numbered(index), time_s)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert [frame.time_s for frame in reader] == pytest.approx(times, abs=1e-4)


@pytest.mark.parametrize("source", ["a.mp4", "a.mkv", "a.webm"])
def test_sound_is_taken_along(tmp_path, source):
    codec = {"a.webm": "libvpx"}.get(source, "libx264")
    path = numbered_video(tmp_path / source, 25, sound_s=2.0, codec=codec)
    with H264Writer(tmp_path / "out.mp4", (64, 48), 25, audio_from=path) as writer:
        for index in range(25):
            writer.write(numbered(index))
    start, end, codec = sound_of(tmp_path / "out.mp4")
    assert (start, end, codec) == (pytest.approx(0, abs=0.05), pytest.approx(2, abs=0.1), "aac")
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert [number_of(frame.rgb) for frame in reader] == [index % 24 for index in range(25)]


def test_a_silent_source_gives_a_silent_file(tmp_path):
    source = numbered_video(tmp_path / "a.mp4", 3)
    with H264Writer(tmp_path / "out.mp4", (64, 48), 25, audio_from=source) as writer:
        writer.write(numbered(0))
    assert not probe_video(tmp_path / "out.mp4").has_audio


@pytest.mark.parametrize(
    ("rgb", "exception"),
    [
        (np.zeros((48, 64, 3)), pytest.raises(ValueError, match="got float64")),
        (np.zeros((64, 48, 3), np.uint8), pytest.raises(ValueError, match=r"shape \(48, 64, 3\)")),
        (np.zeros((48, 64), np.uint8), pytest.raises(ValueError, match="shape")),
    ],
)
def test_frames_of_another_kind_are_refused(tmp_path, rgb, exception):
    with exception, H264Writer(tmp_path / "a.mp4", (64, 48), 25) as writer:
        writer.write(rgb)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("size_wh", "fps"), [((0, 4), 25), ((4, 4), 0), ((4, 4), float("nan"))])
def test_arguments_are_checked(tmp_path, size_wh, fps):
    with pytest.raises(ValueError, match="size_wh"):
        H264Writer(tmp_path / "a.mp4", size_wh, fps)


def test_no_frames_is_a_mistake(tmp_path):
    with pytest.raises(ValueError, match="no frame"), H264Writer(tmp_path / "a.mp4", (64, 48), 25):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), H264Writer(path, (64, 48), 25) as writer:
        writer.write(numbered(0))
        raise RuntimeError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_says_so(tmp_path):
    with pytest.raises(MediaError, match=r'"a\.mp4" cannot be written'):
        H264Writer(tmp_path / "nowhere" / "a.mp4", (64, 48), 25)


def test_two_writers_to_one_name_do_not_mix(tmp_path):
    path = tmp_path / "a.mp4"
    with H264Writer(path, (64, 48), 25) as first, H264Writer(path, (64, 48), 25) as second:
        first.write(numbered(1))
        second.write(numbered(9))
    with VideoReader(path) as reader:
        assert number_of(next(iter(reader)).rgb) in (1, 9)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", {"codec": "mpeg4", "sound_s": 1.0}),
        ("a.mov", {"pix_fmt": "yuv420p10le", "sound_s": 1.0}),
        ("a.avi", {"codec": "mpeg4"}),
    ],
)
def test_preview_plays_in_browsers(tmp_path, name, options):
    source = numbered_video(tmp_path / name, 25, **options)
    progress = []
    warnings = make_preview(source, tmp_path / "out.mp4", on_progress=lambda *seconds: progress.append(seconds))
    info = probe_video(tmp_path / "out.mp4")
    assert not probe_video(source).browser_playable and info.browser_playable and warnings == ()
    assert info.has_audio == ("sound_s" in options)
    assert len(progress) == 25 and progress[-1] == (pytest.approx(0.96, abs=0.01), pytest.approx(1, abs=0.05))
    with VideoReader(source) as before, VideoReader(tmp_path / "out.mp4") as after:
        for one, other in zip(before, after, strict=True):
            assert other.time_s == pytest.approx(one.time_s, abs=1e-3)
            assert np.abs(one.rgb.mean() - other.rgb.mean()) <= 3  # frames differ by ten levels


def test_preview_of_a_gif_keeps_its_times(tmp_path):
    source = make.gif(tmp_path / "a.gif", [numbered(index) for index in range(3)], [100, 400, 100])
    make_preview(source, tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert [frame.time_s for frame in reader] == pytest.approx([0, 0.1, 0.5], abs=1e-3)


@pytest.mark.parametrize(
    ("size_wh", "rotation", "max_side", "expected"),
    [
        ((64, 48), 0, 1280, (64, 48)),  # never larger
        ((64, 48), 0, 32, (32, 24)),
        ((64, 48), 90, 32, (24, 32)),  # upright
        ((128, 36), 0, 64, (64, 18)),
    ],
)
def test_preview_is_upright_and_small(tmp_path, size_wh, rotation, max_side, expected):
    source = write_video(tmp_path / "a.mp4", [quadrants(*size_wh)] * 3, rotation=rotation)
    make_preview(source, tmp_path / "out.mp4", max_side=max_side)
    info = probe_video(tmp_path / "out.mp4")
    assert info.size_wh == expected and info.rotation_deg == 0
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert colours(next(iter(reader)).rgb) == ("gwrb" if rotation else "rgbw")


def test_preview_of_a_video_that_is_cut_off_warns(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(50)]
    source = make.truncate(write_video(tmp_path / "a.mp4", frames, sound_s=2.0), tmp_path / "cut.mp4", 0.5)
    (warning,) = make_preview(source, tmp_path / "out.mp4")
    assert "decodes only up to second" in warning
    assert 10 < len(list(VideoReader(tmp_path / "out.mp4"))) < 45


def test_preview_can_be_cancelled(tmp_path):
    source = numbered_video(tmp_path / "a.mp4", 30)
    answers = iter([False] * 5 + [True])
    with pytest.raises(Cancelled):
        make_preview(source, tmp_path / "out.mp4", should_cancel=lambda: next(answers))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_preview_of_something_else_says_so(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(MediaError, match="is not a video"):
        make_preview(tmp_path / "a.mp4", tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
