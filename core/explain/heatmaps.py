"""Evidence maps as PNG files: for each face of a picture, for the strongest frames of each person in a video."""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.analysis.types import FaceScore, ImageReport, VideoReport
from core.explain.overlay import Picture, add_legend, draw_boxes, draw_overlay, in_picture
from core.faces.crop import crop_pixels
from core.media import encode_image, load_image, read_frames_at

FRAMES_PER_PERSON = 3
MAX_NAME_BYTES = 120


def write_heatmaps(report: ImageReport | VideoReport, folder: str | Path, *, crop_scale: float) -> list[Path]:
    """Write the evidence maps of a report as pictures, with boxes and a legend.

    Args:
        report: With activation maps; its `path` is read again for the pixels.
        folder: Is made if it is missing. No file in it is overwritten, and nothing is written outside of it.
        crop_scale: The detector's `crop.scale`.

    Returns:
        The files written, none for a report without faces.

    Raises:
        MediaError: The file cannot be read any more.
        OSError: The folder cannot be written to.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stem = safe_stem(Path(report.path).stem)
    views = _image_views(report) if isinstance(report, ImageReport) else _video_views(report)
    written = []
    for suffix, rgb, score, number in views:
        drawn = draw_overlay(rgb, in_picture(score), pixels=crop_pixels(score.face, crop_scale))
        drawn = add_legend(draw_boxes(drawn, [score], labels=[str(number)]))
        written.append(_write_new(folder, f"{stem}-{suffix}", encode_image(drawn)))
    return written


def safe_stem(stem: str) -> str:
    """A file name without path, control or hidden-file characters, of at most 120 bytes."""
    kept = "".join(char if char.isalnum() or char in "-_." else "_" for char in stem).lstrip(".")
    return kept.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "file"


def strongest_scores(report: VideoReport) -> list[tuple[float, FaceScore]]:
    """Time and face of the frames with the highest fake probability, up to three for each person, by number."""
    by_person: dict[int, list[tuple[float, FaceScore]]] = {}
    for frame in report.frames:
        for score in frame.faces:
            if score.activation_map is not None:
                by_person.setdefault(score.face.track_id or 1, []).append((frame.time_s, score))
    return [
        view
        for person in sorted(by_person)
        for view in heapq.nlargest(FRAMES_PER_PERSON, by_person[person], key=lambda view: view[1].fake_probability)
    ]


def with_frames(
    path: str | Path, scores: Sequence[tuple[float, FaceScore]]
) -> Iterator[tuple[float, FaceScore, Picture]]:
    """Faces of a video with the frames that they are in, by time: one pass through the file, one frame in memory.

    Raises:
        MediaError: The file cannot be read, or not at one of these moments.
    """
    for time_s, frame in read_frames_at(path, [moment for moment, _ in scores]):
        yield from ((time_s, score, frame.rgb) for moment, score in scores if moment == time_s)


def _image_views(report: ImageReport) -> Iterator[tuple[str, Picture, FaceScore, int]]:
    if report.faces:
        rgb = load_image(report.path).rgb
        for number, score in enumerate(report.faces, start=1):
            if score.activation_map is not None:
                yield f"face{number}", rgb, score, number


def _video_views(report: VideoReport) -> Iterator[tuple[str, Picture, FaceScore, int]]:
    for time_s, score, rgb in with_frames(report.path, strongest_scores(report)):
        number = score.face.track_id or 1
        yield f"person{number}-{time_s:.2f}s", rgb, score, number


def _write_new(folder: Path, stem: str, data: bytes) -> Path:
    """Write under a name that is not taken yet; exclusively, so that two runs into one folder do not meet either."""
    count = 1
    while True:
        path = folder / (f"{stem}.png" if count == 1 else f"{stem}-{count}.png")
        try:
            with path.open("xb") as file:
                file.write(data)
            return path
        except FileExistsError:
            count += 1
