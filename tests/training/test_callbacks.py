"""Learning rate, speed and records after each batch; event files that TensorBoard's own format reads."""

import itertools

import keras
import numpy as np
import pytest

from core.training import callbacks
from core.training.callbacks import BatchLog, Speedometer, WarmupCosine
from core.training.checkpoints import State
from core.training.config import TrainConfig
from core.training.journal import append_line, drop_after, write_json
from core.training.tensorboard import EventFile
from tests.training.tiny import Watcher, lines


def model():
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    made.compile(optimizer=keras.optimizers.AdamW(1.0), loss="mse")
    return made


def test_the_learning_rate_rises_and_falls():
    state = State()
    schedule = WarmupCosine(state, peak=1e-3, steps=100, warmup=0.1)
    schedule.set_model(model())
    rates = []
    for _ in range(100):
        schedule.on_train_batch_begin(0)
        rates.append(float(np.asarray(schedule.model.optimizer.learning_rate)))
        schedule.on_train_batch_end(0)
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == pytest.approx(1e-3, rel=1e-3)
    # half way down the cosine stands half of the peak: (100 - 10) / 2 + 10
    assert rates[55] == pytest.approx(5e-4, rel=0.05)
    assert rates[-1] < 1e-6
    assert (state.step, state.phase_step) == (100, 100)
    assert schedule.model.stop_training


def test_a_time_budget_ends_the_training():
    schedule = WarmupCosine(State(step=3, elapsed_s=61.0), peak=1e-3, steps=100, warmup=0.1, minutes=1.0)
    schedule.set_model(model())
    schedule.on_train_batch_end(0)
    assert schedule.model.stop_training


def test_speed_is_that_of_the_last_while(monkeypatch):
    clock = itertools.chain([0.0], (float(t) for t in range(1, 200)))
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    speed = Speedometer()
    slow = [speed.add(8) for _ in range(40)]
    fast = [speed.add(24) for _ in range(40)]
    assert slow == [8.0] * 40
    assert fast[-1] == pytest.approx(24.0)  # the slow beginning is forgotten


def test_a_line_every_two_seconds_and_word_after_every_batch(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    state, watch = State("head", epoch=1), Watcher()
    schedule = WarmupCosine(state, peak=0.1, steps=100, warmup=0.0)
    config = TrainConfig(batch_size=8, head_epochs=2, epochs=3)
    log = BatchLog(tmp_path, config, state, schedule, watch, later_s=50.0, on_speed=lambda _: None)
    for one in (schedule, log):
        one.set_model(model())
    log.on_epoch_begin(0)
    for step in range(10):
        now[0] += 0.5
        schedule.on_train_batch_end(step)
        log.on_train_batch_end(step, {"loss": 0.5})
    assert [line["step"] for line in lines(tmp_path, "batches.jsonl")] == [1, 5, 9]
    assert len(watch.told) == 10
    told = watch.told[-1]
    assert (told["phase"], told["epoch"], told["epochs"], told["steps_total"]) == ("head", 2, 5, 100)
    assert told["images_per_s"] == pytest.approx(16.0)
    assert told["eta_s"] == pytest.approx(90 * 8 / 16 + 50.0)


def test_records_are_cut_back_to_a_checkpoint(tmp_path):
    path = tmp_path / "a.jsonl"
    drop_after(path, 3)  # not there: nothing to do
    for step in range(1, 6):
        append_line(path, {"step": step})
    with path.open("a") as file:
        file.write('{"step": 2, "half')
    drop_after(path, 3)
    assert [line["step"] for line in lines(tmp_path, "a.jsonl")] == [1, 2, 3]


def test_json_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, [1])
    with pytest.raises(OSError, match="full"), monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
        write_json(path, [2])
    assert path.read_text().split() == ["[", "1", "]"]
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_event_files_hold_the_scalars(tmp_path):
    import tensorflow as tf

    events = EventFile(tmp_path)
    events.scalars(5, {"loss": 0.5, "val_auc": 0.75})
    events.scalars(10, {"loss": 0.25})
    (path,) = tmp_path.glob("events.out.tfevents.*")
    records = [tf.compat.v1.Event.FromString(one.numpy()) for one in tf.data.TFRecordDataset(str(path))]
    assert records[0].file_version == "brain.Event:2"
    points = [(one.step, value.tag, value.simple_value) for one in records[1:] for value in one.summary.value]
    assert points == [(5, "loss", 0.5), (5, "val_auc", 0.75), (10, "loss", 0.25)]
