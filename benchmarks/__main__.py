"""Run the benchmarks: `python -m benchmarks [--quick] [--only NAME] [--json FILE]`."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import uvloop

from benchmarks.figures import Figure

NAMES = (
    *("collector", "processor", "lag", "memory", "event_size", "pages", "person_search", "row_security", "login"),
    "analytics",
)
LONG = frozenset({"analytics"})
"""Left out of a quick run, unless it is asked for: making millions of events takes minutes."""

RESULTS = Path(__file__).parent / "results"

Benchmark = Callable[[bool], Coroutine[Any, Any, list[Figure]]]


@click.command()
@click.option("--quick", is_flag=True, help="Shorter runs, under three minutes together; without the analytics.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Run just these.")
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the figures go; by default a new file under benchmarks/results/.",
)
def main(quick: bool, only: tuple[str, ...], target: Path | None) -> None:
    """Measure the product against the raw limits of this machine."""
    results = {}
    for name in only or [name for name in NAMES if not (quick and name in LONG)]:
        started = time.perf_counter()
        benchmark: Benchmark = import_module(f"benchmarks.{name}").run
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # As the product's own processes do.
            figures = runner.run(benchmark(quick))
        click.secho(f"\n{name}  ({time.perf_counter() - started:.0f} s)", bold=True)
        for figure in figures:
            _tell(figure)
        results[name] = [figure.as_json() for figure in figures]
    machine = _machine()
    target = target or RESULTS / f"{machine['measured_at']}.json".replace(":", "")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({**machine, "quick": quick, "results": results}, indent=2) + "\n")
    click.echo(f"\nWritten to {target}")


def _tell(figure: Figure) -> None:
    line = f"  {figure.name:<58} {figure.value:>12,.2f} {figure.unit}"
    if figure.goal is not None:
        word = "at most" if figure.at_most else "at least"
        line += f"   ({word} {figure.goal:,g}: {'yes' if figure.reached else 'NO'})"
    click.echo(line)


def _machine() -> dict[str, object]:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
