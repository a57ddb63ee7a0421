"""Starts the trainer as a process of its own, which outlives browser and server."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from core.training.records import LOG_FILE, tail_log
from core.training.status import LIVE, STARTING, STOP_FILE, RunState, end_status, read_status, state_of, write_status

REPOSITORY = Path(__file__).resolve().parents[2]
NICENESS = 10
"""The page that shows the run judges pictures on the same processor, and its user waits for those."""

_children: list[tuple[Path, "subprocess.Popen[bytes]"]] = []
"""Trainers that this process has started: asked now and then how they are, so that none stays behind as a zombie."""


def launch(folder: Path) -> bool:
    """Starts the detached process of a run; False where that failed, and the run then says why."""
    status = read_status(folder)
    for stale in ("pid", "host"):
        status.pop(stale, None)
    begun = {"state": RunState.RUNNING, "phase": STARTING, "message": "", "started": time.time()}
    write_status(folder, {**status, **begun, "heartbeat": time.time()})
    (folder / STOP_FILE).unlink(missing_ok=True)
    try:
        with (folder / LOG_FILE).open("ab") as log:
            _children.append((folder, _detached(trainer_command(folder), log.fileno())))
    except OSError as error:
        end_status(folder, RunState.FAILED, f"The trainer could not be started ({error.strerror}).", reason="error")
        return False
    return True


def reap() -> None:
    """Forgets children that have ended. One that ended before it could say so itself has failed; its log says why."""
    for folder, child in list(_children):
        if child.poll() is None:
            continue
        _children.remove((folder, child))
        if is_claimed(folder):
            last = "".join(tail_log(folder, 1)) or f"exit code {child.returncode}"
            end_status(folder, RunState.FAILED, f"The trainer ended before it had begun: {last}", reason="error")


def is_claimed(folder: Path) -> bool:
    """Whether the queue has just started a process for this run, which has not said anything yet."""
    status = read_status(folder)
    return state_of(folder, status) in LIVE and status.get("phase") == STARTING and "pid" not in status


def trainer_command(folder: Path) -> list[str]:
    """What starts or resumes the run in `folder`: its settings travel by file, and no shell reads any of this."""
    program = str(REPOSITORY / "train.py")
    return [sys.executable, program, "--resume", str(folder), "--cache", str(folder.parent / "cache")]


def _detached(command: list[str], log: int) -> "subprocess.Popen[bytes]":
    """A process that Ctrl+C on the server does not reach, that holds no pipe of ours, and that lets others go first."""
    flags = 0
    if sys.platform == "win32":
        flags = (
            subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        )
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=flags,
    )
    if sys.platform != "win32":
        with suppress(psutil.Error):  # from here, and not by preexec_fn, which is unsafe in a server with threads
            psutil.Process(process.pid).nice(NICENESS)
    return process


def _environment() -> dict[str, str]:
    """Ours, with limits: the page keeps a core where there are more than two, and its share of the GPU's memory."""
    cpus = os.cpu_count() or 1
    threads = str(cpus if cpus <= 2 else cpus - 1)
    wanted = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
    }
    return {**wanted, **os.environ}
