"""One evaluation from folder to document, in phases that tell how far they are and stop when they are asked to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.dataset import Sample
from core.data.folders import few
from core.errors import DataError, UserError
from core.evaluation.baseline import baseline_figures, measure_features, train_sample
from core.evaluation.cache import RowCache, detector_key
from core.evaluation.changes import KINDS, Change, all_changes
from core.evaluation.comparison import compare
from core.evaluation.document import Document, describe_detector, item_columns, stamped
from core.evaluation.explanations import measure_explanations, planned
from core.evaluation.figures import calibration_of, curves_of, figures_by_column, parts_of, summarise
from core.evaluation.gates import gate_copies, gate_figures
from core.evaluation.parts import part_of
from core.evaluation.robustness import level_figures, untouched_figures
from core.evaluation.scoring import Scored, score_media
from core.evaluation.selection import Selection, SplitChoice, check_limit, limited, select
from core.faces import FaceFinder, default_finder

if TYPE_CHECKING:
    from core.detector.engine import Detector

Tell = Callable[[int, int, str], None]
ROBUSTNESS_LIMIT = 200
"""Pictures a source that are judged at each of some forty levels, unless told otherwise."""

PICTURES_ONLY = {
    "baseline": "low-level statistics",
    "robustness": "robustness",
    "gates": "face quality",
    "explanations": "explanations",
}
"""Parts of a request that videos cannot answer."""


@dataclass(frozen=True)
class Request:
    """What shall be measured.

    Attributes:
        data: Labelled folders or manifests.
        split: See `select`.
        limit: At most so many a source; None for all.
        baseline: Also what the spectrum alone tells.
        robustness: Also compressed, shrunk, blurred … copies.
        robustness_limit: Pictures a source for that.
        changes: Kinds of copies, names in `KINDS`; all of them when empty.
        gates: Also where it errs by quality of the face.
        explanations: Manipulated faces on which methods of explanation are measured; 0 for none.
    """

    data: tuple[str, ...]
    split: SplitChoice = "auto"
    limit: int | None = None
    baseline: bool = False
    robustness: bool = False
    robustness_limit: int = ROBUSTNESS_LIMIT
    changes: tuple[str, ...] = ()
    gates: bool = False
    explanations: int = 0


def evaluate(
    request: Request,
    detector: Detector,
    other: Detector | None = None,
    *,
    finder: FaceFinder | None = None,
    on_progress: Tell | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Document:
    """Measure a detector on labelled media.

    Args:
        request: What.
        detector: Which.
        other: One to compare it with on the same media.
        finder: Who finds faces; the process's shared one when None.
        on_progress: Told how many judgements are done, of how many, and of what kind.
        should_cancel: Asked after each.

    Returns:
        The document; see `core.evaluation.document`.

    Raises:
        DataError: The folder holds nothing to measure, or a limit is too low.
        UserError: The other detector is the same one, or there is no such change.
        Cancelled: `should_cancel` said so; what was judged by then is remembered.
    """
    started = time.perf_counter()
    check_limit(request.robustness_limit, "limit of robustness")
    for name in request.changes:
        if name not in KINDS:
            raise UserError(f"There is no change {name!r}: choose among {', '.join(KINDS)}.")
    if other and detector_key(other) == detector_key(detector):
        raise UserError(f"{detector.name} would be compared with itself: name another detector to compare it with.")
    selection = select(request.data, split=request.split, limit=request.limit)
    request, notes = _measurable(request, selection)
    work = _Work(request, selection, finder or default_finder(), on_progress, should_cancel, several=other is not None)
    scored = work.judge(detector, selection.samples, "Judging")
    readable = [one for one in scored if one.verdict != "error"]
    if not readable:
        raise DataError("None of the files can be read as a picture or a video: check the folder.")
    pictures = [one for one in scored if not one.video]
    baseline = work.baseline(detector) if request.baseline else {}
    notes += _not_fitted(baseline, selection) if request.baseline else []
    parts = {
        "detector": describe_detector(detector),
        "data": _data(request, selection),
        "baseline": baseline,
        "robustness": work.robustness(detector, pictures) if request.robustness else None,
        "comparison": work.comparison(detector, other, scored) if other else None,
        "gates": work.gates(detector, pictures) if request.gates else None,
        "explanations": work.explanations(detector) if request.explanations else None,
        **work.figures(readable),
        "items": item_columns(readable, detector),
        "unreadable": [{"path": str(one.sample.path), "reason": one.error} for one in scored if one.error],
        "notes": notes,
    }
    return stamped(parts, time.perf_counter() - started)


def _not_fitted(baseline: dict[str, Any], selection: Selection) -> list[str]:
    """A sentence where the spectrum of a source could not be fitted: a dash would not say why."""
    sources = sorted({one.source for one in selection.samples if part_of(one.source) not in baseline})
    if not sources:
        return []
    of = f"{len(sources)} {'source' if len(sources) == 1 else 'sources'}"
    named = few(sources)
    of += f" ({named})" if named and all(few([one]) for one in sources) else ""
    return [f"No spectrum baseline of {of}: it takes five pictures of each class, and each class in several groups."]


def _measurable(request: Request, selection: Selection) -> tuple[Request, list[str]]:
    """The request without what videos alone cannot answer, and sentences on that and on the selection."""
    asked = [name for name in PICTURES_ONLY if getattr(request, name)]
    if not asked or not all(sample.is_video for sample in selection.samples):
        return request, list(selection.notes)
    words = " and ".join(", ".join(PICTURES_ONLY[name] for name in asked).rsplit(", ", 1))
    said = f"Not measured: {words}. That takes pictures, and there are videos only."
    request = replace(request, baseline=False, robustness=False, gates=False, explanations=0)
    return request, [*selection.notes, said]


def _data(request: Request, selection: Selection) -> dict[str, Any]:
    return {
        "name": ", ".join(dict.fromkeys(map(name_of, request.data))),
        "split": selection.split,
        "limit": request.limit,
        "folders": [str(Path(folder).absolute()) for folder in request.data],
    }


def name_of(data: str) -> str:
    """For titles: the folder's name, that of its manifest.csv too, or the name of another manifest."""
    path = Path(os.path.normpath(Path(data).absolute()))
    if path.is_file():
        return path.parent.name if path.name == "manifest.csv" else path.stem
    return path.name


class _Work:
    """The phases of one evaluation, and one count over all of them."""

    def __init__(
        self,
        request: Request,
        selection: Selection,
        finder: FaceFinder,
        on_progress: Tell | None,
        should_cancel: Callable[[], bool] | None,
        *,
        several: bool,
    ) -> None:
        self._request, self._selection, self._finder = request, selection, finder
        self._on_progress, self._should_cancel = on_progress, should_cancel
        pictures = [sample for sample in selection.samples if not sample.is_video]
        copied = request.robustness or request.gates
        self._few = {sample.path for sample in limited(pictures, request.robustness_limit)} if copied else set()
        self._train = train_sample(selection.train) if request.baseline else []
        self._done, self._total = 0, self._planned(several)
        self._caches: dict[str, RowCache] = {}

    def judge(
        self, detector: Detector, samples: Sequence[Sample], words: str, change: Change | None = None
    ) -> list[Scored]:
        scored = score_media(
            samples,
            detector,
            self._finder,
            cache=self._cache(detector_key(detector)),
            change=change,
            on_progress=lambda done, _: self._tell(done, words),
            should_cancel=self._should_cancel,
        )
        self._done += len(samples)
        return scored

    def baseline(self, detector: Detector) -> dict[str, Any]:
        samples, train = self._selection.samples, self._train
        found = []
        for part, words in ((samples, "Low-level statistics"), (train, "Low-level statistics of training pictures")):
            features = measure_features(
                part,
                scale=detector.spec.crop.wide or detector.spec.crop.scale,  # all that the detector sees
                size=detector.spec.input_size,
                finder=self._finder,
                cache=self._cache("spectrum"),
                on_progress=lambda done, _, words=words: self._tell(done, words),  # type: ignore[misc]
                should_cancel=self._should_cancel,
            )
            self._done += len(part)
            found.append(features)
        return baseline_figures(samples, found[0], train, found[1])

    def robustness(self, detector: Detector, pictures: Sequence[Scored]) -> dict[str, Any]:
        few = [one for one in pictures if one.sample.path in self._few]
        samples = [one.sample for one in few]
        levels = [
            level_figures(few, self.judge(detector, samples, change.label, change), change)
            for change in all_changes(self._request.changes)
        ]
        return {"untouched": untouched_figures(few), "levels": levels}

    def gates(self, detector: Detector, pictures: Sequence[Scored]) -> dict[str, Any]:
        samples = [one.sample for one in pictures if one.sample.path in self._few]
        copies = {change.key: self.judge(detector, samples, change.label, change) for change in gate_copies()}
        return gate_figures(pictures, copies, detector.spec)

    def explanations(self, detector: Detector) -> dict[str, Any]:
        count = self._request.explanations
        found = measure_explanations(
            self._selection.samples,
            detector,
            self._finder,
            count,
            on_progress=lambda done, _, words: self._tell(done, words),
            should_cancel=self._should_cancel,
        )
        self._done += planned(count)
        return found

    def comparison(self, detector: Detector, other: Detector, scored: Sequence[Scored]) -> dict[str, Any]:
        described = describe_detector(other)
        if other.name == detector.name:  # as two runs of one configuration are called
            described["name"] = f"{other.name} {other.sha256[:8]}"
        second = self.judge(other, self._selection.samples, f"Judging with {described['name']}")
        return {
            "name": detector.name,
            "other": described,
            "figures": compare(scored, second),
            "other_figures": summarise([one for one in second if one.verdict != "error"]),
            "other_curves": {name: curves_of(part) for name, part in parts_of(second).items()},
        }

    def figures(self, readable: Sequence[Scored]) -> dict[str, Any]:
        self._tell(0, "Working out figures and their intervals")
        by_part = parts_of(readable)
        calibration = {name: calibration_of(part) for name, part in by_part.items()}
        columns = self._selection.columns
        by_value = {name: lambda one, values=values: values.get(one.sample.path) for name, values in columns.items()}
        return {
            "figures": summarise(readable, calibration),
            "columns": figures_by_column(readable, by_value),
            "curves": {name: curves_of(part) for name, part in by_part.items()},
            "calibration": calibration,
        }

    def _planned(self, several: bool) -> int:
        """Judgements in all, so that the bar never runs backwards."""
        request, every = self._request, len(self._selection.samples)
        copies = request.robustness * len(all_changes(request.changes)) + request.gates * len(gate_copies())
        maps = planned(request.explanations) if request.explanations else 0
        return every * (1 + several + request.baseline) + len(self._train) + len(self._few) * copies + maps

    def _cache(self, name: str) -> RowCache:
        if name not in self._caches:
            self._caches[name] = RowCache.named(name)
        return self._caches[name]

    def _tell(self, done: int, words: str) -> None:
        if self._on_progress:
            self._on_progress(self._done + done, self._total, words)
