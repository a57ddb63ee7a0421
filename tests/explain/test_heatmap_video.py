"""core.explain.heatmap_video: films of any kind come out upright, in time, with sound, marks and a timeline."""

import dataclasses

import av
import numpy as np
import pytest

from core.analysis import analyze_video
from core.analysis.types import VideoReport
from core.detector.spec import Thresholds
from core.errors import Cancelled, MediaError
from core.explain.heatmap_video import MIN_SIDE, check_request, write_heatmap_video
from core.explain.timeline_strip import DARK, TimelineStrip, rgb_of
from core.media import Sampling, VideoReader, probe_video
from tests.analysis.fakes import FakeDetector, FakeFinder, boxes, picture
from tests.media.make_media import numbered, truncate, write_video

THRESHOLDS = Thresholds(0.3, 0.7)


def film(tmp_path, report, source, **options):
    target = tmp_path / "film.mp4"
    warnings = write_heatmap_video(report, source, target, thresholds=THRESHOLDS, crop_scale=1.0, **options)
    with VideoReader(target) as reader:
        frames = list(reader)
    return target, frames, warnings


def analysed(path, sampling=None, faces=1, **options):
    finder = FakeFinder(*boxes(faces))
    return analyze_video(path, FakeDetector(), finder, sampling=sampling or Sampling.every_frame(), **options)


def test_marks_evidence_and_timeline(tmp_path):
    logits = [-3.0] * 10 + [3.0] * 10
    source = write_video(tmp_path / "a.mp4", [picture(logit) for logit in logits], fps=10, sound_s=2)
    target, frames, warnings = film(tmp_path, analysed(source), source)
    info, before = probe_video(target), probe_video(source)
    assert warnings == ()
    assert info.browser_playable and info.has_audio and info.codec == "h264"
    assert info.duration_s == pytest.approx(before.duration_s, abs=0.11)
    assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(20)], abs=1e-3)
    data = target.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")  # plays before all of it has come
    scale = MIN_SIDE / 320
    y, x = round(72 * scale), round(56 * scale)  # the left, light half of the face
    clean, fake = frames[5].rgb[y, x].astype(int), frames[15].rgb[y, x].astype(int)
    assert fake[0] - fake[2] > 40  # red evidence
    assert abs(clean[0] - clean[2]) < 40  # calm
    strip = frames[0].rgb.shape[0] - round(240 * scale)
    assert strip > 80
    moved = [int(frame.rgb[-strip:].astype(int).max(axis=2)[60].argmax()) for frame in (frames[0], frames[19])]
    assert moved[0] < 60 and moved[1] > 400  # the cursor, the brightest in that row


@pytest.mark.parametrize(
    ("name", "options", "size_wh"),
    [
        ("a.mp4", {"fps": 10, "rotation": 90}, (MIN_SIDE, 480)),  # upright it is narrow: bars beside it
        ("a.mp4", {"times_s": [0, 0.1, 0.15, 0.9, 1.0, 2.5]}, (MIN_SIDE, 360)),  # variable frame rate
        ("a.mkv", {"fps": 30000 / 1001, "sound_s": 0.4}, (MIN_SIDE, 360)),
    ],
)
def test_kinds_of_videos(tmp_path, name, options, size_wh):
    source = write_video(tmp_path / name, [picture(3.0)] * 6, **options)
    with VideoReader(source) as reader:
        times = [frame.time_s for frame in reader]
    target, frames, _ = film(tmp_path, analysed(source), source)
    assert [frame.time_s for frame in frames[:6]] == pytest.approx(times, abs=1e-3)
    strip = frames[0].rgb.shape[0] - size_wh[1]
    assert frames[0].rgb.shape[1] == size_wh[0] and 100 < strip < 160
    assert probe_video(target).has_audio == ("sound_s" in options)


@pytest.mark.parametrize("size_wh", [(63, 47), (2, 2), (16, 400), (900, 20), (1400, 700)])
def test_sizes(tmp_path, size_wh):
    source = write_video(tmp_path / "a.mkv", [numbered(i, *size_wh) for i in range(3)], codec="ffv1", pix_fmt="bgr0")
    _, frames, _ = film(tmp_path, VideoReport(path="a", verdict="no_face"), source)
    height, width = frames[0].rgb.shape[:2]
    assert width >= MIN_SIDE and max(width, height) <= 1280 + 300
    shown = min(1280 / max(size_wh), max(1, MIN_SIDE / max(size_wh)))
    middle = frames[2].rgb[max(0, round(size_wh[1] * shown / 2) - 1), width // 2]
    assert middle == pytest.approx([30] * 3, abs=8)  # the clip is in the middle, its third frame


def test_the_last_frame_stays_as_long_as_before(tmp_path):
    source = write_video(
        tmp_path / "a.mp4", [numbered(i) for i in range(4)], times_s=[0, 0.1, 0.2, 0.3], options={"bf": "0"}
    )
    with av.open(str(source)) as container:  # a slide at the end, as screen recordings have it
        stream = container.streams.video[0]
        packets = [(p.pts, p.dts, bytes(p), p.is_keyframe) for p in container.demux(stream) if p.size]
        with av.open(str(tmp_path / "held.mp4"), "w") as out:
            copy = out.add_stream_from_template(stream)
            for place, (pts, dts, data, key) in enumerate(packets):
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.is_keyframe, packet.stream = pts, dts, key, copy
                packet.time_base = stream.time_base
                packet.duration = round((3 if place == len(packets) - 1 else 0.1) / stream.time_base)
                out.mux(packet)
    held = tmp_path / "held.mp4"
    wanted = probe_video(held).duration_s
    assert wanted > 3
    target, _, _ = film(tmp_path, VideoReport(path="a", verdict="no_face"), held)
    assert probe_video(target).duration_s == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("sampling", [Sampling.per_second(2), Sampling.evenly(3)])
def test_frames_between_those_that_were_analysed(tmp_path, sampling):
    source = write_video(tmp_path / "a.mp4", [picture(3.0)] * 20, fps=10, options={"crf": "8"})
    _, frames, _ = film(tmp_path, analysed(source, sampling), source)
    assert len(frames) == 20
    y, x = round(72 * 1.5), round(56 * 1.5)
    assert all(int(frame.rgb[y, x, 0]) - int(frame.rgb[y, x, 2]) > 40 for frame in frames[4:16])


def test_without_maps_there_are_boxes_only(tmp_path):
    source = write_video(tmp_path / "a.mp4", [picture(3.0)] * 5, fps=10)
    _, frames, _ = film(tmp_path, analysed(source, maps=False), source)
    y, x = round(72 * 1.5), round(56 * 1.5)
    assert abs(int(frames[2].rgb[y, x, 0]) - int(frames[2].rgb[y, x, 2])) < 20


def test_progress_and_cancel(tmp_path):
    source = write_video(tmp_path / "a.mp4", [numbered(i) for i in range(12)], fps=10)
    report, seen = VideoReport(path="a", verdict="no_face"), []
    film(tmp_path, report, source, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 12) for i in range(1, 13)]
    (tmp_path / "film.mp4").unlink()
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        film(tmp_path, report, source, should_cancel=lambda: next(asked))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_video_that_is_cut_off_ends_early_and_says_so(tmp_path):
    frames = [np.random.default_rng(i).integers(0, 256, (48, 64, 3)).astype(np.uint8) for i in range(40)]
    whole = write_video(tmp_path / "whole.mp4", frames, fps=10)
    cut = truncate(whole, tmp_path / "cut.mp4", 0.6)
    _, frames, warnings = film(tmp_path, VideoReport(path="a", verdict="no_face"), cut)
    assert 5 < len(frames) < 40
    assert "cut off" in warnings[0]


def test_what_could_not_be_analysed_has_no_film(tmp_path):
    source = write_video(tmp_path / "a.mp4", [numbered(0)] * 3)
    with pytest.raises(MediaError, match="could not be analysed"):
        film(tmp_path, VideoReport(path="a", verdict="error", error="damaged"), source)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaError, match="not a video"):
        film(tmp_path, VideoReport(path="a", verdict="no_face"), tmp_path / "text.mp4")


@pytest.mark.parametrize(
    ("files", "target", "sentence"),
    [
        ([], "new.mp4", "one video"),
        (["a.mp4", "b.mp4"], "new.mp4", "one video"),
        (["a.png"], "new.mp4", "one video"),
        (["a.mp4"], "new.avi", "ends in .mp4"),
        (["a.mp4"], "a.mp4", "already there"),  # the source itself
        (["a.mp4"], "nowhere/new.mp4", "does not exist"),
        (["a.mp4"], "new.mp4", None),
        (["gone.mp4"], "new.mp4", None),  # its analysis will say that it is missing
    ],
)
def test_what_can_be_said_before_the_work(tmp_path, files, target, sentence):
    write_video(tmp_path / "a.mp4", [numbered(0)] * 2)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8))
    paths = [tmp_path / name for name in files]
    if sentence is None:
        check_request(paths, tmp_path / target)
    else:
        with pytest.raises(MediaError, match=sentence):
            check_request(paths, tmp_path / target)


@pytest.mark.parametrize("width", [480, 1280, 1920])
def test_strip_has_a_line_for_each_person_and_shades_stretches(tmp_path, width):
    source = write_video(tmp_path / "a.mp4", [picture(4.0, -4.0)] * 20, fps=10)
    report = analysed(source, faces=2)
    strip = TimelineStrip(report, THRESHOLDS, width, 2.0)
    canvas = np.zeros((strip.height, width, 3), np.uint8)
    strip.draw(canvas, 0.0, "analysed", ())
    for colour in DARK.people[:2]:
        assert (np.abs(canvas.astype(int) - rgb_of(colour)).max(axis=2) < 30).any()
    plain = TimelineStrip(dataclasses.replace(report, tracks=()), THRESHOLDS, width, 2.0)
    bare = np.zeros_like(canvas)
    plain.draw(bare, 0.0, "analysed", ())
    assert (canvas != bare).any()
