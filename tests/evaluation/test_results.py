"""Stored evaluations by their titles: no two may look alike, for a list shows nothing else of them."""

from pathlib import Path

from core.evaluation.results import StoredEvaluation, titles_of


def stored(name, *, faces=20, created="2026-11-26T07:26:00Z", shipped=None):
    document = {
        "detector": {"name": "tiny"},
        "data": {"name": name, "split": "all"},
        "created": created,
        "figures": {"all": {"real": faces // 2, "fake": faces - faces // 2}},
    }
    return StoredEvaluation(Path(name), shipped, 0), document


def clock(unix_s):
    return f"at {unix_s:.0f}"


def test_a_title_says_what_was_measured_and_when():
    assert titles_of([stored("a"), stored("b", shipped="tiny")], clock) == [
        "tiny on a, all (at 1795677960)",
        "tiny on b, all (came with the detector)",
    ]


def test_where_titles_are_the_same_faces_tell_them_apart():
    first, second, other = titles_of([stored("a", faces=10), stored("a"), stored("b")], clock)
    assert (first[-10:], second[-10:]) == (", 10 faces", ", 20 faces")
    assert "faces" not in other


def test_where_faces_are_the_same_too_they_are_counted_from_the_oldest():
    newest, between, oldest = titles_of([stored("a"), stored("a"), stored("a")], clock)
    assert oldest.endswith("20 faces")
    assert (newest, between) == (f"{oldest}, no. 3", f"{oldest}, no. 2")
