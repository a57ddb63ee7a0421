"""The detector page and the sidebar: the card, the licence, detectors that cannot be used, adding one."""

import os
from pathlib import Path

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from core.detector.library import user_models_folder
from tests.pages.support import ColourDetector, open_app, words, write_detector


def detector_page(app: AppTest) -> AppTest:
    return app.switch_page("pages/detector.py").run()


def test_sidebar_names_detector_and_licence(app: AppTest) -> None:
    assert app.selectbox(key="detector_choice").value == "tiny"
    assert "For tests only" in "\n".join(caption.value for caption in app.sidebar.caption)
    assert any(link.label == "Model card and licence" for link in app.sidebar.get("page_link"))


def test_page_asked_for_before_the_app_goes_through_the_router(
    detector: ColourDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_test, "PagesManager", PagesManager)  # a server that has only just started
    app = open_app().run()  # the second run starts at the page and not at the app
    assert not app.exception
    assert app.sidebar.selectbox(key="detector_choice").value == "tiny"


def test_card_figures_and_licence_are_there(app: AppTest) -> None:
    detector_page(app)
    assert not app.exception
    said = words(app)
    assert "Knows colours only" in said
    assert "For tests only" in said
    assert "0 px high, sharpness 0, brightness 0 of 255, turned aside at most 1" in said
    assert app.dataframe[0].value["Value"].tolist() == ["0.987"]


def test_choice_survives_a_page_change(app: AppTest) -> None:
    write_detector(Path(os.environ["DEEPFAKE_MODELS"]) / "other")
    app.run()
    app.selectbox(key="detector_choice").select("other").run()
    app.switch_page("pages/video.py").run()
    assert app.selectbox(key="detector_choice").value == "other"


def test_a_detector_of_ones_own_can_be_removed_and_those_that_ship_cannot(app: AppTest) -> None:
    write_detector(user_models_folder() / "mine")
    app.run()
    detector_page(app)
    assert not [button for button in app.button if button.key == "detector_remove"]
    app.selectbox(key="detector_choice").select("mine").run()
    app.button(key="detector_remove").click().run()
    app.button(key="detector_remove_yes").click().run()
    assert not app.exception
    assert not (user_models_folder() / "mine").exists()
    app.run()
    assert app.selectbox(key="detector_choice").value == "tiny"


@pytest.mark.parametrize("damage", ["{", '{"name": "tiny"}'])  # not JSON; a field is missing
def test_damaged_detector_says_so_on_every_page(app: AppTest, damage: str) -> None:
    (Path(os.environ["DEEPFAKE_MODELS"]) / "tiny" / "model.json").write_text(damage)
    app.run()
    app.button(key="sample_original").click().run()
    assert not app.exception
    assert app.error
    detector_page(app)
    assert not app.exception
    assert app.error


def test_no_detector_leads_to_where_one_is_added(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_MODELS", str(tmp_path / "nothing"))
    empty = open_app()
    assert not empty.exception
    assert any(link.label == "Add a detector" for link in empty.sidebar.get("page_link"))
    detector_page(empty)
    assert not empty.exception
    assert empty.file_uploader


def test_upload_that_is_no_detector_says_why(app: AppTest) -> None:
    detector_page(app)
    app.file_uploader[0].upload("model.h5", b"not an HDF5 file").run()
    assert not app.exception
    assert len(app.error) == 1
