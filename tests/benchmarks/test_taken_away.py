"""What a short run takes away is away, and comes back with the next."""

import pytest

from benchmarks.taken_away import take_away
from core.data import augment, marks


@pytest.mark.parametrize(
    ("name", "module", "share"),
    [
        ("hide", augment, "HIDDEN_SHARE"),
        ("films", augment, "FILMED_SHARE"),
        ("turns", augment, "TURNED_SHARE"),
        ("marks", marks, "MARKED_SHARE"),
    ],
)
def test_what_is_taken_away_comes_back(name, module, share):
    usual = getattr(module, share)
    take_away(name)
    assert getattr(module, share) == 0
    take_away("")
    assert getattr(module, share) == usual > 0
