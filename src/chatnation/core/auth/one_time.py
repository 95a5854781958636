"""Tokens and codes: made at random, stored only as hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_TOKEN_BYTES = 32
_CODE_DIGITS = 6


def new_token() -> str:
    """A token of 256 random bits, in letters that need no escaping in addresses and cookies."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """What is stored of a token. A plain SHA-256 will do: a token is too long to be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_code() -> str:
    """Six digits, each as likely as any other."""
    return f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"


class CodeHasher:
    """Hashes codes with the instance's secret: six digits alone could be tried out by whoever read the table."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"one-time codes\x00" + secret.encode()).digest()

    def hash(self, code: str, context: str) -> bytes:
        """What is stored of `code`; `context` names whose it is, so that a hash is of no use elsewhere."""
        message = f"{context}\x00{tidied(code)}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, hashlib.sha256)

    def matches(self, code: str, context: str, stored: bytes | None) -> bool:
        """Whether `code` is the one that was stored."""
        return hmac.compare_digest(self.hash(code, context), stored or b"")


def tidied(code: str) -> str:
    """A code as typed, without the blanks and hyphens that people put in, in small letters."""
    return "".join(code.split()).replace("-", "").lower()
