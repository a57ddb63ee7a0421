"""Many media to many reports: files and folders are walked, and a file that fails becomes a record, not an end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.analysis.faults import told_of
from core.analysis.image import analyze_image
from core.analysis.types import ImageReport, Report, VideoReport
from core.analysis.video import DEFAULT_SAMPLING, VideoProgress, analyze_video
from core.errors import MediaError
from core.faces import FaceFinder
from core.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES, Sampling, media_kind, shown_name

if TYPE_CHECKING:
    from core.detector.engine import Detector

FOLDERS_SHOWN = 6
"""Of a path in a sentence, the last ones."""


@dataclass(frozen=True)
class Found:
    """What `collect` found.

    Attributes:
        files: Files to analyse, each once, in the order of the paths given, folders sorted by name.
        problems: A sentence for each folder that cannot be read or holds no media.
        others: How many files in folders have another suffix and were left out.
    """

    files: tuple[Path, ...]
    problems: tuple[str, ...] = ()
    others: int = 0


def collect(paths: Iterable[str | Path]) -> Found:
    """Files and folders to a list of files.

    A file that is named is taken whatever it is. From a folder, and all folders in it, files with the suffix of an
    image or a video are taken; hidden ones are not. Links are followed, and a loop of links ends.
    """
    files: dict[str, Path] = {}
    problems: list[str] = []
    others = 0
    for named in paths:
        if not str(named):
            problems.append("An empty path was given: name a file or a folder, or . for this one.")
            continue
        path = Path(named)
        if not _is_folder(path):
            files.setdefault(_key(path), path)
            continue
        unreadable: list[str] = []
        all_inside = list(_walk(path, unreadable))
        inside = [file for file in all_inside if file.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES]
        others += len(all_inside) - len(inside)
        problems += unreadable
        if not inside and not unreadable:
            problems.append(f'The folder "{shown_name(path.absolute())}" holds no image and no video.')
        for file in inside:
            files.setdefault(_key(file), file)
    return Found(tuple(files.values()), tuple(problems), others)


def scan(
    paths: Iterable[str | Path],
    detector: Detector,
    finder: FaceFinder | None = None,
    *,
    sampling: Sampling = DEFAULT_SAMPLING,
    maps: bool = False,
    on_progress: Callable[[Path, VideoProgress], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Iterator[Report]:
    """A report for each file, as soon as it is done.

    Args:
        paths: Files and folders; see `collect`, which also tells of folders without media.
        detector: Who judges.
        finder: Who finds faces; the process's shared one when None.
        sampling: Which frames of a video are analysed.
        maps: Keep the activation maps.
        on_progress: Told how far a video is.
        should_cancel: Asked before each file, frame and batch.

    Yields:
        `ImageReport` or `VideoReport`; a file that cannot be read has the verdict `error` and a sentence in `error`.

    Raises:
        Cancelled: `should_cancel` said so while a video was analysed. Between files the scan just ends.
    """
    for path in collect(paths).files:
        if should_cancel and should_cancel():
            return
        yield scan_file(
            path,
            detector,
            finder,
            sampling=sampling,
            maps=maps,
            on_progress=partial(on_progress, path) if on_progress else None,
            should_cancel=should_cancel,
        )


def scan_file(
    path: str | Path,
    detector: Detector,
    finder: FaceFinder | None = None,
    *,
    sampling: Sampling = DEFAULT_SAMPLING,
    maps: bool = False,
    on_progress: Callable[[VideoProgress], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> ImageReport | VideoReport:
    """The report on one file, by what it holds and not by its suffix; never raises `MediaError`, see `scan`."""
    kind = None
    try:
        kind = media_kind(path)
        if kind is None:
            raise MediaError(f'"{shown_name(path)}" is neither an image nor a video that can be read here.')
        with told_of(path):
            if kind == "image":
                return analyze_image(path, detector, finder, maps=maps)
            return analyze_video(
                path,
                detector,
                finder,
                sampling=sampling,
                on_progress=on_progress,
                should_cancel=should_cancel,
                maps=maps,
            )
    except MediaError as error:
        return _error_report(path, kind, str(error), detector)


def _error_report(path: str | Path, kind: str | None, sentence: str, detector: Detector) -> ImageReport | VideoReport:
    is_video = kind == "video" if kind else Path(path).suffix.lower() in VIDEO_SUFFIXES
    record = VideoReport if is_video else ImageReport
    return record(path=str(path), verdict="error", error=sentence, model=detector.name, model_sha256=detector.sha256)


def _walk(folder: Path, unreadable: list[str]) -> Iterator[Path]:
    """Files in a folder that are not hidden, sorted by name at each level, files before folders."""
    seen: set[tuple[int, int]] = set()

    def complain(error: OSError) -> None:
        lies_in = "/".join(shown_name(part) for part in Path(error.filename or folder).parts[-FOLDERS_SHOWN:])
        advice = "check its permissions" if isinstance(error, PermissionError) else "it was left out, with all in it"
        unreadable.append(f'The folder "{lies_in.replace("//", "/")}" cannot be read ({error.strerror}): {advice}.')

    for root, folders, names in os.walk(folder, onerror=complain, followlinks=True):
        status = Path(root).stat()
        if (status.st_dev, status.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root, name)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # reading it as a file gives the sentence
        return False


def _key(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - `Path.resolve` would follow links, and fails on null bytes
