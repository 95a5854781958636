"""Where an address is, told by whoever knows: a service that a plugin may offer."""

from __future__ import annotations

from typing import Protocol


class Places(Protocol):
    """Names the place of an IP address. Core code asks for it with `services.find(Places)`."""

    def place(self, ip_address: str) -> str | None:
        """City and country in a few words, None where unknown."""
