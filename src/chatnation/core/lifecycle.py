"""From a composed app to a running one, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from chatnation.core import switches, tasks
from chatnation.core.errors import ConfigurationError
from chatnation.core.hookspecs import lifecycle as hooks
from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.inventory import State, describe

if TYPE_CHECKING:
    from chatnation.core.app import App


@asynccontextmanager
async def running(app: App) -> AsyncIterator[None]:
    """Start `app`, and stop it when the block ends. See `App.lifespan`."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(app.storage.dispose)
        stack.push_async_callback(app.redis.aclose)
        stack.push_async_callback(app.queue.close)
        await _compare_schemas(app)
        await _watch_switches(app)
        _watch_standings(app)
        await _watch_brands(app)
        _run_beside(stack, app.versions.run())
        _run_beside(stack, app.metrics.keep_publishing(app.redis))
        await _start_plugins(app, stack)
        yield


async def _compare_schemas(app: App) -> None:
    """Refuse to run on an old core schema; degrade plugins whose schema is behind."""
    from chatnation.core.storage.migrations import compare, histories

    classes = [record.plugin_class for record in app.inventory.active() if record.plugin_class]
    for state in await compare(app.storage, histories(classes)):
        if not state.behind:
            continue
        if state.owner == CORE:
            raise ConfigurationError(
                f"the database is at revision {state.current or 'none'}, this version needs {state.head}:"
                " run `chatnation db upgrade`"
            )
        if app.inventory.runs(state.owner):
            app.inventory.settle(
                state.owner,
                State.DEGRADED,
                f"its schema is at revision {state.current or 'none'}, it needs {state.head}:"
                " run `chatnation db upgrade` and restart",
            )


async def _watch_switches(app: App) -> None:
    await app.switches.refresh()
    app.versions.watch(switches.CACHE, app.switches.refresh)


def _watch_standings(app: App) -> None:
    from chatnation.core.auth import effective

    app.versions.watch(effective.CACHE, app.services.get(effective.Standings).forget)


async def _watch_brands(app: App) -> None:
    from chatnation.core.auth import brands

    held = app.services.get(brands.Brands)
    await held.refresh()
    app.versions.watch(brands.CACHE, held.refresh)


def _run_beside(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until the app stops."""
    task = asyncio.create_task(work)
    stack.push_async_callback(tasks.end, task)


async def _start_plugins(app: App, stack: AsyncExitStack) -> None:
    """Run `startup` in load order; `shutdown` follows in reverse for those whose `startup` succeeded."""
    for name in (CORE, *(record.name for record in app.inventory.active())):
        if not app.inventory.runs(name):
            continue  # What it requires was degraded a moment ago.
        only = app.hooks.only((name,))
        outcomes = await only.gather(hooks.startup, app)
        error = next((outcome.error for outcome in outcomes if outcome.error), None)
        if error is None:
            stack.push_async_callback(only.gather, hooks.shutdown, app)
        elif name == CORE:
            raise error
        else:
            app.inventory.settle(name, State.DEGRADED, f"start-up failed: {describe(error)}", error)
