"""The whole app in a real browser: a picture and a clip go in, a verdict, a timeline and a JSON come out.

The detector is a tiny network with random weights: what is tested is the way, not the verdict.
"""

from typing import TYPE_CHECKING

import pytest

from tests.e2e.support import at_rest, download_json

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
AGAIN_AFTER_S = 10
"""How long a click on the timeline may take to show its frame before it is made again."""


def verdict_stands(page: "Page") -> None:
    from playwright.sync_api import expect

    expect(page.get_by_test_id("stMetricValue").first).to_contain_text("%")


def test_picture(page: "Page", url: str) -> None:
    from core.samples import sample_image

    page.goto(url)
    page.locator("input[type=file]").set_input_files(sample_image())
    verdict_stands(page)
    record = download_json(page)
    assert record["kind"] == "image"
    assert record["verdict"] in ("real", "fake", "uncertain")
    assert len(record["faces"]) == 1


def test_clip_and_its_timeline(page: "Page", url: str) -> None:
    from core.samples import sample_video

    page.goto(f"{url}/video")  # by its own address: it must come with the sidebar all the same
    page.get_by_test_id("stSidebar").get_by_text("For tests only").wait_for()
    page.wait_for_function("() => document.title === 'Video · Deepfake detector'")
    page.locator("input[type=file]").set_input_files(sample_video().path)
    verdict_stands(page)
    page.get_by_text("Strongest frames").wait_for()
    at_rest(page)

    shown_s = click_another_frame(page)
    page.wait_for_function("s => Math.abs(document.querySelector('video').currentTime - s) <= 1", arg=shown_s)

    record = download_json(page)
    assert record["kind"] == "video"
    assert len(record["tracks"]) >= 1
    assert record["frames"]

    page.get_by_role("button", name="Make a heatmap video").click()
    page.get_by_role("button", name="Save the video").wait_for()
    # The film is the first of two players: as long as the clip, taller by its timeline, and it does play.
    page.wait_for_function("() => { const v = document.querySelector('video'); return v && v.videoHeight > 720; }")
    film = page.locator("video").first
    assert film.evaluate("v => v.error") is None
    assert film.evaluate("v => v.duration") == pytest.approx(10.0, abs=0.1)
    film.evaluate("v => { v.muted = true; return v.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")


def click_another_frame(page: "Page") -> float:
    """Click a point of the timeline other than the one that is shown; the seconds of the frame that is shown then.

    Such a click goes to a place, not to an element: where the chart moves just then, it misses and is made again.
    """
    from playwright.sync_api import TimeoutError as NotYet

    heading = page.get_by_text("Frame at 0:")
    before = heading.inner_text()
    points = page.locator("[class*=st-key-timeline_] .scatterlayer .trace").first.locator(".point")
    wanted = points.nth(5) if before != "Frame at 0:01.0" else points.nth(20)
    for _ in range(10):
        wanted.scroll_into_view_if_needed()
        box = wanted.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        try:
            heading.filter(has_not_text=before).wait_for(timeout=1000 * AGAIN_AFTER_S)
        except NotYet:
            continue
        return float(heading.inner_text().rsplit(":", 1)[1])
    raise AssertionError(f"ten clicks on the timeline, and the page still says {before!r}")
