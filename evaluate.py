"""Measure a detector on labelled pictures and videos, by the very path that users' media take.

    python evaluate.py --data DIR                               # a table: AUC, errors, calibration, by source
    python evaluate.py --data DIR --html report.html            # all curves, one page, opens offline and prints
    python evaluate.py --data DIR --robustness --json out.json  # also compressed, shrunk, blurred … copies
    python evaluate.py --data DIR --compare model/other         # which of two is better, and could it be chance
    python evaluate.py --data DIR --split val --gates           # where it errs, and which quality gates that asks for
    python evaluate.py --data DIR --limit 20 --explanations 24  # which heatmap is faithful, and how long each takes

DIR is what train.py takes: Real/ and Fake/ with pictures or videos, or a manifest.csv (path, label, and optionally
source, split, group and further columns to group by). Beside each AUC stands, with --baseline, that of a model that
sees nothing but the spectrum of the same crops. A second run on the same files takes what it can from the first.

Exit status: 0 when done, 2 for wrong usage or data, 130 when stopped.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.output import cannot_write, check_outputs, open_output
from core.setup_check import check_system

if TYPE_CHECKING:
    from core.detector import Detector

EXIT_DONE, EXIT_USAGE, EXIT_INTERRUPTED = 0, 2, 130


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="evaluate.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", action="append", required=True, metavar="DIR", help="labelled folder or manifest.csv; repeatable")
    add("--model", metavar="NAME|FOLDER|FILE", help="which detector (default: the one in use, else `default`)")
    add("--compare", metavar="NAME|FOLDER|FILE", help="a second detector on the same media")
    add(
        "--engine",
        choices=("auto", "openvino", "tensorflow"),
        default="auto",
        help="what runs the network (default: %(default)s)",
    )
    add(
        "--split",
        choices=("auto", "test", "val", "train", "all"),
        default="auto",
        help="default: test where the data name splits, else all; others are then drawn as training draws them",
    )
    add("--limit", type=int, metavar="N", help="at most N a source, half of them real, always the same ones")
    add("--baseline", action="store_true", help="also what low-level statistics alone tell")
    add(
        "--robustness", action="store_true", help="also JPEG, downscaling, blur, noise, colour and H.264 at many levels"
    )
    add(
        "--changes", nargs="+", metavar="KIND", default=(), help="of --robustness, these alone: jpeg, downscale, blur …"
    )
    add("--robustness-limit", type=int, metavar="N", help="pictures a source for that, and for --gates (default: 200)")
    add("--gates", action="store_true", help="also errors by size, sharpness, turn, light and noise of the face")
    add(
        "--explanations",
        type=faces,
        metavar="N",
        default=0,
        help="also methods of explanation, on N faces manipulated in known places; 24 take about ten minutes where the "
        "processor has AMX, and many times that elsewhere",
    )
    add("--json", "--output", type=Path, metavar="FILE", dest="json", help="write everything that was measured")
    add("--html", type=Path, metavar="FILE", help="write one self-contained page, with faces from the worst mistakes")
    add("--anonymous", action="store_true", help="leave file names, folders and faces out of both")
    options = parser.parse_args(arguments)
    if options.changes and not options.robustness:
        parser.error("--changes chooses among those of --robustness: give that as well")
    if options.robustness_limit is not None and not (options.robustness or options.gates):
        parser.error("--robustness-limit is that of changed copies: give --robustness or --gates as well")
    if options.anonymous and not (options.json or options.html):
        parser.error("--anonymous is for files that are passed on: give --json or --html as well")
    return options


def faces(text: str) -> int:
    """A number of faces."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number of faces from 1 on, and is {text}")
    return int(text)


def measure(options: argparse.Namespace) -> tuple[dict[str, Any], "Detector"]:
    """The document that `--json` writes, and the detector that was measured."""
    from core.detector import load_detector
    from core.detector.in_use import in_use
    from core.evaluation import Request, anonymous, evaluate

    request = Request(
        data=tuple(options.data),
        split=options.split,
        limit=options.limit,
        baseline=options.baseline,
        robustness=options.robustness,
        robustness_limit=200 if options.robustness_limit is None else options.robustness_limit,
        changes=tuple(dict.fromkeys(options.changes)),
        gates=options.gates,
        explanations=options.explanations,
    )
    check_outputs(options.json, options.html, inputs=options.data)
    for path, ending in ((options.json, ".json"), (options.html, ".html")):
        if path and path.suffix.lower() != ending and (path.is_file() or not path.exists()):
            raise UserError(f"{path} does not end in {ending}: give the results a file that does.")
    detector = load_detector(options.model or in_use() or "default", engine=options.engine)
    other = load_detector(options.compare, engine=options.engine) if options.compare else None
    document = evaluate(request, detector, other, on_progress=progress())
    return anonymous(document) if options.anonymous else document, detector


def progress() -> Callable[[int, int, str], None] | None:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    bar = tqdm(unit="picture", delay=0.2)  # where there is nothing to do, none is drawn

    def show(done: int, total: int, words: str) -> None:
        bar.total = total
        bar.set_description_str(words, refresh=False)
        bar.update(done - bar.n)

    return show


def write(path: Path, text: str) -> None:
    """Whole or not at all."""
    try:
        with open_output(path, streaming=False) as stream:
            stream.write(text)
    except OSError as error:
        raise cannot_write(path, error) from error


def run(options: argparse.Namespace) -> None:
    """Measures, prints and writes what was asked for."""
    check_system()
    from core.evaluation import to_json
    from core.evaluation.gallery import find_evidence, gallery
    from core.evaluation.text import as_text
    from core.evaluation_html import as_html

    document, detector = measure(options)
    print(as_text(document))
    if options.json:
        write(options.json, to_json(document))
    if options.html:
        cards = gallery(document, partial(find_evidence, detector=detector), progress())
        write(options.html, as_html(document, cards))


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        run(options)
    except UserError as error:
        print(f"{error.title}: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("evaluate.py: stopped; what was judged so far is remembered", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
