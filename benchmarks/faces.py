"""Does the finder's working size lose faces, and what does finding and following cost?

    python -m benchmarks.faces           # ../shared/data, 60 pictures of each source
    python -m benchmarks.faces --pictures 300 --frames 100

The reference is a pass over the picture in its full size. A face of it is found when a face of the normal pass overlaps
it with IoU >= 0.5. Pictures that are searched at full size anyway are found by construction: they are counted apart.
The pictures and clips of ../shared hold large faces; what small ones need is measured by pasting them into 4K frames.
Pictures and clips are licensed for research and stay outside the project: only figures are printed.
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
SCALES_4K = (None, 0.5, 0.6, 0.69)  # None: what the finder chooses


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
    spent_s = np.zeros(2)
    for rgb in rgbs:
        started = time.perf_counter()
        normal = finder.find(rgb)
        middle = time.perf_counter()
        full = finder.find(rgb, scales=[1.0])
        spent_s += middle - started, time.perf_counter() - middle
        wanted += len(full)
        found += sum(any(iou(face.box_xyxy, other.box_xyxy) >= 0.5 for other in normal) for face in full)
    normal_ms, full_ms = 1000 * spent_s / max(1, len(rgbs))
    return wanted, found, float(normal_ms), float(full_ms)


def is_shrunk(rgb: NDArray[np.uint8]) -> bool:
    return working_scales((rgb.shape[1], rgb.shape[0])) != [1.0]


def small_faces_in_4k(finder: FaceFinder, rgbs: list[NDArray[np.uint8]]) -> dict[str, list[bool]]:
    """Working scale -> found or not: one head of 40 px in each blurred 4K frame, from pictures that show one face."""
    rng = np.random.default_rng(SEED)
    found: dict[str, list[bool]] = {}
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
        for scale_of_pass in SCALES_4K:
            faces = finder.find(frame, scales=None if scale_of_pass is None else [scale_of_pass])
            hit = any(iou(truth, face.box_xyxy) >= 0.5 for face in faces)
            found.setdefault("normal" if scale_of_pass is None else f"{scale_of_pass:g}", []).append(hit)
    return found


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
    parser.add_argument("--small", type=int, default=20, help="small faces to paste into 4K frames (default: 20)")
    return parser.parse_args()


def main() -> None:
    args = parse()
    finder = default_finder()
    clips = sorted((DATA / "videos").glob("*/*.mp4"))
    groups = {source: pictures(source, args.pictures) for source in SOURCES}
    groups |= {clip.stem: [f.rgb for f in islice(frames(clip, args.frames), 0, None, 15)] for clip in clips}
    print("| source | searched | pictures | faces at full size | found | recall | ms normal | ms full |")
    print("|---|---|---|---|---|---|---|---|")
    total = np.zeros(2, dtype=int)
    for name, rgbs in groups.items():
        for shrunk in (True, False):
            if not (part := [rgb for rgb in rgbs if is_shrunk(rgb) == shrunk]):
                continue
            wanted, found, normal_ms, full_ms = recall(finder, part)
            total += (wanted, found) if shrunk else (0, 0)
            how, share = ("shrunk" if shrunk else "full size"), (f"{found / wanted:.1%}" if wanted else "–")
            counts = f"{len(part)} | {wanted} | {found} | {share}"
            print(f"| {name} | {how} | {counts} | {normal_ms:.0f} | {full_ms:.0f} |", flush=True)
    met = "met" if total[1] >= TARGET * total[0] else "MISSED"
    print(f"\nWhere the picture is shrunk: {total[1]} of {total[0]} faces found (target {TARGET:.0%}: {met})")
    crops = pictures("dfdc", args.pictures * 3)
    tight = sum(faces[0].tight for rgb in crops if (faces := find_faces_or_tight(rgb, finder)))
    print(f"dfdc crops judged whole: {tight} of {len(crops)}")
    for scale, hits in small_faces_in_4k(finder, groups["stylegan_ffhq"][: args.small]).items():
        met = "met" if all(hits) else "MISSED"
        print(f"Faces of {SMALL_FACE_PX} px in 4K frames, scale {scale}: {sum(hits)} of {len(hits)} found ({met})")
    print("\n| clip | frames | looked at | people | faces lost | interpolated IoU, p50 / p1 | tracker ms | finder ms |")
    print("|---|---|---|---|---|---|---|---|")
    for clip in clips:
        print(following(finder, clip, args.frames), flush=True)


if __name__ == "__main__":
    main()
