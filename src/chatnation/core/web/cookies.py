"""The cookies of the dashboard: their names, and how they are set so that no script and no other site gets them.

Behind TLS their names begin with `__Host-`: browsers then take them only from this host, over TLS, for every path, so
that no other host of the domain can plant one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

SESSION_COOKIE = "chatnation_session"
"""Holds the token of a login."""
VISITOR_COOKIE = "chatnation_visitor"
"""Binds the forms of somebody who has not signed in yet, such as the login form."""
CHALLENGE_COOKIE = "chatnation_login_step"
"""Holds the token of a pending step."""
DEVICE_COOKIE = "chatnation_device"
"""Holds the token of a remembered browser."""


def cookie_name(request: Request, name: str) -> str:
    """What the cookie `name` is called on this connection."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def read_cookie(request: Request, name: str) -> str | None:
    """The value of our cookie `name`, None without one."""
    return request.cookies.get(cookie_name(request, name)) or None


def set_cookie(
    response: Response,
    request: Request,
    name: str,
    value: str,
    *,
    expires: datetime | None = None,
    lasting: timedelta | None = None,
) -> None:
    """Set our cookie `name`; without an end it goes when the browser is closed."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=int(lasting.total_seconds()) if lasting else None,
        expires=expires,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )


def delete_cookie(response: Response, request: Request, name: str) -> None:
    """Have the browser drop our cookie `name`."""
    secure = request.url.scheme == "https"
    response.delete_cookie(cookie_name(request, name), path="/", secure=secure, httponly=True, samesite="lax")
