"""What a run has written line by line: metrics.jsonl, batches.jsonl and train.log, while they are being written."""

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from core.training.status import number

METRICS_FILE, LOG_FILE = "metrics.jsonl", "train.log"
TAIL_BYTES = 64 << 10
CHATTER = re.compile(r"[IW]\d{4} \d\d:\d\d:|.*absl::InitializeLog|.*failed call to cuInit")
"""TensorFlow's greetings, which no setting silences: that a machine has no GPU is no news to its owner."""


class History(NamedTuple):
    """What metrics.jsonl says in short; None before the first epoch has ended."""

    epochs: int = 0
    best_auc: float | None = None
    best_epoch: int | None = None
    elapsed_s: float | None = None


def read_lines(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The objects on the complete lines of a JSONL file from a byte offset on, and the offset to go on from.

    A line that is still being written is left for the next call, a damaged one is passed over. A file that became
    shorter than `offset` (a resumed run drops what came after its checkpoint) is read from its start again.
    """
    try:
        with path.open("rb") as file:
            start = offset if offset <= file.seek(0, os.SEEK_END) else 0
            file.seek(start)
            data = file.read()
    except OSError:
        return [], 0
    whole = data[: data.rfind(b"\n") + 1]
    return [line for line in map(_object, whole.splitlines()) if line is not None], start + len(whole)


def tail_log(folder: Path, n: int = 20) -> list[str]:
    """The last `n` lines of the run's train.log without TensorFlow's greetings; of a line redrawn, its last state."""
    try:
        with (folder / LOG_FILE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = (line.rstrip().rsplit("\r", 1)[-1] for line in text.split("\n"))
    return [line for line in lines if line.strip() and not CHATTER.match(line)][-n:]


def read_history(folder: Path) -> History:
    """The best epoch, how many there were, and the seconds that they took."""
    try:
        status = (folder / METRICS_FILE).stat()
    except OSError:
        return History()
    return _read_history(folder / METRICS_FILE, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=512)  # a table of many runs is read every other second
def _read_history(path: Path, _size: int, _modified_ns: int) -> History:
    lines, _ = read_lines(path)
    scored = [(auc, line.get("epoch")) for line in lines if (auc := number(line.get("val_auc"))) is not None]
    best_auc, epoch = max(scored, key=lambda pair: pair[0], default=(None, None))
    times = [seconds for line in lines if (seconds := number(line.get("elapsed_s"))) is not None]
    return History(len(lines), best_auc, epoch if isinstance(epoch, int) else None, times[-1] if times else None)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
