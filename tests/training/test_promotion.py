"""A run's detector becomes the one in use, and a file to keep; the run itself may go."""

import dataclasses
import io
import shutil
import zipfile

import pytest

from core.detector.in_use import in_use, undo
from core.detector.library import add_uploaded, list_detectors, resolve_detector, user_models_folder
from core.detector.source import open_source
from core.errors import DetectorError, TrainingError
from core.training.runs import archive_model, delete_run, promote, read_run
from core.training.status import write_status
from tests.detector import networks
from tests.training.conftest import made


@pytest.fixture
def models(tmp_path):
    """What ships: a detector called default."""
    networks.saved(tmp_path / "model/default")
    return tmp_path / "model"


@pytest.fixture
def run(root, fresh_home):
    """A finished run called "My own", with its detector, its card and an export."""
    run = made(root, "My own")
    networks.saved(run.folder / "model")
    (run.folder / "model/MODEL_CARD.md").write_text("limits")
    (run.folder / "model/export").mkdir()
    (run.folder / "model/export/model.h5").write_bytes(b"weights")
    write_status(run.folder, {"state": "finished"})
    return read_run(run.folder)


def test_promote_installs_a_copy_and_chooses_it(run, models):
    assert promote(run, models) == "My-own"
    assert in_use(models) == "My-own"
    installed = user_models_folder() / "My-own"
    assert {path.name for path in installed.iterdir()} == {"model.keras", "model.json", "MODEL_CARD.md"}
    assert open_source(resolve_detector("My-own", models)).spec.name == "My-own"
    delete_run(run.folder)
    assert in_use(models) == "My-own"
    assert undo(models) is None


def test_promote_twice_is_one_copy(run, models):
    promote(run, models)
    undo(models)
    assert promote(run, models) == "My-own"
    assert in_use(models) == "My-own"
    assert [entry.name for entry in list_detectors(models)] == ["default", "My-own"]


def test_trained_further_it_is_another_detector(run, models):
    promote(run, models)
    networks.saved(run.folder / "model", networks.flat(seed=1))
    assert promote(run, models) == "My-own-2"
    assert undo(models) == "My-own"


def test_a_run_called_like_a_detector_that_ships_takes_another_name(root, run, models):
    other = made(root, "default")
    shutil.copytree(run.folder / "model", other.folder / "model")
    assert promote(read_run(other.folder), models) == "default-2"


def test_a_run_without_a_detector(root, fresh_home, models):
    run = made(root)
    for act in (archive_model, lambda run: promote(run, models)):
        with pytest.raises(TrainingError, match="no detector yet"):
            act(run)
    assert in_use(models) is None


def test_a_damaged_detector_is_neither_installed_nor_chosen(run, models):
    weights = run.folder / "model/model.keras"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DetectorError):
        promote(run, models)
    assert in_use(models) is None
    assert list(user_models_folder().iterdir()) == []


def test_the_archive_is_taken_by_another_machine(run, models):
    data = archive_model(run)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
    entry = add_uploaded("download.zip", io.BytesIO(data), models)
    assert (entry.name, entry.error) == ("download", None)
    assert (entry.path / "MODEL_CARD.md").read_text() == "limits"


def test_a_name_that_no_file_can_bear_is_made_one(run, models):
    named = dataclasses.replace(run, config=dataclasses.replace(run.config, name="Lauf eins/zwei <b>x</b>"))
    assert promote(named, models) == "Lauf-eins-zwei--b-x-b"
    with zipfile.ZipFile(io.BytesIO(archive_model(named))) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"Lauf eins-zwei -b-x-b"}
