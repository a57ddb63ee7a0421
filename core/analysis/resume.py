"""Going on with a scan that was stopped: which files its JSON Lines tell of already."""

import json
from pathlib import Path

from core.errors import UserError


def recorded(path: Path) -> frozenset[str]:
    """The paths of the records in a file of JSON Lines; a last line that is half written is cut off.

    Args:
        path: What `predict.py --format jsonl --output` wrote; nothing is recorded where there is no such file.

    Raises:
        UserError: It holds something else. Nothing of it is changed then.
        OSError: It cannot be read, or not be shortened.
    """
    if not path.exists():
        return frozenset()
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    try:
        found = frozenset(str(json.loads(line)["path"]) for line in whole.splitlines())
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path} does not hold records of predict.py --format jsonl: name the output of the scan to go on with."
        ) from error
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return found
