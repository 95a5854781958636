"""Who gets in, and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.context import Actor
from chatnation.core.plugin.base import hookspec
from chatnation.core.web.routing import Permission


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """A one-time code on its way to a user; `address` is what they gave when they set the factor up."""

    tenant_id: int
    user_id: int
    name: str
    email: str
    address: str
    code: str = field(repr=False)
    minutes: int


def _as_typed(address: str) -> str:
    return address


def _ends_only(address: str) -> str:
    return f"{address[:2]}…{address[-2:]}" if len(address) > 6 else "…"


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A way to bring a user a one-time code. The core makes, limits and checks the code; this only carries it.

    `send(connection, message)` sends within the caller's transaction, usually by enqueuing a job, and raises
    `ChatnationError` with a sentence for the user where it cannot. `address_label` names what a user types to set it
    up, such as "Phone number"; without one the code goes to their e-mail address. `check_address` gives the address as
    it is kept, or raises `ChatnationError`; `mask_address` what others may see of it.
    """

    name: str
    label: str
    send: Callable[[AsyncConnection, CodeMessage], Awaitable[None]]
    address_label: str = ""
    check_address: Callable[[str], str] = _as_typed
    mask_address: Callable[[str], str] = _ends_only


async def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class LoginProvider:
    """Another way in: a button on the login page that leads to `path`, a page of the plugin's.

    The page finds out who it is by its own means and ends with `LoginEnding.finish`, the service of the core that
    decides what else has to be shown. `available()` says whether anybody can use it now.
    """

    name: str
    label: str
    path: str
    icon: str = "login"
    available: Callable[[], Awaitable[bool]] = _always


@hookspec
def register_login_providers() -> Iterable[LoginProvider]:  # type: ignore[empty-body]
    """Offer another way to sign in.

    When: once, at composition; the buttons are on the login page.
    Return: a list of `LoginProvider`.
    Failure: the plugin is failed; one whose `available` raises has no button.
    """


@hookspec
def register_second_factors() -> Iterable[SecondFactor]:  # type: ignore[empty-body]
    """Bring one-time codes to users by a means that the core does not have.

    When: once, at composition; users choose one in their profile.
    Return: a list of `SecondFactor`.
    Failure: the plugin is failed; users whose only factor it was get their codes by e-mail.
    """


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
