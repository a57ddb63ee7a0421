"""Say whether the faces in images and videos were manipulated.

    python predict.py portrait.jpg                              # a table to read
    python predict.py clip.mp4 --every-frame                    # miss no frame
    python predict.py archive/ --format jsonl --output out.jsonl            # a line as soon as a file is done
    python predict.py archive/ --format jsonl --output out.jsonl --resume   # goes on where that was stopped
    python predict.py archive/ --format csv > out.csv
    python predict.py clip.mp4 --heatmaps heatmaps/             # why: evidence drawn onto the faces
    python predict.py clip.mp4 --heatmap-video why.mp4          # the same for every frame of one video, with its sound
    python predict.py portrait.jpg --model model/mine --format json
    python predict.py clip.mp4 --report clip.pdf --language de  # one file's report, to be filed; or .html
    python predict.py portrait.jpg --format json --metadata     # what the file says of itself, Content Credentials too

Folders are searched for files with the suffix of an image or a video, hidden ones left out; a file that is named is
looked at whatever its name. Exit status: 0 when all files could be read, 1 when some could not (the others are done),
2 for wrong usage or results that cannot be written, 130 when stopped; what was found until then is kept.
"""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SetupError, UserError
from core.output import Progress, check_outputs, open_output, refuse_existing
from core.setup_check import check_system
from core.words import LANGUAGES

if TYPE_CHECKING:
    from core.analysis import Report
    from core.extras import Extras
    from core.media import Sampling

FORMATS = ("table", "json", "jsonl", "csv")
EXIT_DONE, EXIT_SOME_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def build_parser() -> argparse.ArgumentParser:
    """The command line; its help names the default sampling."""
    from core.analysis import DEFAULT_SAMPLING  # late: a missing system library must be told of first

    parser = argparse.ArgumentParser(
        prog="predict.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="images, videos, and folders of them (recursive)")
    parser.add_argument(
        "--model",
        metavar="NAME|FOLDER|FILE",
        help="a detector's name, the folder of one, or a .h5 or .keras file (default: the one in use, else `default`)",
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to the terminal")
    parser.add_argument("--overwrite", action="store_true", help="let --output and --report replace a file")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="leave out files that the JSON Lines in --output tell of, and add to them; what failed is tried again",
    )
    sampling = parser.add_mutually_exclusive_group()
    sampling.add_argument("--every-frame", action="store_true", help="analyse every frame of a video")
    sampling.add_argument(
        "--fps",
        type=_positive_float,
        metavar="F",
        help=f"analyse F frames per second of a video (default: {DEFAULT_SAMPLING})",
    )
    sampling.add_argument(
        "--frames", type=_positive_int, metavar="N", help="analyse N frames, evenly spread over a video"
    )
    parser.add_argument(
        "--engine",
        choices=("auto", "openvino", "tensorflow"),
        default="auto",
        help="what runs the network (default: %(default)s)",
    )
    parser.add_argument(
        "--heatmaps",
        type=Path,
        metavar="DIR",
        help="write the evidence as PNG: for each face of an image, for the strongest frames of each person in a video "
        "(no file is overwritten, and each JSON record names its own as `heatmaps`)",
    )
    parser.add_argument(
        "--heatmap-video",
        type=Path,
        metavar="FILE.mp4",
        help="write one video anew with boxes, evidence and timeline on every frame; no file is overwritten",
    )
    parser.add_argument(
        "--metadata",
        action="store_true",
        help="add to each JSON record what the file says of itself: camera, programs, Content Credentials; offline",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a report on the one file given: FILE ends in .html or .pdf"
    )
    parser.add_argument(
        "--language",
        choices=list(LANGUAGES),
        help="language of the report's fixed texts (default: en)",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    try:
        check_system()
        parser = build_parser()
        arguments = parser.parse_args(argv)
        if arguments.metadata and arguments.format not in ("json", "jsonl"):
            parser.error("--metadata adds to JSON records: give --format json or jsonl as well")
        if arguments.resume and (arguments.format != "jsonl" or not arguments.output):
            parser.error("--resume goes on with JSON Lines: give --format jsonl and --output as well")
        if arguments.resume and arguments.overwrite:
            parser.error("--resume adds to a file and --overwrite replaces it: give one of them")
        if arguments.language and not arguments.report:
            parser.error("--language is that of a report: give --report as well")
        return run(arguments)
    except SetupError as error:
        return _fail(str(error))
    except KeyboardInterrupt as stop:
        print("; ".join(["predict.py: stopped", *map(str, stop.args)]), file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `predict.py … | head`
        _let_go_of_stdout()
        return EXIT_DONE
    except OSError as error:
        _let_go_of_stdout()
        return _fail(f"The results cannot be written ({error.strerror}): make room, or choose another place.")


def _let_go_of_stdout() -> None:
    """What it still holds cannot be written: without this Python would try once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(arguments: argparse.Namespace) -> int:
    """Analyse and write what the arguments ask for."""
    from core.analysis import collect
    from core.analysis.formats import FORMATS as WRITERS

    found = collect(arguments.paths)
    for problem in found.problems:
        print(f"predict.py: {problem}", file=sys.stderr)
    failed, streaming = bool(found.problems), arguments.format == "jsonl"
    with ExitStack() as stack:
        try:
            check_outputs(arguments.output, inputs=found.files)
            done = _done(arguments, found.files)
            files = tuple(path for path in found.files if str(path) not in done)
            extras = _extras(arguments, files)
            if not arguments.overwrite:
                refuse_existing(None if streaming else arguments.output, arguments.report)
            detector = _load(arguments) if files else None
            output = open_output(arguments.output, streaming=streaming, append=arguments.resume, keep_part=True)
            stream = stack.enter_context(output)
        except UserError as error:
            return _fail(str(error))
        except OSError as error:
            return _fail(f'"{error.filename}" cannot be written ({error.strerror}): choose another place.')
        writer = stack.enter_context(WRITERS[arguments.format](stream))
        for report in _reports(files, detector, _sampling(arguments), extras.drawn):
            more, problems = extras.make(report, detector)
            for problem in problems:
                print(f"predict.py: {problem}", file=sys.stderr)
            failed |= report.verdict == "error" or bool(problems)
            writer.write(report, more)
    _say_left_out(found.others if found.files else 0)
    return EXIT_SOME_FAILED if failed else EXIT_DONE


def _done(arguments: argparse.Namespace, files: tuple[Path, ...]) -> frozenset[str]:
    """The paths that an earlier scan told of, where this one goes on with it."""
    from core.resume import recorded, refuse_records

    if arguments.resume:
        return recorded(arguments.output, again=files)
    if arguments.format == "jsonl" and not arguments.overwrite:
        refuse_records(arguments.output)
    return frozenset()


def _say_left_out(count: int) -> None:
    if count:
        files = "1 file is" if count == 1 else f"{count:,} files are"
        print(f"predict.py: {files} left out, as no image and no video by the suffix", file=sys.stderr)


def _reports(files: tuple[Path, ...], detector: Any, sampling: "Sampling", maps: bool) -> "Iterator[Report]":
    from core.analysis import scan_file

    with Progress(len(files)) as progress:
        for path in files:
            progress.begin(path)
            yield scan_file(path, detector, sampling=sampling, maps=maps, on_progress=progress.video)
            progress.end()


def _extras(arguments: argparse.Namespace, files: tuple[Path, ...]) -> "Extras":
    from core.extras import Extras

    return Extras(
        files,
        metadata=arguments.metadata,
        heatmaps=arguments.heatmaps,
        film=arguments.heatmap_video,
        report=arguments.report,
        language=arguments.language or "en",
    )


def _load(arguments: argparse.Namespace) -> Any:
    from core.detector import load_detector
    from core.detector.in_use import in_use

    return load_detector(arguments.model or in_use() or "default", engine=arguments.engine)


def _sampling(arguments: argparse.Namespace) -> "Sampling":
    from core.analysis import DEFAULT_SAMPLING
    from core.media import Sampling

    if arguments.every_frame:
        return Sampling.every_frame()
    if arguments.fps is not None:
        return Sampling.per_second(arguments.fps)
    return Sampling.evenly(arguments.frames) if arguments.frames is not None else DEFAULT_SAMPLING


def _positive_float(text: str) -> float:
    with suppress(ValueError):
        if 0 < (value := float(text)) <= 1000:
            return value
    raise argparse.ArgumentTypeError(f"must be a number above 0 and at most 1000, not {text}")


def _positive_int(text: str) -> int:
    from core.media.sampling import MOST_FRAMES

    with suppress(ValueError):
        if 1 <= (value := int(text)) <= MOST_FRAMES:
            return value
    raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MOST_FRAMES}, not {text}")


def _fail(sentence: str) -> int:
    print(f"predict.py: error: {sentence}", file=sys.stderr)
    return EXIT_USAGE


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as services and `timeout` stop it: by the same way out
    sys.exit(main())
