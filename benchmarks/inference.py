"""What the choices made when a detector runs are worth: input size, how much face a crop shows, more views than one.

    python -m benchmarks.inference                              # the detector that ships, val of ../shared/data
    python -m benchmarks.inference --model RUN/model --sizes 160 176 192

Each face of the val split is found once, cut and judged in every way; printed is the AUC of the logits by source. The
weights stay the same: what a network trained at another size would reach is another question. The media are licensed
for research: only figures are printed.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring import score_stills
from core.data.sample import Sample
from core.detector.engine import Detector
from core.detector.library import resolve_detector
from core.detector.openvino_engine import OpenVinoEngine
from core.detector.source import Source, open_source
from core.evaluation.scoring import in_parallel
from core.evaluation.selection import select
from core.faces import Face, default_finder, find_faces_or_tight
from core.faces.crop import corners, cut_face, resize_crop
from core.faces.landmarks import default_mesh
from core.media import load_image
from core.metrics import auc_interval, roc_auc

DATA = Path(__file__).parents[2] / "shared" / "data"
SIZES = (128, 144, 160, 176, 192, 224)
SCALES = (0.72, 0.8, 0.88, 1.0)
WIDEST = 1.0
TIGHT_SCALE = 0.88  # of the tight crops in ../shared/data: see its README

Rgb = NDArray[np.uint8]
Found = tuple[Sample, Rgb, bool]
"""A sample, its face's crop of the widest scale, or of the picture that is one already, and whether it is that."""


def faces(samples: Sequence[Sample]) -> Iterator[Found]:
    """The largest face of each picture that shows one."""
    finder = default_finder()

    def find(sample: Sample) -> Found | None:
        rgb = load_image(sample.path).rgb
        found = find_faces_or_tight(rgb, finder)
        if not found:
            return None
        face: Face = max(found, key=lambda one: one.height)
        return sample, cut_face(rgb, face, WIDEST), face.tight

    return (one for one in in_parallel(find, samples) if one is not None)


def inner(found: Found, scale: float) -> Rgb:
    """The middle of a crop, as large as a crop of this scale; a tight one cannot become wider than it is."""
    _, crop, tight = found
    share = min(1.0, scale / (TIGHT_SCALE if tight else WIDEST))
    side = max(1, round(min(crop.shape[:2]) * share))
    top, left = (crop.shape[0] - side) // 2, (crop.shape[1] - side) // 2
    return crop[top : top + side, left : left + side]


OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149)
OVAL += (150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
"""The outline of the face in MediaPipe's mesh, by its published map."""
AROUND = 1.4


def outline(samples: Sequence[Sample], scales: Sequence[float]) -> str:
    """How much of the face's outline crops of these scales show: the mean share of 36 points of the mesh."""
    shown: dict[float, list[float]] = {scale: [] for scale in scales}
    for sample in samples:
        rgb = load_image(sample.path).rgb
        for face in default_finder().find(rgb)[:1]:
            around = cut_face(rgb, face, AROUND)
            points, confidence = default_mesh().points(resize_crop(around, 256))
            if confidence < 0.5:
                continue
            places = points[list(OVAL)] / 256 * AROUND - AROUND / 2  # in face heights from the middle of the crop
            for scale in scales:
                shown[scale].append(float((np.abs(places) <= scale / 2).all(axis=1).mean()))
    return ", ".join(f"{scale:g}: {np.mean(values):.0%}" for scale, values in shown.items())


def detector(source: Source, size: int) -> Detector:
    resized = Source(source.weights_file, replace(source.spec, input_size=size), source.sha256)
    return Detector(resized, OpenVinoEngine(resized))


def logits(judge: Detector, found: Sequence[Found], scale: float, mirrored: bool = False) -> NDArray[np.float64]:
    crops = np.stack([resize_crop(inner(one, scale), judge.spec.input_size) for one in found])
    if mirrored:
        crops = np.ascontiguousarray(crops[:, :, ::-1])
    return np.asarray(judge.predict(crops).logits, np.float64)


def still_logits(judge: Detector, found: Sequence[Found]) -> NDArray[np.float64]:
    """By all views that a still is judged by."""
    crop, size = judge.spec.crop, judge.spec.input_size
    views = []
    for one in found:
        cuts = [inner(one, crop.scale)]
        if crop.wide:
            wide = inner(one, crop.wide)
            cuts += [wide, *corners(wide, crop.corner / crop.wide)]
        views.append(np.stack([resize_crop(cut, size) for cut in cuts]))
    scores = score_stills(judge, views, [Face((0.0, 0.0, size, size), 1.0)] * len(found), maps=False)
    return np.array([score.logit for score in scores])


def line(name: str, scores: NDArray[np.float64], samples: Sequence[Sample]) -> str:
    """The AUC by source with the lowest one last."""
    fake, source = (np.array([getattr(sample, field) for sample in samples]) for field in ("fake", "source"))
    cells, lowest = [], 1.0
    for one in sorted(set(source)):
        here = source == one
        low, high = auc_interval(scores[here], fake[here], rounds=200)
        auc = roc_auc(scores[here], fake[here])
        lowest = min(lowest, auc)
        cells.append(f"{one} {auc:.3f} [{low:.3f}, {high:.3f}]")
    return f"{name:<24} " + "  ".join(cells) + f"  worst {lowest:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", default=str(DATA))
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES)
    parser.add_argument("--limit", type=int, help="at most so many pictures a source")
    parser.add_argument("--outline", action="store_true", help="only: how much of the face's outline each crop shows")
    options = parser.parse_args()
    if options.outline:
        wide = [s for s in select((options.data,), split="val", limit=options.limit).samples if s.source != "dfdc"]
        print(outline(wide, options.scales))
        return
    source = open_source(resolve_detector(options.model))
    found = list(faces(select((options.data,), split="val", limit=options.limit).samples))
    samples = [sample for sample, _, _ in found]
    usual, scale = source.spec.input_size, source.spec.crop.scale
    judge = detector(source, usual)
    plain = logits(judge, found, scale)
    print(line(f"as it is: {usual} px, {scale:g}", plain, samples), flush=True)
    print(line("mean with the mirrored", (plain + logits(judge, found, scale, mirrored=True)) / 2, samples), flush=True)
    print(line("as stills are judged", still_logits(judge, found), samples), flush=True)
    for size in options.sizes:
        print(line(f"{size} px", logits(detector(source, size), found, scale), samples), flush=True)
    views = []
    for other in options.scales:
        views.append(logits(judge, found, other))
        print(line(f"crop {other:g}", views[-1], samples), flush=True)
    views += [logits(judge, found, other, mirrored=True) for other in options.scales]
    print(line("mean of crops, mirrored", np.mean(views, axis=0), samples), flush=True)


if __name__ == "__main__":
    main()
