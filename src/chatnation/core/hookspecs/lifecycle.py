"""Start, stop, health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatnation.core.plugin.base import hookspec

if TYPE_CHECKING:
    from chatnation.core.app import App


@dataclass(frozen=True, slots=True)
class Health:
    """How a plugin is: `ok`, and a sentence for the operator."""

    ok: bool
    detail: str = ""


@hookspec
async def startup(app: App) -> None:
    """Open what the plugin needs while it runs.

    When: once per process, in load order, after schemas were compared and before the first request or batch.
    Return: nothing.
    Failure: the plugin is degraded: its routes answer 503 with its name, its stages and jobs do not run.
    """


@hookspec
async def shutdown(app: App) -> None:
    """Close what `startup` opened.

    When: once per process, after the last request and batch.
    Return: nothing.
    Failure: logged; the other plugins still shut down.
    """


@hookspec
async def check_health(app: App) -> Health:  # type: ignore[empty-body]
    """Say whether the plugin can do its work.

    When: for `/-/health` and `chatnation doctor`.
    Return: a `Health`.
    Failure: counts as not healthy.
    """
