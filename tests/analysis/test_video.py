"""core.analysis.video: clips whose truth is planted frame by frame, through the real reader and tracker."""

import threading

import numpy as np
import pytest

from core.analysis import DEFAULT_SAMPLING, analyze_video
from core.analysis import video as module
from core.errors import Cancelled, MediaError
from core.media import Sampling
from tests.analysis.fakes import FakeDetector, FakeFinder, FakeGates, boxes, picture
from tests.media.make_media import numbered_video, sound_only, truncate, write_video

EVERY = Sampling.every_frame()


def clip(path, *rows, fps=10.0):
    """One frame for each row of logits; None is a face that is not there."""
    return write_video(path, [picture(*row) for row in rows], fps=fps, options={"crf": "10"}) or path


@pytest.fixture
def planted(tmp_path):
    """Ten seconds at 10 per second: clean but for second 4 to 7."""
    return clip(tmp_path / "planted.mp4", *[[3.5] if 40 <= i < 70 else [-3.5] for i in range(100)])


def test_a_manipulated_stretch_is_found_where_it_is(planted):
    report = analyze_video(planted, FakeDetector(), FakeFinder(), sampling=EVERY)
    assert report.verdict == "fake"
    (track,) = report.tracks
    (stretch,) = track.stretches
    assert (stretch.start_s, stretch.end_s) == pytest.approx((4.0, 6.9), abs=0.31)
    assert [frame.index for frame in report.frames] == list(range(100))
    assert [round(frame.time_s, 3) for frame in report.frames] == [i / 10 for i in range(100)]
    assert report.frames[50].faces[0].logit == pytest.approx(3.5, abs=0.3)  # its own crop, not a neighbour's
    assert report.frames[20].faces[0].logit == pytest.approx(-3.5, abs=0.3)
    assert report.size_wh == (320, 240)
    assert report.duration_s == pytest.approx(10.0, abs=0.11)
    assert (report.sampling, report.model) == ("every frame", "planted")


def test_two_people_are_judged_apart(tmp_path):
    path = clip(tmp_path / "two.mp4", *[[-3.5, 3.5]] * 30)
    report = analyze_video(path, FakeDetector(), FakeFinder(*boxes(2)), sampling=EVERY)
    assert sorted(track.verdict for track in report.tracks) == ["fake", "real"]
    assert report.verdict == "fake"
    sides = {score.face.track_id: score.face.box_xyxy[0] for frame in report.frames for score in frame.faces}
    assert len(set(sides.values())) == 2
    assert report.fake_probability == max(track.fake_probability for track in report.tracks)


def test_crops_of_several_frames_fill_a_batch(tmp_path):
    path = clip(tmp_path / "two.mp4", *[[-3.5, 3.5]] * 25)
    detector = FakeDetector()
    report = analyze_video(path, detector, FakeFinder(*boxes(2)), sampling=EVERY)
    assert detector.batches == [16, 16, 16, 2]  # 50 faces
    assert [len(frame.faces) for frame in report.frames] == [2] * 25


def test_frames_without_faces_stay_in_the_report(tmp_path):
    path = clip(tmp_path / "gone.mp4", *[[-3.5]] * 10, *[[None]] * 20, *[[-3.5]] * 10)
    report = analyze_video(path, FakeDetector(), FakeFinder(), sampling=EVERY)
    assert len(report.frames) == 40
    assert not report.frames[20].faces
    empty = analyze_video(clip(tmp_path / "no.mp4", *[[None]] * 20), FakeDetector(), FakeFinder(), sampling=EVERY)
    assert (empty.verdict, empty.fake_probability, empty.tracks) == ("no_face", None, ())
    assert empty.reasons


def test_a_clip_of_two_frames_is_uncertain(tmp_path):
    report = analyze_video(clip(tmp_path / "two.mp4", [4.0], [4.0]), FakeDetector(), FakeFinder(), sampling=EVERY)
    assert report.verdict == "uncertain"
    assert "at least 3 are needed" in report.reasons[0]
    assert report.fake_probability > 0.9


def test_progress_comes_with_partial_reports(planted, monkeypatch):
    monkeypatch.setattr(module, "PROGRESS_EVERY_S", 0.0)
    monkeypatch.setattr(module, "PROGRESS_SHARE", 1e9)
    seen = []
    report = analyze_video(planted, FakeDetector(), FakeFinder(), sampling=EVERY, on_progress=seen.append)
    assert len(seen) >= 6  # at least once a batch
    assert [now.done for now in seen] == sorted(now.done for now in seen)
    assert all(len(now.report.frames) == now.done for now in seen)
    assert all(now.total == 100 and now.frames_per_second > 0 for now in seen)
    assert seen[0].done < 100
    assert seen[0].report.verdict == "real"  # of the first frames, as of then
    last = seen[-1]
    assert (last.done, last.seconds_left, last.report.tracks) == (100, 0.0, report.tracks)
    assert last.time_s == pytest.approx(9.9)


def test_progress_is_told_rarely(planted, monkeypatch):
    monkeypatch.setattr(module, "PROGRESS_EVERY_S", 3600.0)
    seen = []
    analyze_video(planted, FakeDetector(), FakeFinder(), sampling=EVERY, on_progress=seen.append)
    assert len(seen) == 2  # the first batch, and the end


def test_cancel_between_batches_closes_everything(planted):
    detector = FakeDetector()
    with pytest.raises(Cancelled):
        analyze_video(planted, detector, FakeFinder(), sampling=EVERY, should_cancel=lambda: len(detector.batches) >= 2)
    assert len(detector.batches) == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "decode"]


def test_a_failing_detector_leaves_no_thread(planted):
    with pytest.raises(RuntimeError, match="planted failure"):
        analyze_video(planted, FakeDetector(fail_at=2), FakeFinder(), sampling=EVERY)
    assert not [thread for thread in threading.enumerate() if thread.name == "decode"]


def test_no_picture_is_held_once_its_faces_are_judged(planted, monkeypatch):
    """Weak references to all frames handed on: what still lives at the end of a batch is what memory grows by."""
    import weakref

    alive, most = [], 0
    original = module._Run.add

    def add(self, frame, faces):
        nonlocal most
        original(self, frame, faces)
        alive.append(weakref.ref(frame.rgb))
        most = max(most, sum(ref() is not None for ref in alive))

    monkeypatch.setattr(module._Run, "add", add)
    analyze_video(planted, FakeDetector(), FakeFinder(), sampling=EVERY)
    assert len(alive) == 100
    assert most <= 8  # the tracker's own few


def test_sampling_is_five_a_second_unless_said_otherwise(tmp_path):
    path = clip(tmp_path / "a.mp4", *[[-3.5]] * 60, fps=30)
    assert str(DEFAULT_SAMPLING) == "5 per second"
    assert len(analyze_video(path, FakeDetector(), FakeFinder()).frames) == 10
    assert len(analyze_video(path, FakeDetector(), FakeFinder(), sampling=Sampling.evenly(4)).frames) == 4


def test_the_record_holds_what_issue_2_lists(planted):
    report = analyze_video(planted, FakeDetector(), FakeFinder(), sampling=EVERY, maps=False)
    record = report.to_dict()
    wanted = {"path", "kind", "verdict", "fake_probability", "tracks", "frames", "reasons", "warnings", "error"}
    assert record.keys() >= wanted | {"model", "model_sha256", "seconds"}
    assert record["tracks"][0].keys() >= {"id", "start_s", "end_s", "verdict", "fake_probability", "stretches"}
    assert len(record["tracks"][0]["stretches"][0]) == 3
    assert record["frames"][0].keys() == {"index", "time_s", "faces"}
    assert record["frames"][0]["faces"][0].keys() == {"track", "box_xyxy", "rotation_deg", "fake_probability"}
    assert report.frames[0].faces[0].activation_map is None


def test_a_truncated_video_is_judged_with_a_warning(tmp_path):
    whole = tmp_path / "whole.mp4"
    rng = np.random.default_rng(0)
    frames = [picture(-3.5) + rng.integers(0, 8, (240, 320, 3), dtype=np.uint8) for _ in range(60)]
    write_video(whole, frames, fps=10, options={"crf": "10"})
    cut = truncate(whole, tmp_path / "cut.mp4", 0.5)
    report = analyze_video(cut, FakeDetector(), FakeFinder(), sampling=EVERY)
    assert 0 < len(report.frames) < 60
    assert "second" in report.warnings[0]


@pytest.mark.parametrize("make", [sound_only, lambda path: path.write_bytes(b"")])
def test_what_is_no_video_raises(tmp_path, make):
    path = tmp_path / "a.mp4"
    make(path)
    with pytest.raises(MediaError):
        analyze_video(path, FakeDetector(), FakeFinder())


def test_a_video_that_yields_no_frame_is_an_error(tmp_path, monkeypatch):
    path = numbered_video(tmp_path / "a.mp4", 5)
    monkeypatch.setattr(module.VideoReader, "__iter__", lambda self: iter(()))
    with pytest.raises(MediaError, match="no frame that can be decoded"):
        analyze_video(path, FakeDetector(), FakeFinder())


def test_a_film_that_is_compressed_too_strongly_is_uncertain(tmp_path):
    rows = [picture(3.5) for _ in range(30)]
    fine, coarse = (write_video(tmp_path / f"{qp}.mp4", rows, fps=10, options={"qp": str(qp)}) for qp in (10, 44))
    gates = FakeGates(0, 0, 1, 0, 256, 38)
    assert analyze_video(fine, FakeDetector(gates), FakeFinder()).verdict == "fake"
    report = analyze_video(coarse, FakeDetector(gates), FakeFinder())
    assert report.verdict == "uncertain"
    assert report.reasons == (
        "None of this person's faces can be judged: they are mostly too strongly compressed (look for a better copy).",
    )
    assert report.frames[0].faces[0].quality.quantiser > 38
