"""Runs on disk: listed, read whatever state their files are in, made whole, annotated, stopped, deleted."""

import errno
import json
import shutil
import time
from pathlib import Path

import pytest

from core.errors import TrainingError
from core.training import locks, records, runs
from core.training.config import TrainConfig
from core.training.locks import hold, is_held
from core.training.runs import (
    create_run,
    delete_run,
    list_runs,
    read_lines,
    read_run,
    request_stop,
    runs_folder,
    set_note,
    tail_log,
)
from core.training.status import LOCK_FILE, LOST_AFTER_S, write_status
from tests.training.conftest import made


def say(folder: Path, state: str, age_s: float = 0.0, **fields: object) -> None:
    assert write_status(folder, {"state": state, "heartbeat": time.time() - age_s, **fields})


def test_the_runs_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPFAKE_RUNS", str(tmp_path))
    assert runs_folder() == tmp_path
    monkeypatch.delenv("DEEPFAKE_RUNS")
    assert (runs_folder().name, (runs_folder().parent / "train.py").is_file()) == ("runs", True)


def test_a_made_run_is_queued_whole_and_named_by_its_time(root):
    config = TrainConfig(data=("faces", "~/more"), name="mine")
    run = create_run(config)
    assert run.folder.parent == root
    assert abs(time.time() - run.created) < 5
    assert run.id.startswith(time.strftime("%Y%m%d-"))
    assert (run.state, run.live, run.name, run.data) == ("queued", False, "mine", ("faces", "more"))
    # absolute: the trainer starts in another folder
    assert run.config.data == (str(Path.cwd() / "faces"), str(Path.home() / "more"))
    assert [path.name for path in root.iterdir()] == [run.id]
    assert (run.best_auc, run.minutes, run.epochs_done, run.has_model, run.has_checkpoint) == (
        None,
        None,
        0,
        False,
        False,
    )


@pytest.mark.parametrize(("init", "absolute"), [("weights.h5", True), ("default", False), ("imagenet", False)])
def test_starting_weights_are_found_from_elsewhere(root, tmp_path, monkeypatch, init, absolute):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.h5").touch()
    assert made(root, init=init).config.init == (str(tmp_path / init) if absolute else init)


def test_a_run_that_cannot_be_made_leaves_nothing(root, monkeypatch):
    monkeypatch.setattr(runs, "write_status", lambda *_: False)  # the disk filled up after config.json
    with pytest.raises(TrainingError, match=r"No run can be made in .* make room"):
        made(root)
    assert list(root.iterdir()) == []
    (root / "file").touch()
    with pytest.raises(TrainingError, match="No run can be made"):
        made(root / "file")


def test_any_folder_with_a_config_is_a_run_and_the_newest_comes_first(root):
    for name in ("20250101-120000-aaaa", "anything", "20260101-120000-bbbb"):
        (root / name).mkdir()
        TrainConfig(name=name).save(root / name / "config.json")
    (root / "cache").mkdir()  # no run
    (root / ".new-x").mkdir()  # half made
    TrainConfig().save(root / ".new-x/config.json")
    (root / "file").touch()
    assert [run.id for run in list_runs()] == ["anything", "20260101-120000-bbbb", "20250101-120000-aaaa"]
    assert list_runs(root / "nowhere") == []


def test_a_run_tells_how_far_it_came(root):
    folder = made(root).folder
    lines = [{"epoch": n, "val_auc": auc, "elapsed_s": 60.0 * n} for n, auc in ((1, 0.6), (2, 0.9), (3, 0.8))]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints/best.keras").touch()
    say(folder, "running", epoch=4, elapsed_s=200.0)
    run = read_run(folder)
    assert (run.state, run.live, run.best_auc, run.best_epoch, run.epochs_done) == ("running", True, 0.9, 2, 3)
    assert run.minutes == pytest.approx(200 / 60)
    assert run.has_checkpoint
    assert run.status["epoch"] == 4


def test_a_machine_that_slept_wakes_up_with_its_runs_running(root):
    folder = made(root).folder
    say(folder, "running", age_s=LOST_AFTER_S + 1)
    before = (folder / "status.json").read_bytes()
    assert (read_run(folder).state, read_run(folder).live) == ("lost", False)
    assert "killed, out of memory" in read_run(folder).message
    assert (folder / "status.json").read_bytes() == before  # concluded, and not stored
    say(folder, "running")
    assert read_run(folder).state == "running"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("status.json", "{", {"state": "lost"}),  # half written by a full disk
        (
            "status.json",
            '{"state": 3, "message": 4, "elapsed_s": "long"}',
            {"state": "lost", "minutes": None},
        ),  # by hand
        ("status.json", None, {"state": "lost"}),  # deleted
        ("config.json", "{", {"config": None, "data": ()}),  # by hand
        ("config.json", '{"epochs": "many"}', {"config": None}),
        ("config.json", '{"epochs": 0}', {"config": None}),  # impossible
        ("config.json", '{"name": "x", "unknown": 1}', {"name": "x"}),  # a newer version's
        ("metrics.jsonl", '{"val_auc": 0.7}\n{"val_a', {"best_auc": 0.7, "epochs_done": 1}),  # being written
        ("metrics.jsonl", '7\nnull\n{"val_auc": "x", "elapsed_s": []}\n', {"best_auc": None, "epochs_done": 1}),
        ("metrics.jsonl", '{"val_auc": NaN}\n{"val_auc": 0.6}\n', {"best_auc": 0.6}),  # one class in validation
        ("note.txt", "ä" * 5000, {"note": "ä" * 2000}),
        ("metrics.jsonl", "\x00\x00", {"epochs_done": 0}),
    ],
)
def test_damaged_files_count_as_not_there(root, file, text, expected):
    folder = made(root).folder
    say(folder, "finished")
    path = folder / file
    if text is None:
        path.unlink()
    else:
        path.write_text(text, encoding="utf-8")
    run = read_run(folder)
    assert {key: getattr(run, key) for key in expected} == expected
    assert [one.id for one in list_runs()] == [run.id]
    if run.config is None:
        assert "config.json is damaged" in run.message
        assert run.name == run.id


def test_a_run_that_is_gone_is_a_sentence(root):
    folder = made(root).folder
    shutil.rmtree(folder)
    with pytest.raises(TrainingError, match="There is no run in"):
        read_run(folder)
    for act in (delete_run, lambda folder: set_note(folder, "x")):
        with pytest.raises(TrainingError):
            act(folder)
    assert not folder.exists()


def test_lines_are_given_out_when_they_are_complete(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert read_lines(path) == ([], 0)
    path.write_text('{"n": 1}\n{"n":')
    lines, offset = read_lines(path)
    assert (lines, offset) == ([{"n": 1}], 9)
    assert read_lines(path, offset) == ([], 9)
    path.write_text('{"n": 1}\n{"n": "ä"}\nnot json\n[2]\n{"n": 3}\n', encoding="utf-8")
    lines, offset = read_lines(path, offset)
    assert lines == [{"n": "ä"}, {"n": 3}]
    assert offset == path.stat().st_size
    path.write_text('{"n": 9}\n')  # resumed: what came after the checkpoint was dropped
    assert read_lines(path, offset) == ([{"n": 9}], 9)


@pytest.mark.parametrize(
    ("data", "tail"),
    [
        (b"one\ntwo\nthree\n", ["two", "three"]),
        (b"a\n\n\n b\n", ["a", " b"]),  # empty lines say nothing
        (b"1/9\r2/9\r9/9 done\n", ["9/9 done"]),  # a bar that redrew itself
        (b"one\r\ntwo\r\n", ["one", "two"]),  # Windows
        (b"\xff\xfe broken\n", ["\ufffd\ufffd broken"]),
        (b"x" * 200_000 + b"\nlast\nno end", ["last", "no end"]),
        (
            b"pictures\nI0000 00:00:1795380515.43 28629 port.cc:153] oneDNN\nWARNING: before absl::InitializeLog()\n",
            ["pictures"],
        ),
        (b"E0000 00:00:1.0 1 a.cc:2] out of memory\n", ["E0000 00:00:1.0 1 a.cc:2] out of memory"]),  # no greeting
        (b"", []),
        (None, []),
    ],
)
def test_the_end_of_the_log(tmp_path, data, tail):
    if data is not None:
        (tmp_path / "train.log").write_bytes(data)
    assert tail_log(tmp_path, 2) == tail


def test_a_long_log_is_read_from_its_end_alone(tmp_path):
    (tmp_path / "train.log").write_bytes(b"x\n" * 1_000_000)
    assert len(tail_log(tmp_path, 10**6)) == records.TAIL_BYTES // 2


def test_notes(root):
    folder = made(root).folder
    set_note(folder, "  the one with more blur\n")
    assert read_run(folder).note == "the one with more blur"
    set_note(folder, " ")
    assert read_run(folder).note == ""
    assert not (folder / "note.txt").exists()


@pytest.mark.parametrize(
    ("state", "age_s", "after", "file"),
    [
        ("queued", 0.0, "stopped", False),  # leaves the queue at once
        ("running", 0.0, "stopping", True),
        ("finished", 0.0, "finished", False),
        ("failed", 0.0, "failed", False),
        ("running", 1e4, "lost", False),  # nobody would see it, and the next start is not to be stopped
    ],
)
def test_stop(root, state, age_s, after, file):
    folder = made(root).folder
    say(folder, state, age_s)
    request_stop(folder)
    assert read_run(folder).state == after
    assert (folder / "stop").exists() == file


def test_a_silent_process_is_asked_to_stop_all_the_same(root):
    folder = made(root).folder
    say(folder, "running", age_s=1e4)
    with hold(folder / LOCK_FILE):  # suspended, or just woken up
        request_stop(folder)
    assert (folder / "stop").exists()


def test_delete(root):
    folder, other = made(root).folder, made(root, "other").folder
    (folder / "model").mkdir()
    (folder / "model/model.keras").touch()
    delete_run(folder)
    assert [path.name for path in root.iterdir() if not path.name.startswith(".")] == [other.name]
    assert not list(root.glob(".deleted*"))


@pytest.mark.parametrize("alive", ["heartbeat", "lock"])
def test_a_run_that_is_going_is_not_deleted(root, alive):
    folder = made(root).folder
    say(folder, "running", age_s=0 if alive == "heartbeat" else 1e4)
    with (
        hold(folder / LOCK_FILE if alive == "lock" else root / "elsewhere"),
        pytest.raises(TrainingError, match="stop it"),
    ):
        delete_run(folder)
    assert (folder / "config.json").exists()


def test_only_runs_are_deleted(root, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(TrainingError, match="There is no run"):
        delete_run(tmp_path / "photos")
    real = made(tmp_path).folder
    (root / "linked").symlink_to(real)
    delete_run(root / "linked")  # the link goes, what it leads to does not
    assert (real / "config.json").exists()
    assert not (root / "linked").is_symlink()


def test_a_lock_is_free_again_when_its_holder_is_gone(tmp_path):
    path = tmp_path / "lock"
    assert not is_held(path)
    with hold(path) as first, hold(path) as second:
        assert (first, second, is_held(path)) == (True, False, True)
    assert not is_held(path)  # the file is still there
    with hold(path) as again:
        assert again


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def unsupported(_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "_take", unsupported)
    with hold(tmp_path / "lock") as held:
        assert held  # heartbeats must do
        assert not is_held(tmp_path / "lock")


def test_a_queue_that_somebody_holds_on_to_is_a_sentence(root, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_S", 0.1)
    folder = made(root).folder
    with hold(root / locks.QUEUE_LOCK), pytest.raises(TrainingError, match="busy with the runs"):
        request_stop(folder)
