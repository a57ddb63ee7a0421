"""Train a detector.

    python train.py --data DIR --preset quick --init ../shared/weights/xception_imagenet_notop_fp16.weights.h5
    python train.py --data DIR --run-dir runs/long --minutes 90
    python train.py --data DIR --self-blend 1        # DIR holds real pictures only
    python train.py --resume runs/long
    python train.py --finish runs/long               # make a detector of the best epoch so far

DIR holds Real/ and Fake/ (or several kinds of fakes, each in a folder) with pictures or videos, below train/, val/ and
test/ or split by chance; or a manifest.csv with the columns path, label and, if there are any, split, source and group.
Several --data may be given. Faces are found and cropped first, once. The presets take about two minutes (quick), forty
(standard) and some hours (thorough) on two cores that compute in bfloat16, about seven times as long on others; what is
given beside a preset wins. The run's folder then holds
config.json, metrics.jsonl, checkpoints/ and, at the end, model/: a detector for `predict.py --model RUN/model`.
"""

import argparse
import os
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from core.errors import SetupError, UserError
from core.training.config import TrainConfig
from core.training.presets import PRESETS
from core.training.runs import CONFIG_FILE, runs_folder

METAVARS = {"data": "DIR", "preset": "NAME", "init": "imagenet|NAME|FILE|none"}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """One flag for each setting, there only when it was given; exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, help="folder of the run (default: runs/<time>-<id>)")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with the run in this folder")
    parser.add_argument("--finish", type=Path, metavar="RUN", help="make a detector of the best epoch so far")
    parser.add_argument("--cache", type=Path, help="where face crops are kept (default: runs/cache)")
    for setting in fields(TrainConfig):
        _add_flag(parser, setting)
    options = parser.parse_args(arguments)
    given = [setting.name for setting in fields(TrainConfig) if setting.name in options]
    if options.resume or options.finish:
        if given or options.run_dir or (options.resume and options.finish):
            parser.error("a run goes on with its own settings: beside --resume or --finish only --cache is allowed")
    elif not given or "data" not in given:
        parser.error("name the data: --data DIR")
    return options


def _add_flag(parser: argparse.ArgumentParser, setting: "Field[Any]") -> None:
    flag, default = "--" + setting.name.replace("_", "-"), setting.default
    choices = tuple(PRESETS) if setting.name == "preset" else setting.metadata["choices"] or None
    common: dict[str, Any] = {"dest": setting.name, "default": argparse.SUPPRESS, "choices": choices}
    metavar = METAVARS.get(setting.name)
    text = setting.metadata["help"].replace("%", "%%")
    if isinstance(default, tuple):
        metavar = metavar or (None if choices else "NAME=NUMBER")
        parser.add_argument(flag, action="append", metavar=metavar, help=f"{text} (may be given again)", **common)
        return
    shown = f" (default: {default})" if default != "" else ""
    parser.add_argument(flag, type=type(default), metavar=metavar, help=text + shown, **common)


def configuration(options: argparse.Namespace) -> TrainConfig:
    """The settings asked for, on top of the preset's; or those of the run to go on with."""
    going_on = options.resume or options.finish
    if going_on:
        return TrainConfig.load(going_on / CONFIG_FILE)
    given = {name: value for name, value in vars(options).items() if name in {one.name for one in fields(TrainConfig)}}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    values["data"] = tuple(str(Path(folder).resolve()) for folder in values["data"])
    return PRESETS[values["preset"]].config(**values) if "preset" in values else TrainConfig(**values)


def look_first(config: TrainConfig, cache: Path) -> None:
    """What is misspelt is said before there is a run that failed of it. Raises UserError."""
    from core.data.dataset import existing
    from core.training.start import check_start

    for folder in config.data:
        existing(folder)
    check_start(config)
    if cache.exists() and not cache.is_dir():
        raise SetupError(f"{cache} is no folder: name one as --cache, or a new one.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains; returns the exit code."""
    options = parse(arguments)
    # without a GPU TensorFlow calls that an error, in the words of its source
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if Path("/dev/nvidia0").exists() else "3")
    try:
        config = configuration(options)
        new = options.run_dir or runs_folder() / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"
        cache = options.cache or runs_folder() / "cache"
        if not (options.resume or options.finish):
            look_first(config, cache)
    except UserError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        return 2
    from core.training.execute import execute  # after the arguments are known to be right

    folder = options.resume or options.finish or new
    return execute(folder, config, cache=cache, resume=bool(options.resume), finish_only=bool(options.finish))


if __name__ == "__main__":
    sys.exit(main())
