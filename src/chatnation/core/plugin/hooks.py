"""The four ways to call a hook. Each is keyed by the hookspec function, so that types follow it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

import pluggy

from chatnation.core.plugin.boundary import Boundary, Outcome

P = ParamSpec("P")
T = TypeVar("T")

Asked = Callable[[str, str], bool]
"""`asked(plugin, hook)`: whether the plugin is asked this hook now."""


def everybody(plugin: str, hook: str) -> bool:
    """Asks every plugin every hook."""
    return True


class Hooks:
    """Calls hooks in load order, each implementation inside the boundary.

    A plugin is asked only while `asked(plugin, hook)` holds. Every outcome carries its plugin's name.
    """

    def __init__(self, manager: pluggy.PluginManager, boundary: Boundary, asked: Asked = everybody) -> None:
        self._manager = manager
        self._boundary = boundary
        self._asked = asked

    def only(self, plugins: Collection[str]) -> Hooks:
        """The same hooks, asked of `plugins` alone: for one tenant, `hooks.only(app.enabled(tenant_id))`."""

        def asked(plugin: str, hook: str) -> bool:
            return plugin in plugins and self._asked(plugin, hook)

        return Hooks(self._manager, self._boundary, asked)

    def collect(self, spec: Callable[P, Iterable[T]], *args: P.args, **kwargs: P.kwargs) -> list[Outcome[list[T]]]:
        """`register_*`: each plugin's list."""
        return [
            self._boundary.call(plugin, spec.__name__, lambda call=call: list(call()))  # type: ignore[misc]
            for plugin, call in self._calls(spec, args, kwargs)
        ]

    async def gather(self, spec: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> list[Outcome[T]]:
        """`check_*`, `render_*`, `erase_*`, `export_*`: everyone is asked, one after the other.

        One after the other, because implementations may share a database connection. Where it is all or nothing,
        `unwrap` the outcomes.
        """
        return [
            await self._boundary.acall(plugin, spec.__name__, call) for plugin, call in self._calls(spec, args, kwargs)
        ]

    async def first(
        self, spec: Callable[P, Awaitable[T | None]], *args: P.args, **kwargs: P.kwargs
    ) -> Outcome[T] | None:
        """`resolve_*`, `handle_*`: the first answer that is not None. A failure counts as no answer."""
        for plugin, call in self._calls(spec, args, kwargs):
            outcome: Outcome[T] = await self._boundary.acall(plugin, spec.__name__, call)
            if outcome.ok and outcome.value is not None:
                return outcome
        return None

    async def chain(
        self, spec: Callable[Concatenate[T, P], Awaitable[T]], value: T, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`filter_*(value)`: each plugin replaces the value; one that fails leaves it as it was."""
        for plugin, function in self._implementations(spec):
            call = _bind(spec, function, (value, *args), kwargs)
            outcome: Outcome[T] = await self._boundary.acall(plugin, spec.__name__, call)
            if outcome.ok:
                value = outcome.unwrap()
        return value

    def _calls(
        self, spec: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[str, Callable[[], Any]]]:
        for plugin, implementation in self._implementations(spec):
            yield plugin, _bind(spec, implementation, args, kwargs)

    def _implementations(self, spec: Callable[..., Any]) -> Iterator[tuple[str, pluggy.HookImpl]]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, spec.__name__)
        for implementation in caller.get_hookimpls():
            if self._asked(implementation.plugin_name, spec.__name__):
                yield implementation.plugin_name, implementation


def _bind(
    spec: Callable[..., Any], implementation: pluggy.HookImpl, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[[], Any]:
    """The call with the arguments that this implementation wants; it may leave out those it does not need."""
    code = spec.__code__
    given = {**dict(zip(code.co_varnames[: code.co_argcount], args, strict=False)), **kwargs}
    wanted = {name: given[name] for name in implementation.argnames}
    return lambda: implementation.function(**wanted)
