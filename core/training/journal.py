"""The files of a run that grow line by line or are replaced whole; a reader never sees half of one."""

import json
from pathlib import Path
from typing import Any

METRICS, BATCHES, MISTAKES = "metrics.jsonl", "batches.jsonl", "mistakes.json"


def append_line(path: Path, fields: dict[str, Any]) -> None:
    """Adds one JSON object as a line, in one write."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(fields) + "\n")


def drop_after(path: Path, step: int) -> None:
    """Drops the lines of batches beyond a checkpoint, and what a kill left half written."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    kept = [line for line in lines if _step(line) <= step]
    if len(kept) < len(lines):
        replace_text(path, "".join(f"{line}\n" for line in kept))


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def write_json(path: Path, value: Any) -> None:
    """Replaces a JSON file."""
    replace_text(path, json.dumps(value, indent=2) + "\n")


def replace_text(path: Path, text: str) -> None:
    """Writes beside the old file and then takes its place."""
    half = path.with_name(f".{path.name}.part")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
