"""Signing out, for pages and routes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth.events import SignedOut
from chatnation.core.auth.logins import close_by_token, close_login
from chatnation.core.context import Actor
from chatnation.core.web.audited import record_of
from chatnation.core.web.cookies import SESSION_COOKIE, read_cookie

if TYPE_CHECKING:
    from chatnation.core.web.accounts.parts import AccountParts


async def sign_out(parts: AccountParts, request: Request) -> None:
    """Close the login that the request came with, of a browser or of a program; nothing happens if there is none."""
    actor: Actor | None = request.state.actor
    token = read_cookie(request, SESSION_COOKIE)
    async with parts.app.storage.system("a cookie names no tenant yet") as connection:
        closed: tuple[int, int] | None = None
        if actor is not None and actor.login_id is not None and actor.user_id is not None:
            if await close_login(connection, actor.user_id, actor.login_id):
                closed = actor.tenant.id, actor.user_id
        elif token:
            closed = await close_by_token(connection, token)
        if closed is None:
            return
        parts.recognition.forget_after(connection)
        tenant_id, user_id = closed
        await audit_of(parts.app).record(
            connection, record_of(request, "auth.logout", "user", user_id, tenant_id=tenant_id)
        )
        parts.app.signals.publish(connection, SignedOut(tenant_id, user_id))
