"""Who sends a request, before anybody knows them."""

from __future__ import annotations

from starlette.requests import Request

from chatnation.core.auth.login_flow import Visitor
from chatnation.core.web.cookies import DEVICE_COOKIE, SESSION_COOKIE, read_cookie

_USER_AGENT_LENGTH = 500


def visitor_of(request: Request, *, program: bool = False) -> Visitor:
    """The browser or program that sent a request; a program is one that asks for tokens instead of a cookie."""
    return Visitor(
        ip_address=address_of(request),
        user_agent=request.headers.get("user-agent", "")[:_USER_AGENT_LENGTH] or None,
        device_token=read_cookie(request, DEVICE_COOKIE),
        session_token=None if program else read_cookie(request, SESSION_COOKIE),
        program=program,
    )


def address_of(request: Request) -> str | None:
    """The IP address that a request came from; behind a trusted proxy, that of whoever it speaks for."""
    return request.client.host if request.client else None
