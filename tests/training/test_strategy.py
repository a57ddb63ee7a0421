"""Several devices: trained on two logical processors, in a process of its own, since those are made once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from core.errors import TrainingError
from core.training import hardware
from core.training.hardware import precision_scope, resolve_precision, strategy_scope
from core.training.machine import cpu_computes_bfloat16

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import json, shutil, sys
from pathlib import Path
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
import keras
from core.data import prepare
from core.training import initial, loop
from tests.training.tiny import Watcher, build, lines, made_up, settings

base = Path(sys.argv[1])
initial.build_network, prepare.is_tight_source = build, lambda *_: True
config = settings(made_up(base / "data"), strategy="mirrored", head_epochs=1, epochs=2, ema=0.5)
replicas = []
plain = loop._Training.whole

def whole(training, model):
    replicas.append(model.distribute_strategy.num_replicas_in_sync)
    replicas.append(len(model.trainable_variables[0].value.values))
    plain(training, model)

class Copier(Watcher):
    def update(self, **fields):
        super().update(**fields)
        if self.batches == 12 and not (base / "stopped").exists():  # in the third epoch of five batches each
            shutil.copytree(base / "run", base / "stopped")

loop._Training.whole = whole
loop.fit(config, base / "run", base / "cache", watch=Copier())
loop.fit(config, base / "stopped", base / "cache", resume=True)
print(json.dumps([replicas, lines(base / "run"), lines(base / "stopped")]))
"""


def test_two_devices_train_and_what_was_left_of_a_run_is_resumed(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "DEEPFAKE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    replicas, whole, resumed = json.loads(done.stdout.splitlines()[-1])
    assert replicas == [2, 2, 2, 2]  # each variable lies on both
    assert [line["epoch"] for line in whole] == [1, 2, 3]
    assert whole[-1]["val_auc"] > 0.9
    for one, other in zip(whole, resumed, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=2e-3)


def test_one_device_cannot_be_mirrored():
    with pytest.raises(TrainingError, match="needs two GPUs"), strategy_scope("mirrored"):
        pass


@pytest.mark.parametrize(
    ("wanted", "flags", "expected"),
    [
        ("auto", "flags : sse avx512_bf16", "mixed_bfloat16"),
        ("auto", "flags : sse amx_bf16 amx_tile", "mixed_bfloat16"),
        ("auto", "flags : sse avx2 avx512f", "float32"),  # it would be emulated, far slower
        ("auto", None, "float32"),  # not Linux
        ("mixed_bfloat16", "flags : sse", "mixed_bfloat16"),  # asked for
        ("float32", "flags : avx512_bf16", "float32"),
    ],
)
def test_precision(tmp_path, monkeypatch, wanted, flags, expected):
    cpuinfo = tmp_path / "cpuinfo"
    if flags:
        cpuinfo.write_text(flags)
    monkeypatch.setattr(hardware, "_gpus", list)
    monkeypatch.setattr(hardware, "cpu_computes_bfloat16", lambda: cpu_computes_bfloat16(cpuinfo))
    assert resolve_precision(wanted) == expected


def test_a_precision_ends_with_its_scope():
    before = keras.config.dtype_policy().name
    with pytest.raises(KeyError), precision_scope("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise KeyError
    assert keras.config.dtype_policy().name == before
