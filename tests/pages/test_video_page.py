"""The video page: analysis in the queue, timeline, cancel, errors, a path instead of an upload."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import samples
from core.analysis.types import FaceScore, FrameReport, Quality, VideoReport
from core.analysis.verdict import between_sentence
from core.detector.spec import Thresholds
from core.faces import Face
from core.jobs import JobContext
from core.media import read_frames_at
from pages.components import exports, pictures, resources, timeline
from tests.pages.support import ColourDetector, open_app, run_until, words


@pytest.fixture
def page(app: AppTest) -> AppTest:
    return app.switch_page("pages/video.py").run()


def has_verdict(app: AppTest) -> bool:
    return bool(app.metric)


def test_upload_ends_in_a_verdict_with_timeline_and_people(page: AppTest, clip: Path) -> None:
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    assert not page.exception
    assert "Likely fake" in page.subheader[0].value
    assert {chart.proto.id.split("-")[-1].split("_")[0] for chart in page.get("plotly_chart")} >= {"timeline"}
    assert "Person 1" in words(page)
    assert {button.label for button in page.get("download_button")} >= {"JSON", "CSV", "HTML", "PDF"}


def test_a_reload_brings_back_the_video_and_its_frames(page: AppTest, clip: Path, detector: ColourDetector) -> None:
    page.segmented_control(key="video_sampling").set_value("Quick").run()
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    calls = detector.calls
    fresh = open_app().switch_page("pages/video.py")
    for name in ("video", "frames"):
        fresh.query_params[name] = page.query_params[name]
    run_until(fresh.run(), has_verdict)
    assert not fresh.exception
    assert fresh.segmented_control(key="video_sampling").value == "Quick"
    assert detector.calls == calls


def test_the_chart_says_that_a_stretch_needs_more(page: AppTest, clip: Path, detector: ColourDetector) -> None:
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    assert "a stretch" not in words(page)  # one pair of thresholds for all
    detector.spec = replace(detector.spec, thresholds=Thresholds(0.3, 0.9), video_thresholds=Thresholds(0.3, 0.6))
    run_until(page.run(), has_verdict)
    assert not page.exception
    assert "from 60 % on is for a whole person; a stretch, which has fewer faces, must reach 90 %" in words(page)


def test_heatmap_video_is_made_on_a_click_and_can_be_saved(page: AppTest, clip: Path, detector: ColourDetector) -> None:
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    calls = detector.calls
    next(button for button in page.button if button.label == "Make a heatmap video").click()
    run_until(page.run(), lambda app: any("Save the video" in button.label for button in app.get("download_button")))
    assert not page.exception
    assert len(page.get("video")) == 2  # the player and the film
    assert detector.calls == calls  # from the report that was there
    page.switch_page("pages/image.py").run()
    page.switch_page("pages/video.py").run()
    assert len(page.get("video")) == 2


def test_heatmap_video_can_be_cancelled(page: AppTest, clip: Path) -> None:
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    others = threading.Event()
    resources.queue().submit("others", lambda _: others.wait(60))
    try:
        next(button for button in page.button if button.label == "Make a heatmap video").click().run()
        next(button for button in page.button if button.label == "Cancel").click().run()
        run_until(page, lambda app: any(button.label == "Make a heatmap video" for button in app.button))
    finally:
        others.set()
    assert not page.exception
    assert len(page.get("video")) == 1


def test_sample_is_one_click_away(page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "sample_video", lambda: samples.SampleVideo(clip, 0.5, 1.0))
    page.button(key="sample_video").click()
    run_until(page.run(), has_verdict)
    assert not page.exception


def test_path_is_read_where_it_lies(page: AppTest, clip: Path, tmp_path: Path) -> None:
    page.segmented_control(key="video_source").set_value("Path on this machine").run()
    page.text_input[0].set_value(str(clip))
    run_until(page.run(), has_verdict)
    assert not list((tmp_path / "home").rglob("media.*"))  # a large file must not be copied


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/nowhere/clip.mp4", "clip.mp4"),  # no such file
        ("{tmp}", "folder"),  # a folder
    ],
)
def test_path_that_cannot_be_read_says_why(page: AppTest, tmp_path: Path, text: str, sentence: str) -> None:
    page.segmented_control(key="video_source").set_value("Path on this machine").run()
    page.text_input[0].set_value(text.format(tmp=tmp_path)).run()
    assert not page.exception
    assert sentence in page.error[0].value


def test_file_that_is_no_video_says_so_and_can_be_tried_again(page: AppTest) -> None:
    page.file_uploader[0].upload("clip.mp4", b"this is a text, not a video")
    run_until(page.run(), lambda app: bool(app.error))
    assert not page.exception
    assert any(button.label == "Analyse again" for button in page.button)


def test_cancel_keeps_nothing_and_can_be_taken_back(page: AppTest, clip: Path) -> None:
    others = threading.Event()  # somebody else's job is in front: so the cancelled one cannot end before the click
    resources.queue().submit("others", lambda _: others.wait(60))
    try:
        page.file_uploader[0].upload(clip.name, clip.read_bytes())
        page.run()
        next(button for button in page.button if button.label == "Cancel").click().run()
        run_until(page, lambda app: bool(app.info))
        assert "cancelled" in page.info[0].value
    finally:
        others.set()
    next(button for button in page.button if button.label == "Analyse again").click()
    run_until(page.run(), has_verdict)


def click(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def test_clear_leaves_no_frame_in_memory(page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(pictures, "read_frames_at", lambda *args: read.append(args) or read_frames_at(*args))
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    page.run()
    assert len(read) == 1  # all strongest frames in one pass, and none when the page runs anew
    page.switch_page("pages/history.py").run()
    page.button(key="clear").click().run()
    page.button(key="clear_yes").click().run()
    page.switch_page("pages/video.py").run()
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    assert len(read) == 2


@pytest.mark.parametrize("ending", ["Cancel", "Remove"])
def test_a_file_given_anew_is_analysed_anew(page: AppTest, clip: Path, ending: str) -> None:
    others = threading.Event()
    if ending == "Cancel":
        resources.queue().submit("others", lambda _: others.wait(60))
        page.file_uploader[0].upload(clip.name, clip.read_bytes())
        click(page.run(), "Cancel")
        run_until(page, lambda app: bool(app.info))
        others.set()
    else:
        page.file_uploader[0].upload(clip.name, clip.read_bytes())
        run_until(page.run(), has_verdict)
        click(page.switch_page("pages/history.py").run(), "Remove")
        page.button(key="remove_yes").click().run()
        page.switch_page("pages/video.py").run()
        assert f"“{clip.name}” is no longer there" in page.info[0].value
    if any(button.label == "Start over" for button in page.button):
        click(page, "Start over")
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    assert not page.exception


def test_a_file_that_went_meanwhile_is_no_crash(page: AppTest, clip: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.mp4"
    mine.write_bytes(clip.read_bytes())
    page.segmented_control[0].set_value("Path on this machine").run()
    page.text_input[0].set_value(str(mine))
    run_until(page.run(), has_verdict)
    mine.unlink()
    page.switch_page("pages/history.py").run()
    page.switch_page("pages/video.py").run()
    assert not page.exception
    assert not has_verdict(page)
    assert "“mine.mp4” is no longer there" in page.info[0].value


def test_other_frames_stop_what_runs_and_show_no_old_result(page: AppTest, clip: Path) -> None:
    others = threading.Event()
    resources.queue().submit("others", lambda _: others.wait(60))
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    page.run()
    frames = next(one for one in page.segmented_control if one.label == "Frames")
    frames.set_value("Quick").run()
    states = [job.state for job in resources.queue().jobs() if job.label == clip.name]
    assert sorted(states) == ["cancelled", "queued"]
    next(one for one in page.segmented_control if one.label == "Frames").set_value("Standard").run()
    others.set()
    run_until(page.run(), has_verdict)  # and not the word that the first try was cancelled


def test_what_was_opened_says_which_frames_it_looked_at(page: AppTest, clip: Path, detector: ColourDetector) -> None:
    next(one for one in page.segmented_control if one.label == "Frames").set_value("Quick").run()
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    next(one for one in page.segmented_control if one.label == "Frames").set_value("Standard").run()
    run_until(page, has_verdict)
    page.switch_page("pages/history.py").run()
    assert {"frames: 5 per second", "frames: 32 evenly spread"} <= {
        part for text in page.caption for part in text.value.split(" · ")
    }
    entries = [text.value for text in page.caption if " · " in text.value]
    quick = next(number for number, text in enumerate(entries) if "32" in text)
    [button for button in page.button if button.label == "Open"][quick].click().run()
    page.switch_page("pages/video.py").run()
    assert "This result looked at other frames than are chosen above: 32 evenly spread." in words(page)
    next(one for one in page.segmented_control if one.label == "Frames").set_value("Every frame").run()
    run_until(page, has_verdict)
    assert "other frames" not in words(page)
    assert "every frame" in words(page)


def test_result_survives_a_page_change(page: AppTest, clip: Path, detector: ColourDetector) -> None:
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    run_until(page.run(), has_verdict)
    calls = detector.calls
    page.switch_page("pages/image.py").run()
    page.switch_page("pages/video.py").run()
    assert has_verdict(page)
    assert detector.calls == calls


def score(fake_probability: float, verdict: str = "fake", *reasons: str) -> FaceScore:
    face = Face((1, 2, 30, 40), 0.9, track_id=1)
    return FaceScore(face, fake_probability, 0.0, {}, verdict, Quality(80, 30, 120), reasons)  # type: ignore[arg-type]


def report(*frames: FrameReport) -> VideoReport:
    return VideoReport(path="a.mp4", verdict="fake", fake_probability=0.9, duration_s=10.0, frames=frames)


def test_strongest_frames_stand_apart_and_leave_the_unjudgeable_to_the_end() -> None:
    frames = [
        FrameReport(0, 0.0, (score(0.99, "uncertain"),)),  # too blurred to judge, however sure the network is
        FrameReport(1, 4.0, (score(0.90),)),
        FrameReport(2, 4.1, (score(0.89),)),  # the neighbour of the one above shows the same
        FrameReport(3, 8.0, (score(0.40),)),
        FrameReport(4, 9.0, ()),  # nobody
    ]
    assert [frame.index for frame in timeline.strongest_frames(report(*frames))] == [1, 3, 0]


def test_a_frame_that_is_too_close_to_call_speaks_louder_than_one_without_a_finding() -> None:
    close = between_sentence(0.57, Thresholds(0.2, 0.8))
    frames = [FrameReport(0, 0.0, (score(0.1, "real"),)), FrameReport(1, 5.0, (score(0.57, "uncertain", close),))]
    assert [frame.index for frame in timeline.strongest_frames(report(*frames))] == [1, 0]


def test_csv_has_a_row_for_each_face_and_one_for_an_empty_frame() -> None:
    lines = exports.as_csv(report(FrameReport(3, 0.12, (score(0.5),)), FrameReport(4, 0.16))).splitlines()
    assert lines[0] == "frame,time_s,person,verdict,fake_probability,left,top,right,bottom"
    assert lines[1:] == ["3,0.12,1,fake,0.5,1.0,2.0,30.0,40.0", "4,0.16,,no_face,,,,,"]


def test_who_waits_sees_what_is_at_work_and_can_stop_it(page: AppTest, clip: Path) -> None:
    def long(context: JobContext) -> None:
        while True:
            time.sleep(0.05)
            context.raise_if_cancelled()

    before = resources.queue().submit("before", long, label="An hour.mp4")
    page.file_uploader[0].upload(clip.name, clip.read_bytes())
    page.run()
    next(button for button in page.button if button.label == "Cancel An hour.mp4").click().run()
    before.wait(10)
    assert before.state == "cancelled"
    run_until(page.run(), has_verdict)
