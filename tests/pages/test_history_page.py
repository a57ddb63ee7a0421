"""The history page: what was analysed comes back, goes one by one, and goes altogether."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import live, resources
from tests.pages.support import BLUE, RED, ColourDetector, open_app, png, words


@pytest.fixture
def filled(app: AppTest) -> AppTest:
    """The history page after two pictures, as another start of the app finds it."""
    for name, colour in (("red.png", RED), ("blue.png", BLUE)):
        app.file_uploader[0].upload(name, png(colour))
    app.run()
    return open_app().switch_page("pages/history.py").run()


def button(app: AppTest, label: str, number: int = 0) -> None:
    [found for found in app.button if found.label == label][number].click()


def remove_first(app: AppTest) -> None:
    button(app, "Remove")
    app.run()
    app.button(key="remove_yes").click().run()


def test_empty_history_says_where_to_start(app: AppTest) -> None:
    app.switch_page("pages/history.py").run()
    assert not app.exception
    assert [link.label for link in app.get("page_link") if link.label.startswith("Check")] == [
        "Check a picture",
        "Check a video",
    ]


def test_history_survives_a_restart_and_shows_verdicts(filled: AppTest) -> None:
    assert not filled.exception
    said = words(filled)
    assert all(text in said for text in ("red", "blue", "Likely fake", "No manipulation found"))


def test_open_shows_the_saved_result_without_the_network(filled: AppTest, detector: ColourDetector) -> None:
    calls = detector.calls
    button(filled, "Open")
    filled.run()
    assert not filled.exception
    assert filled.title[0].value == "Check a picture"
    assert len(filled.metric) == 1
    assert detector.calls == calls


def test_results_are_found_by_verdict_and_by_name(app: AppTest) -> None:
    for number in range(12):
        app.file_uploader[0].upload(f"Holiday {number}.png", png((220 - number, 20, 20)))
    app.file_uploader[0].upload("office.png", png(BLUE))
    app.run()
    history = open_app().switch_page("pages/history.py").run()
    history.text_input(key="history_name").set_value(" OFF").run()
    assert [found.label for found in history.button].count("Open") == 1
    assert "office" in words(history)
    pills = next(group for group in history.button_group if group.label == "Show only")
    pills.set_value("fake").run()
    assert not history.exception
    assert "No result fits" in history.info[0].value
    history.text_input(key="history_name").set_value("").run()
    assert [found.label for found in history.button].count("Open") == 12


def test_the_last_of_a_verdict_removed_the_others_come_back(filled: AppTest) -> None:
    pills = next(group for group in filled.button_group if group.label == "Show only")
    pills.set_value("fake").run()
    remove_first(filled)
    assert not filled.exception
    assert [found.label for found in filled.button].count("Open") == 1


def test_remove_asks_and_takes_one(filled: AppTest) -> None:
    button(filled, "Remove")
    filled.run()
    assert len(resources.store().history()) == 2
    filled.button(key="remove_yes").click().run()
    assert len(resources.store().history()) == 1
    assert len([found for found in filled.button if found.label == "Open"]) == 1


def test_clear_asks_first(filled: AppTest) -> None:
    filled.button(key="clear").click().run()
    assert len(resources.store().history()) == 2
    assert filled.button(key="clear_yes")


def test_clear_stops_what_other_tabs_run_but_evaluations(filled: AppTest) -> None:
    going = threading.Event()
    queue = resources.queue()
    running = queue.submit("of-another-tab:key", lambda context: going.wait(60))
    waiting = queue.submit("of-a-third:key", lambda context: None)
    measuring = queue.submit(f"{live.EVALUATIONS}key", lambda context: None)
    filled.button(key="clear").click().run()
    filled.button(key="clear_yes").click().run()
    assert running.cancel_requested.is_set()
    assert waiting.state == "cancelled"
    assert not measuring.cancel_requested.is_set()
    going.set()


def test_what_was_removed_is_gone_from_its_page_without_a_crash(app: AppTest) -> None:
    app.file_uploader[0].upload("red.png", png(RED))
    app.run()
    app.switch_page("pages/history.py").run()
    remove_first(app)
    app.switch_page("pages/image.py").run()
    assert not app.exception
    assert not app.error
    assert "“red.png” is no longer there" in app.info[0].value


def test_clear_takes_everything(filled: AppTest) -> None:
    filled.button(key="clear").click().run()
    filled.button(key="clear_yes").click().run()
    assert resources.store().history() == []
    assert resources.store().size_bytes() == 0
