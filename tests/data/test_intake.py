"""Data sets from a browser: whole or not at all, and nothing outside of their folder."""

import errno
import io
import zipfile

import pytest

from core.data import intake
from core.data.dataset import index_data
from core.data.intake import add_files, add_zip, list_datasets, remove_dataset
from core.errors import DataError, SetupError
from core.home import home_folder
from tests.data.support import picture, two_classes


@pytest.fixture(autouse=True)
def home(fresh_home):
    return fresh_home


@pytest.fixture(scope="module")
def png(tmp_path_factory):
    return picture(tmp_path_factory.mktemp("png") / "a.png").read_bytes()


def zipped(members, **options):
    """A ZIP in memory of names and bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    buffer.seek(0)
    return buffer


def kept(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name[0] != ".")


def nothing_left():
    folder = home_folder() / "datasets"
    return not folder.exists() or not list(folder.iterdir())


def test_a_zip_becomes_a_data_set_that_can_be_indexed(tmp_path):
    two_classes(tmp_path / "faces")
    members = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*.png")}
    folder = add_zip(zipped(members), "My faces.zip")
    assert folder == home_folder() / "datasets" / "My faces"
    assert len(index_data([folder])) == 24
    (listed,) = list_datasets()
    assert (listed.name, listed.path) == ("My faces", folder)
    assert listed.size_bytes == sum(map(len, members.values()))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Real/a.png", "Fake/a.png"], ["Fake/a.png", "Real/a.png"]),  # as it should be
        (["top/Real/a.png", "top/Fake/a.png"], ["Fake/a.png", "Real/a.png"]),  # in one folder
        (["a/b/Real/a.png", "a/b/Fake/a.png"], ["Fake/a.png", "Real/a.png"]),  # in two
        (["Real/a.png", "Real/b.png"], ["Real/a.png", "Real/b.png"]),  # a class alone is none to take away
        (["top/Real/x/a.png"], ["Real/x/a.png"]),
        (["train/Real/a.png"], ["train/Real/a.png"]),  # nor a split
        (["top/manifest.csv", "top/pictures/a.png"], ["manifest.csv", "pictures/a.png"]),
        (["Real\\a.png", "Fake\\b.png"], ["Fake/b.png", "Real/a.png"]),  # made by Windows
        (["Real/a.png", "__MACOSX/Real/._a.png", "Real/.DS_Store"], ["Real/a.png"]),  # made by macOS
        (["Real/a.png", "notes.txt", "run.exe", "Real/deep.zip"], ["Real/a.png"]),  # other files
        (["Real/CON.png", "Real/a:b?.png", "Real/c. /d.png"], ["Real/_CON.png", "Real/a_b_.png", "Real/c/d.png"]),
        (["Real/A.png", "Real/a.png", "Real/a.PNG"], ["Real/A.png", "Real/a-2.png", "Real/a-3.PNG"]),  # upper, lower
        (["Real/tab\t.png", "Real/été.png"], ["Real/tab_.png", "Real/été.png"]),
    ],
)
def test_what_is_taken_and_where_it_lies(png, names, expected):
    assert kept(add_zip(zipped(dict.fromkeys(names, png)), "set")) == expected


def test_very_long_names_are_shortened(png):
    (name,) = kept(add_zip(zipped({f"Real/{'ä' * 300}.png": png}), "set"))
    assert len(name.encode()) < 220
    assert name.endswith(".png")


@pytest.mark.parametrize("name", ["../a.png", "Real/../../a.png", "/etc/a.png", "C:\\a.png", "Real\\..\\..\\a.png"])
def test_names_that_lead_out_are_refused(png, name):
    with pytest.raises(DataError, match=r'set.zip holds a file called "a.png" whose path leads out'):
        add_zip(zipped({"Real/ok.png": png, name: png}), "set.zip")
    assert nothing_left()
    assert not (home_folder() / "a.png").exists()


def test_a_link_in_a_zip_is_left_out(png):
    buffer = zipped({"Real/a.png": png})
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("Real/passwd.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert kept(add_zip(buffer, "set")) == ["Real/a.png"]


def encrypted(png):
    data = bytearray(zipped({"Real/a.png": png}).getvalue())
    data[6] |= 1
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    return io.BytesIO(bytes(data))


def packed_strangely(png):
    data = bytearray(zipped({"Real/a.png": png}).getvalue())
    data[8] = 99
    data[data.rfind(b"PK\x01\x02") + 10] = 99
    return io.BytesIO(bytes(data))


def damaged(png):
    data = bytearray(zipped({"Real/a.png": png}).getvalue())
    data[60] ^= 0xFF
    return io.BytesIO(bytes(data))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda png: io.BytesIO(b"no zip"), "is no ZIP, or a damaged one"),
        (lambda png: io.BytesIO(b""), "is no ZIP"),  # empty
        (
            lambda png: io.BytesIO(zipped({"Real/a.png": png}).getvalue()[:-30]),
            "is no ZIP, or a damaged one",
        ),  # cut off
        (damaged, "is no ZIP, or a damaged one"),  # a wrong checksum
        (encrypted, "is encrypted"),
        (packed_strangely, "packed in a way that cannot be read"),
        (lambda png: zipped({}), "holds no pictures or videos"),  # nothing in it
        (lambda png: zipped({"a.txt": b"text"}), "holds no pictures or videos"),
        (lambda png: zipped({"manifest.csv": b"path,label"}), "holds no pictures or videos"),
        (
            lambda png: zipped({"Real/a.png": bytes(100 << 20)}, compression=zipfile.ZIP_DEFLATED),
            "would swell to more than 100 times",  # a bomb
        ),
    ],
)
def test_archives_that_cannot_be_used(png, make, sentence):
    with pytest.raises(DataError, match=sentence):
        add_zip(make(png), "set.zip")
    assert nothing_left()


def test_too_much_is_refused(png, monkeypatch):
    monkeypatch.setattr(intake, "MAX_FILES", 2)
    with pytest.raises(DataError, match="more than 2 files"):
        add_zip(zipped({f"Real/{n}.png": png for n in range(3)}), "set")
    monkeypatch.setattr(intake, "MAX_BYTES", len(png))
    with pytest.raises(DataError, match="more than the 0 GB allowed"):
        add_zip(zipped({f"Real/{n}.png": png for n in range(2)}), "set")
    with pytest.raises(DataError, match="or 0 GB: copy it to this machine and give its path"):
        add_files([(f"Real/{n}.png", io.BytesIO(png)) for n in range(2)], "set")
    assert nothing_left()


def test_a_disk_without_room(png, monkeypatch):
    monkeypatch.setattr(intake, "SPARE_BYTES", 1 << 60)
    with pytest.raises(SetupError, match=r"needs 0 MB and the disk of .* MB left"):
        add_zip(zipped({"Real/a.png": png}), "set")
    assert nothing_left()


def test_a_disk_that_fills_up(png, monkeypatch):
    class Full(io.BytesIO):
        def read(self, *_):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SetupError, match=r"The disk is full: make room for .*datasets"):
        add_files([("Real/a.png", io.BytesIO(png)), ("Real/b.png", Full())], "set")
    assert nothing_left()


def test_a_folder_that_was_dropped(png):
    files = [("faces/Real/a.png", io.BytesIO(png)), ("faces/Fake/b.png", io.BytesIO(png)), ("faces/x", io.BytesIO())]
    files[0][1].read()  # someone looked at it before
    folder = add_files(iter(files), "faces")
    assert kept(folder) == ["Fake/b.png", "Real/a.png"]
    assert (folder / "Real/a.png").read_bytes() == png


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My set.zip", "My set"),
        ("../../etc", "etc"),  # dots lead nowhere
        ("a/b\\c.zip", "c"),  # only the last part
        ("...", "data-set"),
        ("", "file"),
        ("x" * 70, "x" * 60),
        ("naïve café", "naïve café"),
        ("a\0b\n.zip", "a-b"),
    ],
)
def test_names_of_data_sets(png, name, expected):
    folder = add_zip(zipped({"Real/a.png": png}), name)
    assert folder.parent == home_folder() / "datasets"
    assert folder.name == expected


def test_a_name_that_is_taken_is_numbered(png):
    names = [add_zip(zipped({"Real/a.png": png}), "set").name for _ in range(3)]
    assert names == ["set", "set-2", "set-3"]


def test_removing(png):
    folder = add_zip(zipped({"Real/a.png": png}), "set")
    remove_dataset("set")
    assert not folder.exists()
    assert list_datasets() == []
    for name in ("set", "..", "", "../datasets"):
        with pytest.raises(DataError, match="There is no uploaded data set"):
            remove_dataset(name)


def test_a_read_only_server_takes_and_removes_nothing(png, monkeypatch):
    add_zip(zipped({"Real/a.png": png}), "set")
    monkeypatch.setenv("DEEPFAKE_READ_ONLY", "1")
    for act in (lambda: add_zip(zipped({"Real/a.png": png}), "two"), lambda: remove_dataset("set")):
        with pytest.raises(DataError, match="DEEPFAKE_READ_ONLY is set"):
            act()
    assert [one.name for one in list_datasets()] == ["set"]
