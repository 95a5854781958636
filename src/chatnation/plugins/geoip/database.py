"""A local database that knows where addresses are."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb


class Location(NamedTuple):
    """Where an address is: ISO 3166-1 alpha-2 country code and city name, None where unknown."""

    country_code: str | None = None
    city: str | None = None


NOWHERE = Location()


class LocationDatabase:
    """Reads one `.mmdb` file; without a readable file every address is nowhere, and `description` says why.

    Both record layouts in use are understood: MaxMind's (`country.iso_code`, `city.names.en`) and the flat one
    of ip-location-db (`country_code`, `city`).
    """

    def __init__(self, path: Path) -> None:
        self.available = False
        self.description = f"{path} does not exist; countries come from phone numbers only"
        self._reader: maxminddb.Reader | None = None
        try:
            self._reader = maxminddb.open_database(path, maxminddb.MODE_AUTO)
        except FileNotFoundError:
            pass
        except (maxminddb.InvalidDatabaseError, OSError) as error:
            self.description = f"{path} cannot be read: {error}"
        else:
            self.available = True
            metadata = self._reader.metadata()
            self.description = f"{path.name}, {metadata.database_type}, {metadata.node_count} networks"
        self.find = lru_cache(maxsize=65_536)(self._find)

    def close(self) -> None:
        """Release the file; later look-ups find nothing."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
            self.find.cache_clear()

    def _find(self, address: str) -> Location:
        if self._reader is None:
            return NOWHERE
        try:
            record = self._reader.get(address)
        except ValueError:
            return NOWHERE
        return location_of(record) if isinstance(record, dict) else NOWHERE


def location_of(record: dict[str, Any]) -> Location:
    """The `Location` in a database record of either layout."""
    country = record.get("country") or record.get("registered_country")
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code")
    city = record.get("city")
    name = city.get("names", {}).get("en") if isinstance(city, dict) else city
    return Location(
        code.upper() if isinstance(code, str) and len(code) == 2 else None,
        name[:100] if isinstance(name, str) and name else None,
    )
