"""Dividing data into train, val and test where nothing says how: what belongs together stays on one side."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.data.duplicates import joined, likeness
from core.data.facts import Look, copies_among
from core.data.folders import Found
from core.data.sample import Sample

HELD_OUT = 0.1  # share of the groups that goes to val, and again to test
LARGE = 0.2  # a group with a greater share of its class is for training only
MANY = 10  # so many names with numbers are videos; of fewer, their pictures must look alike
FRAMES_ALIKE = 0.8  # neighbouring frames of the videos in ../shared/data: .92 or more; unrelated pictures: .63 or less
FEW = 16  # so many first pictures of a folder tell whether it is a video
_NUMBERED = re.compile(r"^(.*?)[-_. ]*(?:frame)?[-_. ]*\d+$", re.IGNORECASE)
_TWO_NUMBERS = re.compile(r"^\d+_\d+$")
Key = tuple[str, ...]
Tie = tuple[int, int]


def divide(found: Sequence[Found], looks: Sequence[Look]) -> list[Sample]:
    """The samples with a split and a group each; splits that were given are kept.

    A group is what one of these joins: the group that a manifest names; one name in several classes (a fake is often
    named after the picture that it was made from, or after both: `a_b`); frames of one video; copies and near-copies.
    A group with a member whose split was given goes there. The others are drawn by their names, kind by kind (a kind:
    the source and the classes in a group), so that the same data always divide alike.
    """
    pairs = [*_by_names(found), *_by_frames(found, looks), *_by_copies(looks)]
    numbers = joined(len(found), np.array(pairs, np.intp).reshape(-1, 2)) if found else np.empty(0, np.intp)
    groups: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(numbers.tolist()):
        groups[number].append(index)
    drawn = _drawn([[found[index].sample for index in members] for members in groups.values()])
    samples = [one.sample for one in found]
    for members, (split, name) in zip(groups.values(), drawn):
        for index in members:
            if not samples[index].split:
                samples[index] = replace(samples[index], split=split, group=name)
    return samples


def by_film(
    samples: Sequence[Sample], found: Sequence[Found], look_at: Callable[[Sequence[Path]], Sequence[Look]]
) -> list[Sample]:
    """The samples; those that came with a split and are frames of one video have its folder as their group.

    A folder below a class is a video by the signs that `divide` goes by, so that a film's frames count as one whether
    or not folders name the splits. Where its pictures must look alike, only the first few of them are looked at. Rows
    of a manifest stay as they are: it has a column for groups.

    Args:
        samples: As `divide` gives them, or those of `found` as they are.
        found: The same, as they were found.
        look_at: Looks at pictures.
    """
    given = {index for index, one in enumerate(found) if one.sample.split and not one.from_manifest}
    every = _in_folders(found)
    many = _many(every)
    folders = {key: members for key, members in every.items() if not given.isdisjoint(members)}
    unsure = {key: all_[:FEW] for key, all_ in folders.items() if key[0] not in many and len(all_) > 1}
    to_see = [found[index].sample.path for members in unsure.values() for index in members]
    looks = iter(look_at(to_see) if to_see else ())
    alike = {key for key, some in unsure.items() if _look_alike(np.array([next(looks).pixels for _ in some]))}
    grouped = list(samples)
    for key, members in folders.items():
        if len(members) > 1 and (key[0] in many or key in alike):
            for index in given.intersection(members):
                grouped[index] = replace(grouped[index], group=key[1].strip("/"))
    return grouped


def _drawn(groups: Sequence[Sequence[Sample]]) -> list[tuple[str, str]]:
    """A split and a name for each group."""
    given = {(sample.source, sample.split) for group in groups for sample in group}
    names = [min(f"{sample.source}/{sample.group}" for sample in group) for group in groups]
    splits = [next((sample.split for sample in group if sample.split), "") for group in groups]
    kinds: dict[tuple[str, frozenset[str]], list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        if not splits[index]:
            kinds[group[0].source, frozenset(sample.label for sample in group)].append(index)
    for (source, _), members in kinds.items():
        members.sort(key=lambda index: hashlib.sha256(names[index].encode()).digest())
        free, count = _to_hold_out([(index, len(groups[index])) for index in members])
        for split in ("val", "test"):
            if (source, split) not in given:
                for index in free[:count]:
                    splits[index] = split
                free = free[count:]
    return [(split or "train", name) for split, name in zip(splits, names)]


def _to_hold_out(sizes: Sequence[tuple[int, int]]) -> tuple[list[int], int]:
    """Of groups and their sizes those that need not be trained on, and how many of them each other split gets."""
    total = sum(size for _, size in sizes)
    free = [group for group, size in sizes if len(sizes) < 5 or size <= LARGE * total]
    count = max(1, round(HELD_OUT * len(free)))
    if len(free) == len(sizes):
        free.pop()  # one at least is left to train on
    return free, count


def _by_names(found: Sequence[Found]) -> Iterable[Tie]:
    """Ties of one group or one name, in whatever class, and of videos by `_by_origin`."""
    members: dict[Key, list[int]] = defaultdict(list)
    for index, (sample, folder, _) in enumerate(found):
        if folder is None:
            members[(sample.source, sample.group)].append(index)
        else:
            members[(sample.source, folder, PurePosixPath(sample.group).name)].append(index)
    yield from (tie for several in members.values() for tie in pairwise(several))
    yield from _by_origin(members)


def _by_origin(members: Mapping[Key, Sequence[int]]) -> Iterable[Tie]:
    """Ties of `519_515` to `519` and to `515`: fakes are often numbered after the two videos they were made from."""
    for key, several in members.items():
        above, _, name = key[-1].rpartition("/")
        for part in name.split("_") if _TWO_NUMBERS.match(name) else ():
            origin = (*key[:-1], f"{above}/{part}".lstrip("/"))
            if origin in members:
                yield members[origin][0], several[0]


def _by_frames(found: Sequence[Found], looks: Sequence[Look]) -> Iterable[Tie]:
    """Ties of the frames of one video: numbered pictures of one name, or the pictures in one folder."""
    numbered: dict[Key, list[int]] = defaultdict(list)
    for index, folder in _pictures(found):
        sample = found[index].sample
        if match := _NUMBERED.match(PurePosixPath(sample.group).name):
            numbered[(sample.source, folder, match[1])].append(index)
    small = np.array([one.pixels for one in looks])
    for candidates in (numbered, _in_folders(found)):
        videos = _videos(candidates, small)
        yield from (tie for members in videos.values() for tie in pairwise(members))
        yield from _by_origin(videos)


def _in_folders(found: Sequence[Found]) -> dict[Key, list[int]]:
    """The pictures of each folder, which may be the frames of a video."""
    folders: dict[Key, list[int]] = defaultdict(list)
    for index, folder in _pictures(found):
        if folder:
            folders[(found[index].sample.source, folder)].append(index)
    return folders


def _pictures(found: Sequence[Found]) -> Iterable[tuple[int, str]]:
    """Those without a group of their own, by path, each with its folder."""
    for index in sorted(range(len(found)), key=lambda index: str(found[index].sample.path)):
        folder = found[index].folder
        if folder is not None and not found[index].sample.is_video:
            yield index, folder


def _videos(candidates: Mapping[Key, list[int]], small: NDArray[np.uint8]) -> dict[Key, list[int]]:
    """Those that are videos: all where there are many and none dominates, otherwise those whose neighbours look alike.

    In the first case nothing is lost by holding together what need not be.
    """
    many = _many(candidates)
    return {key: members for key, members in candidates.items() if key[0] in many or _look_alike(small[members])}


def _many(candidates: Mapping[Key, Sequence[int]]) -> set[str]:
    """The sources that have many candidates of which none dominates."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for key, members in candidates.items():
        if len(members) > 1:
            sizes[key[0]].append(len(members))
    return {source for source, all_ in sizes.items() if len(all_) >= MANY and max(all_) <= LARGE * sum(all_)}


def _look_alike(small: NDArray[np.uint8]) -> bool:
    return len(small) > 1 and float(np.median(likeness(small[:-1], small[1:]))) >= FRAMES_ALIKE


def _by_copies(looks: Sequence[Look]) -> Iterable[Tie]:
    first: dict[str, int] = {}
    for index, one in enumerate(looks):
        if one.digest:
            yield first.setdefault(one.digest, index), index
    yield from ((a, b) for a, b in copies_among(looks).tolist())
