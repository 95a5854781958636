"""Addresses that are sent to people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from chatnation.core.settings import Settings


def link(settings: Settings, path: str, **query: str) -> str:
    """The address of a page of ours, to be mailed.

    It is made of settings and never of the request: whoever sends a request chooses its Host header, and would choose
    where the token in a mailed link goes.
    """
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    return f"{base.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
