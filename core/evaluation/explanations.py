"""Methods of explanation against each other: how faithful each is to a detector, and how long it takes.

faces, tried, called_fake   manipulated faces measured on, made for that, and of the former those called fake
layer                       where maps are drawn from
methods                     by name: title, unit, faces, seconds (median a face), deletion, insertion and gain (areas
                            under the curves, and their difference), pointing, overlap, both curves, agreement (rank
                            correlation with the map of the network with shuffled weights, by stage), passes
baselines                   the same for maps that know nothing: chance, and the middle of the crop
default                     name of the method that `choose` takes
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Sample
from core.errors import Cancelled
from core.evaluation.made_fakes import CALLED_FAKE, MadeFake, make_fakes
from core.explain.cam import DEFAULT_METHOD, METHODS
from core.explain.faithfulness import STAGES, agreement, area, overlap, perturbation_curves, points_into, randomised
from core.explain.network import ExplainedNetwork, explained_network
from core.faces import FaceFinder

if TYPE_CHECKING:
    from core.detector.engine import Detector
    from core.evaluation.document import Document

Map = NDArray[np.float32]
Tell = Callable[[int, int, str], None]
FEW = {"score_cam": 2}
"""Faces that a method is measured on where all would take too long; its figures are rough, and said to be."""
SHUFFLED_FACES = 4
MOST_AGREEMENT = 0.5
"""A map that agrees more than so with that of a network with shuffled weights does not show what was learnt."""
MOST_SECONDS = 1.2
"""What a person waits for without being asked to."""
RULE = (
    f"Of the methods that change with the weights (rank correlation at most {MOST_AGREEMENT:g}) and take at most "
    f"{MOST_SECONDS:g} s a face: the best mean rank in insertion minus deletion, pointing game "
    "and overlap. Where none fulfils both, the activation map."
)


def measure_explanations(
    samples: Sequence[Sample],
    detector: Detector,
    finder: FaceFinder,
    count: int,
    *,
    on_progress: Tell | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """The table of methods; see above.

    Args:
        samples: Whose real pictures the manipulated faces are made from.
        detector: Whose answers are explained.
        finder: Finds the faces.
        count: Manipulated faces; two dozen take some minutes on two cores.
        on_progress: Told how many steps are done, of how many, and what is going on.
        should_cancel: Asked after each map.

    Raises:
        DataError: There are no real faces to blend.
        Cancelled: `should_cancel` said so.
    """
    steps = _Steps(planned(count), on_progress, should_cancel)
    faces, made = make_fakes(
        samples, detector, finder, count, on_progress=lambda n: steps.at(n, "Making manipulated faces")
    )
    steps.done = count
    network = explained_network(detector)
    maps = {name: _maps(name, network, detector, faces, steps) for name in METHODS}
    rows = {name: _row(name, *maps[name], faces, detector) for name in METHODS}
    trained = {name: found for name, (found, _) in maps.items()}
    for name, sizes in _agreements(network, trained, faces, steps).items():
        rows[name] |= {"agreement": sizes, "passes": sizes["all"] <= MOST_AGREEMENT}
    blind = {name: _figures([draw(face, i) for i, face in enumerate(faces)], faces, detector) for name, draw in BLIND}
    return {
        "faces": len(faces),
        "tried": made,
        "called_fake": sum(one.fake_probability > CALLED_FAKE for one in faces),
        "layer": network.features,
        "methods": rows,
        "baselines": blind,
        "default": choose(rows),
        "rule": RULE,
    }


def planned(count: int) -> int:
    """Steps in all: faces made, and maps drawn, those of shuffled networks included."""
    drawn = sum(min(FEW.get(name, count), count) for name in METHODS)
    shuffled = sum(_shuffled_faces(name, stage, count) for name in METHODS for stage, _ in STAGES)
    return count + drawn + shuffled


def choose(rows: dict[str, dict[str, Any]]) -> str:
    """The default method by `RULE`; the activation map where none fulfils it."""
    fit = [name for name, row in rows.items() if row["passes"] and row["seconds"] <= MOST_SECONDS]
    if not fit:
        return DEFAULT_METHOD

    def rank(name: str) -> tuple[float, float]:
        better = [sum(rows[other][key] > rows[name][key] for other in fit) for key in ("gain", "pointing", "overlap")]
        return sum(better), rows[name]["seconds"]

    return min(fit, key=rank)


def default_method(documents: Sequence[Document]) -> str:
    """The method that a detector's own evaluation says, the first that has measured it; else `DEFAULT_METHOD`."""
    for document in documents:
        name = (document.get("explanations") or {}).get("default")
        if name in METHODS:
            return str(name)
    return DEFAULT_METHOD


class _Steps:
    def __init__(self, total: int, tell: Tell | None, should_cancel: Callable[[], bool] | None) -> None:
        self.done, self.total, self._tell, self._should_cancel = 0, total, tell, should_cancel

    def at(self, done: int, words: str) -> None:
        if self._tell:
            self._tell(done, self.total, words)
        if self._should_cancel and self._should_cancel():
            raise Cancelled

    def next(self, words: str) -> None:
        self.done += 1
        self.at(self.done, words)


def _draw(name: str, network: ExplainedNetwork, detector: Detector, crop: NDArray[np.uint8]) -> Map:
    if name == "activation_map":
        return detector.predict(crop[None]).activation_maps[0]  # as every report has it
    return METHODS[name](network, crop[None])[0]


def _maps(
    name: str, network: ExplainedNetwork, detector: Detector, faces: Sequence[MadeFake], steps: _Steps
) -> tuple[list[Map], float]:
    """A map for each face, and the median time of one in seconds; what is made once is made before."""
    found, times = [], []
    if name not in FEW:
        _draw(name, network, detector, faces[0].crop)
    for face in faces[: FEW.get(name, len(faces))]:
        started = time.perf_counter()
        found.append(_draw(name, network, detector, face.crop))
        times.append(time.perf_counter() - started)
        steps.next(METHODS[name].title)
    return found, float(np.median(times))


def _row(name: str, maps: list[Map], seconds: float, faces: Sequence[MadeFake], detector: Detector) -> dict[str, Any]:
    method = METHODS[name]
    return {"title": method.title, "unit": method.unit, "seconds": seconds, **_figures(maps, faces, detector)}


def _figures(maps: Sequence[Map], faces: Sequence[MadeFake], detector: Detector) -> dict[str, Any]:
    def judge(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
        return detector.probability(detector.predict(crops).logits)

    pairs = list(zip(maps, faces))
    curves = [perturbation_curves(face.crop, heat, judge) for heat, face in pairs]
    deletion, insertion = (np.array([pair[i] for pair in curves]) for i in range(2))
    gains = [area(after) - area(before) for before, after in curves]
    return {
        "faces": len(pairs),
        "deletion": float(np.mean([area(curve) for curve in deletion])),
        "insertion": float(np.mean([area(curve) for curve in insertion])),
        "gain": float(np.mean(gains)),
        "gain_error": _standard_error(gains),
        "pointing": float(np.mean([points_into(heat, face.mask) for heat, face in pairs])),
        "overlap": float(np.mean([overlap(heat, face.mask) for heat, face in pairs])),
        "overlap_error": _standard_error([overlap(heat, face.mask) for heat, face in pairs]),
        "deletion_curve": np.round(deletion.mean(axis=0), 4).tolist(),
        "insertion_curve": np.round(insertion.mean(axis=0), 4).tolist(),
    }


def _standard_error(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else None


def _shuffled_faces(name: str, stage: str, count: int) -> int:
    if name in FEW:
        return int(stage == STAGES[-1][0])
    return min(count, SHUFFLED_FACES)


def _agreements(
    network: ExplainedNetwork, trained: dict[str, list[Map]], faces: Sequence[MadeFake], steps: _Steps
) -> dict[str, dict[str, float]]:
    """Mean size of the rank correlation with the trained network's maps, by method and stage."""
    found: dict[str, dict[str, float]] = {name: {} for name in METHODS}
    for stage, shuffled in randomised(network):
        for name, method in METHODS.items():
            sizes = []
            for face, heat in zip(faces[: _shuffled_faces(name, stage, len(faces))], trained[name]):
                sizes.append(abs(agreement(heat, method(shuffled, face.crop[None])[0])))
                steps.next(f"{method.title}, weights shuffled")
            if sizes:
                found[name][stage] = float(np.mean(sizes))
    return found


def _by_chance(face: MadeFake, number: int) -> Map:
    coarse = np.random.default_rng(number).random((6, 6)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, face.mask.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _in_the_middle(face: MadeFake, _: int) -> Map:
    axes = (np.linspace(-1, 1, side, dtype=np.float32) for side in face.mask.shape)
    return np.asarray(-np.add.outer(*(axis**2 for axis in axes)), np.float32)


BLIND: tuple[tuple[str, Callable[[MadeFake, int], Map]], ...] = (("chance", _by_chance), ("middle", _in_the_middle))
