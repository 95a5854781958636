"""Short-lived tokens of programs: a signed note that names an open login, and says nothing about permissions."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from chatnation.core.ids import uuid7

LIFETIME = timedelta(minutes=15)
_ISSUER = "chatnation"
_ALGORITHM = "HS256"


class AccessTokens:
    """Signs and reads them with a key made from the instance's secret."""

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(hashlib.sha256(b"access tokens\x00" + secret.encode()).digest())

    def issue(self, login_id: UUID, user_id: int, now: datetime) -> str:
        """A token for the login, good for 15 minutes or until the login is closed."""
        issued = int(now.timestamp())
        claims = {
            "iss": _ISSUER,
            "sub": str(user_id),
            "sid": str(login_id),
            "jti": uuid7().hex,
            "iat": issued,
            "exp": issued + int(LIFETIME.total_seconds()),
        }
        return jwt.encode({"alg": _ALGORITHM, "typ": "at+jwt"}, claims, self._key)

    def login_of(self, token: str, now: datetime) -> UUID | None:
        """The login that a token names; None when it is not ours, was changed, or is too old."""
        try:
            read = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
            if read.header.get("typ") != "at+jwt" or read.claims.get("iss") != _ISSUER:
                return None
            return UUID(read.claims["sid"]) if now.timestamp() < int(read.claims["exp"]) else None
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            return None


def looks_like_access_token(text: str) -> bool:
    """Whether `text` is written as a signed token is: a JSON header in base64, and two dots."""
    return text.startswith("eyJ") and text.count(".") == 2
