"""The sample set: labelled truly, said to be no real data, made once, and good for a run."""

import cv2
import pytest

from core.data import sample_set
from core.data.dataset import index_data
from core.data.prepare import prepare_all
from core.data.sample_set import sample_data_set
from core.data.survey import survey
from core.errors import SetupError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The set with a tenth of its pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPFAKE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(sample_set, "PICTURES_A_CLASS", {"train": 10, "val": 3, "test": 3})
        yield sample_data_set()


def test_it_is_fit_to_train_on(made, tmp_path):
    samples = index_data([made])
    counts = {(split, fake): 0 for split in ("train", "val", "test") for fake in (True, False)}
    for one in samples:
        counts[one.split, one.fake] += 1
    assert list(counts.values()) == [10, 10, 3, 3, 3, 3]
    prepared = prepare_all(samples, tmp_path / "cache", scale=0.88)
    assert len(prepared.samples) >= 0.95 * len(samples)
    assert all(cv2.imread(str(one.path)).shape[0] > 60 for one in prepared.samples)  # faces, not the whole picture
    assert {one.path.suffix for one in prepared.samples} == {".png"}


def test_no_picture_stands_on_two_sides(fresh_home, monkeypatch):
    monkeypatch.setattr(sample_set, "PICTURES_A_CLASS", {"train": 40, "val": 12, "test": 12})
    found = survey([sample_data_set()])
    assert found.pictures == 128
    assert {warning.kind for warning in found.warnings} <= {"few"}  # without the check: "split_copies"


def test_it_says_what_it_is(made):
    note = (made / "README.txt").read_text()
    assert "It is no real data" in note
    assert "public-domain" in note


def test_it_is_made_once(made, monkeypatch):
    monkeypatch.setenv("DEEPFAKE_HOME", str(made.parents[2]))
    monkeypatch.setattr(sample_set, "_make", None)
    assert sample_data_set() == made


def test_pictures_are_the_same_each_time_and_all_different(made, fresh_home, monkeypatch):
    monkeypatch.setattr(sample_set, "PICTURES_A_CLASS", {"train": 2})
    again = sample_data_set()
    pictures = sorted((again / "train").rglob("*.jpg"))
    assert (again / "train/Real/000.jpg").read_bytes() == (made / "train/Real/000.jpg").read_bytes()
    assert len({path.read_bytes() for path in pictures}) == 4


def test_a_failure_leaves_nothing(fresh_home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sample_set, "encode_image", full)
    with pytest.raises(SetupError, match="The sample set cannot be made in"):
        sample_data_set()
    assert [path for path in (fresh_home / "sample-sets").rglob("*") if path.is_file()] == []
