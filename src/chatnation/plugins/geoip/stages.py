"""The stage that fills country and city."""

from __future__ import annotations

from chatnation import Event, EventBatch
from chatnation.plugins.geoip.database import LocationDatabase
from chatnation.plugins.geoip.phones import country_of_phone

ADDRESS_CHANNELS = frozenset({"web", "mobile"})


class LocationResolver:
    """Fills `country_code` and `city` where the client did not say them.

    Web and mobile events are located by address. WhatsApp events come from the provider's servers, so their country
    is the client's `countryCode` property, else that of the phone number.
    """

    def __init__(self, database: LocationDatabase) -> None:
        self._database = database

    async def __call__(self, batch: EventBatch) -> None:
        find = self._database.find
        for event in batch:
            if event.country_code:
                continue
            if event.channel_type in ADDRESS_CHANNELS:
                address = event.geo_ip or event.ip_address
                if address:
                    event.country_code, event.city = find(address)
            elif event.channel_type == "whatsapp":
                event.country_code = _declared_country(batch, event) or (
                    country_of_phone(event.external_id) if event.external_id else None
                )


def _declared_country(batch: EventBatch, event: Event) -> str | None:
    if b'"countryCode"' not in event.properties:
        return None
    code = batch.properties(event).get("countryCode")
    return code.upper() if isinstance(code, str) and len(code) == 2 and code.isalpha() else None
