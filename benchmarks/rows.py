"""One function a row of the speed table; `python -m benchmarks.rows NAME CLIP` measures it and prints JSON."""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NAIVE_FRAMES = 12
LONG_CLIP_S = 600
LONG_FILM_S = 120
Figures = dict[str, object]


def analysis(clip: Path) -> Figures:
    """Every frame of a ten-second 1080p30 clip, warm, the median of three; beside the naive way on its first frames."""
    from benchmarks.naive import seconds_per_frame
    from core.analysis import analyze_video
    from core.detector import load_detector
    from core.media import Sampling

    detector = load_detector("default")
    runs = []
    for _ in range(4):
        started = time.perf_counter()
        report = analyze_video(clip, detector, sampling=Sampling.every_frame())
        runs.append(time.perf_counter() - started)
    ours, frames = statistics.median(runs[1:]), len(report.frames)
    naive = seconds_per_frame(clip, Path("model/default"), detector.spec.input_size, NAIVE_FRAMES) * frames
    return {
        f"{frames} frames analysed in": f"{ours:.1f} s ({frames / ours:.0f} frames/s; first time {runs[0]:.1f} s)",
        f"the naive way, from {NAIVE_FRAMES} frames": f"{naive:.0f} s ({frames / naive:.1f} frames/s)",
        "times faster": f"{naive / ours:.1f}",
    }


def network(_: Path) -> Figures:
    """The network alone through `Detector.predict`, beside OpenVINO's benchmark_app on the same graph and batch."""
    import numpy as np

    from core.detector import load_detector

    detector = load_detector("default", engine="openvino")
    size = detector.spec.input_size
    crops = np.random.default_rng(0).integers(0, 256, (256, size, size, 3), np.uint8)
    detector.predict(crops)
    ours, theirs = [], []
    for _round in range(3):  # in turn: a shared machine drifts
        started = time.perf_counter()
        for _repeat in range(3):
            detector.predict(crops)
        ours.append(3 * len(crops) / (time.perf_counter() - started))
        theirs.append(_benchmark_app(size, detector.precision))
    own, other = statistics.median(ours), statistics.median(theirs)
    return {
        f"Detector.predict, {size} px, {detector.precision}, batch 1 on several streams": f"{own:.0f} images/s",
        "OpenVINO's benchmark_app, same graph and batch, throughput hint": f"{other:.0f} images/s",
        "share": f"{100 * own / other:.0f} %",
    }


def _benchmark_app(size: int, precision: str) -> float:
    from core.detector.library import resolve_detector
    from core.detector.openvino_engine import cache_folder
    from core.detector.source import open_source

    graph = cache_folder(open_source(resolve_detector("default"))) / "graph.xml"
    options = ["-m", str(graph), "-d", "CPU", "-t", "10", "-hint", "throughput", "-shape", f"[1,{size},{size},3]"]
    app = Path(sys.executable).with_name("benchmark_app")
    command = [str(app), *options, "-infer_precision", precision]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if "Throughput:" in line)
    return float(line.split("Throughput:")[1].split()[0])


def image(_: Path) -> Figures:
    """One portrait of 1024 px, once the detector is loaded."""
    import cv2

    from core.analysis import analyze_image
    from core.detector import load_detector
    from core.media import encode_image, load_image
    from core.samples import sample_image

    started = time.perf_counter()
    detector = load_detector("default")
    loaded = time.perf_counter() - started
    big = cv2.resize(load_image(sample_image()).rgb, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    data = encode_image(big, "jpeg")
    analyze_image(data, detector)
    runs = []
    for _ in range(15):
        started = time.perf_counter()
        analyze_image(data, detector)
        runs.append(time.perf_counter() - started)
    return {
        "verdict on a still image, warm": f"{statistics.median(runs):.3f} s (worst of 15: {max(runs):.3f} s)",
        "loading the detector": f"{loaded:.1f} s",
    }


def memory(clip: Path) -> Figures:
    """Peak memory of a process that analyses every frame of a ten-second clip, and of a ten-minute one."""
    from benchmarks.clips import clip_1080p

    peaks = {}
    for seconds in (10, LONG_CLIP_S):
        path = clip if seconds == 10 else clip_1080p(seconds)
        command = [sys.executable, "-m", "benchmarks.rows", "peak", str(path)]
        peaks[seconds] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    more = peaks[LONG_CLIP_S]["megabytes"] - peaks[10]["megabytes"]
    return {
        "peak for ten seconds": f"{peaks[10]['megabytes']:.0f} MB",
        "peak for ten minutes": f"{peaks[LONG_CLIP_S]['megabytes']:.0f} MB ({more:+.0f} MB)",
        "ten minutes, every frame, in": f"{peaks[LONG_CLIP_S]['seconds']:.0f} s",
    }


def peak(clip: Path) -> Figures:
    """Helper of `memory`: this process's own peak."""
    from core.analysis import analyze_video
    from core.detector import load_detector
    from core.media import Sampling

    started = time.perf_counter()
    analyze_video(clip, load_detector("default"), sampling=Sampling.every_frame())
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"megabytes": kilobytes / 1024, "seconds": time.perf_counter() - started}


def app(_: Path) -> Figures:
    """From `streamlit run` in a new process to the verdict on the sample picture in a headless browser."""
    from benchmarks.browser import seconds_to_first_verdict

    return {"start of the app to first verdict on the sample": f"{seconds_to_first_verdict():.1f} s"}


def browser(clip: Path) -> Figures:
    """Every frame of the 1080p clip in the app, beside the command line; in turn, medians of three."""
    from benchmarks.browser import seconds_of_a_clip

    page, line = [], []
    for _round in range(3):
        page.append(seconds_of_a_clip(clip))
        started = time.perf_counter()
        command = [sys.executable, "predict.py", str(clip), "--every-frame"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        line.append(time.perf_counter() - started)
    return {
        "in the app, from the drop to the strongest frames": f"{statistics.median(page):.1f} s",
        "from the command line, its start included": f"{statistics.median(line):.1f} s",
    }


def heatmap_video(clip: Path) -> Figures:
    """A film of the 1080p clip with everything drawn on it, beside the analysis of every frame; medians of three."""
    from core.analysis import analyze_video
    from core.detector import load_detector
    from core.explain.heatmap_video import write_heatmap_video
    from core.media import Sampling

    peaks = _film_peaks(clip)  # first, while this process is small: a child's peak counts from that of its parent
    detector, target = load_detector("default"), clip.with_name("heatmap-video.mp4")
    analyses, films, frames = [], [], 0
    for _ in range(4):  # in turn: a shared machine drifts
        started = time.perf_counter()
        report = analyze_video(clip, detector, sampling=Sampling.every_frame())
        analysed = time.perf_counter()
        spec = detector.spec
        write_heatmap_video(report, clip, target, thresholds=spec.limits(video=True), crop_scale=spec.crop.scale)
        films.append(time.perf_counter() - analysed)
        analyses.append(analysed - started)
        frames = len(report.frames)
    ours, theirs = statistics.median(films[1:]), statistics.median(analyses[1:])
    return {
        f"heatmap video of {frames} frames": f"{ours:.1f} s ({frames / ours:.0f} frames/s)",
        "its analysis, every frame, in the same run": f"{theirs:.1f} s ({frames / theirs:.0f} frames/s)",
        "speed of the video against the analysis (at least 0.5 is wanted)": f"{theirs / ours:.2f}",
        "size of the video": f"{target.stat().st_size / 1e6:.1f} MB, source {clip.stat().st_size / 1e6:.1f} MB",
        **peaks,
    }


def _film_peaks(clip: Path) -> Figures:
    """Peak memory of processes that only make films, from a report of five faces a second."""
    from benchmarks.clips import clip_1080p

    figures: Figures = {}
    for seconds in (10, LONG_FILM_S):
        path = clip if seconds == 10 else clip_1080p(seconds)
        command = [sys.executable, "-m", "benchmarks.rows", "film_peak", str(path)]
        peak_mb = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["megabytes"]
        figures[f"peak memory for a heatmap video of {seconds} s"] = f"{peak_mb:.0f} MB"
    return figures


def film_peak(clip: Path) -> Figures:
    """Helper of `heatmap_video`: this process's own peak; no network is loaded, the report is made up."""
    import numpy as np

    from core.analysis.types import FaceScore, FrameReport, Quality, VideoReport
    from core.detector.spec import Thresholds
    from core.explain.heatmap_video import write_heatmap_video
    from core.faces import Face
    from core.media import probe_video

    face = Face((700.0, 200.0, 1100.0, 700.0), 0.9, track_id=1)
    evidence = np.full((5, 5), 4.0, np.float32)
    score = FaceScore(face, 0.9, 2.0, {}, "fake", Quality(500, 30, 100), (), evidence)
    moments = range(5 * round(probe_video(clip).duration_s or 0))
    frames = tuple(FrameReport(6 * i, i / 5, (score,)) for i in moments)
    report = VideoReport(path=str(clip), verdict="fake", sampling="5 per second", frames=frames)
    write_heatmap_video(report, clip, clip.with_name("peak.mp4"), thresholds=Thresholds(), crop_scale=0.88)
    return {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


@dataclass(frozen=True)
class Row:
    """A title for the table, and what measures it."""

    title: str
    measure: Callable[[Path], Figures]


ROWS = {
    "analysis": Row("Every frame of a 10 s 1080p30 clip", analysis),
    "network": Row("Network", network),
    "image": Row("Image", image),
    "app": Row("App", app),
    "browser": Row("Every frame of the clip", browser),
    "memory": Row("Memory", memory),
    "heatmap-video": Row("1080p30 clip", heatmap_video),
}
HELPERS = {"peak": peak, "film_peak": film_peak}

if __name__ == "__main__":
    chosen, path = sys.argv[1], Path(sys.argv[2])
    print(json.dumps(HELPERS[chosen](path) if chosen in HELPERS else ROWS[chosen].measure(path)))
