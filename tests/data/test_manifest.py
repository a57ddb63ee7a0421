"""Indexing by a manifest.csv: what its columns mean, and those that cannot be used."""

import time
import zipfile

import pytest

from core.data.dataset import find_samples, index_data
from core.errors import DataError
from tests.data.support import picture


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a.png,real\nb.png,fake\na.png,fake", r"a\.png has two labels \(real, fake\): keep the right one"),
        ("b.png,real\nx/../a.png,swap\na.png,fake", r"a\.png has two labels \(swap, fake\)"),  # another spelling
        ("b.png,real\na.png,real\na.png,Real", None),  # twice, and the same
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(tmp_path, rows, said):
    (tmp_path / "x").mkdir()
    (tmp_path / "manifest.csv").write_text("path,label,split\n" + "".join(f"{row},test\n" for row in rows.split("\n")))
    if said:
        with pytest.raises(DataError, match=said):
            find_samples([tmp_path])
    else:
        assert len(find_samples([tmp_path])) == 2


def test_manifest(tmp_path):
    (tmp_path / "manifest.csv").write_text(
        "\ufeffpath,label,source,split,group\n"  # as Excel saves it
        'x/1.jpg,Real,a,train,g1\nx\\2.jpg,Fake,a,training,g1\n"x/3, odd.jpg",real,b,val,g2\nx/4.jpg,fake,b,val,g2\n',
        encoding="utf-8",
    )
    picture(tmp_path / "x/4.jpg")
    samples = index_data([tmp_path])
    assert [(s.path, s.label, s.source, s.split, s.group) for s in samples] == [
        (tmp_path / "x/1.jpg", "real", "a", "train", "g1"),
        (tmp_path / "x/2.jpg", "fake", "a", "train", "g1"),
        (tmp_path / "x/3, odd.jpg", "real", "b", "val", "g2"),
        (tmp_path / "x/4.jpg", "fake", "b", "val", "g2"),
    ]
    assert [s.fake for s in samples] == [False, True, False, True]
    assert index_data([tmp_path / "manifest.csv"]) == samples


def test_a_manifest_need_not_know_split_source_and_group(tmp_path):
    rows = ["path,label"]
    for number in range(20):
        label = ("real", "fake")[number % 2]
        picture(tmp_path / f"{number}a.png", number)
        rows.append(f"{number}a.png,{label}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    samples = index_data([tmp_path])
    assert {s.split for s in samples} == {"train", "val", "test"}
    assert {s.source for s in samples} == {tmp_path.name}


@pytest.mark.parametrize(
    ("first_line", "shown"),
    [
        ("root:$6$salt$hash:19000:0:99999:7:::", "it has none with a plain name."),  # a file of passwords
        ("token=abc,name," + "x" * 300_000, "cannot be read as a table"),  # a line without end
        ("x" * 1000 + ",name", "it has name."),
        (",".join("abcdefghij"), "it has a, b, c, d, e, f and more."),
    ],
)
def test_little_is_repeated_of_a_file_that_is_no_manifest(tmp_path, first_line, shown):
    (tmp_path / "notes.txt").write_text(first_line + "\n")
    with pytest.raises(DataError) as error:
        find_samples([tmp_path / "notes.txt"])
    assert shown in str(error.value)
    assert len(str(error.value)) < 200 + len(str(tmp_path))


def test_a_large_manifest_takes_seconds(tmp_path):
    rows = [f"pictures/{i}.jpg,{('real', 'fake')[i % 2]},{('train', 'val')[i % 3 == 0]}" for i in range(95_000)]
    (tmp_path / "manifest.csv").write_text("path,label,split\n" + "\n".join(rows))
    picture(tmp_path / "pictures/0.jpg")
    started = time.process_time()
    assert len(index_data([tmp_path])) == 95_000
    assert time.process_time() - started < 15  # 2 s when nothing else runs; a look at every file would take minutes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,class\na,b\n", "must have the columns path, label .* it has file, class"),  # other columns
        ("path;label;split\na;real;train\n", "separated by commas"),  # as Excel saves it in some countries
        ("", "it has none"),  # empty
        ("path,label,split\na.jpg,,train\n", "Line 2 .* has no label"),  # no label
        ("path,label,split\na.jpg,real,train\n,real,train\n", "Line 3 .* has no path"),  # no path
        ("path,label,split\na.jpg\n", "Line 2 .* has no label"),  # a short row
        ("path,label,split\na.jpg,real,tain\n", 'has the split "tain": write train, val or test'),  # a typing error
        ("path,label\na.jpg,real\nb\x00.jpg,real\n", "Line 3 .* has no path"),  # a null byte
    ],
)
def test_manifests_that_cannot_be_used(tmp_path, text, sentence):
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        index_data([tmp_path])


def test_a_zip_file_is_no_manifest_and_that_is_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as file:
        file.writestr("Real/a.jpg", b"a")
    with pytest.raises(DataError, match="is a ZIP file: unpack it"):
        index_data([tmp_path / "pictures.zip"])


def test_a_manifest_that_is_no_text(tmp_path):
    (tmp_path / "manifest.csv").write_bytes(b"\xff\xfep\0a\0t\0h\0\xd8\xd8")
    with pytest.raises(DataError, match="cannot be read as a table: save it as CSV in UTF-8"):
        index_data([tmp_path])


def test_a_manifest_of_a_head_alone(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,label\n")
    with pytest.raises(DataError, match="has a head and no rows"):
        index_data([tmp_path])
