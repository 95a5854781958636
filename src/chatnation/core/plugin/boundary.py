"""The one place where a plugin's failure is caught, logged and counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What one plugin answered: a value, or the error it raised."""

    plugin: str
    value: T | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


class Boundary:
    """Calls into plugins so that only the plugin fails.

    With `strict` the error is raised again after it was logged. `failures` counts by (plugin, where).
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.failures: Counter[tuple[str, str]] = Counter()

    def call(self, plugin: str, where: str, function: Callable[[], T]) -> Outcome[T]:
        """Run `function`; an exception becomes the outcome's error."""
        try:
            return Outcome(plugin, function())
        except Exception as error:
            self._note(plugin, where, error)
            return Outcome(plugin, error=error)

    async def acall(self, plugin: str, where: str, function: Callable[[], Awaitable[T]]) -> Outcome[T]:
        """Await `function()`; an exception becomes the outcome's error. Cancellation passes through."""
        try:
            return Outcome(plugin, await function())
        except Exception as error:
            self._note(plugin, where, error)
            return Outcome(plugin, error=error)

    def _note(self, plugin: str, where: str, error: Exception) -> None:
        self.failures[plugin, where] += 1
        logger.error("plugin %s failed at %s: %s", plugin, where, error, exc_info=error)
        if self.strict:
            raise error
