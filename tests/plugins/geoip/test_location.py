"""Where events come from: the bundled country database, phone prefixes, and files that are not there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from chatnation import Event, EventBatch
from chatnation.plugins.geoip.database import Location, LocationDatabase, location_of
from chatnation.plugins.geoip.phones import country_of_phone
from chatnation.plugins.geoip.places import AddressPlaces
from chatnation.plugins.geoip.settings import BUNDLED_COUNTRIES
from chatnation.plugins.geoip.stages import LocationResolver


@pytest.fixture(scope="module")
def countries() -> LocationDatabase:
    return LocationDatabase(BUNDLED_COUNTRIES)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("196.201.214.200", "KE"),
        ("196.201.214.0", "KE"),
        ("2001:4860:4860::8888", "US"),
        ("10.0.0.1", None),
        ("nonsense", None),
    ],
)
def test_the_bundled_database_knows_countries(countries: LocationDatabase, address: str, country: str | None) -> None:
    assert countries.available
    assert countries.find(address) == Location(country, None)


def test_addresses_are_named_for_lists_of_logins(countries: LocationDatabase) -> None:
    places = AddressPlaces(countries)
    assert (places.place("196.201.214.200"), places.place("10.0.0.1")) == ("KE", None)


def test_both_record_layouts_are_understood() -> None:
    maxmind = {"country": {"iso_code": "KE"}, "city": {"names": {"en": "Kisumu", "de": "Kisumu"}}}
    assert location_of(maxmind) == Location("KE", "Kisumu")
    assert location_of({"country_code": "ke", "city": "Kisumu"}) == Location("KE", "Kisumu")
    assert location_of({"country": {}, "city": {}}) == Location()


@pytest.mark.parametrize("content", [None, b"this is no database"])
def test_an_unusable_file_gives_a_sentence_and_no_locations(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "city.mmdb"
    if content is not None:
        path.write_bytes(content)
    database = LocationDatabase(path)
    assert not database.available
    assert str(path) in database.description
    assert database.find("196.201.214.200") == Location()


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("254712345678", "KE"),
        ("+256772123456", "UG"),
        ("12025550123", "US"),
        ("999", None),
        ("guest", None),
        ("", None),
    ],
)
def test_a_phone_prefix_gives_a_country(phone: str, country: str | None) -> None:
    assert country_of_phone(phone) == country


async def test_each_channel_is_located_by_what_it_has(countries: LocationDatabase) -> None:
    batch = EventBatch(
        1,
        [
            _event("web", ip_address="196.201.214.0"),
            _event("web", geo_ip="196.201.214.200"),
            _event("whatsapp", ip_address="8.8.8.8", external_id="254712345678"),
            _event("whatsapp", external_id="254712345678", properties=b'{"countryCode":"tz"}'),
            _event("whatsapp"),
            _event("web", ip_address="196.201.214.0", country_code="UG"),
        ],
    )
    await LocationResolver(countries)(batch)
    assert [event.country_code for event in batch] == ["KE", "KE", "KE", "TZ", None, "UG"]


def _event(channel: str, **values: object) -> Event:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    fields: dict[str, object] = {
        "tenant_id": 1,
        "project_id": 1,
        "message_id": UUID(int=1),
        "event_name": "page_view",
        "event_type": "page",
        "timestamp": now,
        "received_at": now,
        "channel_type": channel,
        **values,
    }
    return Event(**fields)  # type: ignore[arg-type]
