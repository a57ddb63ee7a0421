"""core.analysis.feed: a thread that decodes ahead, within bounds, and always ends."""

import threading
import time

import pytest

from core.analysis.feed import FrameFeed, queue_depth


@pytest.mark.parametrize(
    ("size_wh", "expected"),
    [
        ((64, 48), 8),  # never more than eight
        ((1920, 1080), 8),
        ((3840, 2160), 2),
        ((16000, 9000), 2),  # never fewer than two: one is worked on while the next is decoded
        ((0, 0), 8),
    ],
)
def test_queue_depth(size_wh, expected):
    assert queue_depth(size_wh) == expected


def decode_threads():
    return [thread for thread in threading.enumerate() if thread.name == "decode"]


def test_order_is_kept():
    with FrameFeed(iter(range(1000)), 2) as feed:
        assert list(feed) == list(range(1000))
    assert not decode_threads()


def test_decodes_ahead_but_not_further_than_the_queue():
    made = []

    def frames():
        for i in range(100):
            made.append(i)
            yield i

    with FrameFeed(frames(), 3) as feed:
        assert next(iter(feed)) == 0
        deadline = time.monotonic() + 5
        while len(made) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)  # time enough to run on, were there no bound
        assert len(made) == 5  # one taken, three in the queue, one in the hand


def test_leaving_early_ends_the_thread():
    with FrameFeed(iter(range(10**9)), 2) as feed:
        next(iter(feed))
    assert not decode_threads()


def test_what_the_decoder_raises_is_raised_here():
    def frames():
        yield 1
        raise ValueError("broken")

    got = []
    with pytest.raises(ValueError, match="broken"), FrameFeed(frames(), 2) as feed:
        got += feed
    assert not decode_threads()
