"""Checks of what operators type: handles, e-mail addresses, time zones."""

from __future__ import annotations

import re
import unicodedata
from zoneinfo import available_timezones

from chatnation.core.errors import ChatnationError

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class InvalidName(ChatnationError):
    """Something that was typed cannot be what it should be. The text says what it may look like."""


def checked_slug(text: str) -> str:
    """`text` if it is a handle for URLs: small letters, digits and inner hyphens, 50 at most."""
    if not _SLUG.fullmatch(text):
        raise InvalidName(f"“{text}” cannot be a handle: use small letters, digits and hyphens inside, 50 at most.")
    return text


def slug_from(name: str) -> str:
    """A handle made from a name, for example `kenya-revenue-authority`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")
    if not slug:
        raise InvalidName(f"No handle can be made from the name “{name}”; give one.")
    return slug


def checked_name(text: str) -> str:
    """`text` without blanks around it, if it is 1 to 100 characters of one line."""
    name = text.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidName("A name is 1 to 100 characters on one line.")
    return name


def checked_email(text: str) -> str:
    """`text` without blanks around it, if it looks like an e-mail address."""
    email = text.strip()
    if not _EMAIL.fullmatch(email) or len(email) > 254 or not email.isprintable():
        raise InvalidName(f"“{text}” is not an e-mail address.")
    return email


def checked_timezone(text: str) -> str:
    """`text` if it is an IANA time zone, for example `Africa/Nairobi`."""
    if text not in available_timezones():
        raise InvalidName(
            f"“{text}” is not a time zone. They look like Africa/Nairobi; see `timedatectl list-timezones`."
        )
    return text
