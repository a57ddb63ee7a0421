"""OpenVINO's CPU plugin and signals: puts right what it does to the stack on which signals are handled."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


@contextmanager
def kept_signal_stack() -> Iterator[None]:
    """Around whatever makes OpenVINO objects: gives this thread its own signal stack back afterwards.

    Each object of the CPU plugin (2026.4) sets a signal stack for the thread that makes it, and frees it with itself.
    When several die in the order in which they were made, the thread is left with one that is freed: the next Ctrl+C,
    SIGTERM or SIGHUP then ends the process with a segmentation fault, and a training run cannot stop in order. An
    object that finds another stack than its own leaves it alone, so that giving ours back at once is enough.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    call = ctypes.CDLL(None).sigaltstack
    before = _Stack()
    call(None, ctypes.byref(before))
    try:
        yield
    finally:
        call(ctypes.byref(before), None)
