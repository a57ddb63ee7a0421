"""pages.components.settled: the collector is spared what is loaded, and still frees what a visitor leaves behind."""

import gc
import sys
import weakref
from collections.abc import Iterator
from types import ModuleType

import pytest

from pages.components import settled


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settled, "_modules", 0)
    yield
    gc.unfreeze()


class Ring:
    """Garbage that only the collector can free: it holds itself."""

    def __init__(self) -> None:
        self.itself = self


def loads_another(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, ModuleType(name))


def test_what_is_loaded_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loads_another(monkeypatch, "one")
    settled.settle()
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 1_000


def test_nothing_is_done_where_nothing_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    loads_another(monkeypatch, "one")
    settled.settle()
    gc.unfreeze()
    settled.settle()
    assert gc.get_freeze_count() == 0


def test_what_became_garbage_meanwhile_is_freed_at_the_next_load(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    alive = weakref.ref(ring)
    loads_another(monkeypatch, "one")
    settled.settle()
    del ring
    gc.collect()
    assert alive() is not None  # out of the collector's sight
    loads_another(monkeypatch, "two")
    settled.settle()
    assert alive() is None


def test_what_comes_later_is_freed_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    loads_another(monkeypatch, "one")
    settled.settle()
    alive = weakref.ref(Ring())
    gc.collect()
    assert alive() is None
