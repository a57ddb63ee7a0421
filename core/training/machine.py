"""What a training process takes of its machine: processor, memory and, where there is one, the GPU."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

GPU_EVERY_S = 5.0
GPU_QUERY = ("name", "utilization.gpu", "memory.used", "memory.total")
MIB = 1 << 20
CPU_FLAGS = ("avx512_bf16", "amx_bf16")


def cpu_computes_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor says so; elsewhere it is emulated, several times slower than float32."""
    try:
        return any(flag in cpuinfo.read_text(encoding="utf-8", errors="replace") for flag in CPU_FLAGS)
    except OSError:
        return False


class Usage:
    """Samples what this process uses; the first processor figure is over the time since it was made."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
        self._nvidia_smi = None if hidden else shutil.which("nvidia-smi")
        self._gpu: list[dict[str, Any]] = []
        self._gpu_at = float("-inf")

    def sample(self) -> dict[str, Any]:
        """`cpu_percent` (of the whole machine, 0..100), `memory_bytes`, `memory_total_bytes`, and `gpu`: a list."""
        if self._nvidia_smi and time.monotonic() - self._gpu_at > GPU_EVERY_S:
            self._gpu, self._gpu_at = self._ask_gpu(self._nvidia_smi), time.monotonic()
        return {
            "cpu_percent": round(self._process.cpu_percent() / (psutil.cpu_count() or 1), 1),
            "memory_bytes": self._process.memory_info().rss,
            "memory_total_bytes": psutil.virtual_memory().total,
            "gpu": self._gpu,
        }

    def _ask_gpu(self, program: str) -> list[dict[str, Any]]:
        command = [program, f"--query-gpu={','.join(GPU_QUERY)}", "--format=csv,noheader,nounits"]
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=3, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            self._nvidia_smi = None  # no driver, or one that hangs: not asked again
            return []
        return parse_gpus(said)


def parse_gpus(text: str) -> list[dict[str, Any]]:
    """Each GPU's `name`, `percent`, `memory_bytes` and `memory_total_bytes` from what nvidia-smi says, a line each."""
    gpus = []
    for line in text.splitlines():
        name, *figures = (part.strip() for part in line.rsplit(",", len(GPU_QUERY) - 1))
        if len(figures) == len(GPU_QUERY) - 1 and all(figure.isdigit() for figure in figures):  # "[N/A]" on some
            percent, used, total = map(int, figures)
            gpus.append(
                {"name": name, "percent": percent, "memory_bytes": used * MIB, "memory_total_bytes": total * MIB}
            )
    return gpus
