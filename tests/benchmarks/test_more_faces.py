"""More training pictures are taken, but none that val or test have."""

import csv

import cv2
import numpy as np
import pytest

from benchmarks import more_faces


def picture(seed, side=64):
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def data(tmp_path):
    for name, label, seed in (("a", "Real", 0), ("b", "Fake", 1)):
        folder = tmp_path / "data/faces/test" / label
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / f"{name}.png"), picture(seed))
    new = tmp_path / "new"
    new.mkdir()
    cv2.imwrite(str(new / "copy.jpg"), cv2.resize(picture(0), (96, 96)), [cv2.IMWRITE_JPEG_QUALITY, 40])
    cv2.imwrite(str(new / "fresh.png"), picture(2))
    cv2.imwrite(str(new / "again.png"), picture(2))
    cv2.imwrite(str(new / "marked_1.png"), picture(3))
    (new / "broken.jpg").write_bytes(b"no picture")
    (new / "notes.txt").write_text("not one either")
    return tmp_path


def test_copies_of_what_is_there_are_left_out(data, capsys):
    given = ["--data", data / "data", "--out", data / "out", "--add", f"faces:real:{data / 'new'}"]
    more_faces.main(list(map(str, [*given, "--quality", "faces=80", "--without", "marked_*"])))
    assert capsys.readouterr().out.splitlines() == [
        "faces real known 2",
        "faces real new 1",
        "faces real unreadable 1",
    ]
    with (data / "out/manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert {row["split"] for row in rows} == {"test", "train"}
    (added,) = [row for row in rows if row["split"] == "train"]
    assert (added["label"], added["source"]) == ("real", "faces")
    assert added["path"].endswith(("again.jpg", "fresh.jpg"))
    assert cv2.imread(added["path"]).shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--add", "faces:real:/no/such/folder", "not SOURCE:CLASS:FOLDER"),
        ("--quality", "faces=0", "not SOURCE=QUALITY"),
        ("--data", "/no/such/data", "/no/such/data"),
    ],
)
def test_what_it_cannot_use_it_says(data, capsys, option, value, said):
    given = {"--data": str(data / "data"), "--add": f"faces:real:{data / 'new'}", "--out": str(data / "out")}
    given[option] = value
    with pytest.raises(SystemExit, match="2"):
        more_faces.main([text for pair in given.items() for text in pair])
    assert said in capsys.readouterr().err
