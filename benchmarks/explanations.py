"""What heatmaps cost: the map that comes with every verdict, and each method for one face.

    python -m benchmarks.explanations            # some minutes on two cores, most of them Score-CAM's
    python -m benchmarks.explanations --quick    # without Score-CAM

The first rows compare the detector's network with and without its map, the two taking turns on the same crops; and the
analysis of the sample clip as it is with what all of its frames' maps add to that.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.__main__ import machine

ROUNDS = 7
CROPS = 32


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """Median of some rounds, after one that does not count."""
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def portrait_crop(detector: Any) -> np.ndarray:
    from core.faces import crop_face, default_finder
    from core.media import load_image
    from core.samples import sample_images

    rgb = load_image(sample_images()["manipulated"]).rgb
    (face,) = default_finder().find(rgb)
    return crop_face(rgb, face, scale=detector.spec.crop.scale, size=detector.spec.input_size)


def cost_of_maps(detector: Any, crop: np.ndarray) -> tuple[float, float]:
    """Seconds for each crop with the map and without it, by OpenVINO as the detector runs it."""
    import openvino as ov

    from core.detector.openvino_engine import best_precision
    from core.detector.openvino_graph import build_openvino

    core, source = ov.Core(), detector.source
    runs = []
    for with_map in (True, False):
        graph = build_openvino(source.graph, source.read_weights(), source.spec.input_size, source.spec.preprocessing)
        if not with_map:
            for output in list(graph.outputs):
                if "maps" in output.get_names():
                    graph.remove_result(output.get_node())
        options = {"INFERENCE_PRECISION_HINT": best_precision(core), "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(graph, "CPU", options).create_infer_request()
        runs.append(lambda request=request: [request.infer([crop[None]]) for _ in range(CROPS)])
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(2 * ROUNDS):
        for run, found in zip(runs, times, strict=True):
            started = time.perf_counter()
            run()
            found.append(time.perf_counter() - started)
    return tuple(min(found) / CROPS for found in times)  # type: ignore[return-value]


def clip_seconds(detector: Any) -> tuple[float, float, int]:
    """Seconds to analyse every frame of the sample clip with maps kept and without, and the number of frames."""
    from core.analysis import analyze_video
    from core.media import Sampling
    from core.samples import sample_video

    path, every = sample_video().path, Sampling.every_frame()
    found: dict[bool, list[float]] = {True: [], False: []}
    analyze_video(path, detector, sampling=every)
    frames = 0
    for _ in range(2):
        for maps in found:
            started = time.perf_counter()
            frames = len(analyze_video(path, detector, sampling=every, maps=maps).frames)
            found[maps].append(time.perf_counter() - started)
    return min(found[True]), min(found[False]), frames


def main() -> None:
    """Measures and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out Score-CAM")
    options = parser.parse_args()
    from core.detector import load_detector
    from core.explain.cam import METHODS
    from core.explain.network import explained_network

    detector = load_detector("default", engine="openvino")
    crop = portrait_crop(detector)
    print(f"Measured by `python -m benchmarks.explanations` on {machine()}.\n\n| what | figure |\n|---|---|")
    mapped, bare = cost_of_maps(detector, crop)
    print(f"| network with its map against without | {1e3 * mapped:.2f} / {1e3 * bare:.2f} ms a face |")
    kept, dropped, frames = clip_seconds(detector)
    print(f"| every frame of the sample clip ({frames}), maps kept / dropped | {kept:.2f} / {dropped:.2f} s |")
    started = time.perf_counter()
    network = explained_network(detector)
    METHODS["grad_cam"](network, crop[None])
    print(f"| first heatmap by TensorFlow, its start included | {time.perf_counter() - started:.1f} s |")
    for name, method in METHODS.items():
        if name == "score_cam" and options.quick:
            continue
        taken = seconds(lambda method=method: method(network, crop[None]), 1 if method.slow else ROUNDS)
        print(f"| {method.title}, one face | {taken:.2f} s |", flush=True)


if __name__ == "__main__":
    main()
