"""Settings of the geoip plugin."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

BUNDLED_COUNTRIES = Path(__file__).parent / "data" / "country.mmdb"


class GeoipSettings(BaseModel):
    """Where the databases are."""

    city_database: Path | None = Field(
        None, description="A city database in MaxMind's format (.mmdb), for example GeoLite2-City.mmdb."
    )
    country_database: Path = Field(
        BUNDLED_COUNTRIES, description="A country database in MaxMind's format; the bundled one by default."
    )
