"""Looking at files once: what is remembered, what is looked at again, and a memory that is damaged."""

import os

import pytest

from core.data import facts
from core.data.facts import Look, Memory, look, look_at_all, stamp
from core.errors import Cancelled
from core.home import home_folder
from tests.data.support import picture
from tests.media.make_media import numbered_video, truncate


@pytest.fixture
def counted(monkeypatch, fresh_home):
    """Names of the files that were opened to be looked at."""
    opened: list[str] = []
    monkeypatch.setattr(facts, "look", lambda path: opened.append(path.name) or look(path))
    return opened


def test_what_did_not_change_is_not_opened_again(tmp_path, counted):
    paths = [picture(tmp_path / f"{number}.png", number) for number in range(3)]
    first = look_at_all(paths)
    assert look_at_all(paths) == first
    assert sorted(counted) == ["0.png", "1.png", "2.png"]
    picture(paths[1], 9, (50, 50))
    os.utime(paths[2], ns=(1, 1))
    changed = look_at_all(paths)
    assert sorted(counted[3:]) == ["1.png", "2.png"]
    assert (changed[0], changed[2]) == (first[0], first[2])
    assert (changed[1].width, changed[1].digest == first[1].digest) == (50, False)


def test_what_a_look_tells(tmp_path):
    seen = look(picture(tmp_path / "a.png", 1, (30, 50)))
    assert (seen.width, seen.height, seen.format, seen.problem) == (50, 30, "PNG", "")
    assert seen.size_bytes == (tmp_path / "a.png").stat().st_size
    assert seen.side_px == pytest.approx(1500**0.5)
    film = look(numbered_video(tmp_path / "a.mp4", 3))
    assert (film.width, film.height, film.format, film.small, film.problem) == (64, 48, "h264", "", "")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.jpg", b"", "is empty"),  # nothing in it
        ("a.jpg", b"only text", "is not an image that can be read"),  # text
        ("a.mp4", b"only text", "is not a video that can be read"),  # text called a video
        ("a.jpg", None, "does not exist"),  # gone
    ],
)
def test_files_that_cannot_be_used(tmp_path, name, data, sentence):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    seen = look(tmp_path / name)
    assert sentence in seen.problem
    assert not seen.digest  # unreadable files are no copies of each other


def test_a_picture_that_is_cut_off(tmp_path):
    whole = picture(tmp_path / "whole.jpg", 1, (200, 200))
    assert "is cut off" in look(truncate(whole, tmp_path / "part.jpg", 0.6)).problem


@pytest.mark.parametrize("damage", ["garbage", "folder"])
def test_a_damaged_memory_is_done_without(tmp_path, fresh_home, damage):
    home_folder().mkdir()
    place = home_folder() / "file-facts.sqlite"
    place.mkdir() if damage == "folder" else place.write_bytes(b"no database" * 1000)
    assert look_at_all([picture(tmp_path / "a.png")])[0].width == 48


def test_a_home_that_cannot_be_made_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "file" / "home"))
    assert look_at_all([picture(tmp_path / "a.png")])[0].width == 48


def test_kinds_and_stamps_are_kept_apart(tmp_path, fresh_home):
    known = stamp(picture(tmp_path / "a.png"))
    with Memory() as memory:
        memory.keep("digest", known, "abc")
    with Memory() as memory:
        assert memory.recall("digest", known) == "abc"
        assert memory.recall("look", known) is None
        assert memory.recall("digest", (known[0], known[1] + 1, known[2])) is None


def test_it_stops_when_asked_and_keeps_what_it_saw(tmp_path, counted):
    paths = [picture(tmp_path / f"{number}.png", number) for number in range(30)]
    with pytest.raises(Cancelled):
        look_at_all(paths, should_stop=lambda: len(counted) >= 10)
    seen = len(counted)
    assert 10 <= seen < 30
    looks = look_at_all(paths)
    assert len(counted) == 30  # each was opened once in all
    assert all(isinstance(one, Look) and one.width == 48 for one in looks)
