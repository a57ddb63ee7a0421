"""What the history gives back: the cap, clearing, crashes and full disks; and what it leaves alone meanwhile."""

import io
import os
from pathlib import Path

import pytest

from core import disk
from core.errors import MediaError, SetupError
from core.store import Store
from tests.analysis.test_serialize import image_report
from tests.test_store import KEY, files_under, upload


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def age(store: Store, digest: str, seconds: float) -> None:
    """Make an entry look as if it was used last so many seconds ago."""
    meta = store.root / "history" / digest / "meta.json"
    os.utime(meta, (meta.stat().st_atime - seconds, meta.stat().st_mtime - seconds))


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
