"""The evaluation page: evaluations that are kept, brought and removed."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation import to_json
from core.evaluation.results import finished, keep
from pages.components import text as page_text
from tests.pages.evaluation.support import evaluation_page, section
from tests.pages.support import words


def test_what_was_noted_of_the_choice_is_said(app: AppTest, document: dict) -> None:
    keep({**document, "notes": ["These data name no splits."]})
    assert "These data name no splits" in words(evaluation_page(app))


def test_two_that_look_the_same_can_both_be_opened_and_removed(app: AppTest, document: dict) -> None:
    twins = [keep(document), keep(document)]
    choice = evaluation_page(app).selectbox(key="evaluation_choice")
    assert len(set(choice.options)) == 2
    for path in twins:
        app.selectbox(key="evaluation_choice").set_value(str(path)).run()
        assert app.selectbox(key="evaluation_choice").value == str(path)
    app.button(key="evaluation_remove").click().run()
    assert not app.exception
    assert [path.exists() for path in twins] == [True, False]
    assert app.selectbox(key="evaluation_choice").value == str(twins[0])


def test_times_are_those_of_the_reader_s_clock(app: AppTest, document: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_text, "moment", lambda unix_s: f"clock {unix_s:.0f}")
    keep({**document, "created": "2026-11-26T23:30:00Z"})
    evaluation_page(app)
    assert "measured clock 1795735800" in words(app)
    assert "(clock 1795735800)" in app.selectbox(key="evaluation_choice").options[0]


def test_names_of_strangers_stay_text(app: AppTest, document: dict) -> None:
    nasty = "[x](http://y)"
    keep({**document, "detector": {**document["detector"], "name": nasty}, "data": {**document["data"], "name": nasty}})
    evaluation_page(app)
    assert not app.exception
    assert "[x](http" not in words(app)


def test_removing_one(app: AppTest, document: dict) -> None:
    path = keep(document)
    evaluation_page(app)
    app.button(key="evaluation_remove").click().run()
    assert not app.exception
    assert not path.exists()


def test_an_evaluation_from_elsewhere_can_be_opened(app: AppTest, document: dict) -> None:
    evaluation_page(app)
    app.file_uploader[0].upload("mine.json", to_json(document).encode()).run()
    assert not app.exception
    assert app.metric
    # a stranger's file must not make the server show pictures by their paths
    section(app, "Mistakes")
    assert "without the media" in words(app)


@pytest.mark.parametrize(
    "damage",
    [
        b"{",  # not JSON
        b'{"kind": "other"}',  # something else
        b'{"kind": "deepfake-evaluation", "schema_version": 1, "detector": {}, "data": {}, "figures": {}, "curves": {},'
        b' "calibration": {}, "items": {}}',  # hollow
        ("created", None),
        ("figures", {}),
        ("seconds", float("nan")),
        ("items", {"path": []}),
    ],
)
def test_a_damaged_one_is_refused_with_a_sentence(
    app: AppTest, document: dict, damage: bytes | tuple[str, object]
) -> None:
    evaluation_page(app)
    data = damage if isinstance(damage, bytes) else json.dumps({**document, damage[0]: damage[1]}).encode()
    app.file_uploader[0].upload("mine.json", data).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "measure again" in app.error[0].value or "take a file" in app.error[0].value
    assert not app.metric
    assert not finished()  # nothing was kept


def test_a_damaged_file_on_disk_does_not_hide_the_others(app: AppTest, document: dict) -> None:
    path = keep(document)
    path.with_name("broken.json").write_text("{")
    evaluation_page(app)
    assert not app.exception
    assert len(app.error) == 1
    assert app.metric
    app.button(key="evaluation_remove_broken.json").click().run()
    assert not app.error
    assert not path.with_name("broken.json").exists()
    assert path.exists()
