"""Where addresses are, in words."""

from __future__ import annotations

from chatnation.plugins.geoip.database import LocationDatabase


class AddressPlaces:
    """Names the place of an IP address, for lists of logins."""

    def __init__(self, database: LocationDatabase) -> None:
        self._database = database

    def place(self, ip_address: str) -> str | None:
        """City and country code, as far as the database knows; None where it does not."""
        country, city = self._database.find(ip_address)
        return ", ".join(part for part in (city, country) if part) or None
