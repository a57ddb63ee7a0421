"""What befalls trainers: killed, suspended, not started, taken their folder; the machine, restarted."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from core.errors import TrainingError
from core.training import launch, queue
from core.training.runs import delete_run, list_runs, read_run, request_stop
from core.training.status import read_status, write_status
from tests.training.conftest import REPOSITORY, at_work, ended, kill, made, started, trainers, until

pytestmark = pytest.mark.usefixtures("trainer")
LONG = 10_000


def test_a_queue_moves_on_after_a_kill_when_somebody_looks(root, monkeypatch):
    monkeypatch.setattr("core.training.status.SILENT_AFTER_S", 1e6)
    first, second = started(root, "killed"), started(root, "second")
    until(lambda: "pid" in read_status(first) and not trainers(root))
    assert queue.tend(root) is None  # for all that is known it is alive
    assert read_run(second).state == "queued"
    monkeypatch.setattr("core.training.status.SILENT_AFTER_S", 0.5)  # and then the lock tells, without a long wait
    monkeypatch.setattr("core.training.status.LOST_AFTER_S", 1e6)
    until(lambda: read_run(first).state == "lost")
    assert queue.tend(root) == second
    until(lambda: ended(second))
    assert read_run(first).state == "lost"  # it is its user's to resume


def test_a_suspended_run_is_not_taken_for_dead_by_the_queue(root, monkeypatch):
    first, second = started(root, "first", epochs=LONG), started(root, "second")
    until(lambda: at_work(first))
    process = psutil.Process(read_status(first)["pid"])
    process.suspend()
    monkeypatch.setattr("core.training.status.LOST_AFTER_S", 0.5)
    monkeypatch.setattr(queue, "ENDING_S", 0.1)
    until(lambda: read_run(first).state == "lost")
    assert queue.tend(root) is None
    with pytest.raises(TrainingError, match="silent"):
        queue.start(first)
    process.resume()
    until(lambda: read_run(first).state == "running")
    assert read_run(second).state == "queued"


@pytest.mark.parametrize("how", ["no program", "no start"])
def test_a_trainer_that_does_not_start_says_so_and_the_next_has_its_turn(root, monkeypatch, how):
    folder = made(root).folder
    time.sleep(0.02)
    following = made(root, "following").folder
    if how == "no start":
        (folder / "no_start").touch()
    else:
        good = launch.trainer_command
        monkeypatch.setattr(launch, "trainer_command", lambda f: ["/nowhere"] if f == folder else good(f))
    queue.start(folder)
    until(lambda: bool(queue.tend(root)) or ended(folder))
    run = read_run(folder)
    assert run.state == "failed"
    expected = "could not be started (No such file" if how == "no program" else "the interpreter is broken"
    assert expected in run.message
    queue.tend(root)
    until(lambda: ended(following))
    assert read_run(following).state == "finished"


def test_a_run_deleted_while_it_waits_or_runs(root):
    first, second = started(root, "first", epochs=LONG), started(root, "second")
    until(lambda: at_work(first))
    with pytest.raises(TrainingError, match="still running"):
        delete_run(first)
    delete_run(second)
    (first).rename(root.parent / "moved away by hand")
    until(lambda: not trainers(root), 20)  # it has nothing to live for
    assert list_runs(root) == []


def test_after_a_restart_of_the_machine(root, monkeypatch):
    """All processes are gone at once; status files say what they said, lock files lie about."""
    first, second = started(root, "first", epochs=LONG), started(root, "second")
    until(lambda: at_work(first))
    kill(first)
    until(lambda: not trainers(root))
    launch._children[0][1].wait()
    launch._children.clear()
    stale = {**read_status(first), "heartbeat": time.time() - 3600}
    write_status(first, stale)
    assert [read_run(folder).state for folder in (first, second)] == ["lost", "queued"]
    done = read_run(first).epochs_done
    assert queue.tend(root) == second
    assert queue.start(first).state == "queued"
    until(lambda: read_run(first).epochs_done > done)
    assert read_run(second).state == "finished"


def test_killed_while_it_calibrates_it_is_not_trained_again(root, monkeypatch):
    folder = started(root, "killed late")
    until(lambda: (folder / "killed").exists() and not trainers(root))
    monkeypatch.setattr("core.training.status.LOST_AFTER_S", 0.5)
    until(lambda: read_run(folder).state == "lost")
    trained = (folder / "metrics.jsonl").read_text()
    queue.start(folder)
    until(lambda: read_run(folder).state == "finished")
    assert (folder / "metrics.jsonl").read_text() == trained


def test_neither_ctrl_c_nor_the_end_of_the_server_reaches_a_run(root):
    folder = made(root, epochs=LONG).folder
    code = (
        "import sys, time; from pathlib import Path; from core.training import launch, queue;"
        "from tests.training import fake_trainer; launch.trainer_command = fake_trainer.command;"
        "queue.start(Path(sys.argv[1])); time.sleep(60)"
    )
    server = subprocess.Popen([sys.executable, "-c", code, folder], cwd=REPOSITORY, start_new_session=True)
    until(lambda: at_work(folder))
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does
    os.killpg(server.pid, signal.SIGKILL)
    server.wait(10)
    epochs = read_run(folder).epochs_done
    until(lambda: read_run(folder).epochs_done > epochs + 3)
    request_stop(folder)
    until(lambda: ended(folder))
    assert read_run(folder).state == "stopped"


def test_sigterm_stops_a_run_as_its_user_would(root):
    folder = started(root, epochs=LONG)
    until(lambda: at_work(folder))
    os.kill(read_status(folder)["pid"], signal.SIGTERM)  # what a shutdown sends
    until(lambda: ended(folder))
    assert read_run(folder).state == "stopped"
