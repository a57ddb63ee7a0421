"""Where a command line writes: files appear whole, and what is no file is never replaced."""

import os
import stat
import threading
from pathlib import Path

import pytest

from core.errors import UserError
from core.output import check_outputs, open_output


def write(path: Path, text: str, *, streaming: bool = False) -> None:
    with open_output(path, streaming=streaming) as stream:
        stream.write(text)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_link_stays_and_its_file_is_written(tmp_path, streaming):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere/file")  # which is still to be made
    for text in ("new", "newer"):
        write(tmp_path / "link", text, streaming=streaming)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "elsewhere/file").read_text() == text
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["file"]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_pipe_is_written_to_and_stays_one(tmp_path, streaming):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write(pipe, "through it", streaming=streaming)
    reader.join(10)
    assert read == ["through it"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_is_stopped_leaves_the_old_file(tmp_path):
    (tmp_path / "file").write_text("old")
    with pytest.raises(KeyboardInterrupt), open_output(tmp_path / "file", streaming=False) as stream:
        stream.write("half")
        raise KeyboardInterrupt
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]


def test_places_that_can_be_written_are_left_as_they_are(tmp_path):
    (tmp_path / "old").write_text("old")
    os.mkfifo(tmp_path / "pipe")
    check_outputs(None, tmp_path / "old", tmp_path / "new", tmp_path / "pipe", tmp_path / "pipe")
    assert {path.name for path in tmp_path.iterdir()} == {"old", "pipe"}
    assert (tmp_path / "old").read_text() == "old"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["{tmp}"], "it is a folder"),
        (["{tmp}/no/where"], "No such file or directory"),
        (["{tmp}/file/below"], "Not a directory"),
        (["/proc/x.json"], "cannot be written"),  # a folder that takes no files, not even from root
        (["{tmp}/circle"], "cannot be written"),
        (["{tmp}/same", "{tmp}/../{name}/same"], "is named for two outputs"),
        (["{tmp}/link", "{tmp}/file"], "is named for two outputs"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(tmp_path, names, words):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "circle").symlink_to("circle/x")
    with pytest.raises(UserError, match=words):
        check_outputs(*(Path(name.format(tmp=tmp_path, name=tmp_path.name)) for name in names))
