"""The speed table of the README: ours beside the naive way and beside OpenVINO's own benchmark, in one run.

    python -m benchmarks                       # about twenty minutes on two cores
    python -m benchmarks --only analysis image # some rows
    python -m benchmarks --output docs/speed.md

Each row is measured in a process of its own, one after the other; give it an idle machine.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.rows import ROWS


def measured(name: str, clips: Path) -> dict[str, object]:
    """What `python -m benchmarks.rows NAME` prints as its last line, as a dictionary; its log goes to stderr."""
    command = [sys.executable, "-m", "benchmarks.rows", name, str(clips)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return {"error": f"exit code {done.returncode}"}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def machine() -> str:
    """Processor, cores and Python, for the table's first line."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor()
    load = f", load before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}{load}"


def main() -> None:
    """Measures the rows asked for and prints them as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    parser.add_argument("--output", type=Path, help="write the table to this file as well")
    options = parser.parse_args()
    from benchmarks.clips import clip_1080p

    clip = clip_1080p()
    lines = [f"Measured by `python -m benchmarks` on {machine()}.", "", "| what | figure |", "|---|---|"]
    print("\n".join(lines), flush=True)
    for name in options.only:
        figures = measured(name, clip)
        for what, figure in figures.items():
            lines.append(f"| {ROWS[name].title}: {what} | {figure} |")
            print(lines[-1], flush=True)
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
