"""The image page: upload, verdict, error, sample; what was analysed comes back without the network."""

import csv
import io
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.analysis.formats import Csv, JsonList
from core.errors import MediaError
from core.faces import Face
from core.store import StoredMedia
from pages.components import picture_list, resources, results
from tests.pages.support import BLACK, BLUE, GREY, RED, ColourDetector, noisy, open_app, png, words


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, content in files:
        app.file_uploader[0].upload(name, content)
    return app.run()


@pytest.mark.parametrize(
    ("colour", "word", "number"),
    [
        (RED, "Likely fake", "> 99 %"),  # far above the upper threshold
        (BLUE, "No manipulation found", "< 1 %"),  # far below the lower one
        (GREY, "Uncertain", "50 %"),  # between the two
        (BLACK, "No face found", None),  # no face, no number
    ],
)
def test_verdict_is_a_word_and_a_number(
    app: AppTest, colour: tuple[int, int, int], word: str, number: str | None
) -> None:
    upload(app, ("face.png", png(colour)))
    assert not app.exception
    assert word in app.subheader[0].value
    assert [metric.value for metric in app.metric] == ([number] if number else [])
    assert {button.label for button in app.get("download_button")} >= {"JSON", "PNG", "HTML", "PDF"}


def test_several_pictures_each_get_their_verdict(app: AppTest) -> None:
    upload(app, ("a.png", png(RED)), ("b.png", png(BLUE)))
    said = [element.value for element in app.subheader]
    assert any("Likely fake" in text for text in said)
    assert any("No manipulation found" in text for text in said)
    assert "2 pictures" in words(app)


def test_of_many_pictures_those_of_one_verdict_can_be_looked_at(app: AppTest) -> None:
    reds = [(f"red{number}.png", png((220 - number, 20, 20))) for number in range(6)]
    upload(app, *reds, ("blue.png", png(BLUE)), ("broken.jpg", b"no picture"))
    app.session_state["image_page"] = 2
    app.run()
    assert "blue.png" in words(app)
    pills = next(group for group in app.button_group if group.label == "Show only")
    assert list(pills.options) == [
        ":red[:material/gpp_maybe: 6] Likely fake",
        ":green[:material/check_circle: 1] No manipulation found",
        ":gray[:material/error: 1] Could not be checked",
    ]
    pills.set_value("error").run()
    assert not app.exception
    assert "broken.jpg" in app.error[0].value
    assert not app.metric
    pills = next(group for group in app.button_group if group.label == "Show only")
    pills.set_value("fake").run()
    assert len(app.metric) == 5  # the first of two pages


def test_several_pictures_stand_in_a_list_the_worst_first(app: AppTest) -> None:
    upload(app, ("broken.jpg", b"no picture"), ("blue.png", png(BLUE)), ("red.png", png(RED)))
    listed = app.dataframe[0].value
    assert list(listed["Picture"]) == ["red.png", "blue.png", "broken.jpg"]
    assert list(listed["Verdict"]) == ["Likely fake", "No manipulation found", "Could not be checked"]
    assert "broken.jpg" in listed["Why"][2]
    assert {"CSV of all", "JSON of all"} <= {button.label for button in app.get("download_button")}
    next(button for button in app.button if button.label == "Start over").click().run()
    upload(app, ("red.png", png(RED)))
    assert not app.dataframe


def test_an_uploader_that_forgot_its_files_adds_to_what_is_shown(app: AppTest) -> None:
    """As after another page was shown: nothing that it holds was there before."""
    upload(app, ("blue.png", png(BLUE)), ("red.png", png(RED)))
    upload(app, ("green.png", png((10, 200, 10))))
    assert sorted(app.dataframe[0].value["Picture"]) == ["blue.png", "green.png", "red.png"]


def test_the_records_of_all_pictures_are_those_of_the_command_line(detector: ColourDetector) -> None:
    item = StoredMedia("0" * 64, Path("kept"), "holiday.jpg", 1)
    report = picture_list.reported(item, MediaError("It is a text."), detector)
    assert json.loads(picture_list.written([report, report], JsonList))[1]["error"] == "It is a text."
    row = next(csv.DictReader(io.StringIO(picture_list.written([report], Csv))))
    assert row["path"] == "holiday.jpg"


def test_a_file_given_twice_is_said_to_be_the_same(app: AppTest) -> None:
    upload(app, ("a.png", png(RED)), ("b.png", png(BLUE)), ("copy.png", png(RED)))
    assert "copy.png is the same file as a.png." in [caption.value for caption in app.caption]
    assert [one.value for one in app.subheader if one.value in ("a.png", "b.png", "copy.png")] == ["a.png", "b.png"]


def test_what_is_judged_is_named_while_the_others_wait(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = results.image_report

    def slowly(item: StoredMedia, detector: Any) -> Any:
        if item.name == "last.png":
            st.stop()  # the page as it is while the last one is judged
        time.sleep(1.1)
        return judge(item, detector)

    monkeypatch.setattr(results, "image_report", slowly)
    upload(app, ("red.png", png(RED)), ("blue.png", png(BLUE)), ("last.png", png(BLACK)))
    said = [one.value for one in app.markdown]
    assert ":red[:material/gpp_maybe: **Likely fake:**] red.png" in said
    assert ":green[:material/check_circle: **No manipulation found:**] blue.png" in said
    monkeypatch.undo()


def test_nothing_but_no_manipulation_found_is_ever_said_of_real(app: AppTest) -> None:
    upload(app, ("b.png", png(BLUE)))
    assert "authentic" in words(app)  # only in "does not prove that it is authentic"
    assert "Real" not in words(app).replace("Real-time", "")


def test_file_that_is_no_picture_says_so_and_the_others_go_on(app: AppTest) -> None:
    upload(app, ("holiday.jpg", b"this is a text, not a picture"), ("b.png", png(BLUE)))
    assert not app.exception
    assert len(app.error) == 1
    assert "holiday.jpg" in app.error[0].value
    assert any("No manipulation found" in element.value for element in app.subheader)


def test_a_video_called_a_picture_is_shown_the_way(app: AppTest, clip: Path) -> None:
    upload(app, ("holiday.jpg", clip.read_bytes()))
    assert not app.exception
    (link,) = [link for link in app.get("page_link") if "holds a video" in link.label]
    assert link.proto.page.endswith("video")


def test_an_animation_is_looked_at_and_shown_the_way(app: AppTest) -> None:
    out = io.BytesIO()
    Image.fromarray(noisy(RED)).save(out, "GIF", save_all=True, append_images=[Image.fromarray(noisy(BLUE))])
    upload(app, ("wave.gif", out.getvalue()), ("empty.png", b""))
    assert not app.exception
    assert len(app.metric) == 1
    assert len([link for link in app.get("page_link") if "holds a video" in link.label]) == 1


def test_of_several_faces_those_that_decide_are_named(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = np.hstack([noisy(RED), noisy(BLUE)])
    faces = [Face((0, 0, 160, 160), 0.9), Face((160, 0, 320, 160), 0.9)]
    monkeypatch.setattr(resources, "finder", lambda: SimpleNamespace(find=lambda *_, **__: faces))
    out = io.BytesIO()
    Image.fromarray(halves).save(out, "PNG")
    upload(app, ("two.png", out.getvalue()))
    assert not app.exception
    assert "Face 1 looks manipulated." in words(app)


def test_a_face_that_lies_is_judged_upright_and_said_to_be(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    face = Face((20, 40, 140, 120), 0.9, rotation_deg=270)
    monkeypatch.setattr(resources, "finder", lambda: SimpleNamespace(find=lambda *_, **__: [face]))
    upload(app, ("lies.png", png(RED)))
    assert not app.exception
    assert "Judged upright, turned clockwise by 270°." in words(app)


def test_first_page_offers_samples(app: AppTest) -> None:
    assert not app.exception
    app.button(key="sample_original").click().run()
    assert not app.exception
    assert len(app.metric) == 1


def test_result_survives_a_page_change(app: AppTest, detector: ColourDetector) -> None:
    upload(app, ("face.png", png(RED)))
    calls = detector.calls
    app.switch_page("pages/history.py").run()
    app.switch_page("pages/image.py").run()
    assert "Likely fake" in app.subheader[0].value
    assert detector.calls == calls


def test_same_picture_comes_back_at_once_in_another_tab(app: AppTest, detector: ColourDetector) -> None:
    upload(app, ("face.png", png(RED)))
    calls = detector.calls
    other = upload(open_app(), ("renamed.png", png(RED)))
    assert "Likely fake" in other.subheader[0].value
    assert "renamed.png" in words(other)
    assert detector.calls == calls


def test_a_reload_brings_back_what_the_page_showed(app: AppTest, detector: ColourDetector) -> None:
    upload(app, ("a.png", png(RED)), ("b.png", png(BLUE)))
    named = app.query_params["image"]
    calls = detector.calls
    fresh = open_app()
    fresh.query_params["image"] = named
    fresh.run()
    assert not fresh.exception
    assert "a.png" in words(fresh) and "b.png" in words(fresh)
    assert detector.calls == calls
    next(button for button in fresh.button if button.label == "Start over").click().run()
    assert "image" not in fresh.query_params
    assert "a.png" not in words(fresh)


@pytest.mark.parametrize("named", ["0" * 64, "../../etc", ""])
def test_an_address_that_names_nothing_known(app: AppTest, named: str) -> None:
    fresh = open_app()
    fresh.query_params["image"] = named
    fresh.run()
    assert not fresh.exception
    assert "still in the history" in words(fresh)
    assert fresh.file_uploader


def test_many_pictures_have_no_room_in_an_address(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.components.sources.NAMED_MAX", 2)
    upload(app, *((f"{number}.png", png((200 - number, 20, 20))) for number in range(3)))
    assert not app.exception
    assert "image" not in app.query_params


def test_name_of_a_file_cannot_spoil_the_page(app: AppTest) -> None:
    upload(app, ("../**bold** :red[x]\n😀.png", png(RED)), ("b.png", png(BLUE)))
    assert not app.exception
    assert "**bold**" not in words(app)


def test_start_over_empties_the_page(app: AppTest) -> None:
    upload(app, ("face.png", png(RED)))
    next(button for button in app.button if button.label == "Start over").click().run()
    assert not app.metric
    assert app.button(key="sample_original")
