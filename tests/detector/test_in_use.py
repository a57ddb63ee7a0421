"""The detector in use: chosen by name, remembered across processes, taken back, and never a name that leads nowhere."""

import shutil

import pytest

from core.detector.in_use import can_undo, in_use, undo, use
from core.detector.library import user_models_folder
from core.errors import DetectorError, SetupError


@pytest.fixture
def models(tmp_path, tiny, fresh_home):
    for name in ("default", "other"):
        shutil.copytree(tiny, tmp_path / "model" / name)
    (tmp_path / "model/broken").mkdir()
    (tmp_path / "model/broken/model.json").write_text("{")
    shutil.copytree(tiny, user_models_folder() / "mine")
    return tmp_path / "model"


def test_nothing_is_chosen_at_first(models):
    assert in_use(models) is None
    assert not can_undo()
    assert undo(models) is None


def test_a_choice_is_kept_and_taken_back(models, fresh_home):
    use("other", models)
    use("mine", models)
    assert in_use(models) == "mine"
    assert can_undo()
    assert undo(models) == "other"
    assert undo(models) == "mine"  # and back again
    assert [path.name for path in fresh_home.iterdir() if path.is_file()] == ["in_use.json"]


def test_the_first_choice_is_taken_back_to_the_default(models):
    use("mine", models)
    assert undo(models) is None
    assert can_undo()
    assert undo(models) == "mine"


def test_choosing_again_what_is_chosen_does_not_lose_the_way_back(models):
    use("other", models)
    use("mine", models)
    use("mine", models)
    assert undo(models) == "other"


@pytest.mark.parametrize(
    ("name", "sentence"), [("nowhere", '"nowhere" cannot be used. It was deleted'), ("broken", "no valid JSON")]
)
def test_what_cannot_be_used_is_not_chosen(models, name, sentence):
    use("mine", models)
    with pytest.raises(DetectorError, match=sentence):
        use(name, models)
    assert in_use(models) == "mine"


def test_a_detector_that_was_deleted_is_not_in_use(models):
    use("mine", models)
    shutil.rmtree(user_models_folder() / "mine")
    assert in_use(models) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 3}', '{"name": ["mine"]}', "null"])
def test_a_damaged_file_is_no_choice(models, fresh_home, text):
    (fresh_home / "in_use.json").write_text(text)
    assert in_use(models) is None
    use("mine", models)
    assert in_use(models) == "mine"


def test_a_disk_that_cannot_be_written_is_a_sentence(models, fresh_home, monkeypatch):
    use("other", models)
    (fresh_home / "in_use.json").unlink()
    (fresh_home / "in_use.json").mkdir()
    with pytest.raises(SetupError, match="cannot be written"):
        use("mine", models)
    assert not list(fresh_home.glob(".in_use*"))
