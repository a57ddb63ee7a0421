"""Which folders a public server reads: links and dots do not lead out."""

import os

import pytest

from core.data.dataset import find_samples
from core.data.intake import add_files
from core.data.roots import check_allowed, data_roots, read_only
from core.data.sample_set import sample_data_set
from core.errors import DataError
from tests.data.support import picture, two_classes


@pytest.fixture
def public(tmp_path, monkeypatch):
    """A server that reads `open` and nothing else."""
    (tmp_path / "open").mkdir()
    (tmp_path / "secret").mkdir()
    monkeypatch.setenv("DEEPFAKE_DATA_ROOTS", str(tmp_path / "open"))
    return tmp_path


def test_everything_is_allowed_where_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("DEEPFAKE_DATA_ROOTS", raising=False)
    assert data_roots() == ()
    assert check_allowed(tmp_path / "any") == tmp_path / "any"


def test_several_roots(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPFAKE_DATA_ROOTS", os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]))
    assert data_roots() == (tmp_path / "a", tmp_path / "b")
    assert check_allowed(tmp_path / "b/c") == tmp_path / "b/c"


@pytest.mark.parametrize(
    "path",
    [
        "secret",  # beside it
        "open/../secret",  # by dots
        "opening",  # a name that only begins alike
        "open/link",  # by a link
        "open/link/deep",  # below a link
        "secret/there-is-none",  # whether it exists is not told
        "/",
    ],
)
def test_outside_of_the_roots(public, path):
    (public / "open/link").symlink_to(public / "secret", target_is_directory=True)
    with pytest.raises(DataError, match=r"This server does not read .*: it only reads folders below .*open\."):
        check_allowed(public / path)


@pytest.mark.parametrize("path", ["a\0b", "~nobody-of-this-name/x"])
def test_paths_that_are_none(public, path):
    with pytest.raises(DataError):
        check_allowed(path)


def test_a_root_that_is_only_separators_allows_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPFAKE_DATA_ROOTS", os.pathsep)
    with pytest.raises(DataError, match="upload your data instead"):
        check_allowed(tmp_path)


def test_a_manifest_does_not_lead_out(public):
    picture(public / "secret/face.png")
    (public / "open/manifest.csv").write_text("path,label,split\n../secret/face.png,real,train\n")
    with pytest.raises(DataError, match=r"does not read .*face\.png"):
        find_samples([public / "open"])
    (public / "open/manifest.csv").write_text(f"path,label,split\n{public}/secret/face.png,real,train\n")
    with pytest.raises(DataError, match=r"does not read .*face\.png"):
        find_samples([public / "open"])


@pytest.mark.parametrize("what", ["folder", "file"])
def test_links_among_the_data_do_not_lead_out(public, what):
    secret = two_classes(public / "secret", 1)
    two_classes(public / "open", 1)
    if what == "folder":
        (public / "open/train/Real/more").symlink_to(secret / "train", target_is_directory=True)
    else:
        (public / "open/train/Real/more.png").symlink_to(next((secret / "train/Real").iterdir()))
    with pytest.raises(DataError, match="This server does not read"):
        find_samples([public / "open"])


def test_uploads_and_the_sample_set_are_allowed(public, fresh_home, monkeypatch):
    with picture(public / "a.png").open("rb") as file:
        uploaded = add_files([("set/Real/a.png", file)], "mine")
    assert check_allowed(uploaded) == uploaded.resolve()
    monkeypatch.setattr("core.data.sample_set._make", lambda folder: folder.mkdir())
    assert check_allowed(sample_data_set())


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("true", True), ("0", False), ("", False), ("No", False), (None, False)]
)
def test_read_only(monkeypatch, value, expected):
    if value is None:
        monkeypatch.delenv("DEEPFAKE_READ_ONLY", raising=False)
    else:
        monkeypatch.setenv("DEEPFAKE_READ_ONLY", value)
    assert read_only() is expected
