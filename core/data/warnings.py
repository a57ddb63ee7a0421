"""What is wrong with training data, in sentences that say what to do."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import SELF_BLEND_ADVICE, SPLITS, Sample, classes_of
from core.data.duplicates import mirrored_copies
from core.data.facts import Look, copies_among
from core.metrics import roc_auc

TELLING = 0.7  # a figure that tells so many pairs of a real and a fake apart would be learned
FEW = {"train": 100, "val": 30}
ENOUGH_TO_COMPARE = 20
UNEVEN = 4.0
SAME_LEVELS = 2  # small copies of one picture differ by no more, however it was saved
LEARNED_INSTEAD = "a network could learn that instead of the traces of manipulation"

Kind = Literal[
    "one_class", "class_duplicates", "split_copies", "unreadable", "few", "size", "format", "compression", "imbalance"
]


@dataclass(frozen=True)
class DataWarning:
    """Something to know before training.

    Attributes:
        kind: What it is about.
        sentence: What is wrong and what to do.
        paths: The files concerned; empty when it is about a whole class.
    """

    kind: Kind
    sentence: str
    paths: tuple[Path, ...] = ()


def warnings_about(samples: Sequence[Sample], looks: Sequence[Look]) -> Iterator[DataWarning]:
    """All warnings, the gravest first.

    Args:
        samples: What there is.
        looks: What is known of each of them.
    """
    good = [index for index, one in enumerate(looks) if not one.problem]
    kept, seen = [samples[index] for index in good], [looks[index] for index in good]
    yield from _one_class(samples)
    yield from _copies(kept, seen)
    yield from _unreadable(samples, looks)
    yield from _few(kept)
    for source in sorted({sample.source for sample in kept}):
        part = [index for index, sample in enumerate(kept) if sample.source == source]
        yield from _telling(source, [kept[index] for index in part], [seen[index] for index in part])
    yield from _imbalance(kept)


def _one_class(samples: Sequence[Sample]) -> Iterator[DataWarning]:
    if not any(sample.fake for sample in samples):
        yield DataWarning("one_class", f"There are only real pictures: {SELF_BLEND_ADVICE}.")
    elif all(sample.fake for sample in samples):
        yield DataWarning("one_class", "There are no real pictures: put some into a folder named Real.")


def _copies(samples: Sequence[Sample], looks: Sequence[Look]) -> Iterator[DataWarning]:
    """The same picture with two labels, and copies in two splits."""
    two_labels: set[Path] = set()
    two_splits: set[Path] = set()
    pairs = _copy_pairs(looks)
    for (a, b), same in zip(pairs.tolist(), _same(looks, pairs).tolist()):
        both = {samples[a].path, samples[b].path}
        two_labels |= both if same and samples[a].label != samples[b].label else set()
        two_splits |= both if samples[a].split != samples[b].split else set()
    if two_labels:
        sentence = "stand in two classes and look the same: nothing can be learned from them, so delete or move them."
        yield DataWarning("class_duplicates", f"{len(two_labels)} pictures {sentence}", tuple(sorted(two_labels)))
    if two_splits:
        swapped = len(two_splits & two_labels)
        with_label = f", {swapped} of them with another label there" if swapped else ""
        yield DataWarning(
            "split_copies",
            f"{len(two_splits)} pictures stand in more than one of train, val and test (as copies or near-copies"
            f"{with_label}): figures will look better than they are, so keep each on one side only.",
            tuple(sorted(two_splits)),
        )


def _copy_pairs(looks: Sequence[Look]) -> NDArray[np.intp]:
    """Pairs of equal files and of pictures that are nearly the same, (n, 2)."""
    first: dict[str, int] = {}
    equal = [(first.setdefault(one.digest, index), index) for index, one in enumerate(looks)]
    pairs = [np.array([pair for pair in equal if pair[0] != pair[1]], np.intp).reshape(-1, 2)]
    return np.concatenate([*pairs, copies_among(looks)])


def _same(looks: Sequence[Look], pairs: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which pairs are one picture, saved twice; a fake and the frame that it was made from are not."""
    if not len(pairs):
        return np.zeros(0, np.bool_)
    small = np.array([one.pixels for one in looks]).reshape(len(looks), -1)
    one, other = (small[pairs[:, column]].astype(np.int16) for column in (0, 1))
    mirrored = mirrored_copies(small[pairs[:, 1]]).astype(np.int16)
    apart = [np.abs(one - seen).max(axis=1, initial=0) for seen in (other, mirrored)]
    return np.minimum(*apart) <= SAME_LEVELS


def _unreadable(samples: Sequence[Sample], looks: Sequence[Look]) -> Iterator[DataWarning]:
    bad = [(sample.path, one.problem) for sample, one in zip(samples, looks) if one.problem]
    if bad:
        sentence = f"{len(bad)} of {len(looks)} files cannot be used and will be left out. The first: {bad[0][1]}"
        yield DataWarning("unreadable", sentence, tuple(path for path, _ in bad))


def _few(samples: Sequence[Sample]) -> Iterator[DataWarning]:
    counts = Counter((sample.split, sample.fake) for sample in samples if not sample.is_video)
    with_videos = {(sample.split, sample.fake) for sample in samples if sample.is_video}
    present = {sample.fake for sample in samples}
    for split in SPLITS[:2]:
        for fake in sorted(present):
            number, kind = counts[split, fake], "fake" if fake else "real"
            if number < FEW[split] and (split, fake) not in with_videos:
                why = "a detector needs hundreds to learn from" if split == "train" else "its figures will mean little"
                has = f"only {number} {kind} picture{'s' if number > 1 else ''}" if number else f"no {kind} pictures"
                yield DataWarning("few", f"{split} has {has}: {why}, so add more.")


def _telling(source: str, samples: Sequence[Sample], looks: Sequence[Look]) -> Iterator[DataWarning]:
    """Figures that tell the classes of a source apart although they have nothing to do with being fake."""
    pictures = [(sample.fake, one) for sample, one in zip(samples, looks) if one.small]
    fakes = np.array([fake for fake, _ in pictures], bool)
    if min(fakes.sum(), (~fakes).sum()) < ENOUGH_TO_COMPARE:
        return
    sides = np.array([one.side_px for _, one in pictures])
    if by_size := (share := _told_apart(sides, fakes)) >= TELLING:
        yield DataWarning(
            "size",
            f"In {source} real pictures are {np.median(sides[~fakes]):.0f} and fake ones {np.median(sides[fakes]):.0f} "
            f"pixels large (medians), and size alone tells {share:.0%} of pairs apart: {LEARNED_INSTEAD}, so bring "
            "both classes to one size.",
        )
    formats = {fake: Counter(one.format for its, one in pictures if its == fake) for fake in (False, True)}
    if by_format := _guessed(formats) >= TELLING:
        usual = {fake: counter.most_common(1)[0] for fake, counter in formats.items()}
        shares = {fake: usual[fake][1] / formats[fake].total() for fake in usual}
        yield DataWarning(
            "format",
            f"In {source} {shares[False]:.0%} of the real pictures are {usual[False][0]} and {shares[True]:.0%} of the "
            f"fake ones {usual[True][0]}: {LEARNED_INSTEAD}, so save both classes in one format.",
        )
    if by_size or by_format:  # bytes a pixel would only say the same again
        return
    density = np.array([one.size_bytes / (one.width * one.height) for _, one in pictures])
    if (share := _told_apart(density, fakes)) >= TELLING:
        yield DataWarning(
            "compression",
            f"In {source} real pictures take {np.median(density[~fakes]):.2f} and fake ones "
            f"{np.median(density[fakes]):.2f} bytes a pixel (medians), which alone tells {share:.0%} of pairs apart: "
            f"{LEARNED_INSTEAD}, so save both classes at one size and quality.",
        )


def _told_apart(figure: NDArray[np.float64], fakes: NDArray[np.bool_]) -> float:
    """Share of pairs of a real and a fake that a figure orders alike, 0.5..1."""
    auc = roc_auc(figure, fakes)
    return max(auc, 1 - auc)


def _guessed(formats: dict[bool, Counter[str]]) -> float:
    """Share of pictures, classes weighing alike, whose class the best guess by format gets right, 0.5..1."""
    names = set(formats[False]) | set(formats[True])
    return sum(max(formats[fake][name] / formats[fake].total() for fake in formats) for name in names) / 2


def _imbalance(samples: Sequence[Sample]) -> Iterator[DataWarning]:
    counts = Counter(sample.label for sample in samples if sample.split == "train")
    labels = [label for label in classes_of(samples) if counts[label]]
    if len(labels) < 2:
        return
    most, least = max(labels, key=counts.__getitem__), min(labels, key=counts.__getitem__)
    if counts[most] >= UNEVEN * counts[least]:
        yield DataWarning(
            "imbalance",
            f"train has {counts[most] / counts[least]:.0f} times as many {most} samples as {least} ones: they are "
            f"drawn alike, so each {least} one is seen that much more often; more of them would help.",
        )
