"""What an idle instance holds in memory: our processes and both servers."""

from __future__ import annotations

import asyncio

import psutil

from benchmarks.figures import Figure
from benchmarks.instance import running_instance

MEGABYTE = 1_000_000


async def run(quick: bool) -> list[Figure]:
    """Proportional set size, in MB: shared pages are divided among the processes that share them."""
    async with running_instance() as instance:
        await asyncio.sleep(5 if quick else 30)
        sizes = [(_kind(process), _size(process)) for process in instance.processes() if process.is_running()]
    kinds = sorted({kind for kind, _ in sizes})
    return [
        Figure("idle memory, all processes", sum(size for _, size in sizes), "MB", goal=512, at_most=True),
        *(Figure(f"  {kind}", sum(size for its, size in sizes if its == kind), "MB") for kind in kinds),
    ]


def _kind(process: psutil.Process) -> str:
    name = process.name()
    return name if name.startswith(("postgres", "valkey")) else "python"


def _size(process: psutil.Process) -> float:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0.0
    return float(getattr(full, "pss", full.uss)) / MEGABYTE
