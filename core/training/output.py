"""What a trainer prints also stands in its train.log, and a log that can no longer be written ends no training."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO


class Tee(io.TextIOBase):
    """Writes to several streams. One that fails is passed over: the disk may be full, the terminal closed."""

    def __init__(self, *streams: TextIO) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            with suppress(OSError, ValueError):  # ValueError: closed
                stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self._streams:
            with suppress(OSError, ValueError):
                stream.flush()

    def isatty(self) -> bool:
        return self._streams[0].isatty()

    def fileno(self) -> int:
        return self._streams[0].fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute there
        return self._streams[0].encoding


@contextmanager
def logged(path: Path) -> Iterator[Tee]:
    """Copy all that is printed meanwhile to the end of the file `path`; yields what writes to that file alone.

    A process whose output goes there already (the queue starts them so) writes each line once. Where the file cannot
    be opened, what belongs in it alone is thrown away.
    """
    with ExitStack() as stack:
        try:
            log: TextIO = path.open("a", buffering=1, encoding="utf-8", errors="replace")
        except OSError:
            log = io.StringIO()
        stack.callback(_close, log)
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            stack.enter_context(redirect(Tee(stream) if _leads_to(stream, path) else Tee(stream, log)))
        yield Tee(log)


def _close(log: TextIO) -> None:
    with suppress(OSError):  # what is left in its buffer does not fit on the disk either
        log.close()


def _leads_to(stream: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except (OSError, ValueError):  # a stream without a file, such as pytest's
        return False
