"""Does the finder's working size lose faces, and what does finding and following cost?

    python -m benchmarks.faces                    # ../shared/data, 60 pictures of each source: a few minutes on two cores
    python -m benchmarks.faces --pictures 300 --frames 100

The reference is a pass over the full picture (up to 4 megapixels as everywhere else, so all of these). A face of it is
found when a face of the normal pass overlaps it with IoU >= 0.5. Pictures and clips are licensed for research and stay
outside the project: only figures are printed.
"""

import argparse
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces import FaceFinder, default_finder, find_faces_or_tight
from core.faces.finder import working_scales
from core.faces.identity import iou
from core.faces.tracker import track_faces
from core.media import VideoFrame, VideoReader, load_image

DATA = Path(__file__).parents[2] / "shared" / "data"
SOURCES = ("stylegan_ffhq", "stylegan2_unsplash", "sd21_web")
SEED = 0
TARGET = 0.97
SMALL_FACE_PX, FRAME_4K_WH = 40, (3840, 2160)


def pictures(source: str, count: int) -> list[NDArray[np.uint8]]:
    files = sorted(path for path in (DATA / source).rglob("*") if path.is_file())
    return [load_image(path).rgb for path in random.Random(SEED).sample(files, min(count, len(files)))]


def frames(clip: Path, count: int) -> Iterator[VideoFrame]:
    """`count` frames from the start of a clip, all of them decoded in order."""
    with VideoReader(clip) as reader:
        yield from islice(reader, count)


def recall(finder: FaceFinder, rgbs: list[NDArray[np.uint8]]) -> tuple[int, int, float, float]:
    """Faces of the full-size pass, how many of them the normal pass finds, and the milliseconds of either."""
    wanted = found = 0
    spent_s = {"normal": 0.0, "full": 0.0}
    for rgb in rgbs:
        started = time.perf_counter()
        normal = finder.find(rgb)
        middle = time.perf_counter()
        full = finder.find(rgb, scales=[1.0])
        spent_s["normal"] += middle - started
        spent_s["full"] += time.perf_counter() - middle
        wanted += len(full)
        found += sum(any(iou(face.box_xyxy, other.box_xyxy) >= 0.5 for other in normal) for face in full)
    return wanted, found, *(1000 * spent / max(1, len(rgbs)) for spent in spent_s.values())


def small_faces_in_4k(finder: FaceFinder, rgbs: list[NDArray[np.uint8]]) -> tuple[int, int]:
    """(pasted, found): one head of 40 px in each blurred 4K frame, among the pictures that show one face."""
    rng = np.random.default_rng(SEED)
    pasted = found = 0
    for position, rgb in enumerate(rgbs):
        faces = finder.find(rgb)
        if len(faces) != 1:
            continue
        left, top, right, bottom = faces[0].box_xyxy
        scale = SMALL_FACE_PX / (bottom - top)
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        scenery = cv2.GaussianBlur(rgbs[position - 1], (0, 0), 8)
        frame = cv2.resize(scenery, FRAME_4K_WH, interpolation=cv2.INTER_CUBIC)
        x, y = (int(rng.integers(0, size - side)) for size, side in zip(FRAME_4K_WH, small.shape[1::-1], strict=True))
        frame[y : y + small.shape[0], x : x + small.shape[1]] = small
        truth = (x + left * scale, y + top * scale, x + right * scale, y + bottom * scale)
        pasted += 1
        found += any(iou(truth, face.box_xyxy) >= 0.5 for face in finder.find(frame))
    return pasted, found


def following(finder: FaceFinder, clip: Path, count: int) -> str:
    """Cost of the tracker on a clip, and how well its interpolated boxes lie (against looking at every frame)."""
    held = list(frames(clip, count))
    calls = 0
    find_s = 0.0

    class Counting:
        def find(self, rgb: NDArray[np.uint8], /) -> list:
            nonlocal calls, find_s
            calls += 1
            started = time.perf_counter()
            faces = finder.find(rgb)
            find_s += time.perf_counter() - started
            return faces

    started = time.perf_counter()
    tracked = list(track_faces(held, Counting()))
    own_s = time.perf_counter() - started - find_s
    overlaps, missed, numbers = [], 0, set()
    for frame, faces in tracked:
        numbers |= {face.track_id for face in faces}
        for seen in finder.find(frame.rgb):
            best = max((iou(seen.box_xyxy, face.box_xyxy) for face in faces), default=0.0)
            missed += best < 0.5
            if any(face.interpolated for face in faces):
                overlaps.append(best)
    low = np.percentile(overlaps, 1) if overlaps else float("nan")
    frame_ms = 1000 / len(held)
    return (
        f"| {clip.stem} | {len(held)} | {calls} | {len(numbers)} | {missed} | {np.median(overlaps):.2f} / {low:.2f} "
        f"| {own_s * frame_ms:.2f} | {find_s * frame_ms:.2f} |"
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=60, help="pictures of each source (default: 60)")
    parser.add_argument("--frames", type=int, default=90, help="frames of each clip to follow (default: 90)")
    return parser.parse_args()


def main() -> None:
    args = parse()
    finder = default_finder()
    clips = sorted((DATA / "videos").glob("*/*.mp4"))
    groups = {source: pictures(source, args.pictures) for source in SOURCES}
    groups |= {clip.stem: [f.rgb for f in islice(frames(clip, args.frames), 0, None, 6)] for clip in clips}
    print("| source | pictures | scales | faces at full size | found | recall | ms normal | ms full |")
    print("|---|---|---|---|---|---|---|---|")
    total = np.zeros(2, dtype=int)
    for name, rgbs in groups.items():
        wanted, found, normal_ms, full_ms = recall(finder, rgbs)
        total += wanted, found
        scales = ", ".join(f"{s:.2f}" for s in working_scales(rgbs[0].shape[1::-1]))
        share = f"{found / wanted:.1%}" if wanted else "–"
        print(f"| {name} | {len(rgbs)} | {scales} | {wanted} | {found} | {share} | {normal_ms:.1f} | {full_ms:.1f} |")
    met = "met" if total[1] >= TARGET * total[0] else "MISSED"
    print(f"\nAll: {total[1]} of {total[0]} faces = {total[1] / total[0]:.2%} (target {TARGET:.0%}: {met})")
    crops = pictures("dfdc", args.pictures * 3)
    tight = sum(faces[0].tight for rgb in crops if (faces := find_faces_or_tight(rgb, finder)))
    print(f"dfdc crops judged whole: {tight} of {len(crops)}")
    pasted, seen = small_faces_in_4k(finder, groups["stylegan_ffhq"][:20])
    print(f"Faces of {SMALL_FACE_PX} px in a 4K frame: {seen} of {pasted} found\n")
    print(
        "| clip | frames | looked at | people | faces lost | IoU of interpolated, median / 1st % | tracker ms | finder ms |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for clip in clips:
        print(following(finder, clip, args.frames), flush=True)


if __name__ == "__main__":
    main()
