"""Runs of their own for each test, and the fake trainer in the place of the real one."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.training import launch, queue
from core.training.config import TrainConfig
from core.training.runs import Run, create_run, read_run
from core.training.status import RunState, read_status
from tests.training import fake_trainer

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runs folder, which is the program's own."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("DEEPFAKE_RUNS", str(folder))
    return folder


@pytest.fixture
def trainer(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The queue starts the fake trainer; processes that are left at the end are killed."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr(launch, "trainer_command", fake_trainer.command)
    yield
    for process in trainers(root):
        with contextlib.suppress(psutil.Error):
            process.kill()
    for _, child in launch._children:
        child.wait(10)
    launch._children.clear()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with four megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this container may not mount a disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def trainers(root: Path) -> list[psutil.Process]:
    """Living trainers of the runs in `root`, told by their command line."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and any(str(root) in part for part in process.cmdline()):
                found.append(process)
    return found


def until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait for something to come true; fails when it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def ended(folder: Path) -> bool:
    return read_run(folder).state not in (RunState.QUEUED, RunState.RUNNING, RunState.STOPPING)


def made(root: Path, name: str = "quick", **settings: object) -> Run:
    """A queued run; of the fake trainer's, its name says what befalls it."""
    return create_run(TrainConfig(**{"data": ("/data/faces",), "name": name, "epochs": 3, **settings}), root)


def kill(folder: Path) -> None:
    """`kill -9` the trainer of a run."""
    os.kill(int(read_run(folder).status["pid"]), signal.SIGKILL)


def started(root: Path, name: str = "quick", **settings: object) -> Path:
    """The folder of a run that was submitted as the page does."""
    config = TrainConfig(**{"data": ("/data/faces",), "name": name, "epochs": 3, **settings})
    return queue.submit(config, root).folder


def at_work(folder: Path) -> bool:
    """Its trainer has said something, and has an epoch behind it."""
    return "pid" in read_status(folder) and read_run(folder).epochs_done > 0
