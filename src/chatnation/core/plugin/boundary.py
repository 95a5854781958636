"""The one place where a plugin's failure is caught, logged and counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from chatnation.core.errors import ChatnationError

logger = logging.getLogger(__name__)

T = TypeVar("T")

CORE = "core"
"""What the core calls itself where plugins are named. It stands in no boundary: if it fails, the product fails."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What one plugin answered: a value, or the error it raised."""

    plugin: str
    value: T | None = None
    error: BaseException | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    def unwrap(self) -> T:
        """The value, or the plugin's error raised again: for calls that are all or nothing."""
        if self.error is not None:
            raise self.error
        return cast("T", self.value)


class Boundary:
    """Calls into plugins so that only the plugin fails.

    Every failure is logged, with its traceback unless it was raised on purpose, and counted in `failures` by
    (plugin, where). `where` is the name of the hook, or `<kind>:<name>` for a registered function, for example
    `stage:resolve_location`.
    """

    def __init__(self) -> None:
        self.failures: Counter[tuple[str, str]] = Counter()

    def call(self, plugin: str, where: str, function: Callable[[], T]) -> Outcome[T]:
        """Run `function`; an exception, `sys.exit` included, becomes the outcome's error."""
        try:
            return Outcome(plugin, function())
        except (Exception, SystemExit) as error:
            self.note(plugin, where, error)
            return Outcome(plugin, error=error)

    async def acall(self, plugin: str, where: str, function: Callable[[], Awaitable[T]]) -> Outcome[T]:
        """Await `function()`; an exception becomes the outcome's error. Cancellation passes through."""
        try:
            return Outcome(plugin, await function())
        except (Exception, SystemExit) as error:
            self.note(plugin, where, error)
            return Outcome(plugin, error=error)

    def note(self, plugin: str, where: str, error: BaseException) -> None:
        """Log and count a failure that the caller caught itself, because it had a savepoint or a response to see to."""
        self.failures[plugin, where] += 1
        ours = isinstance(error, ChatnationError)
        logger.error("plugin %s failed at %s: %s", plugin, where, error, exc_info=None if ours else error)
