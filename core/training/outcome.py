"""How a run ended, in words that say what to do next."""

import errno
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import DataError, UserError
from core.training.config import TrainConfig
from core.training.records import read_history
from core.training.status import RunState

FINISHED, BUG, USER_ERROR, STOPPED = 0, 1, 2, 130
"""Exit codes; the last is what shells say of a program that Ctrl+C has ended."""
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
MEMORY_ERRORS = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
"""By name: Python's and NumPy's, TensorFlow's, PyTorch's; which of these is installed is not our business."""


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes:
        state: What is stored.
        message: For people.
        code: The program's exit code.
        reason: For programs, of a failure: disk_full, out_of_memory, data, setup or error.
    """

    state: RunState
    message: str
    code: int
    reason: str | None = None


def finished(folder: Path) -> Outcome:
    """There is a detector now."""
    return Outcome(RunState.FINISHED, f"Finished: the detector is in {folder / 'model'}.", FINISHED)


def stopped(folder: Path) -> Outcome:
    """Its user asked for it."""
    epochs = read_history(folder).epochs
    kept = (
        f"Stopped with {epochs} epoch{'s' if epochs > 1 else ''} done: resume it, or make a detector of the best one."
    )
    nothing = "Stopped before its first epoch had ended: when it is resumed, it begins anew."
    return Outcome(RunState.STOPPED, kept if epochs else nothing, STOPPED)


def failed(error: BaseException, config: TrainConfig) -> Outcome:
    """What an exception means to the user; the cause may stand far up its chain, in the words of the system."""
    chain = list(_chain(error))
    if any(map(_is_full, chain)):
        words = "Disk full: nothing more can be written. The last good checkpoint is whole: make room, then resume."
        return Outcome(RunState.FAILED, words, USER_ERROR, "disk_full")
    if any(map(_is_memory, chain)):
        tried = f"{config.batch_size} pictures a batch at {config.input_size} px"
        words = f"Out of memory with {tried}: choose a smaller batch or input size, or close other programs."
        return Outcome(RunState.FAILED, words, USER_ERROR, "out_of_memory")
    if isinstance(error, UserError):
        return Outcome(RunState.FAILED, str(error), USER_ERROR, "data" if isinstance(error, DataError) else "setup")
    first = next(iter(traceback.format_exception_only(error)), "").strip().split("\n")[0]
    return Outcome(RunState.FAILED, f"An error that nobody foresaw; the log has the details. {first}", BUG, "error")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_full(error: BaseException) -> bool:
    """HDF5 and TensorFlow say it in exceptions of their own, with the system's words."""
    return getattr(error, "errno", None) in FULL or "No space left on device" in str(error)


def _is_memory(error: BaseException) -> bool:
    named = not MEMORY_ERRORS.isdisjoint(kind.__name__ for kind in type(error).__mro__)
    return named or getattr(error, "errno", None) == errno.ENOMEM or "RESOURCE_EXHAUSTED" in str(error)
