"""Work that takes a while: one queue in front of the model; submit, watch, take the result, cancel.

Pages poll a `Job` from a fragment, an HTTP API by its id; neither ever waits for the other.
"""

import itertools
import logging
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar, cast

from core.errors import Cancelled, UserError

T = TypeVar("T")
State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled"})
BUG_TITLE = "Something went wrong inside the app"
BUG_MESSAGE = "This is a fault of the app and not of your file. The log has the details; please report them."
RATE_WINDOW_S = 10.0
"""Speed is that of the last ten seconds: the first reports pay for warming up, and a mean would drag that along."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        done: Units of work finished (frames, files).
        total: Units in all; None while unknown.
        per_second: Units a second over the last ten seconds; None until two reports have come.
        seconds_left: Estimate; None while total or speed is unknown.
        message: What is going on, for people.
    """

    done: int = 0
    total: int | None = None
    per_second: float | None = None
    seconds_left: float | None = None
    message: str = ""

    @property
    def fraction(self) -> float | None:
        """Share done, 0..1; None while the total is unknown (an estimate of the total may be overshot: at most 1)."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True)
class JobStatus:
    """All that is known of a job at one moment; fields fit each other."""

    state: State = "queued"
    progress: Progress = Progress()
    partial: Any = None
    result: Any = None
    error: str | None = None
    error_title: str | None = None
    started_at: float | None = None
    ended_at: float | None = None


class Job(Generic[T]):
    """A piece of work in the queue. Every property may be read from any thread at any time.

    Attributes:
        id: Unique name of this job.
        key: What it works on: the queue never holds two living jobs with the same key.
        label: For people, such as the file's name.
    """

    def __init__(self, key: str, label: str, work: "Callable[[JobContext], T]", queue: "JobQueue") -> None:
        self.id = uuid.uuid4().hex
        self.key = key
        self.label = label
        self.cancel_requested = threading.Event()
        self._work = work
        self._queue = queue
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._status = JobStatus()

    @property
    def status(self) -> JobStatus:
        """One consistent snapshot; the properties below each take a fresh one."""
        return self._status

    @property
    def state(self) -> State:
        return self._status.state

    @property
    def ended(self) -> bool:
        return self._status.state in ENDED

    @property
    def progress(self) -> Progress:
        return self._status.progress

    @property
    def partial(self) -> Any:
        """The latest partial result that the work has reported, None before the first."""
        return self._status.partial

    @property
    def result(self) -> T | None:
        return cast("T | None", self._status.result)

    @property
    def error(self) -> str | None:
        """The sentence to show when the state is "failed"."""
        return self._status.error

    @property
    def error_title(self) -> str | None:
        return self._status.error_title

    @property
    def position(self) -> int:
        """Place in the queue: 1 is next, 0 is running or ended."""
        return self._queue.position(self)

    def cancel(self) -> None:
        """Ask it to stop: at once when it is still queued, else at the work's next look at its context."""
        self._queue.cancel(self.id)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until it has ended; False when that took longer than `timeout_s`. For command lines and tests."""
        return self._ended.wait(timeout_s)

    def _update(self, **changes: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)
        if self._status.state in ENDED:
            self._ended.set()


class JobContext:
    """What the work sees of its job."""

    def __init__(self, job: Job[Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._job = job
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()

    @property
    def cancelled(self) -> bool:
        """Somebody asked this work to stop."""
        return self._job.cancel_requested.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when somebody asked this work to stop."""
        if self.cancelled:
            raise Cancelled

    def report(self, done: int, total: int | None = None, message: str = "", partial: Any = None) -> None:
        """Say how far the work is. A `partial` of None keeps the one reported before."""
        per_second = self._rate(done)
        seconds_left = max(0, total - done) / per_second if total is not None and per_second else None
        changes: dict[str, Any] = {"progress": Progress(done, total, per_second, seconds_left, message)}
        if partial is not None:
            changes["partial"] = partial
        self._job._update(**changes)

    def _rate(self, done: int) -> float | None:
        now = self._clock()
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()  # a new phase counts from 0 again
        self._samples.append((now, done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - RATE_WINDOW_S:
            self._samples.popleft()
        elapsed = now - self._samples[0][0]
        return (done - self._samples[0][1]) / elapsed if elapsed > 0 else None


class JobQueue:
    """Threads that do one job after the other.

    Args:
        workers: Jobs that run at the same time; one, unless the work is not the model's.
        keep_ended: Ended jobs that `get` still finds; older ones go, since a result may be large. A `Job` that
            somebody holds stays valid for them.
    """

    def __init__(self, workers: int = 1, *, keep_ended: int = 32) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self._workers = workers
        self._keep_ended = keep_ended
        self._lock = threading.Condition()
        self._waiting: deque[Job[Any]] = deque()
        self._jobs: OrderedDict[str, Job[Any]] = OrderedDict()
        self._threads: list[threading.Thread] = []
        self._numbers = itertools.count(1)
        self._closed = False

    def submit(self, key: str, work: Callable[[JobContext], T], *, label: str = "") -> Job[T]:
        """Queue `work`, or return the job with the same key that already waits or runs.

        A job that was asked to stop is not returned: who asks anew wants a result.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("this queue was closed")
            for job in self._jobs.values():
                if job.key == key and not job.ended and not job.cancel_requested.is_set():
                    return cast("Job[T]", job)
            new = Job(key, label, work, self)
            self._jobs[new.id] = new
            self._waiting.append(new)
            self._start_thread_if_needed()
            self._lock.notify()
            return new

    def get(self, job_id: str) -> Job[Any] | None:
        """The job with this id, None when there never was one or it ended long ago."""
        with self._lock:
            return self._jobs.get(job_id)

    def jobs(self) -> list[Job[Any]]:
        """All jobs that are known: living ones, and the latest ended ones."""
        with self._lock:
            return list(self._jobs.values())

    def cancel(self, job_id: str) -> bool:
        """Ask a job to stop; False when it is unknown or has ended."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.ended:
                return False
            job.cancel_requested.set()
            if job in self._waiting:
                self._waiting.remove(job)
                self._end(job, state="cancelled")
            return True

    def position(self, job: Job[Any]) -> int:
        """Place of a job in the queue: 1 is next, 0 is running or ended."""
        with self._lock:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def close(self, timeout_s: float | None = 10.0) -> None:
        """Cancel everything and wait for the threads to end."""
        with self._lock:
            self._closed = True
            for job_id in list(self._jobs):
                self.cancel(job_id)
            self._lock.notify_all()
        for thread in self._threads:
            thread.join(timeout_s)

    def _start_thread_if_needed(self) -> None:
        if len(self._threads) < self._workers:
            # Daemons: a browser tab's job must not keep the process alive after Ctrl-C.
            name = f"jobs-{next(self._numbers)}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                job = self._waiting.popleft()
                job._update(state="running", started_at=time.time())
            outcome = _run(job)
            with self._lock:
                self._end(job, **outcome)
            del job, outcome  # an idle thread must not hold the last result, which may be large

    def _end(self, job: Job[Any], **outcome: Any) -> None:
        job._work = _forgotten  # the closure may hold a whole upload
        job._update(ended_at=time.time(), **outcome)
        self._jobs.move_to_end(job.id)
        ended = [known.id for known in self._jobs.values() if known.ended]
        for job_id in ended[: max(0, len(ended) - self._keep_ended)]:
            del self._jobs[job_id]


def _run(job: Job[Any]) -> dict[str, Any]:
    try:
        return {"state": "done", "result": job._work(JobContext(job))}
    except Cancelled:
        return {"state": "cancelled"}
    except UserError as error:
        return {"state": "failed", "error": str(error), "error_title": error.title}
    except Exception:  # the thread must outlive a bug in one job; the log has its stack
        log.exception("job %s (%s) failed", job.label or job.key, job.id)
        return {"state": "failed", "error": BUG_MESSAGE, "error_title": BUG_TITLE}


def _forgotten(_: JobContext) -> Any:
    raise RuntimeError("this job has ended")
