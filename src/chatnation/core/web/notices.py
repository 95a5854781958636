"""Short messages that survive one redirect: "Key created.", shown as a toast on the next page."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

COOKIE = "chatnation_notice"
_SECONDS = 60

Kind = Literal["success", "info", "warning", "danger"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message; `kind` picks its colour and icon."""

    kind: Kind
    text: str


def redirect(url: str, *, notice: str = "", kind: Kind = "success") -> Response:
    """Go to `url` after a form was handled, and show `notice` there."""
    response = RedirectResponse(url, status_code=303)
    if notice:
        packed = base64.urlsafe_b64encode(msgspec.json.encode(Notice(kind, notice[:500]))).decode()
        response.set_cookie(COOKIE, packed, max_age=_SECONDS, httponly=True, samesite="lax")
    return response


def read_notice(request: Request) -> Notice | None:
    """The notice that came with the request; the caller deletes the cookie once it is shown."""
    packed = request.cookies.get(COOKIE)
    if not packed:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(packed), type=Notice)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
