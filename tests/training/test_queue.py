"""The queue with real processes of a fake trainer: one at a time, in order, without the server, and never twice."""

import contextlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from core.errors import TrainingError
from core.training import launch, queue
from core.training.config import TrainConfig
from core.training.locks import hold
from core.training.runs import create_run, list_runs, read_run, request_stop
from core.training.status import LOCK_FILE, RunState, read_status, write_status
from tests.training.conftest import REPOSITORY, at_work, ended, made, started, trainers, until

pytestmark = pytest.mark.usefixtures("trainer")
LONG = 10_000


def pids(folder):
    """Processes that have written epochs of a run."""
    return {json.loads(line)["pid"] for line in (folder / "metrics.jsonl").read_text().splitlines()}


def test_a_run_is_started_detached_and_ends_by_itself(root):
    folder = started(root, epochs=20)
    until(lambda: "pid" in read_status(folder) or ended(folder))
    process = psutil.Process(read_status(folder)["pid"])
    assert os.getsid(process.pid) != os.getsid(0)  # neither Ctrl+C nor a closing terminal reaches it
    assert process.nice() == launch.NICENESS
    until(lambda: ended(folder))
    run = read_run(folder)
    assert (run.state, run.epochs_done, run.has_model, run.status["phase"]) == ("finished", 20, True, None)
    assert run.message == f"Finished: the detector is in {folder / 'model'}."
    log = (folder / "train.log").read_text()
    assert log.count("calibrating") == 1  # its output is the log already, and is not copied there once more
    until(lambda: queue.tend(root) is None and not launch._children)  # no zombie is kept


def test_the_others_wait_and_the_trainer_that_ends_starts_the_next(root):
    first = started(root, "first", epochs=8)
    second = started(root, "second")
    time.sleep(0.02)
    third = started(root, "full")  # which fails
    time.sleep(0.02)
    fourth = started(root, "fourth")
    assert [read_run(folder).state for folder in (second, third, fourth)] == ["queued"] * 3
    until(lambda: ended(fourth))  # nobody tends: this process only looks
    ends = [read_status(folder)["ended"] for folder in (first, second, third, fourth)]
    assert ends == sorted(ends)
    assert [read_run(folder).state for folder in (first, second, third, fourth)] == [
        "finished",
        "finished",
        "failed",
        "finished",
    ]
    begins = [read_status(folder)["started"] for folder in (second, third, fourth)]
    assert all(end <= begin for end, begin in zip(ends[:3], begins, strict=True))  # never two at a time


def test_two_starters_at_once_start_one_run(root):
    folder = made(root, epochs=20).folder
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: queue.start(folder), range(16)))
    assert {run.id for run in runs} == {folder.name}
    until(lambda: ended(folder))
    assert len(pids(folder)) == 1
    assert read_run(folder).epochs_done == 20


def test_two_processes_that_start_at_once_start_one_run(root):
    folder = made(root, epochs=20).folder
    code = (
        "import sys; from pathlib import Path; from core.training import launch, queue;"
        "from tests.training import fake_trainer; launch.trainer_command = fake_trainer.command;"
        "sys.stdin.read(1); queue.start(Path(sys.argv[1]))"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", code, folder], cwd=REPOSITORY, stdin=subprocess.PIPE) for _ in range(3)
    ]
    time.sleep(1)
    for starter in starters:
        starter.communicate(b"x", timeout=60)
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    until(lambda: ended(folder))  # the processes that started it are gone
    assert len(pids(folder)) == 1


def test_two_presses_of_start_are_one_run(root):
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: started(root, epochs=LONG), range(8)))
    assert len(folders) == 1
    assert len(list_runs(root)) == 1
    assert started(root, seed=1) not in folders  # other settings are another run
    request_stop(*folders)
    until(lambda: all(map(ended, folders)))
    assert started(root, epochs=LONG) not in folders  # after the first has ended it is wanted anew


def test_stop_and_resume(root):
    folder = started(root, epochs=LONG)
    until(lambda: at_work(folder))
    request_stop(folder)
    assert read_run(folder).state in ("stopping", "stopped")
    until(lambda: ended(folder))
    run = read_run(folder)
    assert run.state == "stopped"
    assert run.message.startswith(f"Stopped with {run.epochs_done} epoch")
    until(lambda: not (folder / "stop").exists())
    before = run.epochs_done
    queue.start(folder)
    until(lambda: read_run(folder).epochs_done > before)
    epochs = [json.loads(line)["epoch"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert epochs == list(range(1, len(epochs) + 1))


def test_stop_between_start_and_the_first_sign_of_life_counts(root):
    folder = made(root, epochs=LONG).folder
    (folder / "stop").touch()  # an old one, which does not
    queue.start(folder)
    assert not (folder / "stop").exists()
    request_stop(folder)
    until(lambda: ended(folder))
    assert (read_run(folder).state, read_run(folder).epochs_done) == ("stopped", 0)


def test_a_detector_of_a_stopped_run(root):
    folder = started(root, epochs=LONG)
    until(lambda: at_work(folder))
    request_stop(folder)
    until(lambda: ended(folder))
    epochs = read_run(folder).epochs_done
    queue.start(folder, "finish")
    until(lambda: ended(folder))
    run = read_run(folder)
    assert (run.state, run.has_model, run.epochs_done) == ("finished", True, epochs)
    queue.start(folder)  # and it may be trained further
    until(lambda: read_run(folder).epochs_done > epochs)


def test_what_cannot_be_started(root):
    damaged, empty = made(root).folder, made(root, "empty").folder
    for folder in (damaged, empty):
        write_status(folder, {"state": "stopped"})
    (damaged / "config.json").write_text("{")
    with pytest.raises(TrainingError, match="damaged"):
        queue.start(damaged)
    with pytest.raises(TrainingError, match="no whole epoch"):
        queue.start(empty, "finish")
    with pytest.raises(TrainingError, match="There is no run"):
        queue.start(root / "nowhere")
    assert trainers(root) == []


def test_a_full_disk_keeps_a_run_from_the_queue(root, monkeypatch):
    folder = made(root).folder
    write_status(folder, {"state": "stopped"})
    monkeypatch.setattr(queue, "write_status", lambda *_: False)
    with pytest.raises(TrainingError, match="make room"):
        queue.start(folder)
    assert read_run(folder).state == "stopped"


def test_a_runs_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="DEEPFAKE_RUNS"):
        started(tmp_path / "file/runs")


def test_a_run_that_someone_has_just_taken_up_is_left_to_him(root):
    folder = made(root).folder
    with hold(folder / LOCK_FILE):
        queue.start(folder)
        assert read_run(folder).state == RunState.QUEUED
    assert queue.tend(root) == folder


def test_the_trainers_command_and_its_limits(root, monkeypatch):
    monkeypatch.undo()
    command = launch.trainer_command(root / "a run; rm -rf")
    assert command[0] == sys.executable
    assert command[1:4] == [str(REPOSITORY / "train.py"), "--resume", str(root / "a run; rm -rf")]
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with contextlib.suppress(KeyError):
        monkeypatch.delenv("OMP_NUM_THREADS")
    environment = launch._environment()
    assert (environment["OMP_NUM_THREADS"], environment["PYTHONUNBUFFERED"]) == ("7", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # what its user wants counts more
    assert launch._environment()["OMP_NUM_THREADS"] == "3"


def test_a_run_made_but_never_started_is_started_by_whoever_looks(root):
    folder = create_run(TrainConfig(data=("/data",), name="made"), root).folder
    assert queue.tend(root) == folder
    assert queue.tend(root) is None
