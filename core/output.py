"""What a command line writes: to the terminal, to a file that appears whole or not at all, and bars while it works."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from core.errors import UserError

if TYPE_CHECKING:
    from core.analysis import VideoProgress


@contextmanager
def open_output(
    path: Path | None, *, streaming: bool, append: bool = False, keep_part: bool = False
) -> Iterator[TextIO]:
    """The terminal, or a file that appears whole or not at all; a streaming one grows line by line instead.

    A link stays, and what it leads to is written. So do devices and pipes, which are written to and never replaced.

    Args:
        path: The file; None for the terminal.
        streaming: Whether each line counts by itself.
        append: Whether a streaming file goes on after what it holds.
        keep_part: What is there when the work is stopped is kept beside the file, "x.partial.csv" for "x.csv".

    Raises:
        KeyboardInterrupt: The work was stopped; its message says where the part is.
    """
    options: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        yield sys.stdout
        sys.stdout.flush()
    elif streaming or _is_special(path):
        try:
            with path.open("a" if append else "w", **options) as stream:
                yield stream
        except KeyboardInterrupt as stop:
            raise _kept_in(path) from stop
    else:
        path = Path(os.path.realpath(path))
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        os.close(handle)
        whole = Path(name)
        try:
            with whole.open("w", **options) as stream:
                yield stream
            _publish(whole, path)
        except KeyboardInterrupt as stop:
            if not keep_part:
                raise
            part = path.with_name(f"{path.stem}.partial{path.suffix}")
            _publish(whole, part)
            raise _kept_in(part) from stop
        finally:
            whole.unlink(missing_ok=True)


def _kept_in(path: Path) -> KeyboardInterrupt:
    return KeyboardInterrupt(f"what was found until then is in {path}")


def _publish(whole: Path, path: Path) -> None:
    whole.chmod(0o666 & ~_umask())  # mkstemp made it readable by its owner alone
    whole.replace(path)


def check_outputs(*paths: Path | None, inputs: Iterable[str | Path] = ()) -> None:
    """Before an hour of work, not after it.

    Args:
        paths: Files to be written; None for those that are not asked for.
        inputs: Files that are read, and never written over.

    Raises:
        UserError: One cannot be written, is also read, or two are the same file.
    """
    read = {os.path.realpath(path) for path in inputs} if any(paths) else set()
    files: set[str] = set()
    for path in filter(None, paths):
        try:
            if _is_special(path):
                if not os.access(path, os.W_OK):
                    raise PermissionError(13, "it is not yours to write to")
                continue
            with tempfile.TemporaryFile(dir=Path(os.path.realpath(path)).parent):
                pass
        except OSError as error:
            raise cannot_write(path, error) from error
        if (file := os.path.realpath(path)) in files:
            raise UserError(f"{path} is named for two outputs: give each a file of its own.")
        if file in read:
            raise UserError(f"{path} is to be read and would be written over: give the results a file of their own.")
        files.add(file)


def refuse_existing(*paths: Path | None) -> None:
    """Nothing that somebody made is written over unasked; empty files, devices and pipes are.

    Raises:
        UserError: One holds something.
        OSError: It cannot be asked.
    """
    for path in filter(None, paths):
        if path.is_file() and path.stat().st_size:
            raise UserError(f"{path} is there already: name another file, or give --overwrite to replace it.")


def cannot_write(path: Path, error: OSError) -> UserError:
    """The sentence for a place that does not take what shall be written."""
    return UserError(f"{path} cannot be written ({error.strerror or error}): choose another place.")


def _is_special(path: Path) -> bool:
    """Whether it is a device or a pipe.

    Raises:
        OSError: It is a folder, or it cannot be told.
    """
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    return path.exists() and not path.is_file()


class Progress:
    """Bars on a terminal's error stream, nothing when piped."""

    def __init__(self, files: int) -> None:
        from tqdm import tqdm

        quiet = not sys.stderr.isatty()
        self._files = tqdm(total=files, unit="file", disable=quiet, leave=False)
        self._video = tqdm(total=0, unit="frame", disable=quiet or not files, leave=False, position=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._video.close()
        self._files.close()

    def begin(self, path: Path) -> None:
        """The next file."""
        from core.media import shown_name

        self._files.set_description(shown_name(path))
        self._video.reset(total=0)

    def video(self, progress: VideoProgress) -> None:
        """How far a video is."""
        self._video.total = progress.total or 0
        self._video.update(progress.done - self._video.n)

    def end(self) -> None:
        """A file is done."""
        self._files.update()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
