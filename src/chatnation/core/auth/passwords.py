"""Passwords: what a good one is, and how they are kept."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import bcrypt

from chatnation.core.errors import ChatnationError

_MARK = "bcrypt-sha256:"
_ROUNDS = 12
_LONGEST = 1024
_UNAMBIGUOUS = "".join(set(string.ascii_letters + string.digits) - set("Il1O0o"))


class WeakPassword(ChatnationError):
    """A password breaks the rules. The text names every rule it breaks."""


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What a new password must have. Existing ones stay as they are when the rules change."""

    min_length: int = 8
    max_length: int = 128
    uppercase: bool = True
    lowercase: bool = True
    number: bool = True
    special: bool = True

    @property
    def sentence(self) -> str:
        """The rules for people who choose a password: `8 to 128 characters, a digit.`"""
        asked = ((self.uppercase, "a capital letter"), (self.lowercase, "a small letter"), (self.number, "a digit"))
        signs = [*asked, (self.special, "a sign that is neither letter nor digit")]
        parts = [f"{self.min_length} to {self.max_length} characters", *(what for rule, what in signs if rule)]
        return f"{', '.join(parts)}."

    def check(self, password: str) -> None:
        """Raise WeakPassword unless `password` keeps the rules."""
        wanted: tuple[tuple[bool, str, Callable[[str], bool]], ...] = (
            (self.uppercase, "a capital letter", str.isupper),
            (self.lowercase, "a small letter", str.islower),
            (self.number, "a digit", str.isdigit),
            (self.special, "a sign that is neither letter nor digit", lambda character: not character.isalnum()),
        )
        missing = [what for rule, what, test in wanted if rule and not any(map(test, password))]
        if not self.min_length <= len(password) <= self.max_length:
            missing.insert(0, f"{self.min_length} to {self.max_length} characters")
        if missing:
            raise WeakPassword(f"The password needs {', '.join(missing)}.")


async def hash_password(password: str, *, rounds: int = _ROUNDS) -> str:
    """What is stored of a password. Takes about 0.2 s of a thread, on purpose; tests do with fewer `rounds`."""
    digest = await asyncio.to_thread(bcrypt.hashpw, _prepared(password), bcrypt.gensalt(rounds))
    return _MARK + digest.decode()


async def verify_password(password: str, stored: str | None) -> bool:
    """Whether `password` is the one that was stored; takes as long when nothing was, so that nobody can tell."""
    known = stored is not None and stored.startswith(_MARK) and len(password) <= _LONGEST
    digest = stored.removeprefix(_MARK).encode() if known and stored else _decoy()
    same = await asyncio.to_thread(bcrypt.checkpw, _prepared(password[:_LONGEST]), digest)
    return same and known


def random_password() -> str:
    """A password of 20 characters that can be read aloud and keeps the default rules."""
    while True:
        groups = ("".join(secrets.choice(_UNAMBIGUOUS) for _ in range(5)) for _ in range(4))
        password = "-".join(groups)
        try:
            PasswordRules().check(password)
        except WeakPassword:
            continue
        return password


def _prepared(password: str) -> bytes:
    """bcrypt reads 72 bytes and stops at a zero; a digest in letters has neither limit.

    Normalised, so that a letter with an accent is the same from every keyboard.
    """
    text = unicodedata.normalize("NFKC", password)
    return base64.b64encode(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def _decoy() -> bytes:
    """A digest that no password has, to be compared with all the same."""
    return bcrypt.gensalt(_ROUNDS) + b"." * 31
