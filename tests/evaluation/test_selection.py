"""Which media are judged."""

import csv
from collections import Counter

import pytest

from core.data.dataset import Sample
from core.errors import DataError
from core.evaluation.selection import limited, select
from tests.evaluation.support import labelled_folder


@pytest.mark.parametrize(
    ("splits", "asked", "split", "count"),
    [
        (("",), "auto", "all", 8),  # no splits named: a tenth of it would be no measurement
        (("train", "val", "test"), "auto", "test", 8),
        (("train", "val", "test"), "all", "all", 24),
        (("train", "val"), "val", "val", 8),
    ],
)
def test_split(tmp_path, splits, asked, split, count):
    selection = select([labelled_folder(tmp_path, 4, splits=splits)], split=asked)
    assert (selection.split, len(selection.samples)) == (split, count)


def test_training_pictures_come_along_for_test_and_val_only(tmp_path):
    folder = labelled_folder(tmp_path, 4, splits=("train", "val", "test"))
    assert len(select([folder]).train) == 8
    assert select([folder], split="all").train == ()


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (lambda root: root / "nothing", {}, "no folder"),  # missing
        (lambda root: root, {}, "No pictures were found"),  # empty
        (lambda root: labelled_folder(root, 4, splits=("val",)), {"split": "test"}, "no test pictures"),
        (lambda root: labelled_folder(root, 4), {"limit": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(tmp_path, make, options, words):
    with pytest.raises(DataError, match=words):
        select([make(tmp_path)], **options)


def test_one_class_alone_can_be_measured(tmp_path):
    labelled_folder(tmp_path, 4)
    for path in (tmp_path / "Fake").iterdir():
        path.unlink()
    assert len(select([tmp_path]).samples) == 4


def samples(reals, fakes, source="a"):
    labels = ["real"] * reals + ["fake"] * fakes
    return [Sample(f"{source}{at}", label, source, "test", str(at)) for at, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("reals", "fakes", "limit", "expected"),
    [
        (100, 100, 20, (10, 10)),
        (100, 4, 20, (16, 4)),  # what one class lacks the other fills
        (3, 100, 20, (3, 17)),
        (5, 5, 20, (5, 5)),  # fewer than that
    ],
)
def test_limit_takes_both_classes_alike(reals, fakes, limit, expected):
    kept = limited(samples(reals, fakes), limit)
    assert (sum(not s.fake for s in kept), sum(s.fake for s in kept)) == expected
    assert kept == limited(samples(reals, fakes), limit)
    assert kept == sorted(kept, key=lambda s: int(s.path[1:]))


def test_limit_is_for_each_source():
    assert len(limited([*samples(50, 50), *samples(50, 50, "b")], 10)) == 20


def manifest(root, rows, *columns):
    """A manifest of pictures in root, a row each; `rows` are its cells."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return root


def unsplit(root, count=24, *columns, cells=lambda at: ()):
    """A manifest beside its pictures that names no splits, reals first."""
    labelled_folder(root, count)
    names = [f"{label}/{label}{at}.png" for label in ("Real", "Fake") for at in range(count)]
    rows = [(name, name[:4], *cells(at)) for at, name in enumerate(names)]
    return manifest(root, rows, "path", "label", *columns)


def test_a_manifest_without_splits_is_measured_whole(tmp_path):
    selection = select([unsplit(tmp_path)])
    assert (selection.split, len(selection.samples), selection.notes) == ("all", 48, ())
    assert selection.train == ()


def test_a_split_that_data_do_not_name_is_drawn_and_that_is_said(tmp_path):
    selection = select([unsplit(tmp_path)], split="test")
    assert 0 < len(selection.samples) < 12
    assert {sample.split for sample in selection.train} == {"train"}
    assert selection.notes == ("These data name no splits: test is what training draws of them.",)


def test_of_several_folders_those_without_splits_are_named(tmp_path):
    with_splits = labelled_folder(tmp_path / "with", 12, splits=("test",))
    without = unsplit(tmp_path / "without")
    assert select([with_splits, without]).notes == (f"{without} names no splits: test is what training draws of it.",)


def test_columns_that_group_well_are_found(tmp_path):
    labelled_folder(tmp_path, 24)
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "split", "group", "method", "camera", "note"])
        for at in range(48):
            label = "Real" if at < 24 else "Fake"
            method = "" if at < 24 else "swap" if at % 2 else "gan"
            camera = "a" if at % 16 else "b"  # three rows only
            rows.writerow([f"{label}/{label}{at % 24}.png", label, "test", at, method, camera, f"free text {at}"])
    columns = select([tmp_path]).columns
    assert set(columns) == {"method"}
    assert sorted(set(columns["method"].values())) == ["gan", "swap"]


def test_rare_values_are_left_out_and_not_their_column(tmp_path):
    camera = {0: "c", 1: "c"}  # two rows of c, and many of a and b
    folder = unsplit(
        tmp_path, 24, "camera", "group", "note", cells=lambda at: (camera.get(at, "ab"[at % 2]), at, f"{at}")
    )
    selection = select([folder])
    assert set(selection.columns) == {"camera"}
    assert Counter(selection.columns["camera"].values()) == {"a": 23, "b": 23}
    assert selection.notes == (
        "No figures by note: a column needs 2 to 40 values, each on at least 10 of the media that are judged.",
    )


def test_values_are_counted_among_what_is_judged(tmp_path):
    folder = unsplit(tmp_path, 24, "camera", cells=lambda at: ("ab"[at % 2],))
    assert set(select([folder]).columns) == {"camera"}
    limit = select([folder], limit=12)  # six of each: no figures
    assert limit.columns == {}
    assert "No figures by camera" in limit.notes[0]


def test_a_column_holds_for_files_that_another_folder_named_first(tmp_path):
    pictures = labelled_folder(tmp_path / "pictures", 24)
    names = [f"../pictures/{label}/{label}{at}.png" for label in ("Real", "Fake") for at in range(24)]
    rows = [(name, "real" if "Real" in name else "fake", "ab"[at % 2]) for at, name in enumerate(names)]
    selection = select([pictures, manifest(tmp_path / "man", rows, "path", "label", "camera")])
    assert len(selection.samples) == 48
    assert len(selection.columns["camera"]) == 48
