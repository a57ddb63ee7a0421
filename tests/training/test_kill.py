"""`kill -9` at random moments, and a full disk: an epoch is lost at most, files are whole, and the curve goes on."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.training.config import TrainConfig
from core.training.runs import create_run, read_run
from core.training.status import read_status
from tests.training.conftest import REPOSITORY, until

pytestmark = pytest.mark.slow
TRAINER = REPOSITORY / "tests/training/tiny_trainer.py"
KILLS = 2


@pytest.fixture
def config(tmp_path):
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 6)):
        for label, level in (("Real", 110), ("Fake", 140)):
            folder = tmp_path / "data" / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                noise = rng.normal(rng.normal(level, 15), 20, (80, 80, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{split}{label}{i}.png"), noise)
    values = {"init": "none", "input_size": 71, "epochs": 14, "epoch_pictures": 40, "batch_size": 8, "self_blend": 0.0}
    return TrainConfig(data=(str(tmp_path / "data"),), precision="float32", learning_rate=0.01, **values)


def trainer(folder):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with (folder / "train.log").open("ab") as log:
        return subprocess.Popen([sys.executable, TRAINER, folder], env=environment, stdout=log, stderr=log)


def lines(folder):
    """Of metrics.jsonl; one that is half written is not there."""
    try:
        text = (folder / "metrics.jsonl").read_text()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def checkpoint(folder):
    """Epochs that a resumed run need not train again; every file that is there must be whole."""
    checkpoints = folder / "checkpoints"
    for name in ("best.keras", "last.keras"):
        if (checkpoints / name).exists():
            with zipfile.ZipFile(checkpoints / name) as archive:
                assert archive.testzip() is None
    state = checkpoints / "state.json"
    return json.loads(state.read_text())["epoch"] if state.exists() else 0


def killed(folder, after_s):
    """A trainer that has gone on for at least one epoch, and is killed some seconds after that."""
    process, before = trainer(folder), len(lines(folder))
    until(lambda: read_status(folder).get("pid") == process.pid, 120)
    until(lambda: len(lines(folder)) > before or process.poll() is not None, 120)
    time.sleep(after_s)
    process.kill()
    process.wait()


@pytest.mark.timeout(600)
def test_killed_at_random_moments(root, config, record_property):
    seed = random.randrange(10**6)
    record_property("seed", seed)
    print("seed", seed)  # shown when it fails
    chance = random.Random(seed)
    whole = create_run(config).folder
    undisturbed = trainer(whole)  # beside the one that is killed: half of the time of both is Keras's import

    folder = create_run(config).folder
    for _ in range(KILLS):
        killed(folder, chance.uniform(0, 1.0))
        written = len(lines(folder))
        assert written - 1 <= checkpoint(folder) <= written + 1  # at most the epoch in hand is lost
        assert read_status(folder)["state"] in ("running", "finished")
    assert trainer(folder).wait(300) == 0
    assert read_run(folder).state == "finished"
    assert undisturbed.wait(300) == 0
    reference, resumed = lines(whole), lines(folder)
    assert [(line["epoch"], line["step"]) for line in resumed] == [(line["epoch"], line["step"]) for line in reference]
    for key in ("loss", "val_auc", "learning_rate"):
        assert [line[key] for line in resumed] == pytest.approx([line[key] for line in reference], abs=1e-3), key
    assert [path.name for path in (folder / "checkpoints").glob("*part*")] == []


@pytest.mark.timeout(400)
def test_a_disk_that_fills_up(small_disk, config):
    config = replace(config, epochs=4)
    run = create_run(config, small_disk / "runs")
    process = trainer(run.folder)
    until(lambda: len(lines(run.folder)) >= 1, 120)
    process.send_signal(signal.SIGSTOP)  # on a busy machine it would have ended before the disk is full
    with (small_disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    process.send_signal(signal.SIGCONT)
    assert process.wait(120) == 2
    full = read_run(run.folder)
    assert (full.state, full.status["reason"]) == ("failed", "disk_full")
    assert full.message.startswith("Disk full")
    assert checkpoint(run.folder) >= len(lines(run.folder)) - 1
    (small_disk / "filler").unlink()
    assert trainer(run.folder).wait(200) == 0
    assert [line["epoch"] for line in lines(run.folder)] == list(range(1, config.all_epochs + 1))


@pytest.mark.timeout(300)
def test_killed_before_its_first_epoch(root, config):
    """While Python starts, while it prepares: there is nothing yet to go on from, and nothing in the way either."""
    config = replace(config, epochs=2)
    folder = create_run(config).folder
    for wait_s in (0.1, 1.5):
        process = trainer(folder)
        time.sleep(wait_s)
        process.kill()
        process.wait()
    assert trainer(folder).wait(200) == 0
    assert [line["epoch"] for line in lines(folder)] == list(range(1, config.all_epochs + 1))
