"""Addresses that open a file, for whoever knows them, for a while."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

_ID, _TIME, _SEAL = 16, 6, 20


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link says: which file, until when. Whether it is true is known once the file's tenant is."""

    file_id: UUID
    expires_at: datetime
    seal: bytes


class Links:
    """Makes links and tells ours from others. The seal covers the tenant, which the link does not name."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"chatnation media links", sha256)

    def make(self, tenant_id: int, file_id: UUID, expires_at: datetime) -> str:
        """The part of a link that opens the file until `expires_at`, in whole seconds."""
        body = file_id.bytes + int(expires_at.timestamp()).to_bytes(_TIME)
        return base64.urlsafe_b64encode(body + self._seal(tenant_id, body)).rstrip(b"=").decode()

    def vouches(self, ticket: Ticket, tenant_id: int) -> bool:
        """Whether we gave out this link, for a file of that tenant."""
        body = ticket.file_id.bytes + int(ticket.expires_at.timestamp()).to_bytes(_TIME)
        return hmac.compare_digest(self._seal(tenant_id, body), ticket.seal)

    def _seal(self, tenant_id: int, body: bytes) -> bytes:
        return hmac.digest(self._key, tenant_id.to_bytes(8) + body, sha256)[:_SEAL]


def read_ticket(text: str) -> Ticket | None:
    """What a link says; None for what has not even the form of one."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        if len(raw) != _ID + _TIME + _SEAL or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
            return None
        expires_at = datetime.fromtimestamp(int.from_bytes(raw[_ID : _ID + _TIME]), UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        return None
    return Ticket(UUID(bytes=raw[:_ID]), expires_at, raw[_ID + _TIME :])
