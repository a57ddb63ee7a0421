"""What is printed stands in the log, once, and a log that cannot be written stops nothing."""

import errno
import subprocess
import sys

from core.training.output import Tee, logged
from tests.training.conftest import REPOSITORY


def test_what_is_printed_stands_in_the_log_once(tmp_path):
    """Also where the log is the process's own output, as the queue starts them; a stream that is closed is survived."""
    log = tmp_path / "train.log"
    code = (
        "import sys; from pathlib import Path; from core.training.output import logged\n"
        "with logged(Path(sys.argv[1])) as log:\n"
        "    print('out'); print('err', file=sys.stderr); log.write('stack\\n')\n"
        "    sys.__stdout__.close(); print('after')\n"
    )
    with log.open("ab") as file:
        subprocess.run([sys.executable, "-uc", code, log], cwd=REPOSITORY, stdout=file, stderr=file, check=True)
    assert log.read_text().splitlines() == ["out", "err", "stack"]
    with logged(log):
        print("terminal")
    assert log.read_text().splitlines()[-1] == "terminal"


def test_a_log_that_cannot_be_written_is_passed_over(tmp_path, capsys):
    with logged(tmp_path / "nowhere/train.log") as log:
        print("on")
        log.write("stack")

    class Full:
        encoding = "utf-8"

        def write(self, _=""):
            raise OSError(errno.ENOSPC, "full")

        flush = write

    Tee(Full()).write("x")
    Tee(Full()).flush()
    assert capsys.readouterr().out == "on\n"
