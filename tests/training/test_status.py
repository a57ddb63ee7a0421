"""The heartbeat: what is written, when it is believed, and that nothing that befalls it ends the training."""

import contextlib
import errno
import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from core.training import locks, machine, status
from core.training.locks import hold
from core.training.status import (
    LOCK_FILE,
    LOST_AFTER_S,
    SILENT_AFTER_S,
    RunState,
    StatusWriter,
    number,
    read_status,
    state_of,
    write_status,
)
from tests.training.conftest import until

HERE = socket.gethostname()


def test_what_the_trainer_says_is_read_within_a_second(tmp_path):
    with StatusWriter(tmp_path, task="train") as writer:
        assert read_status(tmp_path)["phase"] == "starting"  # before anything heavy is imported
        writer.update(phase="training", epoch=2, loss=0.5)
        until(lambda: read_status(tmp_path).get("epoch") == 2, 2.0)
        said = read_status(tmp_path)
        writer.end(RunState.FINISHED, "Done.")
    assert (said["state"], said["pid"], said["loss"], said["task"]) == ("running", os.getpid(), 0.5, "train")
    assert abs(said["heartbeat"] - time.time()) < 2
    assert 0 < said["memory_bytes"] < said["memory_total_bytes"]
    assert 0 <= said["cpu_percent"] <= 100
    assert isinstance(said["gpu"], list)
    end = read_status(tmp_path)
    assert (end["state"], end["message"], end["phase"], end["epoch"]) == ("finished", "Done.", None, 2)
    assert end["ended"] >= end["started"]
    assert {path.name for path in tmp_path.iterdir()} == {"status.json"}


def test_it_is_written_a_few_times_a_second_however_often_it_is_updated(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(status, "write_status", lambda folder, document: written.append(document))
    with StatusWriter(tmp_path) as writer:
        ends = time.monotonic() + 2.0
        while time.monotonic() < ends:
            writer.update(step=1)
        writer.end(RunState.FINISHED, "")
    assert 4 <= len(written) <= 2 * 4 + 2


@pytest.mark.parametrize(
    ("said", "files", "state"),
    [
        ({"state": "running", "heartbeat": 0.0}, [], "running"),
        ({"state": "running", "heartbeat": 0.0}, ["stop"], "stopping"),  # it has not yet seen the file
        ({"state": "stopping", "heartbeat": 0.0}, [], "stopping"),  # asked by a signal
        ({"state": "running", "heartbeat": -LOST_AFTER_S - 5}, [], "lost"),
        ({"state": "stopping", "heartbeat": -LOST_AFTER_S - 5}, ["stop"], "lost"),
        ({"state": "running", "heartbeat": LOST_AFTER_S + 5}, [], "lost"),  # the clock was set back
        ({"state": "running"}, [], "lost"),
        ({"state": "running", "heartbeat": "now"}, [], "lost"),  # edited by hand
        ({"state": "running", "heartbeat": True}, [], "lost"),
        ({"state": "queued", "heartbeat": -1e6}, [], "queued"),
        ({"state": "stopped", "heartbeat": -1e6}, [], "stopped"),
        ({"state": "failed", "heartbeat": -1e6}, ["model/model.json"], "failed"),
        ({"state": "lost"}, [], "lost"),
        ({"state": ["running"]}, [], "lost"),  # edited by hand
        ({}, [], "lost"),
        ({}, ["model/model.json"], "finished"),  # the status was deleted, the detector is there
    ],
)
def test_states(tmp_path, said, files, state):
    if isinstance(said.get("heartbeat"), float):
        said = {**said, "heartbeat": said["heartbeat"] + time.time()}
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert state_of(tmp_path, said) == state


@pytest.mark.parametrize(
    ("age_s", "host", "lock", "state"),
    [
        (SILENT_AFTER_S + 1, HERE, "free", "lost"),  # killed: the system has taken the lock back
        (SILENT_AFTER_S + 1, HERE, "held", "running"),  # late: it swaps, or is suspended
        (0.5, HERE, "free", "running"),  # too early to look
        (SILENT_AFTER_S + 1, "elsewhere", "free", "running"),  # a shared disk may not tell of another machine's locks
        (SILENT_AFTER_S + 1, None, "free", "running"),  # just started, it has not said anything yet
        (SILENT_AFTER_S + 1, HERE, "none", "running"),  # nobody ever held one
        (SILENT_AFTER_S + 1, HERE, "unknown", "running"),  # a file system without locks
    ],
)
def test_a_silent_trainer_that_let_go_of_its_lock_is_lost_at_once(tmp_path, monkeypatch, age_s, host, lock, state):
    write_status(tmp_path, {"state": "running", "heartbeat": time.time() - age_s, "host": host})
    if lock != "none":
        (tmp_path / LOCK_FILE).touch()
    if lock == "unknown":
        monkeypatch.setattr(locks, "_take", refuse)
    with hold(tmp_path / LOCK_FILE) if lock == "held" else contextlib.nullcontext():
        assert state_of(tmp_path, read_status(tmp_path)) == state


def refuse(_file):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_last_words_that_came_while_the_lock_was_looked_at_count(tmp_path):
    old = {"state": "running", "heartbeat": time.time() - SILENT_AFTER_S - 1, "host": HERE}
    (tmp_path / LOCK_FILE).touch()
    write_status(tmp_path, {**old, "state": "finished"})
    assert state_of(tmp_path, old) == "finished"


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"state": "runn', "[]", "null", "\x00" * 4096, "[" * 100_000],
    ids=["empty", "brace", "half", "list", "null", "zeros after a power cut", "deep"],
)
def test_a_damaged_status_says_nothing(tmp_path, text):
    (tmp_path / "status.json").write_text(text)
    assert read_status(tmp_path) == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (0.5, 0.5), (True, None), ("1", None), (None, None), (float("nan"), None), (float("inf"), None)],
)
def test_number(value, expected):
    assert number(value) == expected


def test_a_loss_that_diverged_leaves_json_that_everyone_can_read(tmp_path):
    write_status(tmp_path, {"loss": float("nan"), "eta_s": float("inf"), "epoch": 3})
    text = (tmp_path / "status.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {"loss": None, "eta_s": None, "epoch": 3}


def test_readers_never_see_half_a_file(tmp_path):
    write_status(tmp_path, {"n": 0})
    seen, going = [], True

    def read() -> None:
        while going:
            seen.append(json.loads((tmp_path / "status.json").read_bytes())["n"])

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(500):
        assert write_status(tmp_path, {"n": n, "text": "x" * (n * 7 % 3000)})
    going = False
    reader.join()
    assert len(set(seen)) > 2
    assert seen == sorted(seen)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_file_or_writes_it_in_place(tmp_path, monkeypatch):
    write_status(tmp_path, {"state": "running", "message": "x" * 500})
    monkeypatch.setattr(Path, "write_bytes", full)
    assert write_status(tmp_path, {"state": "failed"})
    assert read_status(tmp_path) == {"state": "failed"}
    assert (tmp_path / "status.json").stat().st_size == status.FILE_BYTES  # no new block was asked for


@pytest.mark.parametrize("befalls", ["full", "gone"])
def test_no_misfortune_of_the_file_reaches_the_training(tmp_path, monkeypatch, befalls):
    folder = tmp_path / "run"
    folder.mkdir()
    with StatusWriter(folder) as writer:
        if befalls == "full":
            monkeypatch.setattr(Path, "write_bytes", full)
            monkeypatch.setattr(Path, "open", full)
        else:
            (folder / "status.json").unlink()
            folder.rename(tmp_path / "elsewhere")
        time.sleep(1.0)
        writer.update(step=3)
        assert writer._thread.is_alive()
        assert writer.stop_requested() == (befalls == "gone")  # a run without its folder has nothing to live for
        writer.end(RunState.FAILED, "")
    assert folder.exists() == (befalls == "full")  # it is not made again


def test_a_stop_file_and_a_signal_ask_it_to_stop(tmp_path):
    with StatusWriter(tmp_path) as writer:
        assert not writer.stop_requested()
        (tmp_path / "stop").touch()
        assert writer.stop_requested()
    with StatusWriter(tmp_path) as writer:
        (tmp_path / "stop").unlink()
        assert not writer.stop_requested()
        writer.request_stop()
        assert writer.stop_requested()
        until(lambda: read_status(tmp_path)["state"] == "stopping", 2.0)


def test_a_writer_that_is_left_without_a_word_says_failed(tmp_path):
    with pytest.raises(SystemExit), StatusWriter(tmp_path):
        raise SystemExit
    assert (read_status(tmp_path)["state"], read_status(tmp_path)["message"]) == ("failed", "It ended with SystemExit.")


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("NVIDIA H100, 37, 1024, 81559\n", [("NVIDIA H100", 37, 1024 << 20, 81559 << 20)]),  # one
        (
            "A, 0, 1, 2\nB, c, 5, 6, 7\n",
            [("A", 0, 1 << 20, 2 << 20), ("B, c", 5, 6 << 20, 7 << 20)],
        ),  # a comma in a name
        ("NVIDIA GB10, 3, [N/A], [N/A]\n", []),  # memory shared with the processor
        ("", []),
        ("No devices were found\n", []),
    ],
)
def test_gpus(text, gpus):
    keys = ("name", "percent", "memory_bytes", "memory_total_bytes")
    assert machine.parse_gpus(text) == [dict(zip(keys, gpu, strict=True)) for gpu in gpus]


def test_a_machine_without_nvidia_smi_has_no_gpus(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(machine.shutil, "which", lambda _: "/nowhere/nvidia-smi")
    assert machine.Usage().sample()["gpu"] == []
