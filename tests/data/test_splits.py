"""Dividing: what belongs together stays on one side, every class has some to validate on, and it is always the same."""

from collections import Counter

import cv2
import numpy as np
import pytest

from core.data import dataset
from core.data.dataset import find_samples, index_data
from core.data.facts import look_at_all
from core.data.splits import FEW
from tests.data.support import by_name, picture, save, scene, two_classes


def film(folder, name, count, seed, size=(48, 48)):
    """Frames that change slowly from one scene to another, as those of a video do."""
    first, last = scene(seed, size).astype(float), scene(seed + 1, size).astype(float)
    for number in range(count):
        save(folder / name.format(number), (first + (last - first) * 0.4 * number / count).astype(np.uint8))


def sides(samples):
    """Splits by name up to the first sign that is neither letter nor digit."""
    found: dict[str, set[str]] = {}
    for sample in samples:
        found.setdefault(sample.path.stem.replace("-", "_").split("_")[0], set()).add(sample.split)
    return found


def test_drawn_splits_stay_and_have_their_shares(tmp_path):
    for number in range(60):
        picture(tmp_path / f"Real/r{number}x.png", number)
        picture(tmp_path / f"Fake/f{number}x.png", 100 + number)
    first, again = index_data([tmp_path]), index_data([tmp_path])
    assert first == again
    for fake in (False, True):
        drawn = Counter(sample.split for sample in first if sample.fake == fake)
        assert drawn == {"train": 48, "val": 6, "test": 6}


@pytest.mark.parametrize(
    ("count", "splits"),
    [
        (2, {"train": 1, "val": 1}),  # nothing to spare for a test
        (3, {"train": 1, "val": 1, "test": 1}),
        (4, {"train": 2, "val": 1, "test": 1}),
        (30, {"train": 24, "val": 3, "test": 3}),
    ],
)
def test_small_data_are_divided_too(tmp_path, count, splits):
    for number in range(count):
        picture(tmp_path / f"Real/{number}x.png", number)
        picture(tmp_path / f"Fake/{number}y.png", 100 + number)
    found = index_data([tmp_path])
    for fake in (False, True):
        assert Counter(sample.split for sample in found if sample.fake == fake) == splits


def test_frames_of_one_video_stay_together(tmp_path):
    for video in range(12):
        film(tmp_path / "Real", f"real{video}_" + "{:04d}.png", 5, 10 * video)
        film(tmp_path / "Fake", f"fake{video}-frame" + "{:d}.png", 5, 500 + 10 * video)
    assert all(len(splits) == 1 for splits in sides(index_data([tmp_path])).values())
    assert len(sides(index_data([tmp_path]))) == 24


def test_a_folder_for_each_video_stays_together_also_when_there_are_few(tmp_path):
    for video in range(3):
        film(tmp_path / f"Real/clip{video}", f"{video}-" + "{}.png", 8, 10 * video)
        film(tmp_path / f"Fake/swap{video}", f"{video}-" + "{}.png", 8, 500 + 10 * video)
    found = index_data([tmp_path])
    groups = {sample.path.parent: {s.split for s in found if s.path.parent == sample.path.parent} for sample in found}
    assert len(groups) == 6
    assert all(len(splits) == 1 for splits in groups.values())


def test_numbers_alone_do_not_make_a_video(tmp_path):
    """Most data sets number their pictures: taken for one video, nothing would be left to validate on."""
    for number in range(40):
        picture(tmp_path / f"Real/{number:05d}.png", number)
        picture(tmp_path / f"Fake/img_{number:05d}.png", 100 + number)
        picture(tmp_path / f"Fake/shard/{number:05d}.png", 200 + number)
    found = index_data([tmp_path])
    for part in ("Real", "Fake", "shard"):
        assert len({s.group for s in found if s.path.parent.name == part}) == 40


def test_a_fake_named_after_its_origins_is_on_their_side(tmp_path):
    for number in range(30):
        picture(tmp_path / f"Real/{100 + number}.png", number)
        picture(tmp_path / f"Fake/{100 + number}.png", 200 + number)  # made from the real one of that name
    found = by_name(index_data([tmp_path]))
    pairs = [(found[f"{100 + n}.png"]) for n in range(30)]
    assert len({sample.group for sample in pairs}) == 30
    for number in range(0, 30, 2):  # as FaceForensics++ names them: target and source
        picture(tmp_path / f"Swap/{100 + number}_{101 + number}.png", 300 + number)
    samples = index_data([tmp_path])
    by_stem: dict[str, set[str]] = {}
    for sample in samples:
        for part in sample.path.stem.split("_"):
            by_stem.setdefault(part, set()).add(sample.split)
    assert all(len(splits) == 1 for splits in by_stem.values())


@pytest.mark.parametrize(
    "change",
    [
        lambda rgb: rgb,  # another name
        lambda rgb: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),  # smaller
        lambda rgb: cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1),  # re-encoded
        lambda rgb: np.clip(rgb * 1.05 + 4, 0, 255).astype(np.uint8),  # a little brighter
        lambda rgb: rgb[:, ::-1].copy(),  # mirrored
    ],
)
def test_copies_and_near_copies_stay_together(tmp_path, change):
    for number in range(40):
        rgb = scene(number, (96, 96))
        save(tmp_path / f"Real/{number}x.png", rgb)
        save(tmp_path / f"Real/{number}x-copy.png", change(rgb))
        picture(tmp_path / f"Fake/{number}y.png", 100 + number, (96, 96))
    found = by_name(index_data([tmp_path]))
    assert [found[f"{n}x.png"].split == found[f"{n}x-copy.png"].split for n in range(40)] == [True] * 40
    assert len({found[f"{n}x.png"].group for n in range(40)}) == 40


def test_a_copy_of_what_has_its_split_goes_there(tmp_path):
    two_classes(tmp_path / "fixed", 10, ("train", "val", "test"))
    originals = find_samples([tmp_path / "fixed"])
    for number, sample in enumerate(originals):
        label = "Fake" if sample.fake else "Real"
        save(tmp_path / "new" / label / f"{number}c.png", cv2.cvtColor(cv2.imread(str(sample.path)), cv2.COLOR_BGR2RGB))
    found = by_name(index_data([tmp_path / "fixed", tmp_path / "new"]))
    assert [found[f"{n}c.png"].split for n in range(60)] == [sample.split for sample in originals]
    assert all(found[sample.path.name] == sample for sample in originals)  # and those stay as they were


def test_each_source_has_some_to_validate_on(tmp_path):
    two_classes(tmp_path / "fixed", 10, ("train", "val", "test"))
    for number in range(20):
        picture(tmp_path / f"new/Real/{number}x.png", 1000 + number)
        picture(tmp_path / f"new/Fake/{number}y.png", 2000 + number)
    found = index_data([tmp_path / "fixed", tmp_path / "new"])
    assert Counter(s.split for s in found if s.source == "new") == {"train": 32, "val": 4, "test": 4}


def test_train_and_test_alone_get_a_val_from_train(tmp_path):
    two_classes(tmp_path, 20, ("train", "test"))
    found = index_data([tmp_path])
    assert {s.split for s in found if "train" in s.path.parts} == {"train", "val"}
    assert {s.split for s in found if "test" in s.path.parts} == {"test"}


def test_groups_of_a_manifest_are_kept_together(tmp_path):
    rows = ["path,label,group"]
    for number in range(60):
        picture(tmp_path / f"{number}.png", number)
        rows.append(f"{number}.png,{('real', 'fake')[number % 2]},person_{number // 3}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    found = index_data([tmp_path])
    people = [{found[n].split for n in range(3 * person, 3 * person + 3)} for person in range(20)]
    assert all(len(splits) == 1 for splits in people)
    assert set.union(*people) == {"train", "val", "test"}


def test_one_long_video_does_not_swallow_the_validation(tmp_path):
    film(tmp_path / "Real", "long_{:03d}.png", 60, 7)
    for number in range(12):
        picture(tmp_path / f"Real/{number}x.png", 100 + number)
        picture(tmp_path / f"Fake/{number}y.png", 200 + number)
    found = index_data([tmp_path])
    assert {s.split for s in found if s.path.name.startswith("long")} == {"train"}
    assert {s.split for s in found if not s.fake} == {"train", "val", "test"}


def films_in(root, split, count, frames=6):
    """Films of several frames in folders below the classes of a split."""
    for number in range(count):
        film(root / split / f"Real/clip{number}", "frame_{:03d}.png", frames, 10 * number)
        film(root / split / f"Fake/swap{number}", "frame_{:03d}.png", frames, 5000 + 10 * number)


def folders_by_group(samples):
    return {group: {s.path.parent.name for s in samples if s.group == group} for group in {s.group for s in samples}}


@pytest.mark.parametrize("count", [2, 12])  # few, which must look alike, and many
def test_frames_are_one_group_where_folders_name_the_splits_too(tmp_path, count):
    films_in(tmp_path / "named", "test", count)
    films_in(tmp_path / "plain", "", count)
    named = find_samples([tmp_path / "named"])
    assert {s.split for s in named} == {"test"}
    assert folders_by_group(named) == {f"{kind}{n}": {f"{kind}{n}"} for kind in ("clip", "swap") for n in range(count)}
    drawn = folders_by_group(find_samples([tmp_path / "plain"]))
    assert sorted(map(sorted, drawn.values())) == sorted(map(sorted, folders_by_group(named).values()))


def test_frames_are_one_group_beside_a_train_that_is_opened(tmp_path):
    for split in ("train", "test"):  # a val is drawn from train
        films_in(tmp_path, split, 12)
    test = [s for s in find_samples([tmp_path]) if s.split == "test" and "test" in s.path.parts]
    assert len(test) == 144
    assert len({s.group for s in test}) == 24


def test_unlike_pictures_in_a_folder_are_no_film_where_folders_name_the_splits_either(tmp_path):
    for number in range(8):
        picture(tmp_path / f"test/Real/{number:05d}.png", number)
        picture(tmp_path / f"test/Fake/shard/{number:05d}.png", 200 + number)
    assert sorted(s.group for s in find_samples([tmp_path]) if s.fake) == [f"shard/{n:05d}" for n in range(8)]


@pytest.mark.parametrize(("column", "groups"), [("group", 2), ("note", 24)])
def test_what_a_manifest_says_of_groups_stays(tmp_path, column, groups):
    films_in(tmp_path, "test", 2)
    rows = [f"path,label,split,{column}"]
    for at, path in enumerate(sorted(tmp_path.rglob("*.png"))):
        rows.append(f"{path.relative_to(tmp_path)},{path.parts[-3]},test,{at % 2}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    assert len({s.group for s in find_samples([tmp_path])}) == groups


def test_only_a_few_pictures_of_a_large_folder_are_looked_at(tmp_path, monkeypatch):
    seen = []
    films_in(tmp_path, "test", 1, frames=40)
    monkeypatch.setattr(dataset, "look_at_all", lambda paths, *_: seen.extend(paths) or look_at_all(paths))
    assert len({s.group for s in find_samples([tmp_path])}) == 2
    assert len(seen) == 2 * FEW
