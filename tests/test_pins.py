"""A pin holds for as long as its process lives, and not a moment longer."""

import subprocess
import sys
from pathlib import Path

from core.pins import is_pinned, list_pins, pin

REPO = Path(__file__).parents[1]


def test_pins_of_other_processes_hold_until_they_die(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from core.pins import pin\n"
        "with pin(Path(sys.argv[1])): print('pinned', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "pinned\n"
        assert is_pinned(tmp_path)
        other.kill()  # no chance to clean up behind itself
        other.wait()
    assert list_pins(tmp_path)
    assert not is_pinned(tmp_path)
    assert list_pins(tmp_path) == []


def test_a_pin_of_a_process_with_a_reused_number_is_dead(tmp_path: Path) -> None:
    with pin(tmp_path):
        (mine,) = list_pins(tmp_path)
        pid, started, token = mine.name.split("-")
        mine.rename(mine.with_name(f"{pid}-{int(started) - 1000}-{token}"))
        assert not is_pinned(tmp_path)


def test_pins_count(tmp_path: Path) -> None:
    with pin(tmp_path):
        with pin(tmp_path):
            pass
        assert is_pinned(tmp_path)  # two tabs analyse the same file: the first to end does not free it
    assert not is_pinned(tmp_path)
