"""Work after the fact."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation.core.jobs.definitions import Job, Listener, Retention, Schedule
from chatnation.core.plugin.base import hookspec


@hookspec
def register_listeners() -> Iterable[Listener]:  # type: ignore[empty-body]
    """Hear domain events after their commit.

    When: once, at composition.
    Return: a list of `Listener`.
    Failure: at composition the plugin is failed; a listener that raises is logged and counted.
    """


@hookspec
def register_jobs() -> Iterable[Job]:  # type: ignore[empty-body]
    """Name the kinds of work that can be enqueued.

    When: once, at composition.
    Return: a list of `Job`.
    Failure: at composition the plugin is failed; a job that raises is retried, then kept with its error.
    """


@hookspec
def register_schedules() -> Iterable[Schedule]:  # type: ignore[empty-body]
    """Enqueue jobs by cron lines.

    When: once, at composition.
    Return: a list of `Schedule`.
    Failure: the plugin is failed.
    """


@hookspec
def register_retention() -> Iterable[Retention]:  # type: ignore[empty-body]
    """Say how long the rows of a plugin's tables are kept.

    When: once, at composition; applied by a nightly job.
    Return: a list of `Retention`.
    Failure: the plugin is failed.
    """
