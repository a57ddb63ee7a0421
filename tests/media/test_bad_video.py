import contextlib
import os
import resource
from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import MediaError
from core.media import Sampling, VideoReader, probe_video, read_frame_at
from core.media.video_file import VideoFile
from tests.media import make_media as make
from tests.media.make_media import ODD_NAMES, numbered_video, quadrants, write_video
from tests.media.test_video import read


def _textured(path: Path, count: int = 100, **options: object) -> Path:
    """Frames of which each takes about as many bytes: a cut in the middle of the file is one in the middle of time."""
    rng = np.random.default_rng(0)
    return write_video(path, (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(count)), **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Makes each kind of file once."""
    made: dict[str, Path] = {}

    def get(suffix: str, options: dict[str, object]) -> Path:
        key = f"{suffix} {options}"
        if key not in made:
            made[key] = _textured(tmp_path_factory.mktemp("whole") / f"a.{suffix}", **options)
        return made[key]

    return get


@pytest.mark.parametrize("sampling", [Sampling.every_frame(), Sampling.per_second(5), Sampling.evenly(8)], ids=str)
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mp4", {}),
        ("mov", {}),
        ("mkv", {}),
        ("mkv", {"sound_s": 4.0}),
        ("webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
        ("avi", {"codec": "mpeg4"}),
    ],
)
def test_truncated_video_yields_what_decodes_and_warns(tmp_path, whole, suffix, options, sampling):
    path = make.truncate(whole(suffix, options), tmp_path / f"cut.{suffix}", 0.6)
    indexes, times, _, warnings = read(path, sampling)
    assert 1.0 < times[-1] < 3.4 and indexes == sorted(set(indexes))
    (warning,) = warnings
    assert warning.startswith(f'"cut.{suffix}" is cut off or damaged: it decodes only up to second ')
    assert warning.endswith(" of 4.0.")
    said = float(warning.split("second ")[1].split(" of")[0])
    # the last frame looked at lies before the second that is named, by less than one step of the sampling
    assert times[-1] <= said + 0.05 and said - times[-1] < 0.5


def test_truncated_gif_warns(tmp_path):
    whole = make.gif(tmp_path / "a.gif", [np.roll(quadrants(), index, 1) for index in range(10)], 100)
    indexes, _, _, warnings = read(make.truncate(whole, tmp_path / "cut.gif", 0.6))
    assert 3 <= len(indexes) <= 7
    assert warnings == [f'"cut.gif" is cut off: it decodes only up to second {len(indexes) / 10:.1f}.']
    assert read(whole)[3] == []


def test_damage_in_the_middle_does_not_end_the_video(tmp_path):
    whole = _textured(tmp_path / "a.mp4", options={"g": "10"})
    indexes, _, _, _ = read(make.damage(whole, tmp_path / "damaged.mp4", 0.5, 3000))
    assert len(indexes) > 50  # what comes after the damage is there


def _pixels(frames) -> list[tuple[int | None, bytes]]:
    return [(frame.pts, frame.to_ndarray().tobytes()) for frame in frames]


def _in_one_thread(path: Path) -> list[tuple[int | None, bytes]]:
    """Intact frames by PyAV alone: of damage several threads make something else each time."""
    found = []
    with av.open(path) as container:
        container.streams.video[0].thread_type = "NONE"
        for packet in container.demux(video=0):
            with contextlib.suppress(av.FFmpegError):
                found += [
                    (frame.pts, frame.to_ndarray().tobytes()) for frame in packet.decode() if not frame.is_corrupt
                ]
    return found


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mp4", {"g": "10"}),
        ("mp4", {"g": "250"}),  # all that comes after the damage leans on it
        ("avi", {"g": "10", "bf": "0"}),  # where seeking is not exact: decoded from the start once more
    ],
)
def test_a_damaged_file_gives_the_same_frames_each_time(tmp_path, suffix, options):
    whole = _textured(tmp_path / f"a.{suffix}", options=options)
    path = make.damage(whole, tmp_path / f"damaged.{suffix}", 0.5, 3000)
    expected = _in_one_thread(path)
    for _ in range(3):
        with VideoFile(path) as video:
            assert _pixels(video.frames()) == expected
            assert video.damaged


def test_a_sound_track_that_is_longer_is_no_damage(tmp_path):
    for suffix in ("mp4", "mkv"):
        assert read(numbered_video(tmp_path / f"a.{suffix}", 25, sound_s=3.0))[3] == []


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
BROKEN = {
    "missing": lambda path, whole: None,
    "empty": lambda path, whole: path.touch(),
    "text": lambda path, whole: path.write_text("This is no video.\n" * 100),
    # FFmpeg would open what these list, be it a file or an address.
    "playlist": lambda path, whole: path.write_text(f"ffconcat version 1.0\nfile {numbered_video(whole)}\n"),
    "web playlist": lambda path, whole: path.write_text(PLAYLIST),
    "folder": lambda path, whole: path.mkdir(),
    "no moov": lambda path, whole: make.without_moov(numbered_video(whole, movflags=None), path),
    "cut in the header": lambda path, whole: make.truncate(numbered_video(whole), path, 0.1),
    "cut before the first frame": lambda path, whole: path.write_bytes(
        numbered_video(whole).read_bytes().partition(b"mdat")[0] + b"mdat"
    ),
    "only sound": lambda path, whole: make.sound_only(path),
    "zero frames": lambda path, whole: make.zero_frames(numbered_video(whole), path),
    "unknown codec": lambda path, whole: make.unknown_codec(numbered_video(whole), path),
    "huge": lambda path, whole: make.large_gif(path, 3, (30_000, 30_000)),
}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", "does not exist"),
        ("empty", "is empty (0 bytes)"),
        ("text", "is not a video that can be read"),
        ("playlist", "is not a video that can be read"),
        ("web playlist", "is not a video that can be read"),
        ("folder", "is a folder"),
        ("no moov", "its index (moov) is missing"),
        ("cut in the header", "is cut off"),
        ("cut before the first frame", "has no frame that can be decoded"),
        ("only sound", "holds only sound"),
        ("zero frames", "has no frame that can be decoded"),
        ("unknown codec", "uses a video codec that is not known here"),
        ("huge", "more than 100 megapixels"),
    ],
)
def test_broken_files_say_what_is_wrong(tmp_path, case, words):
    path = tmp_path / "a.mp4"
    BROKEN[case](path, tmp_path / "whole.mp4")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for attempt in (probe_video, VideoReader, lambda path: read_frame_at(path, 0.0)):
        with pytest.raises(MediaError) as caught:
            attempt(path)
        message = str(caught.value)
        assert message.startswith('"a.mp4" ') and words in message and message.endswith(".") and "\n" not in message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_unreadable_file_says_so(tmp_path, monkeypatch):
    path = numbered_video(tmp_path / "a.mp4", 2)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything: refuse as the system would
        monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(MediaError, match=r'"a\.mp4" may not be read'):
        probe_video(path)


@pytest.mark.parametrize("name", [*ODD_NAMES, "http:", "concat:a|b"])
def test_odd_names(tmp_path, name):
    plain = numbered_video(tmp_path / "plain.mp4", 3)
    path = tmp_path / f"{name}.mp4"
    plain.rename(path)
    assert read(path)[2] == [0, 1, 2]
    path.write_text("broken")
    with pytest.raises(MediaError) as caught:
        probe_video(path)
    assert str(caught.value).replace("\u200d", "").isprintable()


def test_a_relative_path_with_dots(tmp_path, monkeypatch):
    numbered_video(tmp_path / "a.mp4", 3)
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    assert read(Path("../a.mp4"))[2] == [0, 1, 2]


def test_gif_of_ten_thousand_frames_in_bounded_memory(tmp_path):
    path = make.large_gif(tmp_path / "a.gif", 10_000, (160, 120))  # 576 megabytes of pixels
    with VideoReader(path) as reader:
        frames = iter(reader)
        next(frames)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        count = 1 + sum(1 for _ in frames)
    assert count == 10_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_sentences_call_a_stored_upload_by_the_name_its_owner_knows(tmp_path):
    (tmp_path / "media.mp4").write_bytes(b"no video at all")
    with pytest.raises(MediaError, match=r'"holiday\.mp4" is not a video'):
        VideoReader(tmp_path / "media.mp4", name="holiday.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(MediaError, match=r'"holiday\.mp4" is empty'):
        VideoReader(tmp_path / "empty.mp4", name="holiday.mp4")
