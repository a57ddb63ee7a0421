"""A run from its first to its last word: states, words, exit codes, the log; without a network."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from core.errors import DataError, SetupError, TrainingError
from core.training import outcome
from core.training.config import TrainConfig
from core.training.execute import execute, finish_only
from core.training.locks import hold
from core.training.runs import list_runs, read_run
from core.training.status import LOCK_FILE, read_status, write_status
from tests.training import fake_trainer
from tests.training.conftest import REPOSITORY, made, until


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    fake_trainer.install(monkeypatch.setitem)


def config(name="quick", **settings):
    return TrainConfig(**{"data": ("/data/faces",), "name": name, "epochs": 3, **settings})


def run(folder, name="quick", **options):
    return execute(folder, config(name), cache=folder.parent / "cache", **options)


def test_a_run_from_the_command_line(root, capsys):
    folder = root / "mine"
    assert run(folder) == 0
    one = read_run(folder)
    assert (one.state, one.config, one.epochs_done, one.has_model) == ("finished", config(), 3, True)
    assert (one.status["task"], one.status["phase"], one.status["reason"]) == ("train", None, None)
    assert capsys.readouterr().out.splitlines() == ["calibrating", f"Finished: the detector is in {folder / 'model'}."]
    assert (folder / "train.log").read_text().splitlines() == [
        "calibrating",
        f"Finished: the detector is in {folder / 'model'}.",
    ]
    assert [one.id for one in list_runs()] == ["mine"]


@pytest.mark.parametrize(
    ("name", "code", "reason", "words", "logged"),
    [
        ("full", 2, "disk_full", "Disk full: .* checkpoint is whole: make room", "OSError"),
        ("hdf5", 2, "disk_full", "Disk full: ", "OSError"),  # HDF5 puts the system's words into its own
        ("chained", 2, "disk_full", "Disk full: ", "RuntimeError"),  # the cause of the cause
        (
            "memory",
            2,
            "out_of_memory",
            "Out of memory with 24 pictures a batch at 160 px: choose a smaller",
            "MemoryError",
        ),
        ("tensor", 2, "out_of_memory", "Out of memory", "OOM when allocating"),  # TensorFlow's
        ("data", 2, "data", r"No faces were found in x\.", None),
        (
            "bug",
            1,
            "error",
            "nobody foresaw; the log has the details. ZeroDivisionError: division by zero$",
            "ZeroDivisionError",
        ),
    ],
)
def test_what_ends_a_run_is_said_in_words(root, capsys, name, code, reason, words, logged):
    folder = root / "mine"
    assert run(folder, name) == code
    one = read_run(folder)
    assert (one.state, one.status["reason"], one.epochs_done, one.has_model) == ("failed", reason, 1, False)
    assert re.search(words, one.message)
    said = capsys.readouterr()
    assert one.message in said.err
    assert "Traceback" not in said.err + said.out  # the stack is for the log alone
    log = (folder / "train.log").read_text()
    assert ("Traceback" in log) == (logged is not None)
    assert logged is None or logged in log


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "out_of_memory"),  # PyTorch's
        (type("_ArrayMemoryError", (MemoryError,), {})("Unable to allocate"), "out_of_memory"),  # NumPy's
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"), "out_of_memory"),  # JAX's
        (OSError(errno.EACCES, "Permission denied"), "error"),
        (SetupError("No GPU."), "setup"),
        (TrainingError("No weights."), "setup"),
        (DataError("Empty."), "data"),
        (ValueError(), "error"),  # without a word
    ],
)
def test_reasons(error, reason):
    said = outcome.failed(error, config())
    assert (said.reason, said.state) == (reason, "failed")
    assert said.message
    assert "\n" not in said.message


def test_a_full_disk_says_so_although_nothing_can_be_written(root, monkeypatch, capsys):
    """The status block is written over in place, the log is passed over, and the checkpoint stays as it was."""
    folder = root / "mine"

    def fill_up(name):
        monkeypatch.setattr("pathlib.Path.write_bytes", full)
        monkeypatch.setattr("pathlib.Path.write_text", full)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fake_trainer, "misfortune", fill_up)
    assert run(folder) == 2
    monkeypatch.undo()
    one = read_run(folder)
    assert one.state == "failed"
    assert one.message.startswith("Disk full")
    assert json.loads((folder / "checkpoints/state.json").read_text()) == {"epoch": 1}
    assert "Disk full" in capsys.readouterr().err


def test_a_disk_that_is_really_full(small_disk, tmp_path, monkeypatch):
    folder, filler = small_disk / "run", small_disk / "filler"

    def fill_up(_):
        with pytest.raises(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 512)

    monkeypatch.setattr(fake_trainer, "misfortune", fill_up)
    assert run(folder) == 2
    one = read_run(folder)
    assert (one.state, one.status["reason"], one.epochs_done) == ("failed", "disk_full", 1)
    assert json.loads((folder / "checkpoints/state.json").read_text()) == {"epoch": 1}
    filler.unlink()
    monkeypatch.undo()
    fake_trainer.install(monkeypatch.setitem)
    assert execute(folder, one.config, cache=tmp_path, resume=True) == 0
    assert read_run(folder).epochs_done == 3


def stop_soon(folder, how):
    def ask():
        until(lambda: read_status(folder).get("epoch", 0) > 1)
        if how == "file":
            (folder / "stop").touch()
        else:
            os.kill(os.getpid(), how)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


@pytest.mark.parametrize("how", ["file", signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop(root, capsys, how):
    folder = root / "mine"
    outer = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what nohup starts ignores this
    asking = stop_soon(folder, how)
    assert execute(folder, config(epochs=9999), cache=root / "cache") == 130
    asking.join()
    one = read_run(folder)
    assert (one.state, one.has_model, one.status.get("reason")) == ("stopped", False, None)
    assert one.epochs_done >= 1
    assert one.message in capsys.readouterr().out
    assert not (folder / "stop").exists()
    assert signal.signal(signal.SIGINT, outer) is signal.default_int_handler
    assert signal.signal(signal.SIGHUP, hangup) is signal.SIG_DFL
    # and on it goes
    assert execute(folder, config(epochs=one.epochs_done + 2), cache=root / "cache", resume=True) == 0
    epochs = [json.loads(line)["epoch"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert epochs == list(range(1, one.epochs_done + 3))


def test_what_its_starter_ignores_it_ignores(root):
    """`nohup python train.py …`: the terminal that closes is no reason to stop."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        asking = stop_soon(root / "mine", signal.SIGHUP)
        assert run(root / "mine") == 0
        asking.join()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_old_stop_file_stops_nothing(root):
    (root / "mine").mkdir()
    (root / "mine/stop").touch()
    assert run(root / "mine") == 0


def test_killed_before_its_first_checkpoint_it_begins_anew(root):
    folder = made(root).folder
    (folder / "metrics.jsonl").write_text('{"epoch": 1, "val_auc": 0.9}\n')
    assert run(folder, resume=True) == 0
    assert read_run(folder).epochs_done == 3
    assert read_run(folder).best_auc == pytest.approx(0.53)  # the first attempt's line is gone


def test_a_detector_of_the_best_epoch(root, capsys):
    folder = root / "mine"
    run(folder, "data")
    assert finish_only(folder, cache=root / "cache") == 0
    one = read_run(folder)
    assert (one.state, one.has_model, one.epochs_done, one.status["task"]) == ("finished", True, 1, "finish")
    # to train on is another wish, whatever the file says of the last
    assert execute(folder, config(), cache=root / "cache", resume=True) == 0
    assert read_run(folder).epochs_done == 3


def test_nothing_to_make_a_detector_of(root, capsys):
    folder = made(root).folder
    assert finish_only(folder, cache=root / "cache") == 2
    assert "No epoch has ended yet" in read_run(folder).message
    assert finish_only(root / "nowhere", cache=root / "cache") == 2
    assert "name the folder of a training run" in capsys.readouterr().err
    assert not (root / "nowhere").exists()


def test_another_run_is_not_written_over(root, capsys):
    run(root / "mine")
    before = (root / "mine/metrics.jsonl").read_text()
    assert run(root / "mine", "another") == 2
    assert "holds a run already: go on with --resume" in capsys.readouterr().err
    assert ((root / "mine/metrics.jsonl").read_text(), read_run(root / "mine").name) == (before, "quick")


def test_a_folder_of_other_files_does_not_become_a_run(root, capsys):
    (root / "photos").mkdir(parents=True)
    (root / "photos/a.png").write_bytes(b"mine")
    assert run(root / "photos") == 2
    assert "holds other files: name an empty or a new folder" in capsys.readouterr().err
    assert [path.name for path in (root / "photos").iterdir()] == ["a.png"]


def test_a_run_that_is_going_is_not_started_again(root, capsys, monkeypatch):
    folder = made(root).folder
    write_status(folder, {"state": "running", "heartbeat": 1.0})
    with hold(folder / LOCK_FILE):
        assert run(folder, resume=True) == 2
    assert "is going on already" in capsys.readouterr().err
    assert read_status(folder) == {"state": "running", "heartbeat": 1.0}


def test_a_folder_that_cannot_be_made(root, capsys):
    (root / "file").touch()
    assert run(root / "file/run") == 2
    assert "cannot be made" in capsys.readouterr().err


def test_in_a_thread_it_runs_without_signals(root):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(run(root / "mine")))
    thread.start()
    thread.join()
    assert codes == [0]


def test_a_sign_of_life_comes_before_anything_heavy_is_imported():
    code = "import sys, core.training.execute; print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
