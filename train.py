"""Train a detector.

    python train.py --data DIR --init ../shared/weights/xception_imagenet_notop_fp16.weights.h5
    python train.py --data DIR --run-dir runs/long --minutes 90
    python train.py --resume runs/long

DIR holds Real/ and Fake/ with pictures (below train/, val/ and test/, or split by chance), or a manifest.csv with the
columns path, label, split and, if there are any, source and group. Several --data may be given. Faces are found and
cropped first, once. The run's folder then holds config.json, metrics.jsonl, checkpoints/ and, at the end, model/: a
detector for `predict.py --model RUN/model`.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from core.errors import UserError
from core.training.config import TrainConfig

CACHE = Path("runs/cache")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """One flag for each setting; exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, help="folder of the run (default: runs/<time>)")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with the run in this folder")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where face crops are kept (default: %(default)s)")
    for setting in fields(TrainConfig):
        flag, text = "--" + setting.name.replace("_", "-"), setting.metadata["help"]
        if setting.default == ():
            metavar = "DIR" if setting.name == "data" else "NAME=NUMBER"
            parser.add_argument(flag, action="append", default=[], metavar=metavar, help=text)
        else:
            kind = type(setting.default)
            parser.add_argument(flag, type=kind, default=setting.default, help=f"{text} (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.resume and not options.data:
        parser.error("name the data: --data DIR")
    return options


def configuration(options: argparse.Namespace) -> TrainConfig:
    """The settings asked for, or those of the run to resume."""
    if options.resume:
        return TrainConfig.load(options.resume / "config.json")
    values = {setting.name: getattr(options, setting.name) for setting in fields(TrainConfig)}
    data = tuple(str(Path(folder).resolve()) for folder in options.data)
    return TrainConfig(**{**values, "data": data, "source_weights": tuple(options.source_weights)})


def show_prepared(done: int, total: int) -> None:
    """Prints a line now and then."""
    if done % 500 == 0 or done == total:
        print(f"pictures: {done} of {total}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains; returns the exit code."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        config = configuration(options)
        from core.training.loop import fit  # after the arguments are known to be right: TensorFlow takes seconds

        folder = options.resume or options.run_dir or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
        best = fit(config, folder, options.cache, resume=bool(options.resume), on_progress=show_prepared)
        from core.training.finish import finish

        print(f"best checkpoint: {best}; calibrating and measuring it")
        print(f"detector: {finish(folder, config, on_progress=show_prepared)}")
    except UserError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
