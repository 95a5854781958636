"""Who gets in, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from chatnation.core.context import Actor
from chatnation.core.plugin.base import hookspec
from chatnation.core.web.routing import Permission


@hookspec
def register_permissions() -> Iterable[Permission]:  # type: ignore[empty-body]
    """Declare the permissions that the plugin's routes and pages name.

    When: once, at composition.
    Return: a list of `Permission`.
    Failure: the plugin is failed.
    """


@hookspec
async def resolve_actor(request: Request) -> Actor | None:
    """Recognise who is asking, by a means that the core does not know.

    When: per request, when neither a login session nor a key was recognised.
    Return: an `Actor`, or None.
    Failure: counts as None.
    """


@hookspec
async def check_permission(actor: Actor, permission: str) -> bool | None:
    """Veto what the actor's role would allow.

    When: per request, after the role said yes.
    Return: False to refuse, None to leave it.
    Failure: refuses.
    """
