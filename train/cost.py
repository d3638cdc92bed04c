"""What a run costs: time, processor time and memory, over all the times it was taken up again."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

MB = 1e6


class Meter:
    """Counts what a run costs, from when it is made on.

    What was done after the last checkpoint before a kill is lost, and not counted.

    Attributes:
        seconds: Wall time spent in steps; whoever takes the steps adds to it.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._processor_before = -processor_seconds()
        self._memory_before = 0.0

    def state(self) -> dict[str, float]:
        """All that ``restore`` needs, and that a record tells."""
        return {
            "seconds": self.seconds,
            "processor_seconds": self._processor_before + processor_seconds(),
            "peak_memory_mb": max(self._memory_before, peak_memory_mb()),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``, adding to it what was spent since this meter was made."""
        self.seconds += float(state["seconds"])
        self._processor_before += float(state["processor_seconds"])
        self._memory_before = float(state["peak_memory_mb"])


def processor_seconds() -> float:
    """Processor time of this process in all its threads, and of its child processes, living ones included."""
    times = os.times()
    living = sum(_of_process(child.pid) for child in multiprocessing.active_children() if child.pid)
    return time.process_time() + times.children_user + times.children_system + living


def peak_memory_mb() -> float:
    """Most memory this process ever held, in 10^6 bytes; what was read of memory-mapped files counts."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MB if sys.platform == "darwin" else peak * 1024 / MB  # macOS counts bytes, Linux KiB


def peak_gpu_memory_mb(device: torch.device) -> float | None:
    """Most GPU memory that tensors held, in 10^6 bytes; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) / MB if device.type == "cuda" else None


def _of_process(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:  # it has just ended, or this system has no such files
        return 0.0
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces
    user, system = int(fields[11]), int(fields[12])  # utime and stime, fields 14 and 15 of proc(5)
    return (user + system) / os.sysconf("SC_CLK_TCK")
