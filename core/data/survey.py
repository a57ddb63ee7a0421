"""What is in training data, and what is wrong with them, before any time is spent on training."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.data.dataset import classes_of, find_samples
from core.data.facts import Look, Progress, look_at_all
from core.data.sample import Sample
from core.data.warnings import DataWarning, warnings_about

__all__ = ["ClassFacts", "DataWarning", "Survey", "survey"]


@dataclass(frozen=True)
class ClassFacts:
    """One class of one split of one source.

    Attributes:
        source, split, label: Which.
        pictures, videos: How many can be read.
        side_px: Median of the side of a square as large as the picture, in pixels; 0 where none can be read.
        formats: How many there are of each format ("JPEG", "PNG", …, or a video's codec).
    """

    source: str
    split: str
    label: str
    pictures: int
    videos: int
    side_px: int
    formats: Mapping[str, int]


@dataclass(frozen=True)
class Survey:
    """What is in training data.

    Attributes:
        samples: All of them, as `index_data` gives them.
        facts: By source, split and class.
        size_bytes: Of all readable files.
        warnings: What to know before training, the gravest first.
    """

    samples: tuple[Sample, ...]
    facts: tuple[ClassFacts, ...]
    size_bytes: int
    warnings: tuple[DataWarning, ...]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Classes, "real" first."""
        return classes_of(self.samples)

    @property
    def pictures(self) -> int:
        """How many pictures there are."""
        return sum(one.pictures for one in self.facts)

    @property
    def videos(self) -> int:
        """How many videos there are."""
        return sum(one.videos for one in self.facts)

    @cached_property
    def counts(self) -> Mapping[tuple[str, str, str], int]:
        """Pictures and videos by source, split and class."""
        return {(one.source, one.split, one.label): one.pictures + one.videos for one in self.facts}

    @cached_property
    def formats(self) -> Mapping[str, int]:
        """Files by format, the most frequent first."""
        total: Counter[str] = Counter()
        for one in self.facts:
            total.update(one.formats)
        return dict(total.most_common())


def survey(
    folders: Iterable[Path | str],
    *,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Survey:
    """Looks at every file once (500 small pictures a second on two cores); what it saw is remembered.

    Args:
        folders: Data folders or manifests.
        on_progress: Called with files looked at and in all.
        should_stop: Asked before each file.

    Raises:
        DataError: A folder is missing or may not be read, or holds nothing to train on.
        Cancelled: `should_stop` said so.
    """
    samples = find_samples(folders, on_progress=on_progress, should_stop=should_stop)
    looks = look_at_all([sample.path for sample in samples], on_progress, should_stop)
    return Survey(
        samples=tuple(samples),
        facts=_facts(samples, looks),
        size_bytes=sum(one.size_bytes for one in looks),
        warnings=tuple(warnings_about(samples, looks)),
    )


def _facts(samples: Sequence[Sample], looks: Sequence[Look]) -> tuple[ClassFacts, ...]:
    members: dict[tuple[str, str, str], list[int]] = {}
    for index, sample in enumerate(samples):
        members.setdefault((sample.source, sample.split, sample.label), []).append(index)
    return tuple(_class_facts(key, [(samples[i], looks[i]) for i in members[key]]) for key in sorted(members))


def _class_facts(key: tuple[str, str, str], both: Sequence[tuple[Sample, Look]]) -> ClassFacts:
    good = [sample for sample, one in both if not one.problem]
    videos = sum(sample.is_video for sample in good)
    sides = sorted(one.side_px for _, one in both if one.width)
    formats = Counter(one.format for _, one in both if one.format)
    median = round(sides[len(sides) // 2]) if sides else 0
    return ClassFacts(*key, len(good) - videos, videos, median, dict(formats.most_common()))
