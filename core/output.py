"""What a command line writes: to the terminal, to a file that appears whole or not at all, and bars while it works."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from core.analysis import VideoProgress


@contextmanager
def open_output(path: Path | None, *, streaming: bool) -> Iterator[TextIO]:
    """The terminal, or a file that appears whole or not at all; a streaming one grows line by line instead."""
    options: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        yield sys.stdout
        sys.stdout.flush()
    elif streaming:
        with path.open("w", **options) as stream:
            yield stream
    else:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder", str(path))
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        os.close(handle)
        whole = Path(name)
        try:
            with whole.open("w", **options) as stream:
                yield stream
            whole.chmod(0o666 & ~_umask())  # mkstemp made it readable by its owner alone
            whole.replace(path)
        finally:
            whole.unlink(missing_ok=True)


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
