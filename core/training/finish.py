"""From the best checkpoint to a detector on disk: calibrated, with thresholds, measured, and described."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from core.data.blend_set import blend_set
from core.data.dataset import Sample, index_data
from core.data.prepare import prepare
from core.detector import load_detector, load_keras
from core.detector.artifact import DetectorSpec, Preprocessing, save_artifact, save_spec
from core.detector.calibration import choose_thresholds, fake_above_by_source, fit_platt
from core.detector.spec import Calibration
from core.errors import TrainingError
from core.evaluation import Scored, balance_weights, even_weights, summarise
from core.evaluation.document import plain
from core.training.ancestry import ancestor_of, licence_of
from core.training.callbacks import Unwatched, Watch
from core.training.checkpoints import State, read_state
from core.training.config import TrainConfig
from core.training.export import export_detector
from core.training.journal import METRICS
from core.training.judging import Seen, crop_spec, look
from core.training.loop import OFFSET, SCALE
from core.training.model_card import KEYS, write_model_card
from core.training.promotion import EXPORT_FOLDER

COMMAND = "python evaluate.py --data DIR --model MODEL"
ELSEWHERE = ("data", "init", "name", "description", "licence", "export")  # paths, or what stands in the spec anyway
MAX_ERROR = 0.05  # of a source's reals may be called fake, and of all fakes real, on validation data


def finish(run: Path, config: TrainConfig, cache: Path, *, watch: Watch | None = None) -> Path:
    """Writes `run/model/`, a detector ready for use.

    The weights of the best checkpoint are stored first; then validation pictures go through the very path that users'
    pictures take, and calibration and thresholds are fitted to what comes out; at the end the test pictures are judged
    once and the figures, the model card and the exports written.

    Args:
        run: Folder of the run; `checkpoints/best.keras` is read.
        config: The run's settings.
        cache: Where prepared face crops are kept: those of videos are judged, and so are self-blends where the data
            hold reals alone.
        watch: Is told how it goes, and may end it.

    Raises:
        Stopped: The watch said so.
        TrainingError: There is no checkpoint, or the validation data do not suffice.
    """
    watch, folder = watch or Unwatched(), run / "model"
    watch.update(phase="calibrating", message="", done=None, total=None, eta_s=None)
    samples = index_data(config.data, blended=config.made_from_reals, should_stop=watch.stop_requested)
    spec = _store(run, folder, config)
    detector = load_detector(folder)
    val_set = _judged_by(samples, "val", config, cache, watch)
    val = look(val_set.pictures, val_set.crops, detector, watch, "calibrating")
    spec = calibrated(spec, [one.scored(spec) for one in val], [one.by_one_view().scored(spec) for one in val])
    save_spec(folder, spec)
    test_set = _judged_by(samples, "test", config, cache, watch)
    test = look(test_set.pictures, test_set.crops, detector, watch, "measuring")
    training = {
        "pictures": _counts([s for s in samples if s.split == "train"]),
        "settings": {key: value for key, value in asdict(config).items() if key not in ELSEWHERE},
        "blended_splits": [name for name, one in (("val", val_set), ("test", test_set)) if one.blended],
        **_history(run),
        **_averaged(run),
        **({"started_from": ancestor.record()} if (ancestor := ancestor_of(config)) else {}),
    }
    spec = replace(spec, metrics=_metrics(spec, val, test), training=training)
    save_spec(folder, spec)
    write_model_card(folder, spec)
    for kind in config.export:
        watch.update(phase="exporting", message=f"Writing {kind}.", done=None, total=None)
        export_detector(folder, kind)
    return folder


def calibrated(spec: DetectorSpec, val: Sequence[Scored], once: Sequence[Scored] | None = None) -> DetectorSpec:
    """The spec with calibrations and thresholds fitted to validation pictures.

    Those of stills to what all their views say; those of videos, whose faces are judged by one view, to that one.
    Classes are balanced, and for the thresholds sources too. Of stills, reals that are called fake are bounded in each
    source by itself, since to accuse is the worse error; fakes that are called real, which only says that nothing was
    found, in all sources together. Of videos, which are judged by many frames and by a rule that asks for more than
    chance, both are bounded in all sources together.

    Args:
        spec: Not calibrated yet.
        val: What it said.
        once: What it said of the same by one view; None: the same.

    Raises:
        TrainingError: Faces of a class are missing.
    """
    faced = [one for one in val if one.logit is not None]
    logits = np.array([one.logit for one in faced])
    labels = np.array([one.sample.fake for one in faced], dtype=bool)
    if not labels.any() or labels.all():
        lacking = "real" if labels.any() else "fake"
        raise TrainingError(
            f"No faces were found in the {lacking} validation pictures, so the detector cannot be calibrated: add more."
        )
    members = [one.sample for one in faced]
    single = np.array([one.logit for one in once or val if one.logit is not None])
    (calibration, probabilities), (of_video, by_one) = (
        _fitted(z, labels, even_weights(members)) for z in (logits, single)
    )
    weights = balance_weights(members)
    pooled = choose_thresholds(probabilities, labels, MAX_ERROR, weights)
    strictest = fake_above_by_source(probabilities, labels, [one.source for one in members], MAX_ERROR)
    return replace(
        spec,
        calibration=calibration,
        video_calibration=of_video,
        thresholds=replace(pooled, fake_above=max(pooled.fake_above, strictest)),
        video_thresholds=choose_thresholds(by_one, labels, MAX_ERROR, weights),
    )


def _fitted(
    logits: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[Calibration, NDArray[np.float64]]:
    """A calibration, by the weights by which its error is measured, and what it makes of the logits."""
    calibration = fit_platt(logits, labels, weights)
    return calibration, np.asarray(expit(calibration.slope * logits + calibration.intercept))


def _store(run: Path, folder: Path, config: TrainConfig) -> DetectorSpec:
    """The best checkpoint as a detector's folder, not calibrated yet; exports of earlier weights are removed."""
    best = run / "checkpoints" / "best.keras"
    if not best.is_file():
        raise TrainingError("No epoch has ended yet, so there is nothing to make a detector of: resume the run.")
    ancestor = ancestor_of(config)
    spec = DetectorSpec(
        name=config.name,
        input_size=config.input_size,
        crop=crop_spec(config.crop_scale),
        preprocessing=Preprocessing(scale=SCALE, offset=OFFSET),
        mirrored=True,
        classes=_state(run).classes,
        licence=licence_of(config, ancestor),
        description=config.description,
    )
    shutil.rmtree(folder / EXPORT_FOLDER, ignore_errors=True)
    spec = save_artifact(folder, load_keras(best, config.input_size), spec)
    if ancestor:
        ancestor.copy_licence(folder)
    return spec


def _state(run: Path) -> State:
    """What the best checkpoint says of itself."""
    try:
        return read_state(run / "checkpoints" / "best.keras")
    except (OSError, ValueError, TypeError, KeyError):  # of a run from before checkpoints said so
        return State()


@dataclass(frozen=True)
class _Set:
    """What one split is judged by: whole pictures, and crops of faces; `blended` where its fakes were made."""

    pictures: list[Sample]
    crops: list[Sample]
    blended: bool = False


def _judged_by(samples: Sequence[Sample], split: str, config: TrainConfig, cache: Path, watch: Watch) -> _Set:
    members = [sample for sample in samples if sample.split == split]

    def crops(of: Sequence[Sample]) -> list[Sample]:
        return prepare(
            of,
            cache,
            scale=config.crop_scale,
            frames_per_video=config.frames_per_video,
            should_stop=watch.stop_requested,
        )

    if members and config.made_from_reals and not any(sample.fake for sample in members):
        return _Set([], blend_set(crops(members), cache, should_stop=watch.stop_requested), blended=True)
    videos = [sample for sample in members if sample.is_video]
    return _Set([sample for sample in members if not sample.is_video], crops(videos) if videos else [])


def _metrics(spec: DetectorSpec, val: Sequence[Seen], test: Sequence[Seen]) -> dict[str, Any]:
    metrics: dict[str, Any] = {"command": COMMAND, "date": time.strftime("%Y-%m-%d"), "by_video_thresholds": {}}
    as_video = replace(spec, thresholds=spec.limits(video=True), calibration=spec.calibration_for(video=True))
    for split, seen in (("val", val), ("test", test)):
        if seen:
            metrics[split] = plain(summarise([one.scored(spec) for one in seen]))
            metrics["by_video_thresholds"][split] = _shares(
                plain(summarise([one.by_one_view().scored(as_video) for one in seen]))
            )
    return metrics


def _shares(figures: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of figures by source, how many get a wrong verdict, and how many none."""
    return {source: {key: of[key] for key in KEYS} for source, of in figures.items()}


def _counts(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for sample in samples:
        counts.setdefault(sample.source, Counter())[sample.label] += 1
    return {source: dict(counter) for source, counter in counts.items()}


def _averaged(run: Path) -> dict[str, Any]:
    """Of which epochs the best checkpoint is the mean, if it is one."""
    epochs = _state(run).averaged
    return {"averaged_epochs": list(epochs)} if epochs else {}


def _history(run: Path) -> dict[str, Any]:
    lines = []
    for text in (run / METRICS).read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
            lines.append((float(line["val_auc"]), int(line["epoch"]), float(line["elapsed_s"])))
        except (ValueError, KeyError, TypeError):  # half written, or edited by hand
            continue
    if not lines:
        return {"epochs": 0, "best_epoch": 0, "minutes": 0.0}
    return {
        "epochs": len(lines),
        "best_epoch": max(lines, key=lambda line: line[0])[1],
        "minutes": round(lines[-1][2] / 60, 1),
    }
