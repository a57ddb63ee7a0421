"""Going on with a scan that was stopped: which files its JSON Lines tell of already."""

import json
from collections.abc import Iterable
from pathlib import Path

from core.errors import UserError
from core.output import open_output


def recorded(path: Path, *, again: Iterable[Path] = ()) -> frozenset[str]:
    """The paths of the records in a file of JSON Lines; a last line that is half written is cut off.

    Args:
        path: What `predict.py --format jsonl --output` wrote; nothing is recorded where there is no such file.
        again: Files of which a record that only tells that they could not be read is taken out: they are tried anew.

    Raises:
        UserError: It holds something else. Nothing of it is changed then.
        OSError: It cannot be read, or not be changed.
    """
    if not path.exists():
        return frozenset()
    data = path.read_bytes()
    lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
    try:
        records = [json.loads(line) for line in lines]
        names = [str(record["path"]) for record in records]
        failed = [record.get("verdict") == "error" for record in records]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path} does not hold records of predict.py --format jsonl: name the output of the scan to go on with."
        ) from error
    asked = set(map(str, again))
    kept = [i for i, name in enumerate(names) if not (failed[i] and name in asked)]
    whole = b"".join(lines[i] for i in kept)
    if len(kept) < len(lines):
        with open_output(path, streaming=False) as file:
            file.write(whole.decode())
    elif len(whole) < len(data):
        with path.open("r+b") as cut:
            cut.truncate(len(whole))
    return frozenset(names[i] for i in kept)


def refuse_records(path: Path | None) -> None:
    """A new scan does not wipe what an earlier one found.

    Raises:
        UserError: The file holds something already.
        OSError: It cannot be asked.
    """
    if path is not None and path.is_file() and path.stat().st_size:
        raise UserError(
            f"{path} holds the records of an earlier scan: give --resume to go on with it, --overwrite to"
            " replace it, or the results another file."
        )
