"""status.json of a run: what the trainer says of itself a few times a second, and what a reader makes of that.

Only the trainer knows that it is alive, and a killed one cannot say that it is not: so it writes a heartbeat, and
readers conclude `lost` from an old one, each time anew. A machine that slept wakes up with its runs running again.
It also holds a lock, which the system takes back at its death. Where a reader on the same machine finds that free, it
need not wait so long.
"""

import json
import math
import os
import socket
import threading
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from core.training.locks import is_let_go
from core.training.machine import Usage

STATUS_FILE, STOP_FILE, LOCK_FILE = "status.json", "stop", ".lock"
LOST_AFTER_S = 30.0
"""Far above a heartbeat, since a trainer that swaps or starts on a busy machine is late and not dead."""
SILENT_AFTER_S = 3.0
"""Without a heartbeat for so long, a run's lock is looked at: not before, since a look takes it for an instant."""
WRITE_EVERY_S = 0.4
SAMPLE_EVERY_S = 2.0
FILE_BYTES = 4096
"""The file is filled up with spaces to one block, so that on a full disk it can still be written over in place."""
STARTING = "starting"


class RunState(StrEnum):
    """Where a run stands. `lost` is never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


LIVE = frozenset({RunState.RUNNING, RunState.STOPPING})
STORED_ENDS = frozenset({RunState.QUEUED, RunState.FINISHED, RunState.STOPPED, RunState.FAILED})


def read_status(folder: Path) -> dict[str, Any]:
    """The object in the folder's status.json; empty when there is none or it is damaged."""
    for _ in range(3):  # on a full disk it is written in place, and a reader may come in between
        try:
            document = json.loads((folder / STATUS_FILE).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            time.sleep(0.01)
            continue
        return document if isinstance(document, dict) else {}
    return {}


def state_of(folder: Path, status: dict[str, Any]) -> RunState:
    """The state of the run in `folder` whose status was just read."""
    said = str(status.get("state"))  # it may have been edited by hand
    if said in LIVE:
        silent_s = abs(time.time() - (number(status.get("heartbeat")) or 0.0))
        if silent_s > LOST_AFTER_S:
            return RunState.LOST
        if silent_s > SILENT_AFTER_S and _is_dead(folder, status):
            now = read_status(folder)  # its last words may have come meanwhile; it lets go only after them
            return RunState.LOST if now.get("state") in LIVE else state_of(folder, now)
        stopping = said == RunState.STOPPING or (folder / STOP_FILE).exists()
        return RunState.STOPPING if stopping else RunState.RUNNING
    if said in STORED_ENDS:
        return RunState(said)
    return RunState.FINISHED if (folder / "model" / "model.json").is_file() else RunState.LOST


def _is_dead(folder: Path, status: dict[str, Any]) -> bool:
    """Whether the trainer that wrote the status ended without a word: told by its lock, on its own machine alone."""
    return status.get("host") == socket.gethostname() and is_let_go(folder / LOCK_FILE)


def number(value: Any) -> float | None:
    """A finite number that came out of a file; None for anything else."""
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fine else None


def write_status(folder: Path, document: dict[str, Any]) -> bool:
    """Replaces status.json, whole or not at all; on a full disk it is written over in place. False when that failed."""
    path, half = folder / STATUS_FILE, folder / ".status.part"
    data = (json.dumps(_plain(document), indent=1, default=str) + "\n").encode().ljust(FILE_BYTES)
    try:
        half.write_bytes(data)
        _replace(half, path)
    except OSError:
        return _overwrite(half, path, data)
    return True


def end_status(folder: Path, state: RunState, message: str, **fields: Any) -> bool:
    """Stores how a run ended without (or after) a trainer; other fields stay."""
    ended = {"state": state, "phase": None, "message": message, "ended": time.time(), "eta_s": None}
    return write_status(folder, {**read_status(folder), **ended, **fields})


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """No NaN and no infinity, which are not JSON: a diverged loss must not make the file unreadable elsewhere."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in document.items()}


def _replace(half: Path, path: Path) -> None:
    for _ in range(20):
        try:
            half.replace(path)
        except PermissionError:  # on Windows while a reader has it open
            time.sleep(0.02)
        else:
            return
    half.replace(path)


def _overwrite(half: Path, path: Path, data: bytes) -> bool:
    try:
        half.unlink(missing_ok=True)
        with path.open("r+b") as file:
            file.write(data.ljust(path.stat().st_size))
    except OSError:
        return False
    return True


class StatusWriter:
    """The trainer's side: a thread that writes the heartbeat and what was last said, and never fails the training.

    It is what `fit` calls its watch: `update` after every batch costs a dictionary's update, and `stop_requested` a
    look at the disk.

    Args:
        folder: The run's folder; it exists.
        **fields: Stand in the file from the first moment.
    """

    def __init__(self, folder: Path, **fields: Any) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._closing, self._stop = threading.Event(), False
        self._usage, self._sampled_at = Usage(), float("-inf")
        self._fields: dict[str, Any] = {
            "state": RunState.RUNNING,
            "phase": STARTING,
            "message": "",
            "started": time.time(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
            **fields,
        }
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not self._closing.is_set():
            self.end(RunState.FAILED, f"It ended with {kind.__name__}." if kind else "It ended without a result.")

    def update(self, **fields: Any) -> None:
        """Say how it goes; written by the thread within half a second."""
        with self._guard:
            self._fields.update(fields)

    def request_stop(self) -> None:
        """The same as the stop file; safe in a signal handler."""
        self._stop = True  # and no Event: its lock may be held by the very code that the signal interrupted

    def stop_requested(self) -> bool:
        """Somebody asked this run to end, or has taken its folder away."""
        self._stop = self._stop or (self._folder / STOP_FILE).exists() or not self._folder.exists()
        return self._stop

    def end(self, state: RunState, message: str, **fields: Any) -> None:
        """The last word: stops the heartbeat and stores the state."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self.update(state=state, phase=None, message=message, ended=time.time(), eta_s=None, **fields)
        self._write()

    def _beat(self) -> None:
        while not self._closing.wait(WRITE_EVERY_S):
            self._write()

    def _write(self) -> None:
        if time.monotonic() - self._sampled_at > SAMPLE_EVERY_S:
            self._sampled_at = time.monotonic()
            with suppress(OSError, psutil.Error):
                self.update(**self._usage.sample())
        with self._guard:
            document = {**self._fields, "heartbeat": time.time()}
        if document["state"] == RunState.RUNNING and self._stop:
            document["state"] = RunState.STOPPING
        write_status(self._folder, document)
