"""The chain of hashes: each seal covers a record and the seal before it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

BEGINNING = hashlib.sha256(b"chatnation audit log").digest()
"""What the first seal of every chain follows."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: how many records it has sealed since it began, and the last hash."""

    position: int = 0
    hash: bytes = BEGINNING

    def next(self, record_id: int, content_hash: bytes) -> Head:
        """The head after one more record."""
        sealed = hashlib.sha256(self.hash + record_id.to_bytes(8) + content_hash).digest()
        return Head(self.position + 1, sealed)

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"
