"""Proof that a request which changes something was made by our own pages.

Two checks, both must pass. The browser says where a request comes from (`Sec-Fetch-Site`, else `Origin`), and the page
carries a token that another site cannot read. Requests with a key instead of a cookie need neither: no browser adds a
key by itself.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request

from chatnation.core.errors import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
_MASK_BYTES = 16
_PROOF_BYTES = 16


def make_token(secret: str, binding: str) -> str:
    """A token for the visitor who holds the cookie value `binding`.

    It looks different each time, so that compressed pages do not give it away by their length.
    """
    mask = secrets.token_bytes(_MASK_BYTES)
    return base64.urlsafe_b64encode(mask + _xor(mask, _proof(secret, binding))).rstrip(b"=").decode()


def token_matches(secret: str, binding: str, token: str) -> bool:
    """Whether `token` was made by `make_token` for `binding`."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return False
    mask, masked = raw[:_MASK_BYTES], raw[_MASK_BYTES:]
    if len(masked) != _PROOF_BYTES:
        return False
    return hmac.compare_digest(_xor(mask, masked), _proof(secret, binding))


def check_origin(request: Request, public_url: str | None) -> None:
    """Raise a 403 unless the browser says that the request comes from our own origin, or it is no browser."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise _foreign()
        return
    origin = request.headers.get("origin")
    if origin is not None and origin not in _own_origins(request, public_url):
        raise _foreign()


def check_token(secret: str, binding: str | None, token: str | None) -> None:
    """Raise a 403 unless `token` belongs to the cookie value `binding`."""
    if not binding or not token or not token_matches(secret, binding, token):
        raise Problem(403, "csrf_failed", "This form is too old or not ours. Reload the page and try again.")


def _own_origins(request: Request, public_url: str | None) -> set[str]:
    own = {f"{request.url.scheme}://{request.url.netloc}"}
    if public_url:
        parts = urlsplit(public_url)
        own.add(f"{parts.scheme}://{parts.netloc}")
    return own


def _foreign() -> Problem:
    return Problem(403, "foreign_origin", "This request was made by another site, so it was refused.")


def _proof(secret: str, binding: str) -> bytes:
    return hmac.digest(secret.encode(), b"csrf\x00" + binding.encode(), sha256)[:_PROOF_BYTES]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
