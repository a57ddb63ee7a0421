"""Says that a folder is in use, to every thread and process of this machine, by one small file for each user of it.

A lock file would do on one system; a pin that names its process works on all of them, and one left by a crash is seen
as such, because that process is gone.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PIN_FOLDER = "pins"
CLOCK_SLACK_S = 5.0
"""A process's start is computed from the boot time, which moves a little when the clock is set."""


@contextmanager
def pin(folder: Path) -> Iterator[None]:
    """Keep `folder` from being thrown away for as long as the block runs; the folder is made when it is missing."""
    pins = folder / PIN_FOLDER
    pins.mkdir(parents=True, exist_ok=True)
    mine = pins / f"{os.getpid()}-{psutil.Process().create_time():.0f}-{uuid.uuid4().hex}"
    mine.touch()
    try:
        yield
    finally:
        mine.unlink(missing_ok=True)


def is_pinned(folder: Path) -> bool:
    """Whether a living process holds a pin on `folder`; pins of dead ones are removed on the way."""
    pinned = False
    for path in list_pins(folder):
        if _alive(path.name):
            pinned = True
        else:
            path.unlink(missing_ok=True)
    return pinned


def list_pins(folder: Path) -> list[Path]:
    """The pin files of `folder`, dead ones included."""
    try:
        return list((folder / PIN_FOLDER).iterdir())
    except OSError:
        return []


def _alive(name: str) -> bool:
    try:
        pid, started, _ = name.split("-")
        return bool(abs(psutil.Process(int(pid)).create_time() - float(started)) < CLOCK_SLACK_S)
    except (ValueError, psutil.NoSuchProcess):
        return False
    except psutil.Error:
        return True  # it lives, but is not ours to look at
