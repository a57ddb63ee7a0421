"""A decoder in a thread of its own, so that decoding overlaps inference, with a bounded queue between the two."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Self

from core.media import VideoFrame

QUEUE_BYTES = 64 * 2**20
MAX_DEPTH = 8
_POLL_S = 0.1


def queue_depth(size_wh: tuple[int, int]) -> int:
    """How many RGB frames of this size may wait: 64 MiB of them, between 2 and 8."""
    frame_bytes = max(1, size_wh[0] * size_wh[1] * 3)
    return max(2, min(MAX_DEPTH, QUEUE_BYTES // frame_bytes))


class FrameFeed:
    """Iterates `frames` in a thread and hands them on in order.

    Leaving the context stops the thread and waits for it, so that the caller may close the decoder afterwards. What the
    decoder raises is raised here.

    Args:
        frames: The decoder; touched by the thread only.
        depth: Frames that may wait.
    """

    def __init__(self, frames: Iterable[VideoFrame], depth: int = MAX_DEPTH) -> None:
        self._frames = frames
        self._queue: queue.Queue[VideoFrame | BaseException | None] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._decode, name="decode", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped.set()
        self._thread.join()

    def __iter__(self) -> Iterator[VideoFrame]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def _decode(self) -> None:
        try:
            for frame in self._frames:
                if not self._put(frame):
                    return
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            self._put(error)
        else:
            self._put(None)

    def _put(self, item: VideoFrame | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_POLL_S)
                return True
            except queue.Full:
                continue
        return False
