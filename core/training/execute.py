"""A run from its first to its last word: trains, makes the detector, says how it ended, and starts the next in line."""

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import Cancelled, TrainingError, UserError
from core.training import outcome as ends
from core.training import queue
from core.training.config import TrainConfig
from core.training.launch import is_claimed
from core.training.locks import hold
from core.training.outcome import Outcome
from core.training.output import Tee, logged
from core.training.records import LOG_FILE
from core.training.runs import CONFIG_FILE
from core.training.status import LOCK_FILE, STOP_FILE, StatusWriter, read_status

OLD_RECORDS = ("metrics.jsonl", "batches.jsonl", "mistakes.json")
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@dataclass(frozen=True)
class Work:
    """What is to be done; the arguments of `execute`."""

    folder: Path
    config: TrainConfig
    cache: Path
    resume: bool
    finish_only: bool

    @property
    def checkpoint(self) -> bool:
        """Whether there is one to go on from."""
        return (self.folder / "checkpoints" / "state.json").exists()


def execute(
    folder: Path,
    config: TrainConfig,
    *,
    cache: Path,
    resume: bool = False,
    finish_only: bool = False,
    on_print: Callable[[str], None] = print,
) -> int:
    """Trains into `folder` and makes its detector, or goes on where that was interrupted.

    What goes wrong is said in status.json and on stderr; its stack stands in train.log alone. SIGINT, SIGTERM and a
    file called `stop` end it after the batch in hand.

    Args:
        folder: The run's folder; made if it is missing.
        config: Settings; when resuming, those that were saved with the run.
        cache: Where prepared face crops are kept.
        resume: Go on from the last checkpoint; without one, begin.
        finish_only: Train no further, and make a detector of the best epoch so far.
        on_print: Takes what there is to say for the user, but errors.

    Returns:
        The exit code: 0 when there is a detector now, 2 when the user can mend what went wrong, 130 when it was
        stopped, 1 for anything else.
    """
    work = Work(folder.absolute(), config, cache, resume, finish_only)
    try:
        _make_folder(work)
        with hold(work.folder / LOCK_FILE, wait_s=2.0) as held:
            if not held:
                raise TrainingError(f"The run in {folder} is going on already: watch it, or stop it first.")
            outcome = _run(work, on_print)
    except UserError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        return ends.USER_ERROR
    with suppress(TrainingError):  # then whoever looks next starts it
        queue.tend(work.folder.parent)
    return outcome.code


def finish_only(folder: Path, *, cache: Path, on_print: Callable[[str], None] = print) -> int:
    """Makes a detector of the best epoch of a run that was stopped; the exit code is `execute`'s."""
    try:
        config = TrainConfig.load(folder / CONFIG_FILE)
    except TrainingError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        return ends.USER_ERROR
    return execute(folder, config, cache=cache, finish_only=True, on_print=on_print)


def _make_folder(work: Work) -> None:
    if work.checkpoint and not (work.resume or work.finish_only):
        raise TrainingError(f"{work.folder} holds a run already: go on with --resume, or name another --run-dir.")
    try:
        work.folder.mkdir(parents=True, exist_ok=True)
        if not (work.resume or work.finish_only or (work.folder / CONFIG_FILE).is_file()) and _others_in(work.folder):
            raise TrainingError(f"{work.folder} holds other files: name an empty or a new folder as --run-dir.")
    except OSError as error:
        raise TrainingError(
            f"The run's folder {work.folder} cannot be made ({error.strerror}): name another one."
        ) from error


def _others_in(folder: Path) -> bool:
    ours = (STOP_FILE, LOCK_FILE, LOG_FILE)
    return any(path.name not in ours for path in folder.iterdir())


def _run(work: Work, on_print: Callable[[str], None]) -> Outcome:
    finish, stop_file = work.finish_only, work.folder / STOP_FILE
    if is_claimed(work.folder):
        finish = finish or read_status(work.folder).get("task") == "finish"
    else:  # an old request; the queue removes it before it starts us, so that one which is there then is new
        stop_file.unlink(missing_ok=True)
    task = "finish" if finish else "train"
    with logged(work.folder / LOG_FILE) as log, StatusWriter(work.folder, task=task) as status, _signals(status):
        outcome = _outcome(work, finish, status, log)
        status.end(outcome.state, outcome.message, reason=outcome.reason)
        if outcome.reason:
            print(f"{TrainingError.title}: {outcome.message}", file=sys.stderr)
        else:
            on_print(outcome.message)
    with suppress(OSError):
        stop_file.unlink(missing_ok=True)
    return outcome


def _outcome(work: Work, finish: bool, status: StatusWriter, log: Tee) -> Outcome:
    try:
        if not finish:
            _train(work, status)
        _finish(work, status)
    except (Cancelled, KeyboardInterrupt):
        return ends.stopped(work.folder)
    except Exception as error:  # noqa: BLE001  # whatever it is, the run ends in words, and the log has the stack
        if not isinstance(error, UserError):
            traceback.print_exception(error, file=log)
        return ends.failed(error, work.config)
    return ends.finished(work.folder)


def _train(work: Work, status: StatusWriter) -> None:
    goes_on = work.resume and work.checkpoint
    if not work.resume:
        work.config.save(work.folder / CONFIG_FILE)  # first of all, so that the folder is a run, whatever comes
    for name in () if goes_on else OLD_RECORDS:  # of an attempt that left no checkpoint
        (work.folder / name).unlink(missing_ok=True)
    from core.training.loop import fit  # only now: Keras takes seconds, and the page waits for a sign of life

    fit(work.config, work.folder, work.cache, resume=goes_on, watch=status)


def _finish(work: Work, status: StatusWriter) -> None:
    if not (work.folder / "checkpoints" / "best.keras").is_file():
        raise TrainingError("No epoch has ended yet, so there is nothing to make a detector of: resume the run.")
    from core.training.finish import finish

    finish(work.folder, work.config, work.cache, watch=status)


@contextmanager
def _signals(status: StatusWriter) -> Iterator[None]:
    """Ctrl+C, a terminal that closes and a shutdown ask the run to stop; a second Ctrl+C ends it at once."""

    def stop(number: int, _frame: Any) -> None:
        status.request_stop()
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may; there the stop file does
        before = {one: signal.getsignal(one) for name in SIGNALS if (one := getattr(signal, name, None)) is not None}
    before = {
        one: handler for one, handler in before.items() if handler is not signal.SIG_IGN
    }  # that is how nohup works
    for one in before:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
