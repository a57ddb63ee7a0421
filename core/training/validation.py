"""What a network says of the validation faces after an epoch: AUC by source, confusion, the most wrong faces."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import REAL, Sample, classes_of
from core.data.draw import BLENDED
from core.data.folders import few
from core.errors import TrainingError
from core.metrics import roc_auc
from core.training.config import TrainConfig

MOST_MISTAKES = 24
EPSILON = 1e-7


@dataclass(frozen=True)
class Judged:
    """Validation samples with what the network gave each.

    Attributes:
        samples: n faces.
        classes: k names, "real" first.
        outputs: (n, 1) or (n, k) probabilities as the network's head gives them.
    """

    samples: Sequence[Sample]
    classes: tuple[str, ...]
    outputs: NDArray[np.float32]

    @property
    def fake_probability(self) -> NDArray[np.float32]:
        """(n,) P(fake), not calibrated."""
        return self.outputs[:, 0] if self.outputs.shape[1] == 1 else 1 - self.outputs[:, 0]

    @property
    def class_probabilities(self) -> NDArray[np.float32]:
        """(n, k)."""
        if self.outputs.shape[1] > 1:
            return self.outputs
        return np.concatenate([1 - self.outputs, self.outputs], axis=1)

    @property
    def truth(self) -> NDArray[np.intp]:
        """(n,) index of each sample's class."""
        if len(self.classes) == 2:
            return np.array([int(sample.fake) for sample in self.samples])
        return np.array([self.classes.index(sample.label) for sample in self.samples])

    def aucs(self) -> dict[str, float]:
        """AUC of each source that has both classes; of all together under "all" where none has."""
        scores, fake = self.fake_probability, np.array([sample.fake for sample in self.samples])
        sources = np.array([sample.source for sample in self.samples])
        found = {str(one): roc_auc(scores[sources == one], fake[sources == one]) for one in np.unique(sources)}
        found = {source: auc for source, auc in found.items() if not math.isnan(auc)}
        return found or {"all": roc_auc(scores, fake)}

    def loss(self) -> float:
        """Mean cross-entropy, without label smoothing."""
        given = self.class_probabilities[np.arange(len(self.samples)), self.truth]
        return float(-np.log(np.maximum(given, EPSILON)).mean())

    def confusion(self) -> list[list[int]]:
        """Rows are what faces are, columns what they are called, both in the order of the classes."""
        count = len(self.classes)
        called = self.class_probabilities.argmax(axis=1)
        return np.bincount(self.truth * count + called, minlength=count**2).reshape(count, count).tolist()

    def mistakes(self, most: int = MOST_MISTAKES) -> list[dict[str, Any]]:
        """The faces that are most wrong, the worst first."""
        scores = self.fake_probability
        wrong = [1 - scores[i] if sample.fake else scores[i] for i, sample in enumerate(self.samples)]
        worst = sorted((i for i in range(len(wrong)) if wrong[i] > 0.5), key=lambda i: -wrong[i])[:most]
        return [
            {
                "path": str(self.samples[i].path),
                "label": self.samples[i].label,
                "fake_probability": round(float(scores[i]), 4),
            }
            for i in worst
        ]


def check_weights(config: TrainConfig, samples: Sequence[Sample]) -> None:
    """Raises `TrainingError` where `class_weights` or `source_weights` name what the data do not have."""
    labels, made = classes_of(samples), config.made_share > 0
    outputs = class_names(labels, config.multi_class, made)
    classes = dict.fromkeys([*labels, *outputs, *([BLENDED] if made else [])])
    there = {"class": (config.loss_weights, classes), "source": (config.emphasis, sorted({s.source for s in samples}))}
    for kind, (given, known) in there.items():
        for name in given:
            if name not in known:
                raise TrainingError(
                    f"{kind}_weights name {name!r}, and these data have no such {kind}: {_some(known)}."
                )


def _some(names: Iterable[str]) -> str:
    return f"they have {few(names) or 'other ones'}"


def class_names(labels: Sequence[str], multi_class: str, blends: bool) -> tuple[str, ...]:
    """What the network's outputs mean: real and fake, or each class of the data.

    Args:
        labels: Classes of the data, "real" first.
        multi_class: The setting: auto, yes or no.
        blends: Whether fakes are made from reals as well; they are a class of their own where there are several.
    """
    if len(labels) <= 2 or multi_class == "no":
        return (REAL, "fake")
    return (*labels, BLENDED) if blends and BLENDED not in labels else tuple(labels)
