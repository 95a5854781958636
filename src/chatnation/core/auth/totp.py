"""Codes of an authenticator app (RFC 6238: six digits, thirty seconds, SHA-1, which is what the apps know)."""

from __future__ import annotations

import hmac
import io
from datetime import datetime

import pyotp
import segno

from chatnation.core.auth.one_time import tidied

ISSUER = "Chatnation"
STEP_SECONDS = 30
_TOLERATED_STEPS = 1
"""Clocks of telephones are off, and people type slowly: one step before and after counts too."""


def new_secret() -> str:
    """A secret of 160 bits as base32, to be scanned or typed into an app."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, account: str) -> str:
    """The address in the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def qr_code(uri: str) -> str:
    """`uri` as an SVG element without declarations, dark on light whatever the page's colours are."""
    image = io.BytesIO()
    segno.make_qr(uri, error="m").save(
        image, kind="svg", xmldecl=False, svgns=True, border=3, scale=4, light="#ffffff", svgclass="cn-qr"
    )
    return image.getvalue().decode()


def matching_counter(secret: str, code: str, now: datetime, last: int | None) -> int | None:
    """The time step whose code this is, if it is near now and newer than `last`; so no code is good twice."""
    typed = tidied(code)
    current = int(now.timestamp()) // STEP_SECONDS
    generator = pyotp.HOTP(secret)
    found: int | None = None
    for counter in range(current - _TOLERATED_STEPS, current + _TOLERATED_STEPS + 1):
        same = hmac.compare_digest(generator.at(counter).encode(), typed.encode("utf-8", "surrogatepass"))
        if same and (last is None or counter > last):
            found = counter
    return found
