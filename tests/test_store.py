"""The history on disk: what goes in comes out; what must not survive does not; what is in use is left alone."""

import hashlib
import io
import json
import os
import threading
from pathlib import Path

import pytest

from core import disk
from core.errors import MediaError, SetupError
from core.history_entry import HistoryEntry
from core.home import home_folder
from core.store import Store
from tests.analysis.test_serialize import assert_same, image_report, video_report

REPO = Path(__file__).parents[1]
KEY = "ab12|4 per second|openvino bf16"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def upload(content: bytes = b"picture") -> io.BytesIO:
    return io.BytesIO(content)


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_upload_is_kept_by_its_content(store: Store) -> None:
    content = os.urandom(3 * disk.CHUNK_BYTES + 17)  # more than one chunk, and not a whole number of them
    stored = store.add(upload(content), "holiday.JPG")
    assert stored.digest == hashlib.sha256(content).hexdigest()
    assert stored.path.read_bytes() == content
    assert (stored.name, stored.size_bytes, stored.path.suffix) == ("holiday.JPG", len(content), ".jpg")
    assert store.media(stored.digest) == stored


def test_an_upload_that_was_read_before_is_taken_whole(store: Store) -> None:
    stream = upload(b"picture")
    stream.read()  # a page that showed it first
    assert store.add(stream, "a.jpg").path.read_bytes() == b"picture"


def test_the_same_content_is_kept_once(store: Store) -> None:
    first, second = store.add(upload(), "a.jpg"), store.add(upload(), "b.png")
    assert (first.digest, first.path) == (second.digest, second.path)
    assert second.name == "b.png"
    assert files_under(store.root / "history") == [f"{first.digest}/media.jpg", f"{first.digest}/meta.json"]


def test_a_path_is_remembered_and_not_copied(store: Store, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"film")
    stored = store.add(film)
    assert (stored.path, stored.name, stored.size_bytes) == (film, "film.mkv", 4)
    assert store.media(stored.digest) == stored
    assert store.size_bytes() < 1000
    film.write_bytes(b"another film")  # under the same digest this would be a lie
    assert store.media(stored.digest) is None
    film.unlink()
    assert store.media(stored.digest) is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a folder"),
        (os.mkfifo, "is not a regular file"),  # reading it would never end
        (lambda path: path.touch(), "is empty"),
    ],
    ids=["missing", "folder", "pipe", "empty"],
)
def test_paths_that_cannot_be_taken_in(make: object, sentence: str, store: Store, tmp_path: Path) -> None:
    make(tmp_path / "x.mp4")  # type: ignore[operator]
    with pytest.raises(MediaError, match=sentence):
        store.add(tmp_path / "x.mp4")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_path_without_permission(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").touch(mode=0o000)
    with pytest.raises(MediaError, match="may not be read"):
        store.add(tmp_path / "x.mp4")


@pytest.mark.parametrize(
    ("name", "shown", "suffix"),
    [
        ("../../etc/passwd", "passwd", ""),
        ("..\\..\\boot.ini", "boot.ini", ".ini"),
        ("two\nlines.png", "two\ufffdlines.png", ".png"),
        ("\U0001f600.mp4", "\U0001f600.mp4", ".mp4"),
        (
            "undecodable\udcff.jpg",
            "undecodable\ufffd.jpg",
            ".jpg",
        ),  # what os.listdir gives for bytes that are not UTF-8
        ("", "file", ""),
        ("../", "..", ""),
        ("x" * 300 + ".jpg", "x" * 49 + "…" + "x" * 26 + ".jpg", ".jpg"),
        ("archive.tar.gz", "archive.tar.gz", ".gz"),
        ("a.b/c d", "c d", ""),
        ("a.jp g", "a.jp g", ""),
    ],
)
def test_names_from_strangers(name: str, shown: str, suffix: str, store: Store) -> None:
    stored = store.add(upload(), name)
    assert stored.name == shown
    assert stored.path.name == f"media{suffix}"
    assert stored.path.parent == store.root / "history" / stored.digest  # nothing leaves the entry's own folder
    assert store.media(stored.digest) == stored


@pytest.mark.parametrize("digest", ["", "..", "a/b", "../../x", "a\n", "a" * 200])
def test_a_digest_cannot_lead_elsewhere(digest: str, store: Store) -> None:
    with pytest.raises(ValueError, match="digest"):
        store.load_report(digest, KEY)


@pytest.mark.parametrize("report", [image_report(), video_report()], ids=["image", "video"])
def test_reports_round_trip(report: object, store: Store) -> None:
    digest = store.add(upload(), "a.jpg").digest
    store.save_report(digest, KEY, report)  # type: ignore[arg-type]
    assert_same(Store(store.root).load_report(digest, KEY), report)  # type: ignore[arg-type]
    assert store.load_report(digest, "other settings") is None
    assert store.load_report("0" * 64, KEY) is None


def test_a_report_is_replaced_whole(store: Store) -> None:
    digest = store.add(upload(), "a.jpg").digest
    store.save_report(digest, KEY, image_report(), thumbnail=b"old")
    store.save_report(digest, KEY, image_report(verdict="real", faces=()))
    loaded = store.load_report(digest, KEY)
    assert loaded is not None and loaded.verdict == "real"
    assert [entry.thumbnail_path for entry in store.history()] == [None]  # the old one's thumbnail went with it
    assert files_under(store.root / "history" / ".aside") == []


def test_history_is_newest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([100.0, 300.0, 200.0])
    monkeypatch.setattr("core.history_entry.time.time", lambda: next(moments))
    first, second = store.add(upload(b"1"), "first.jpg"), store.add(upload(b"2"), "second.jpg")
    store.save_report(first.digest, KEY, image_report(), thumbnail=b"JPEG")
    store.save_report(second.digest, KEY, video_report())
    store.save_report(first.digest, "every frame", image_report(verdict="no_face", fake_probability=None))
    monkeypatch.undo()
    newest, middle, oldest = Store(store.root).history()
    assert [entry.analysed_at for entry in (newest, middle, oldest)] == [300.0, 200.0, 100.0]
    assert oldest == HistoryEntry(
        digest=first.digest,
        settings_key=KEY,
        name="first.jpg",
        kind="image",
        verdict="fake",
        fake_probability=0.1,
        model="default",
        analysed_at=100.0,
        thumbnail_path=oldest.thumbnail_path,
        media_path=first.path,
    )
    assert oldest.thumbnail_path is not None and oldest.thumbnail_path.read_bytes() == b"JPEG"
    assert (newest.name, newest.kind) == ("second.jpg", "video")
    assert (middle.settings_key, middle.verdict, middle.fake_probability) == ("every frame", "no_face", None)


def test_damage_counts_as_not_there(store: Store) -> None:
    digests = [store.add(upload(bytes([number])), f"{number}.jpg").digest for number in range(3)]
    for digest in digests:
        store.save_report(digest, KEY, image_report())
    folders = [store.root / "history" / digest for digest in digests]
    next(folders[0].glob("reports/*/entry.json")).write_text('{"name": "half')
    next(folders[1].glob("reports/*/entry.json")).write_text(json.dumps({"unknown": 1}))
    (folders[2] / "meta.json").write_bytes(b"\x00\x01")
    (store.root / "history" / "a stray file").touch()
    assert [(entry.digest, entry.media_path) for entry in store.history()] == [(digests[2], folders[2] / "media.jpg")]
    assert store.media(digests[2]) is None
    assert store.add(upload(bytes([2])), "2.jpg").digest == digests[2]  # taking it in again mends it
    assert store.media(digests[2]) is not None
    store.clear()
    assert store.history() == []


def test_remove(store: Store) -> None:
    digest = store.add(upload(), "a.jpg").digest
    for key in (KEY, "every frame"):
        store.save_report(digest, key, image_report())
    newest, oldest = store.history()
    store.remove(oldest)
    assert store.history() == [newest]
    assert store.media(digest) is not None  # another analysis still stands on it
    store.remove(newest)
    assert store.media(digest) is None
    assert files_under(store.root) == []
    store.remove(newest)  # twice, from two tabs


def test_two_stores_and_many_threads_on_one_folder(tmp_path: Path) -> None:
    """Two processes in small: nothing raises, and in the end everything is whole."""
    stores = [Store(tmp_path / "home") for _ in range(2)]
    report = image_report()
    failures: list[BaseException] = []

    def work(store: Store) -> None:
        try:
            for number in range(15):
                digest = store.add(upload(bytes([number % 3])), f"{number}.jpg").digest
                store.save_report(digest, KEY, report)
                store.load_report(digest, KEY)
                store.history()
        except BaseException as error:  # noqa: BLE001  a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stores[0].history()) == 3
    for entry in stores[0].history():
        assert_same(stores[1].load_report(entry.digest, entry.settings_key), report)
    assert files_under(tmp_path / "home" / "history" / ".aside") == []


def test_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "set"))
    assert home_folder() == tmp_path / "set"
    assert Store().root == tmp_path / "set"
    monkeypatch.setenv("DEEPFAKE_HOME", "~/there")
    assert home_folder() == Path.home() / "there"
    monkeypatch.delenv("DEEPFAKE_HOME")
    assert home_folder() == Path.home() / ".deepfake-detector"


def test_what_is_kept_is_for_its_owner_alone(store: Store) -> None:
    assert (store.root / "history").stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"cannot be created .* DEEPFAKE_HOME"):
        Store(tmp_path / "file" / "home")
