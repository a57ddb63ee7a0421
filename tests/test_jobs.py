"""The queue in front of the model: order, progress, cancelling, failing, and what it must not hold on to."""

import gc
import logging
import threading
import weakref
from collections.abc import Iterator

import pytest

from core.errors import Cancelled, MediaError
from core.jobs import BUG_MESSAGE, Job, JobContext, JobQueue, Progress

SOON_S = 5.0


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    queue = JobQueue()
    yield queue
    queue.close()


class Gate:
    """Work that says when it runs and goes on when it is let go."""

    def __init__(self, result: object = "result") -> None:
        self.entered, self.open, self.result = threading.Event(), threading.Event(), result

    def __call__(self, context: JobContext) -> object:
        self.entered.set()
        while not self.open.wait(0.01):
            context.raise_if_cancelled()
        return self.result


def test_result_and_states(queue: JobQueue) -> None:
    gate = Gate(result={"verdict": "real"})
    job = queue.submit("a", gate, label="a.jpg")
    assert gate.entered.wait(SOON_S)
    assert (job.state, job.result, job.ended, job.position) == ("running", None, False, 0)
    gate.open.set()
    assert job.wait(SOON_S)
    assert (job.state, job.result, job.error, job.label) == ("done", {"verdict": "real"}, None, "a.jpg")
    assert queue.get(job.id) is job
    assert job.status.started_at is not None and job.status.ended_at is not None
    assert job.status.ended_at >= job.status.started_at


def test_jobs_run_in_order_one_at_a_time(queue: JobQueue) -> None:
    running, order, most = [], [], []

    def work(number: int) -> None:
        running.append(number)
        most.append(len(running))
        order.append(number)
        threading.Event().wait(0.005)
        running.remove(number)

    jobs = [queue.submit(str(number), lambda _, number=number: work(number)) for number in range(8)]
    assert all(job.wait(SOON_S) for job in jobs)
    assert order == list(range(8))
    assert max(most) == 1  # the model must never be run by two jobs at once


def test_two_workers_run_two_jobs_at_once() -> None:
    queue = JobQueue(workers=2)
    both = threading.Barrier(2)  # with one worker the first job would wait here until it breaks
    jobs = [queue.submit(key, lambda _: both.wait(SOON_S)) for key in "ab"]
    assert all(job.wait(SOON_S) for job in jobs)
    assert [job.state for job in jobs] == ["done", "done"]
    queue.close()


def test_position_counts_down(queue: JobQueue) -> None:
    gates = [Gate() for _ in range(3)]
    jobs = [queue.submit(str(number), gate) for number, gate in enumerate(gates)]
    assert gates[0].entered.wait(SOON_S)
    assert [job.position for job in jobs] == [0, 1, 2]
    gates[0].open.set()
    assert gates[1].entered.wait(SOON_S)
    assert [job.position for job in jobs] == [0, 0, 1]
    for gate in gates:
        gate.open.set()


def test_same_key_is_the_same_job_until_it_ends(queue: JobQueue) -> None:
    blocker, gate = Gate(), Gate("first")
    queue.submit("blocker", blocker)
    queued = queue.submit("key", gate)
    assert queue.submit("key", Gate("second")) is queued  # while it waits
    blocker.open.set()
    assert gate.entered.wait(SOON_S)
    assert queue.submit("key", Gate("second")) is queued  # while it runs
    gate.open.set()
    assert queued.wait(SOON_S)
    again = queue.submit("key", lambda _: "second")
    assert again is not queued
    assert again.wait(SOON_S)
    assert (queued.result, again.result) == ("first", "second")


def test_cancel_while_queued_never_runs(queue: JobQueue) -> None:
    blocker, gate = Gate(), Gate()
    first = queue.submit("blocker", blocker)
    job = queue.submit("key", gate)
    assert queue.cancel(job.id)
    assert job.ended and job.state == "cancelled"  # at once, not when its turn comes
    blocker.open.set()
    assert first.wait(SOON_S)
    assert queue.submit("last", lambda _: None).wait(SOON_S)
    assert not gate.entered.is_set()
    assert not queue.cancel(job.id)


def test_cancel_while_running(queue: JobQueue) -> None:
    gate = Gate()
    job = queue.submit("key", gate)
    assert gate.entered.wait(SOON_S)
    job.cancel()
    assert job.wait(SOON_S)
    assert (job.state, job.error) == ("cancelled", None)  # not a failure, and nothing to show as one


def test_a_dying_job_is_not_handed_to_who_asks_anew(queue: JobQueue) -> None:
    entered, leave = threading.Event(), threading.Event()

    def deaf(_: JobContext) -> None:
        entered.set()
        leave.wait(SOON_S)
        raise Cancelled

    dying = queue.submit("key", deaf)
    assert entered.wait(SOON_S)
    dying.cancel()
    fresh = queue.submit("key", lambda _: "result")
    assert fresh is not dying
    leave.set()
    assert fresh.wait(SOON_S)
    assert (dying.state, fresh.state, fresh.result) == ("cancelled", "done", "result")


def test_work_that_is_done_before_it_notices_keeps_its_result(queue: JobQueue) -> None:
    entered, leave = threading.Event(), threading.Event()

    def deaf(context: JobContext) -> bool:
        entered.set()
        leave.wait(SOON_S)
        return context.cancelled

    job = queue.submit("key", deaf)
    assert entered.wait(SOON_S)
    job.cancel()
    leave.set()
    assert job.wait(SOON_S)
    assert (job.state, job.result) == ("done", True)


def test_user_error_is_shown_and_a_bug_is_logged(queue: JobQueue, caplog: pytest.LogCaptureFixture) -> None:
    def unreadable(_: JobContext) -> None:
        raise MediaError("clip.mp4 has no video stream. Choose another file.")

    def bug(_: JobContext) -> None:
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR, logger="core.jobs"):
        shown, hidden = queue.submit("shown", unreadable), queue.submit("hidden", bug, label="clip.mp4")
        assert shown.wait(SOON_S) and hidden.wait(SOON_S)
    assert (shown.state, shown.error) == ("failed", "clip.mp4 has no video stream. Choose another file.")
    assert shown.error_title == MediaError.title
    assert (hidden.state, hidden.error) == ("failed", BUG_MESSAGE)
    assert [record.exc_info is not None for record in caplog.records] == [True]  # the bug alone, and with its stack
    assert queue.submit("next", lambda _: "alive").wait(SOON_S)  # the worker outlives both


def test_partial_results_arrive_while_it_runs(queue: JobQueue) -> None:
    reported, leave = threading.Event(), threading.Event()

    def work(context: JobContext) -> str:
        context.report(1, 4, "Reading frames", partial=["frame 1"])
        context.report(2, 4, "Reading frames")
        reported.set()
        leave.wait(SOON_S)
        return "all"

    job = queue.submit("key", work)
    assert reported.wait(SOON_S)
    assert job.partial == ["frame 1"]  # a report without one keeps the last
    assert (job.progress.done, job.progress.total, job.progress.message) == (2, 4, "Reading frames")
    assert job.progress.fraction == 0.5
    assert job.result is None
    leave.set()
    assert job.wait(SOON_S)


@pytest.mark.parametrize(
    ("reports", "per_second", "seconds_left"),
    [
        ([(0.0, 0)], None, None),  # one report has no speed
        ([(0.0, 0), (2.0, 10)], 5.0, 18.0),  # (100 - 10) / 5
        ([(0.0, 0), (20.0, 1), (30.0, 21)], 2.0, 39.5),  # a slow start is forgotten after ten seconds
        ([(0.0, 0), (1.0, 50), (2.0, 50), (3.0, 50)], 50 / 3, 3.0),  # a stall slows it down
        ([(0.0, 90), (1.0, 0), (2.0, 10)], 10.0, 9.0),  # a second phase counts from its own start
        ([(0.0, 0), (1.0, 120)], 120.0, 0.0),  # more than the estimated total: never negative
        ([(0.0, 5), (0.0, 6)], None, None),  # two reports within the clock's resolution
    ],
)
def test_speed_and_time_left(
    reports: list[tuple[float, int]], per_second: float | None, seconds_left: float | None, queue: JobQueue
) -> None:
    now = 0.0
    job: Job[None] = Job("key", "", lambda _: None, queue)
    context = JobContext(job, clock=lambda: now)
    for now, done in reports:  # noqa: B007  the clock reads it
        context.report(done, 100)
    assert job.progress.per_second == pytest.approx(per_second)
    assert job.progress.seconds_left == pytest.approx(seconds_left)


@pytest.mark.parametrize(
    ("progress", "fraction"),
    [
        (Progress(done=3), None),  # total unknown
        (Progress(done=3, total=4), 0.75),
        (Progress(done=5, total=4), 1.0),  # the total was an estimate
        (Progress(done=0, total=0), None),  # nothing to do: no division by zero
    ],
)
def test_fraction(progress: Progress, fraction: float | None) -> None:
    assert progress.fraction == fraction


def test_ended_jobs_are_bounded_and_living_ones_are_not_dropped() -> None:
    queue = JobQueue(keep_ended=3)
    gate = Gate()
    living = queue.submit("living", gate)
    waiting = [queue.submit(str(number), lambda _: None) for number in range(6)]
    for job in waiting[:5]:
        queue.cancel(job.id)
    assert queue.get(living.id) is living
    assert [queue.get(job.id) is None for job in waiting] == [True, True, False, False, False, False]
    assert waiting[0].state == "cancelled"  # who holds a job may still read it
    gate.open.set()
    queue.close()


def test_an_idle_queue_holds_no_upload() -> None:
    class Upload:
        """Stands for half a gigabyte."""

    queue = JobQueue()
    upload = Upload()
    gone = weakref.ref(upload)
    job = queue.submit("key", lambda _, upload=upload: None)
    assert job.wait(SOON_S)
    assert queue.submit("next", lambda _: None).wait(SOON_S)  # the worker has left the first job behind
    del upload
    gc.collect()
    assert gone() is None
    queue.close()


def test_snapshots_are_consistent(queue: JobQueue) -> None:
    """A page that polls must never see "done" without its result: state and result change in one step."""
    torn = []
    for number in range(200):
        job = queue.submit(str(number), lambda _: "result")
        while not (status := job.status).ended_at:
            torn += [status] if status.state == "done" else []
        torn += [status] if status.result != "result" else []
    assert torn == []


def test_close_cancels_everything() -> None:
    queue = JobQueue()
    gates = [Gate(), Gate()]
    running, waiting = (queue.submit(str(number), gate) for number, gate in enumerate(gates))
    assert gates[0].entered.wait(SOON_S)
    queue.close()
    assert (running.state, waiting.state) == ("cancelled", "cancelled")
    with pytest.raises(RuntimeError, match="closed"):
        queue.submit("late", lambda _: None)


def test_workers_is_checked() -> None:
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        JobQueue(workers=0)
