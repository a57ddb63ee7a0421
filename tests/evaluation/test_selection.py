"""Which media are judged."""

import csv

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
