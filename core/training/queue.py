"""One run at a time in each runs folder; the others wait in line.

The trainer that ends starts the next one, so the queue moves on without the server; should it have been killed, whoever
looks next does it (`tend`).
"""

from pathlib import Path
from typing import Literal

from core.errors import TrainingError
from core.training.config import TrainConfig
from core.training.launch import launch, reap
from core.training.locks import is_held, queue_lock
from core.training.runs import Run, absolute, create_run, list_runs, queued_status, read_run, run_folders, runs_folder
from core.training.status import LIVE, LOCK_FILE, RunState, number, read_status, state_of, write_status

Task = Literal["train", "finish"]
ENDING_S = 5.0
"""A trainer lets go of its run within moments after it has said how it ended."""


def submit(config: TrainConfig, root: Path | None = None) -> Run:
    """Makes a run and starts it, or queues it behind the one that runs.

    Exactly the same settings once more give the run that already waits or runs: a second tab, or a second press of the
    button, starts nothing by accident.

    Raises:
        TrainingError: Nothing can be written to the runs folder.
    """
    root = root or runs_folder()
    make_root(root)
    with queue_lock(root):
        for run in list_runs(root):
            if run.config == absolute(config) and (run.live or run.state is RunState.QUEUED):
                return run
        run = create_run(config, root)
        _advance(root)
    return read_run(run.folder)


def start(folder: Path, task: Task = "train") -> Run:
    """Starts or resumes a run, or queues it; one that already waits or runs is left alone.

    Args:
        folder: The run.
        task: "train" goes on from the last checkpoint, or begins where there is none; "finish" makes a detector of the
            best epoch so far and trains no further.

    Raises:
        TrainingError: It is no run, its settings are damaged, its process is there but silent, or the disk is full.
    """
    with queue_lock(folder.parent):
        run = read_run(folder)
        if run.state is RunState.QUEUED or run.live:
            _advance(folder.parent)
            return read_run(folder)
        _check(run, task)
        kept = {key: value for key, value in run.status.items() if key not in ("ended", "reason", "heartbeat")}
        if not write_status(folder, {**kept, **queued_status(task)}):
            raise TrainingError(f"The run cannot be queued, since nothing can be written to {folder}: make room there.")
        _advance(folder.parent)
    return read_run(folder)


def tend(root: Path | None = None) -> Path | None:
    """Starts the next queued run where none is running; cheap when nothing waits. Returns the folder it has started.

    Raises:
        TrainingError: The queue's lock cannot be had.
    """
    root = root or runs_folder()
    reap()
    if not any(map(_waits, run_folders(root))):
        return None
    with queue_lock(root):
        return _advance(root)


def make_root(root: Path) -> None:
    """Makes the runs folder.

    Raises:
        TrainingError: It cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"The runs folder {root} cannot be made ({error.strerror}): set DEEPFAKE_RUNS to one that you can write to."
        ) from error


def _check(run: Run, task: Task) -> None:
    if run.config is None:
        raise TrainingError(f"The settings of {run.id} are damaged, so it cannot go on: start a new run.")
    if is_held(run.folder / LOCK_FILE, wait_s=ENDING_S):
        raise TrainingError(f"The process of {run.name} is there but silent, maybe asleep: wait for it, or end it.")
    if task == "finish" and not run.has_checkpoint:
        raise TrainingError(f"{run.name} has no whole epoch yet, so there is nothing to make a detector of: resume it.")


def _state(folder: Path) -> RunState:
    return state_of(folder, read_status(folder))


def _advance(root: Path) -> Path | None:
    """Starts the run that has waited longest, unless one is going; called under the queue's lock.

    A heartbeat alone is not enough: a process that was suspended, or that woke up with the machine a moment ago, still
    holds its lock.
    """
    folders = run_folders(root)
    if any(_state(folder) in LIVE or is_held(folder / LOCK_FILE) for folder in folders):
        return None
    waiting = sorted(filter(_waits, folders), key=_turn)
    return next((folder for folder in waiting if launch(folder)), None)


def _waits(folder: Path) -> bool:
    return _state(folder) is RunState.QUEUED


def _turn(folder: Path) -> tuple[float, str]:
    return number(read_status(folder).get("queued_at")) or 0.0, folder.name
