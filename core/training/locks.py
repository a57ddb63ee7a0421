"""A lock that the system takes back when its holder dies, by whatever death: a file, held open and locked.

A file whose mere presence is the lock would be left behind by `kill -9`, and a process number may be another's by now.
Not inherited by child processes, since Python's files are not.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import TrainingError

QUEUE_LOCK = ".queue.lock"
WAIT_S = 20.0
RETRY_S = 0.02
TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def hold(path: Path, *, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold the lock at `path` while the block runs; yields False where somebody else held it for all of `wait_s`.

    Raises:
        TrainingError: The file cannot be made.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise TrainingError(
            f"Nothing can be written to {path.parent} ({error.strerror}): make room there or choose another folder."
        ) from error
    try:
        yield _taken_within(file, wait_s)
    finally:
        os.close(file)  # lets go of the lock


def is_held(path: Path, *, wait_s: float = 0.0) -> bool:
    """Whether a living process holds the lock at `path`, and goes on to for `wait_s`.

    Looking takes it for an instant: `hold` should wait a little.
    """
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _taken_within(file, wait_s)
    finally:
        os.close(file)


def is_let_go(path: Path) -> bool:
    """Whether the lock at `path` was made and no living process of this machine holds it.

    Not the opposite of `is_held`: where there is no such file, or a file system without locks, both are False.
    """
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        _take(file)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


@contextmanager
def queue_lock(root: Path) -> Iterator[None]:
    """The lock under which runs of the folder `root` are queued, started, stopped and deleted; held for moments only.

    Raises:
        TrainingError: The folder cannot be written to, or somebody holds the lock all too long.
    """
    with hold(root / QUEUE_LOCK, wait_s=WAIT_S) as held:
        if not held:
            raise TrainingError(f"Another program is busy with the runs in {root}: try again in a moment.")
        yield


def _taken_within(file: int, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            _take(file)
        except OSError as error:
            if error.errno not in TAKEN:
                return True  # a file system without locks: the heartbeats must do
            if time.monotonic() >= deadline:
                return False
            time.sleep(RETRY_S)
        else:
            return True
