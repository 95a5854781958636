"""The four ways to call a hook. Each is keyed by the hookspec function, so that types follow it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, ParamSpec, TypeVar

import pluggy

from chatnation.core.plugin.boundary import Boundary, Outcome

P = ParamSpec("P")
T = TypeVar("T")


class Hooks:
    """Calls hooks in load order, each implementation inside the boundary.

    A plugin is asked only while `active(name)` holds.
    """

    def __init__(
        self, manager: pluggy.PluginManager, boundary: Boundary, active: Callable[[str], bool] = lambda name: True
    ) -> None:
        self._manager = manager
        self._boundary = boundary
        self._active = active

    def collect(self, spec: Callable[P, Iterable[T]], *args: P.args, **kwargs: P.kwargs) -> list[Outcome[list[T]]]:
        """`register_*`: each plugin's list, one outcome a plugin."""
        return [
            self._boundary.call(name, spec.__name__, lambda function=function: list(function(**kwargs)))  # type: ignore[misc]
            for name, function in self._implementations(spec, kwargs)
        ]

    async def gather(
        self, spec: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Outcome[T]]:
        """`startup`, `shutdown`, `check_*`, `render_*`, `erase_*`, `export_*`: everyone is asked, one after the other."""
        return [
            await self._boundary.acall(name, spec.__name__, lambda function=function: function(**kwargs))  # type: ignore[misc]
            for name, function in self._implementations(spec, kwargs)
        ]

    async def first(
        self, spec: Callable[P, Awaitable[T | None]], *args: P.args, **kwargs: P.kwargs
    ) -> Outcome[T] | None:
        """`resolve_*`, `handle_*`: the first answer that is not None; a failure counts as no answer."""
        for name, function in self._implementations(spec, kwargs):
            outcome: Outcome[T | None] = await self._boundary.acall(
                name, spec.__name__, lambda function=function: function(**kwargs)  # type: ignore[misc]
            )
            if outcome.ok and outcome.value is not None:
                return Outcome(name, outcome.value)
        return None

    async def chain(self, spec: Callable[..., Awaitable[T]], value: T, **kwargs: Any) -> T:
        """`filter_*(value)`: each replaces the value; one that fails leaves it as it was."""
        argument = next(iter(self._argument_names(spec)))
        for name, function in self._implementations(spec, {argument: value, **kwargs}, late=argument):
            current = value
            outcome: Outcome[T] = await self._boundary.acall(
                name, spec.__name__, lambda function=function, current=current: function(**{argument: current})  # type: ignore[misc]
            )
            if outcome.ok and outcome.value is not None:
                value = outcome.value
        return value

    def _implementations(
        self, spec: Callable[..., Any], kwargs: dict[str, Any], late: str | None = None
    ) -> Iterator[tuple[str, Callable[..., Any]]]:
        caller = getattr(self._manager.hook, spec.__name__)
        for implementation in caller.get_hookimpls():
            if not self._active(implementation.plugin_name):
                continue
            wanted = {name: kwargs[name] for name in implementation.argnames if name != late}
            function = implementation.function
            yield implementation.plugin_name, _bound(function, wanted, implementation.argnames)

    @staticmethod
    def _argument_names(spec: Callable[..., Any]) -> Iterable[str]:
        return spec.__code__.co_varnames[: spec.__code__.co_argcount]


def _bound(function: Callable[..., Any], wanted: dict[str, Any], names: tuple[str, ...]) -> Callable[..., Any]:
    """`function` with the arguments it asked for; later ones may be given by name, others are dropped."""

    def call(**late: Any) -> Any:
        return function(**wanted, **{name: value for name, value in late.items() if name in names and name not in wanted})

    return call
