"""The history on disk: what goes in comes out; what must not survive does not; what is in use is left alone."""

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core import disk
from core.errors import MediaError, SetupError
from core.home import home_folder
from core.pins import is_pinned, list_pins, pin
from core.store import HistoryEntry, Store
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


def age(store: Store, digest: str, seconds: float) -> None:
    """Make an entry look as if it was used last so many seconds ago."""
    meta = store.root / "history" / digest / "meta.json"
    os.utime(meta, (meta.stat().st_atime - seconds, meta.stat().st_mtime - seconds))


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
    monkeypatch.setattr("core.store.time.time", lambda: next(moments))
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


def test_clear_leaves_nothing_of_the_user(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own.jpg"
    own.write_bytes(b"own")
    digests = [store.add(upload(), "a.jpg").digest, store.add(own).digest]
    for digest in digests:
        store.save_report(digest, KEY, image_report(), thumbnail=b"JPEG")
    store.preview_path(digests[0]).write_bytes(b"preview")
    store.clear()
    assert files_under(store.root) == []
    assert (store.history(), store.size_bytes()) == ([], 0)
    assert own.read_bytes() == b"own"  # the user's own file is not ours to delete


def test_size_counts_media_previews_and_reports(store: Store) -> None:
    digest = store.add(upload(b"x" * 5000), "a.mp4").digest
    store.preview_path(digest).write_bytes(b"y" * 7000)
    before = store.size_bytes()
    assert 12_000 < before < 12_500
    store.save_report(digest, KEY, image_report(), thumbnail=b"z" * 3000)
    assert store.size_bytes() > before + 3000
    assert store.size_bytes() == sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file())


def test_the_cap_takes_what_was_not_used_for_longest(store: Store) -> None:
    store.cap_bytes = 35_000
    digests = [store.add(upload(bytes([number]) * 10_000), f"{number}.jpg").digest for number in range(3)]
    for number, digest in enumerate(digests):
        age(store, digest, seconds=100 - number)
    store.save_report(digests[0], KEY, image_report(faces=()))  # looked at again: now the newest
    new = store.add(upload(b"n" * 10_000), "new.jpg")
    assert [store.media(digest) is not None for digest in digests] == [True, False, True]
    assert store.media(new.digest) is not None
    assert store.size_bytes() <= store.cap_bytes


def test_looking_at_a_report_keeps_it_from_the_cap(store: Store) -> None:
    store.cap_bytes = 25_000
    digests = [store.add(upload(bytes([number]) * 10_000), f"{number}.jpg").digest for number in range(2)]
    store.save_report(digests[0], KEY, image_report(faces=()))
    for number, digest in enumerate(digests):
        age(store, digest, seconds=100 - number)
    assert store.load_report(digests[0], KEY) is not None
    store.add(upload(b"n" * 10_000), "new.jpg")
    assert [store.media(digest) is not None for digest in digests] == [True, False]


def test_the_cap_leaves_alone_what_is_being_analysed(store: Store) -> None:
    store.cap_bytes = 15_000
    digest = store.add(upload(b"a" * 10_000), "analysed.mp4").digest
    age(store, digest, seconds=1000)
    with store.pinned(digest):
        store.add(upload(b"b" * 10_000), "new.mp4")
        assert store.media(digest) is not None
    age(store, digest, seconds=1000)
    store.add(upload(b"c" * 10_000), "newer.mp4")
    assert store.media(digest) is None


def test_what_is_larger_than_the_cap_is_refused_while_it_comes_in(store: Store) -> None:
    store.cap_bytes = 2 * disk.CHUNK_BYTES
    read = []

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            read.append(size)
            return b"x" * size

    with pytest.raises(MediaError, match=r"film\.mp4 is larger than .* Give its path"):
        store.add(Endless(), "film.mp4")  # type: ignore[arg-type]
    assert len(read) == 3
    assert files_under(store.root) == []


def test_clear_waits_for_what_is_being_analysed(store: Store) -> None:
    stored = store.add(upload(), "a.mp4")
    store.save_report(stored.digest, "earlier", image_report())
    with store.pinned(stored.digest):
        store.clear()
        assert stored.path.exists()  # a reader may be in the middle of it
        assert store.history() == [] and store.media(stored.digest) is None  # but for its user it is gone
        store.save_report(stored.digest, KEY, image_report())  # the analysis ends, and does not bring it back
        assert store.load_report(stored.digest, KEY) is None
    assert files_under(store.root) == []


def test_what_comes_in_again_after_clear_stays(store: Store) -> None:
    digest = store.add(upload(), "a.mp4").digest
    store.save_report(digest, "earlier", image_report())
    with store.pinned(digest):
        store.clear()
        store.add(upload(), "a.mp4")
        store.save_report(digest, KEY, image_report())
    assert store.media(digest) is not None
    assert [entry.settings_key for entry in store.history()] == [KEY]  # "earlier" was cleared, and stays so


def test_pinning_something_unknown_leaves_nothing(store: Store) -> None:
    with store.pinned("0" * 64):
        pass
    assert list((store.root / "history").iterdir()) == [store.root / "history" / ".aside"]


def test_pins_of_other_processes_hold_until_they_die(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from core.pins import pin\n"
        "with pin(Path(sys.argv[1])): print('pinned', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "pinned\n"
        assert is_pinned(tmp_path)
        other.kill()  # no chance to clean up behind itself
        other.wait()
    assert list_pins(tmp_path)
    assert not is_pinned(tmp_path)
    assert list_pins(tmp_path) == []


def test_a_pin_of_a_process_with_a_reused_number_is_dead(tmp_path: Path) -> None:
    with pin(tmp_path):
        (mine,) = list_pins(tmp_path)
        pid, started, token = mine.name.split("-")
        mine.rename(mine.with_name(f"{pid}-{int(started) - 1000}-{token}"))
        assert not is_pinned(tmp_path)


def test_pins_count(tmp_path: Path) -> None:
    with pin(tmp_path):
        with pin(tmp_path):
            pass
        assert is_pinned(tmp_path)  # two tabs analyse the same file: the first to end does not free it
    assert not is_pinned(tmp_path)


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


def test_leftovers_of_a_crash_are_swept(tmp_path: Path) -> None:
    aside = Store(tmp_path).root / "history" / ".aside"
    (aside / "old folder").mkdir()
    for name in ("old", "fresh"):
        (aside / name).touch()
    for name in ("old", "old folder"):
        os.utime(aside / name, (0, 0))
    Store(tmp_path)
    assert [path.name for path in aside.iterdir()] == ["fresh"]


def test_a_full_disk_is_said_in_words(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    digest = store.add(upload(), "a.jpg").digest
    monkeypatch.setattr("core.store.write_report", full)
    with pytest.raises(SetupError, match=r"No space left on device.*clear the history"):
        store.save_report(digest, KEY, image_report())


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
