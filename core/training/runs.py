"""Training runs as folders on disk: found, read, made, annotated, deleted. Nothing is remembered anywhere else.

A folder with a config.json is a run. Its files may be edited by hand, half written or gone the next moment: what cannot
be read counts as not there, and only a run that is missing altogether is an error.
"""

import os
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import TrainingError
from core.training.config import TrainConfig
from core.training.locks import is_held, queue_lock
from core.training.promotion import archive_model, promote
from core.training.records import read_history, read_lines, tail_log
from core.training.status import (
    LIVE,
    LOCK_FILE,
    STOP_FILE,
    RunState,
    end_status,
    number,
    read_status,
    state_of,
    write_status,
)

__all__ = [
    "LIVE",
    "Run",
    "RunState",
    "archive_model",
    "create_run",
    "delete_run",
    "list_runs",
    "promote",
    "read_lines",
    "read_run",
    "request_stop",
    "run_folders",
    "runs_folder",
    "set_note",
    "tail_log",
]

CONFIG_FILE, NOTE_FILE = "config.json", "note.txt"
NOTE_LENGTH = 2000
LOST_MESSAGE = (
    "Its process is gone without a word: killed, out of memory, or the machine was switched off. Resume it to go on "
    "from its last checkpoint."
)


@dataclass(frozen=True)
class Run:
    """A run as it stood when it was read.

    Attributes:
        folder: Where it lies; its name is the run's `id`.
        config: Its settings; None where config.json is damaged, and `message` says so.
        status: All of status.json (phase, epoch, epochs, step, loss, eta_s, cpu_percent, …); may be empty.
        message: For people: why it failed, what it waits for.
        best_auc, best_epoch: Of the validation data, None before the first epoch has ended.
        epochs_done: Epochs in metrics.jsonl.
        minutes: Time spent on training so far.
        created: Seconds since 1970.
        has_model: `folder/model` holds a detector.
        has_checkpoint: There is something to resume from and to make a detector of.
    """

    folder: Path
    state: RunState
    config: TrainConfig | None
    status: dict[str, Any]
    message: str
    best_auc: float | None
    best_epoch: int | None
    epochs_done: int
    minutes: float | None
    note: str
    created: float
    has_model: bool
    has_checkpoint: bool

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def live(self) -> bool:
        """A trainer is at work on it."""
        return self.state in LIVE

    @property
    def name(self) -> str:
        return self.config.name if self.config else self.id

    @property
    def data(self) -> tuple[str, ...]:
        """Short names of its data sets, for a table."""
        return tuple(Path(folder).name or folder for folder in self.config.data) if self.config else ()


def runs_folder() -> Path:
    """Where runs lie: $DEEPFAKE_RUNS, or runs/ beside the program; it may not exist yet."""
    named = os.environ.get("DEEPFAKE_RUNS")
    return Path(named).expanduser().absolute() if named else Path(__file__).resolve().parents[2] / "runs"


def run_folders(root: Path) -> list[Path]:
    """Folders of all runs in `root`."""
    with suppress(OSError):
        return [f for f in root.iterdir() if not f.name.startswith(".") and (f / CONFIG_FILE).is_file()]
    return []


def list_runs(root: Path | None = None) -> list[Run]:
    """All runs of a folder (by default `runs_folder()`), newest first."""
    runs = []
    for folder in run_folders(root or runs_folder()):
        with suppress(TrainingError):  # deleted meanwhile
            runs.append(read_run(folder))
    return sorted(runs, key=lambda run: (run.created, run.id), reverse=True)


def read_run(folder: Path) -> Run:
    """One run, as well as its files can be read.

    Raises:
        TrainingError: There is no such run (any more).
    """
    if not (folder / CONFIG_FILE).is_file():
        raise TrainingError(f"There is no run in {folder}: it was deleted or moved, or never was one.")
    status = read_status(folder)
    state = state_of(folder, status)
    config, problem = _config(folder)
    history = read_history(folder)
    said = status.get("message")
    message = LOST_MESSAGE if state is RunState.LOST else said if isinstance(said, str) else ""
    return Run(
        folder=folder,
        state=state,
        config=config,
        status=status,
        message=" ".join(part for part in (message, problem) if part),
        best_auc=history.best_auc,
        best_epoch=history.best_epoch,
        epochs_done=history.epochs,
        minutes=_minutes(number(status.get("elapsed_s")), history.elapsed_s),
        note=_text(folder / NOTE_FILE),
        created=_created(folder),
        has_model=(folder / "model" / "model.json").is_file(),
        has_checkpoint=(folder / "checkpoints" / "best.keras").is_file(),
    )


def create_run(config: TrainConfig, root: Path | None = None) -> Run:
    """Makes the folder of a new run, whole or not at all; it is queued, and `queue.start` or `tend` starts it.

    Raises:
        TrainingError: Nothing can be written there.
    """
    root = root or runs_folder()
    config = absolute(config)
    folder = root / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"
    half = root / f".new-{uuid.uuid4().hex}"
    try:
        half.mkdir(parents=True)
        config.save(half / CONFIG_FILE)
        if not write_status(half, queued_status()):
            raise OSError(0, "no space")
        half.rename(folder)
    except OSError as error:
        shutil.rmtree(half, ignore_errors=True)
        raise TrainingError(
            f"No run can be made in {root} ({error.strerror}): make room there, or set DEEPFAKE_RUNS to another folder."
        ) from error
    return read_run(folder)


def absolute(config: TrainConfig) -> TrainConfig:
    """The same settings with absolute paths, which hold in a process that starts elsewhere."""
    init = Path(config.init).expanduser()
    return replace(
        config,
        data=tuple(str(Path(folder).expanduser().absolute()) for folder in config.data),
        init=str(init.absolute()) if init.exists() else config.init,  # or the name of a detector
    )


def queued_status(task: str = "train") -> dict[str, Any]:
    """What status.json holds while a run waits; `task` is "train", or "finish" to make a detector of its best epoch."""
    return {"state": RunState.QUEUED, "message": "Waits for its turn.", "queued_at": time.time(), "task": task}


def request_stop(folder: Path) -> None:
    """Ask a run to end after the batch in hand; a queued one leaves the queue at once. Others are left alone.

    Raises:
        TrainingError: Nothing can be written to its folder.
    """
    with queue_lock(folder.parent):
        state = state_of(folder, read_status(folder))
        if state is RunState.QUEUED:
            end_status(folder, RunState.STOPPED, "Taken out of the queue before it had begun.")
        elif state in LIVE or is_held(folder / LOCK_FILE):
            try:
                (folder / STOP_FILE).touch()
            except OSError as error:
                raise TrainingError(f"The run cannot be asked to stop ({error.strerror}): {folder}.") from error


def set_note(folder: Path, text: str) -> None:
    """Keeps a note with the run, at most 2,000 characters; an empty one removes it.

    Raises:
        TrainingError: The run is gone, or nothing can be written there.
    """
    path, half = folder / NOTE_FILE, folder / ".note.part"
    try:
        if not text.strip():
            path.unlink(missing_ok=True)
            return
        half.write_text(text.strip()[:NOTE_LENGTH], encoding="utf-8")
        half.replace(path)
    except OSError as error:
        raise TrainingError(f"The note cannot be kept with {folder.name} ({error.strerror}).") from error


def delete_run(folder: Path) -> None:
    """Removes a run for good: at once for everybody who looks, then file by file.

    Raises:
        TrainingError: It is running, or is no run, or cannot be removed.
    """
    run = read_run(folder)
    with queue_lock(folder.parent):
        if read_run(folder).live or is_held(folder / LOCK_FILE):
            raise TrainingError(f"{run.name} is still running: stop it first, then delete it.")
        gone = folder.parent / f".deleted-{uuid.uuid4().hex}"
        try:
            folder.rename(gone)
        except OSError as error:
            raise TrainingError(f"{run.name} cannot be deleted ({error.strerror}): {folder}.") from error
    if gone.is_symlink():
        gone.unlink()  # a run that lies elsewhere: its link was all that stood here
    for left in (gone, *folder.parent.glob(".deleted-*")):
        shutil.rmtree(left, ignore_errors=True)


def _config(folder: Path) -> tuple[TrainConfig | None, str]:
    try:
        return TrainConfig.load(folder / CONFIG_FILE), ""
    except TrainingError:
        return None, "Its config.json is damaged, so that it can neither be resumed nor compared."


def _minutes(*seconds: float | None) -> float | None:
    """The longest of several readings of the same clock: each is written at its own time."""
    return max((one / 60 for one in seconds if one is not None), default=None)


def _created(folder: Path) -> float:
    """By the folder's name or, where it was named otherwise, by when its settings were written."""
    try:
        return time.mktime(time.strptime(folder.name[:15], "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        pass
    try:
        return (folder / CONFIG_FILE).stat().st_mtime
    except OSError:
        return 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:NOTE_LENGTH]
    except OSError:
        return ""
