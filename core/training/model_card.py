"""MODEL_CARD.md, written from the facts in model.json: limits first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.detector.artifact import DetectorSpec
from core.detector.spec import Thresholds

KEYS = ("real_called_fake", "fake_called_real", "uncertain")
SHARES = [key.replace("_", " ") for key in KEYS]
HEADER = f"| source | real | fake | no face | AUC | 95 % interval | {' | '.join(SHARES)} |"
UNKNOWN = "–"
ALL = "all"
MAX_ERROR = 0.05  # as `core.training.finish` asks of the thresholds


def write_model_card(folder: Path, spec: DetectorSpec) -> None:
    """Writes `folder/MODEL_CARD.md`; the same spec always gives the same text."""
    (folder / "MODEL_CARD.md").write_text(model_card(spec), encoding="utf-8")


def model_card(spec: DetectorSpec) -> str:
    """The card as Markdown."""
    return "\n\n".join([f"# {spec.name}", *_limits(spec), *_figures(spec), *_training(spec)]) + "\n"


def _limits(spec: DetectorSpec) -> list[str]:
    return [
        spec.description,
        "## Limits first",
        "- It has learnt the manipulations in its training data (see below). A fake made in another way may pass.\n"
        '- "Real" means that no manipulation was found, never that a picture is proven genuine.\n'
        "- Strong compression, small, blurred, dark, noisy, turned or tilted faces make it less sure; beyond set "
        'limits it says "uncertain".\n'
        "- Marks that lie over a face, such as watermarks, and photographs of a screen mislead it "
        "(`python -m benchmarks.overlays`).\n"
        "- It judges faces only: not voices, bodies, backgrounds or captions.\n"
        "- Its training faces do not represent all people alike, and it was not measured by skin tone, age or gender.\n"
        "- Its probability is calibrated on the mixture of its sources, with as many fakes as reals. In each of them "
        "alone it is less exact (see below), and elsewhere it is a rank.\n"
        "- Not for decisions about a person without other evidence.",
        f"Licence: {spec.licence}",
    ]


def _figures(spec: DetectorSpec) -> list[str]:
    metrics = spec.metrics
    parts = ["## Figures"]
    if not metrics:
        return [*parts, "None were measured."]
    parts.append(f"Measured on {metrics['date']} with `{metrics['command']}`, single pictures, the engine that ships.")
    for split in ("test", "val"):
        if split in metrics:
            parts += [f"### {split.capitalize()} split", _table(metrics[split])]
    made = spec.training.get("blended_splits")
    if made:
        parts.append(
            f"The data hold no fakes. Those of the {' and '.join(made)} split were made from its reals by "
            "self-blending, each always the same: the figures say how well such blends are told from their real "
            "partners, and nothing of fakes made in other ways."
        )
    parts.append(
        f"Thresholds of a still: {_between(spec.thresholds)}. They and the calibration were chosen on the val split so "
        "that at most 5 % of each source's reals are called fake and at most 5 % of all its fakes real."
        + _not_kept(metrics.get("val", {}))
        + _too_few(metrics.get("val", {}))
    )
    if spec.video_thresholds:
        parts.append(
            f"Thresholds of a video, which many frames speak for: {_between(spec.video_thresholds)}, chosen so that at "
            "most 5 % of all reals of the val split are called fake, each source weighing as the root of its size. "
            "They and the calibration of videos were fitted to pictures judged once, as frames are. A stretch that "
            "makes a video fake by itself has few faces, and must reach the limit of a still."
        )
        by_video = metrics.get("by_video_thresholds", {})
        parts += [_shares(split, by_video[split]) for split in ("test", "val") if split in by_video]
    return parts


def _not_kept(figures: dict[str, Any]) -> str:
    """Sources of val in which more reals are called fake than was asked, by more than one face in so few."""
    over = [
        f"{name} ({_percent(f['real_called_fake'])})"
        for name, f in figures.items()
        if name != ALL and (f["real_called_fake"] or 0) * f["real"] > MAX_ERROR * f["real"] + 1
    ]
    return f" That could not be kept for {', '.join(over)}." if over else ""


def _too_few(figures: dict[str, Any]) -> str:
    """Where val is so small that no share of 5 % can be told."""
    real, fake = (figures.get(ALL, {}).get(label, 0) for label in ("real", "fake"))
    if min(real, fake) * MAX_ERROR >= 1:
        return ""
    return (
        f" With {real} reals and {fake} fakes there that promises little: take at least {round(1 / MAX_ERROR)} of each."
    )


def _between(limits: Thresholds) -> str:
    return (
        f"below {limits.real_below:.3f} no manipulation found, from {limits.fake_above:.3f} on fake, between them "
        "uncertain"
    )


def _shares(split: str, figures: dict[str, Any]) -> str:
    """What single pictures get by the thresholds of a video."""
    rows = [f"| {split}, single pictures judged as frames, by these | {' | '.join(SHARES)} |", "|" + "---|" * 4]
    rows += ["| " + " | ".join([source, *(_percent(f[key]) for key in KEYS)]) + " |" for source, f in figures.items()]
    return "\n".join(rows)


def _table(figures: dict[str, Any]) -> str:
    rows = [HEADER, "|" + "---|" * 9]
    for source, f in figures.items():
        shares = [_percent(f[key]) for key in KEYS]
        low, high = map(_number, f["auc_95"])
        interval = UNKNOWN if UNKNOWN in (low, high) else f"{low} – {high}"
        cells = [source, f["real"], f["fake"], f["no_face"], _number(f["auc"]), interval, *shares]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows) + f"\n\n{_calibration(figures)}"


def _calibration(figures: dict[str, Any]) -> str:
    """The error over all sources, and that of each, in which others do not make up for it."""
    words = f"Expected calibration error over all sources: {_with_interval(figures[ALL])}."
    apart = [f"{name} {_with_interval(f)}" for name, f in figures.items() if name != ALL and f.get("ece") is not None]
    return f"{words} Source by source: {', '.join(apart)}." if len(apart) > 1 else words


def _with_interval(figures: dict[str, Any]) -> str:
    ends = [_number(edge) for edge in figures.get("ece_95") or ()]
    return _number(figures["ece"]) + (f" [{', '.join(ends)}]" if ends and UNKNOWN not in ends else "")


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.1f} %"


def _training(spec: DetectorSpec) -> list[str]:
    training = spec.training
    if not training:
        return []
    counts = "\n".join(
        f"| {source} | {labels.get('real', 0)} | {sum(n for label, n in labels.items() if label != 'real')} |"
        for source, labels in training["pictures"].items()
    )
    averaged = training.get("averaged_epochs")
    mean = f" The weights are the mean of those of epochs {_listed(averaged)}." if averaged else ""
    epochs = "1 epoch" if training["epochs"] == 1 else f"{training['epochs']} epochs"
    given = {key: _plain(value) for key, value in training["settings"].items()}
    settings = ", ".join(f"{key} {words}" for key, words in given.items() if words)
    return [
        "## Training",
        f"| source | real | fake |\n|---|---|---|\n{counts}",
        f"{epochs} in {training['minutes']} minutes; the weights of epoch {training['best_epoch']} "
        f"had the best mean AUC over the validation sources.{mean}{_begun(training)} Settings: {settings}.",
        f"Input {spec.input_size} px; the crop is a square of {spec.crop.scale:g} × the height of the face box, the "
        "mean of the parts of its crops that training shows." + _views(spec),
    ]


def _begun(training: dict[str, Any]) -> str:
    """Which detector's weights the training started from, if any's."""
    parent = training.get("started_from")
    return f" It started from the weights of {parent['name']} ({parent['weights_sha256'][:16]}…)." if parent else ""


def _views(spec: DetectorSpec) -> str:
    """How many crops of one face a still is judged by, which ones, and what counts."""
    crop = spec.crop
    if not crop.wide:
        return " The face of a still is judged mirrored too, and the mean counts." if spec.mirrored else ""
    views = ("eight", "each mirrored too, ") if spec.mirrored else ("six", "")
    return (
        f" The face of a still is judged by the mean of {views[0]} views: the crop and a wider one of {crop.wide:g}, "
        f"{views[1]}and the four corners of the wider one, {crop.corner:g} each. A frame of a video is judged once."
    )


def _listed(epochs: Sequence[int]) -> str:
    *before, last = map(str, epochs)
    return f"{', '.join(before)} and {last}" + (" (0: what the run began from)" if 0 in epochs else "")


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
