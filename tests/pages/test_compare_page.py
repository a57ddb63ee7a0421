"""The compare page: two files or two detectors; what is wrong with one side leaves the other alone."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.detector import DetectorEntry
from pages.components import resources
from tests.pages.support import BLACK, BLUE, RED, ColourDetector, png, run_until, words, write_detector


@pytest.fixture
def page(app: AppTest) -> AppTest:
    return app.switch_page("pages/compare.py").run()


def give(page: AppTest, name: str, data: bytes) -> AppTest:
    """Upload into the first side that still has an uploader."""
    page.file_uploader[0].upload(name, data)
    return page.run()


def verdicts(page: AppTest) -> list[str]:
    return [heading.value for heading in page.subheader if heading.value != "Side by side"]


def test_samples_are_one_click_away(page: AppTest) -> None:
    page.button(key="compare_samples").click().run()
    assert not page.exception
    first, second = verdicts(page)
    assert "No manipulation found" in first and "Likely fake" in second
    assert len(page.get("image")) == 2


def test_two_pictures_and_swap(page: AppTest) -> None:
    give(give(page, "a.png", png(RED)), "b.png", png(BLUE))
    assert not page.exception
    assert ["Likely fake" in one for one in verdicts(page)] == [True, False]
    page.button(key="compare_swap").click().run()
    assert ["Likely fake" in one for one in verdicts(page)] == [False, True]


def test_two_videos_share_one_axis(page: AppTest, clip: Path) -> None:
    give(page, "original.mp4", clip.read_bytes())
    run_until(page, lambda app: len(verdicts(app)) == 1)
    page.segmented_control(key="compare_B_source").set_value("Sample").run()
    page.segmented_control(key="compare_B_source").set_value("Upload").run()
    give(page, "copy.mp4", clip.read_bytes() + b"\0")  # another digest
    run_until(page, lambda app: any(one.value == "Side by side" for one in app.subheader))
    assert not page.exception
    charts = [chart.proto.spec for chart in page.get("plotly_chart") if "yaxis2" in chart.proto.spec]
    assert len(charts) == 1
    assert len(page.get("image")) == 2


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("b.png", b"this is no picture", "b.png"),  # neither picture nor video
        ("b.mp4", b"\0\0\0\x18ftypmp42" + bytes(40), "b.mp4"),  # a video that is cut off
        ("b.png", png(RED)[:20], "b.png"),  # a picture that is cut off
    ],
)
def test_a_bad_file_loses_nothing_on_the_other_side(page: AppTest, name: str, data: bytes, sentence: str) -> None:
    give(give(page, "a.png", png(RED)), name, data)
    run_until(page, lambda app: bool(app.error))
    assert not page.exception
    assert len(verdicts(page)) == 1
    assert sentence in page.error[0].value
    page.button(key="compare_B_change").click().run()
    give(page, "c.png", png(BLUE))  # and then a good one
    assert len(verdicts(page)) == 2 and not page.error


def test_a_picture_beside_a_video(page: AppTest, clip: Path) -> None:
    give(give(page, "a.png", png(BLUE)), "b.mp4", clip.read_bytes())
    run_until(page, lambda app: "share no axis of time" in words(app))
    assert not page.exception
    assert len(page.get("image")) == 2


def test_no_face_on_one_side(page: AppTest) -> None:
    give(give(page, "a.png", png(RED)), "b.png", png(BLACK))
    assert not page.exception
    assert "No face found" in verdicts(page)[1]


def test_the_same_file_on_both_sides(page: AppTest, clip: Path) -> None:
    give(give(page, "a.mp4", clip.read_bytes()), "b.mp4", clip.read_bytes())
    run_until(page, lambda app: len(verdicts(app)) == 2)
    assert not page.exception


def test_one_file_under_two_detectors(page: AppTest, tmp_path: Path) -> None:
    page.segmented_control(key="compare_mode").set_value("One file, two detectors").run()
    assert "only one detector" in page.info[0].value
    write_detector(tmp_path / "models" / "second")
    page.run()
    assert [box.value for box in page.selectbox if box.label.startswith("Detector ")] == ["tiny", "second"]
    give(page, "a.png", png(RED))
    assert not page.exception
    assert len(verdicts(page)) == 2
    assert len(page.get("image")) == 2


def test_a_detector_that_fails_leaves_the_other_side_alone(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import DetectorError

    write_detector(tmp_path / "models" / "second")
    load = resources.load

    def fail(entry: DetectorEntry) -> object:
        if entry.name == "second":
            raise DetectorError("It is damaged: copy it again.")
        return load(entry)

    monkeypatch.setattr(resources, "load", fail)
    page.segmented_control(key="compare_mode").set_value("One file, two detectors").run()
    give(page, "a.png", png(RED))
    assert not page.exception
    assert "damaged" in page.error[0].value
    assert len(verdicts(page)) == 1


def test_an_entry_of_the_history(app: AppTest, detector: ColourDetector) -> None:
    app.file_uploader[0].upload("known.png", png(RED))
    app.run()
    calls = detector.calls
    app.switch_page("pages/compare.py").run()
    app.segmented_control(key="compare_A_source").set_value("History").run()
    box = app.selectbox(key="compare_A_history")
    assert "known.png" in box.options[0]
    box.set_value(box.options[0]).run()
    assert not app.exception
    assert len(verdicts(app)) == 1
    assert detector.calls == calls


def test_what_is_compared_survives_a_page_change_and_start_over_clears_it(page: AppTest) -> None:
    page.button(key="compare_samples").click().run()
    page.switch_page("pages/image.py").run()
    page.switch_page("pages/compare.py").run()
    assert len(verdicts(page)) == 2
    page.button(key="compare_clear").click().run()
    assert not page.exception
    assert verdicts(page) == []
    assert len(page.file_uploader) == 2
