"""Measure a detector on labelled pictures, by the very path that users' pictures take.

    python evaluate.py --data DIR
    python evaluate.py --data DIR --model model/default --split val --output figures.json

DIR is what train.py takes: Real/ and Fake/ with pictures, or a manifest.csv. Prints, by source: how many pictures, the
area under the ROC curve with its 95 % bootstrap interval, and how often reals are called fake, fakes real, and either
uncertain at the detector's thresholds.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.setup_check import check_system

ROW = "{:20} {:>6} {:>6} {:>8} {:>7} {:>15} {:>10} {:>10} {:>10}"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", required=True, metavar="DIR", help="labelled pictures")
    parser.add_argument("--model", default="default", help="name, folder or file (default: %(default)s)")
    parser.add_argument("--engine", choices=("auto", "openvino", "tensorflow"), default="auto")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="default: %(default)s")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON")
    return parser.parse_args(arguments)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The figures that `--output` writes."""
    check_system()
    from core.data.dataset import index_data
    from core.detector import load_detector
    from core.evaluation import score_pictures, summarise

    samples = [sample for sample in index_data(options.data) if sample.split == options.split]
    detector = load_detector(options.model, engine=options.engine)
    started = time.perf_counter()
    figures = summarise(score_pictures(samples, detector, on_progress=progress()))
    return {
        "model": detector.name,
        "model_sha256": detector.sha256,
        "engine": f"{detector.engine} {detector.precision}",
        "split": options.split,
        "seconds": round(time.perf_counter() - started, 1),
        "figures": figures,
    }


def progress() -> Any:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    bar = tqdm(unit="picture")

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return show


def table(result: dict[str, Any]) -> str:
    """The figures as aligned text."""
    lines = [
        f"{result['model']} ({result['engine']}), {result['split']} split, {result['seconds']} s",
        ROW.format("source", "real", "fake", "no face", "AUC", "95 %", "real→fake", "fake→real", "uncertain"),
    ]
    for source, f in result["figures"].items():
        shares = [("–" if f[key] is None else f"{f[key]:.3f}") for key in SHARES]
        interval = "{:.3f}–{:.3f}".format(*f["auc_95"])
        lines.append(ROW.format(source, f["real"], f["fake"], f["no_face"], f"{f['auc']:.3f}", interval, *shares))
    return "\n".join([*lines, f"expected calibration error, pooled: {result['figures']['all']['ece']}"])


SHARES = ("real_called_fake", "fake_called_real", "uncertain")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns the exit code."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        result = measure(options)
    except UserError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        return 2
    print(table(result))
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
