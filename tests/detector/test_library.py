"""Detectors are found by name, damaged ones are shown as such, and uploads are checked before they are kept."""

import io
import pickle
import shutil
import zipfile

import pytest

from core.detector import library
from core.detector.engine import load_detector
from core.detector.library import add_uploaded, list_detectors, resolve_detector, user_models_folder
from core.errors import DetectorError
from tests.detector import networks


@pytest.fixture
def models(tmp_path, tiny, fresh_home):
    """Detectors that ship: a good one, a bare classic file, and one whose spec is broken."""
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder / "default")
    networks.classic().save(folder / "model.h5")
    (folder / "broken").mkdir()
    (folder / "broken" / "model.json").write_text("{")
    (folder / "empty").mkdir()
    (folder / ".hidden").mkdir()
    (folder / "README.md").write_text("detectors")
    return folder


def test_folders_and_bare_files_are_listed_and_damaged_ones_say_why(models):
    entries = {entry.name: entry for entry in list_detectors(models)}
    assert list(entries) == ["broken", "default", "model"]
    assert entries["default"].spec.name == "tiny"
    assert entries["model"].path == models / "model.h5"
    assert entries["model"].spec.input_size == networks.SIZE
    assert "no valid JSON" in entries["broken"].error
    assert [entry.error is None for entry in entries.values()] == [False, True, True]


def test_no_folder_is_no_detectors(tmp_path, fresh_home):
    assert list_detectors(tmp_path / "none") == []


def test_the_users_own_come_after_and_names_stay_unique(models, tiny):
    shutil.copytree(tiny, user_models_folder() / "default")
    shutil.copytree(tiny, user_models_folder() / "mine")
    names = [entry.name for entry in list_detectors(models)]
    assert names == ["broken", "default", "model", str(user_models_folder() / "default"), "mine"]
    assert all(resolve_detector(entry.name, models) == entry.path for entry in list_detectors(models))


def test_a_detector_is_found_by_name_and_by_path(models):
    assert resolve_detector("model", models) == models / "model.h5"
    assert resolve_detector(str(models / "default"), models) == models / "default"
    with pytest.raises(DetectorError, match=r'no detector "other".*broken, default, model'):
        resolve_detector("other", models)


def test_the_bare_classic_file_runs(models):
    said = load_detector("model", models_dir=models).predict(networks.crops())
    assert said.activation_maps.shape[0] == len(said.logits) == 8


def zipped(*files: tuple[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    out.seek(0)
    return out


def folder_zip(tiny, prefix: str, *more: tuple[str, bytes]) -> io.BytesIO:
    return zipped(*((prefix + path.name, path.read_bytes()) for path in tiny.iterdir()), *more)


def test_an_uploaded_keras_file_is_installed_and_runs(models, tiny):
    with (tiny / "model.keras").open("rb") as upload:
        entry = add_uploaded("My own.keras", upload, models)
    assert (entry.name, entry.path) == ("My-own", user_models_folder() / "My-own.keras")
    assert entry.error is None
    assert load_detector("My-own", models_dir=models).predict(networks.crops(2)).logits.shape == (2,)


def test_an_uploaded_classic_file_gets_a_name_of_its_own(models):
    with (models / "model.h5").open("rb") as upload:
        assert add_uploaded("model.h5", upload, models).name == "model-2"
    with (models / "model.h5").open("rb") as upload:
        assert add_uploaded("model.h5", upload, models).name == "model-3"


@pytest.mark.parametrize("prefix", ["", "tiny/"])
def test_an_uploaded_folder_keeps_its_card_and_nothing_else(models, tiny, prefix):
    more = ((f"{prefix}MODEL_CARD.md", b"limits"), (f"{prefix}run.sh", b"rm -rf"))
    entry = add_uploaded("default.zip", folder_zip(tiny, prefix, *more), models)
    assert entry.name == entry.spec.name == "default-2"
    assert {path.name for path in entry.path.iterdir()} == {"model.keras", "model.json", "MODEL_CARD.md"}
    assert load_detector(entry.name, models_dir=models).sha256 == entry.spec.weights_sha256


def test_a_zip_may_hold_a_bare_file(models):
    entry = add_uploaded("mine.zip", zipped(("a/model.h5", (models / "model.h5").read_bytes())), models)
    assert (entry.name, entry.path.name, entry.error) == ("mine", "mine.h5", None)


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("../../etc/cron.d/x.keras", "x"),
        ("..\\..\\x.keras", "x"),
        ("a\nb😀c.keras", "a-b-c"),
        ("....keras", "detector"),
        ("ü" * 300 + ".keras", "ü" * 60),
        ("", "detector"),
    ],
)
def test_a_file_name_cannot_lead_elsewhere(models, tiny, filename, name):
    with (tiny / "model.keras").open("rb") as upload:
        entry = add_uploaded(filename, upload, models)
    assert entry.name == name
    assert entry.path.parent == user_models_folder()


def refused(filename: str, data: bytes | io.BytesIO, models, words: str) -> None:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    with pytest.raises(DetectorError, match=words) as caught:
        add_uploaded(filename, stream, models)
    assert "\n" not in str(caught.value)
    assert list(user_models_folder().iterdir()) == []  # nothing is left behind


@pytest.mark.parametrize(
    ("filename", "data", "words"),
    [
        ("a.keras", b"", "neither"),
        ("a.keras", b"hello", "neither"),
        ("a.h5", pickle.dumps([1]), "is a pickle"),
        ("model.pkl", b"whatever", "is a pickle"),
        ("a.keras", b"PK\x03\x04damaged", "damaged"),
        ("a.h5", b"\x89HDF\r\n\x1a\n" + b"x" * 50, "damaged"),
        ("a.zip", zipped(("notes.txt", b"hello")).getvalue(), "must hold one detector"),
        ("a.zip", zipped(("model.json", b"{}")).getvalue(), "must hold one detector"),
    ],
)
def test_what_is_no_detector_is_refused(models, filename, data, words):
    refused(filename, data, models, words)


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_a_zip_that_points_outside_is_refused(models, tiny, name):
    refused("a.zip", folder_zip(tiny, "", (name, b"x")), models, "outside")


def test_a_zip_with_a_pickle_or_with_other_weights_is_refused(models, tiny):
    refused("a.zip", folder_zip(tiny, "", ("data.pkl", b"x")), models, "is a pickle")
    spec, weights = (tiny / "model.json").read_bytes(), io.BytesIO()
    with zipfile.ZipFile(tiny / "model.keras") as old, zipfile.ZipFile(weights, "w") as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
    files = (("model.json", spec), ("model.keras", weights.getvalue() + b"\0"))
    refused("a.zip", zipped(*files), models, "not the file that model.json names|damaged")


def test_an_upload_that_is_too_large_is_refused_while_it_comes(models, monkeypatch):
    monkeypatch.setattr(library, "MAX_UPLOAD_BYTES", 2 << 20)

    class Endless(io.RawIOBase):
        read_bytes = 0

        def read(self, size=-1):
            self.read_bytes += size
            return b"x" * size

    endless = Endless()
    with pytest.raises(DetectorError, match="larger than 2 MB"):
        add_uploaded("a.keras", endless, models)
    assert endless.read_bytes <= 4 << 20
