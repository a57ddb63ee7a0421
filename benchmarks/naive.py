"""The naive way, as most open demos go: MTCNN and `model.predict` on each frame, one after the other."""

import time
from pathlib import Path

import cv2
import keras
import numpy as np


def seconds_per_frame(clip: Path, detector_folder: Path, input_size: int, frames: int) -> float:
    """Mean time for one frame over the first `frames`, after one frame to warm up, without loading anything."""
    from mtcnn import MTCNN

    finder, network = MTCNN(), keras.models.load_model(detector_folder / "model.keras", compile=False)
    video = cv2.VideoCapture(str(clip))
    started = 0.0
    for number in range(frames + 1):
        if number == 1:
            started = time.perf_counter()
        ok, bgr = video.read()
        if not ok:
            break
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        for face in finder.detect_faces(rgb):
            x, y, width, height = (max(0, int(edge)) for edge in face["box"])
            crop = cv2.resize(rgb[y : y + height, x : x + width], (input_size, input_size))
            network.predict(crop[None].astype(np.float32) / 127.5 - 1, verbose=0)
    return (time.perf_counter() - started) / frames
