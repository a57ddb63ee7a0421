"""Data come in by the training page's form and are looked at; what cannot be used is a sentence."""

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data import sample_set
from pages.components import training_data
from tests.pages.support import run_until, words
from tests.pages.training_forms import can_start, data_set, give_path, start


def test_a_folder_is_looked_at_and_trained_on(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces")
    give_path(form, folder)
    said = words(form)
    assert "**36** pictures" in said
    assert "As the network will see them" in said and "Few pictures" in said
    assert "tiny was trained at 32 px and starts at 160 px here" in said
    config = start(form)
    assert config.data == (str(folder),)
    assert config.preset == "standard"
    assert config.init == "tiny"  # the detector that is here: nothing is downloaded unasked


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def texts(folder: Path) -> Path:
    (folder / "Real").mkdir(parents=True)
    (folder / "Real" / "notes.txt").write_text("no picture")
    return folder


def one_class_folder(folder: Path) -> Path:
    return data_set(folder) / "train" / "Real"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "nowhere", "There is no folder"),
        (empty, "No pictures were found"),
        (texts, "No pictures were found"),
        (one_class_folder, "is a class itself"),
        (lambda folder: "a\0b", "check how it is written"),  # no path at all
        (lambda folder: "~nobody-of-this-name/x", "check how it is written"),  # no such user
    ],
)
def test_data_that_cannot_be_used_are_a_sentence(
    form: AppTest, tmp_path: Path, make: Callable[[Path], Path | str], sentence: str
) -> None:
    give_path(form, make(tmp_path / "data"))
    assert len(form.error) == 1
    assert sentence in form.error[0].value.replace("\\", "")
    assert not can_start(form)


def test_paths_outside_the_roots_are_refused(form: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_set(tmp_path / "allowed")
    data_set(tmp_path / "secret")
    monkeypatch.setenv("DEEPFAKE_DATA_ROOTS", str(tmp_path / "allowed"))
    give_path(form, tmp_path / "secret")
    assert "only reads folders below" in form.error[0].value
    assert not training_data.folders() or str(tmp_path / "secret") not in training_data.folders()
    give_path(form, f"'{tmp_path / 'allowed'}'")  # in quotes, as file managers copy it
    assert not form.error
    assert can_start(form)


def test_only_real_pictures_offer_to_make_the_fakes(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces", classes=("Real",)))
    assert "There are only real pictures" in words(form)
    assert not can_start(form)
    form.button(key="training_blend").click().run()
    assert not form.exception
    assert can_start(form)
    form.button(key="preset_quick").click().run()  # another preset takes nothing back
    assert can_start(form)
    assert start(form).self_blend == 1.0


def test_a_split_without_a_class_is_refused_before_the_start(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces")
    shutil.rmtree(folder / "train" / "Real")
    give_path(form, folder)
    assert "The train split has no real pictures" in words(form)
    assert not can_start(form)


def test_a_zip_is_taken_in_and_offered_again(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    form.get("segmented_control")[0].set_value(training_data.ZIP).run()
    form.file_uploader[0].upload("faces.zip", packed.getvalue()).run()
    assert not form.exception
    run_until(form, lambda app: "pictures" in words(app))
    (kept,) = (Path(os.environ["DEEPFAKE_HOME"]) / "datasets").iterdir()
    form.button(key=f"drop_{kept}").click().run()
    form.get("segmented_control")[0].set_value(training_data.KEPT).run()
    form.button(key="use_faces").click().run()
    assert start(run_until(form, can_start)).data == (str(kept),)


def test_what_is_no_zip_says_so(form: AppTest) -> None:
    form.get("segmented_control")[0].set_value(training_data.ZIP).run()
    form.file_uploader[0].upload("faces.zip", b"no zip").run()
    assert not form.exception
    assert "no ZIP" in form.error[0].value


def test_a_dropped_folder_keeps_its_shape(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces", number=2)
    form.get("segmented_control")[0].set_value(training_data.FOLDER).run()
    for path in sorted(folder.rglob("*.png")):
        form.file_uploader[0].upload(path.relative_to(tmp_path).as_posix(), path.read_bytes())
    form.run()
    assert not form.exception
    (kept,) = (Path(os.environ["DEEPFAKE_HOME"]) / "datasets").iterdir()
    assert kept.name == "faces"
    assert (kept / "train" / "Real" / "0.png").is_file()


def test_the_sample_set_is_one_click_away(form: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = data_set(tmp_path / "sample-set")
    monkeypatch.setattr(sample_set, "sample_data_set", lambda: made)
    monkeypatch.setattr(training_data, "sample_data_set", lambda: made)
    form.button(key="training_sample_set").click().run()
    assert start(run_until(form, can_start)).data == (str(made),)


def test_several_folders_and_one_dropped_again(form: AppTest, tmp_path: Path) -> None:
    first, second = data_set(tmp_path / "a"), data_set(tmp_path / "b", number=8)
    give_path(form, first)
    form.text_input(key="training_path_1").set_value(str(second)).run()
    form.button(key=f"drop_{first}").click().run()
    assert start(run_until(form, can_start)).data == (str(second),)


def test_data_that_are_gone_when_start_is_pressed(form: AppTest, tmp_path: Path) -> None:
    folder = data_set(tmp_path / "faces")
    give_path(form, folder)
    shutil.rmtree(folder)
    form.button(key="training_again").click().run()
    run_until(form, lambda app: bool(app.error))
    assert "There is no folder" in form.error[0].value
    assert not can_start(form)


def test_data_without_a_real_picture_cannot_start(form: AppTest, tmp_path: Path) -> None:
    give_path(form, data_set(tmp_path / "faces", classes=("Fake",)))
    assert "There are no real pictures" in words(form)
    assert not can_start(form)
