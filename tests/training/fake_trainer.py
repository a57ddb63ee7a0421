"""A trainer without a network, as a process of its own: `python fake_trainer.py --resume RUN --cache DIR`.

Everything around the training is the product's; only `fit` and `finish` are made up, and what they do follows from the
run's name. The module can also be installed into a test's own process (`install`).
"""

import errno
import json
import os
import signal
import sys
import time
import types
from pathlib import Path

from core.errors import Cancelled, DataError
from core.training import launch
from core.training.config import TrainConfig

STEPS = 5
STEP_S = 0.02


class Stopped(Cancelled):
    pass


class ResourceExhaustedError(Exception):
    """TensorFlow's, by its name."""


def chained():
    try:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise RuntimeError("Unable to flush file") from error


def misfortune(name: str) -> None:
    """What befalls a run of this name in its second epoch."""
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "chained":
        chained()
    elif name in ERRORS:
        raise ERRORS[name]


ERRORS = {
    "full": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "hdf5": OSError("Can't write data (errno = 28, error message = 'No space left on device')"),
    "memory": MemoryError(),
    "tensor": ResourceExhaustedError("OOM when allocating tensor"),
    "data": DataError("No faces were found in x."),
    "bug": ZeroDivisionError("division by zero\nin two lines"),
}


def fit(config, folder, cache, *, resume, watch):
    (folder / "checkpoints").mkdir(exist_ok=True)
    state = folder / "checkpoints/state.json"
    done = json.loads(state.read_text())["epoch"] if resume else 0
    for epoch in range(done + 1, config.epochs + 1):
        for step in range(STEPS):
            time.sleep(STEP_S)
            watch.update(phase="training", epoch=epoch, epochs=config.epochs, step=step, elapsed_s=float(epoch))
            if watch.stop_requested():
                raise Stopped
        if epoch == 2:
            misfortune(config.name)
        put(folder / "checkpoints/best.keras", "weights" * 30_000)
        put(state, json.dumps({"epoch": epoch}))
        line = {"epoch": epoch, "val_auc": 0.5 + epoch / 100, "elapsed_s": 60.0 * epoch, "pid": os.getpid()}
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def put(path, text):
    half = path.with_suffix(".part")
    half.write_text(text)
    half.replace(path)


def finish(run, config, cache, *, watch):
    print("calibrating", flush=True)
    if config.name == "killed late" and not (run / "killed").exists():
        (run / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    (run / "model").mkdir(exist_ok=True)
    (run / "model/model.json").write_text("{}")


def install(replace=setattr) -> None:
    """Puts these in the place of the real ones, which would import TensorFlow; `replace` as monkeypatch.setitem."""
    for name in ("loop", "finish"):
        module = types.ModuleType(f"core.training.{name}")
        vars(module).update(fit=fit, finish=finish)
        replace(sys.modules, module.__name__, module)


def command(folder: Path) -> list[str]:
    return [sys.executable, __file__, "--resume", str(folder), "--cache", str(folder.parent / "cache")]


def main() -> int:
    from core.training.execute import execute

    install(dict.__setitem__)
    launch.trainer_command = command  # for the next in line
    folder, cache = Path(sys.argv[2]), Path(sys.argv[4])
    if (folder / "no_start").exists():
        sys.exit("the interpreter is broken")
    return execute(folder, TrainConfig.load(folder / "config.json"), cache=cache, resume=True)


if __name__ == "__main__":
    sys.exit(main())
