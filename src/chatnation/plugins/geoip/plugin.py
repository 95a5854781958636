"""The manifest of the geoip plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Health, Places, Plugin, Service, Stage, hookimpl
from chatnation.plugins.geoip.database import LocationDatabase
from chatnation.plugins.geoip.places import AddressPlaces
from chatnation.plugins.geoip.settings import GeoipSettings
from chatnation.plugins.geoip.stages import LocationResolver


class GeoipPlugin(Plugin):
    """Locations

    Fills country and city of web and mobile events from the sender's address, and the country of WhatsApp events
    from the phone number. A country database comes with the package; a city database in MaxMind's format
    can be set. Addresses are looked up locally and never leave the machine.
    """

    name = "geoip"
    Settings = GeoipSettings
    settings: GeoipSettings

    def __init__(self, settings: GeoipSettings | None = None) -> None:
        super().__init__(settings)
        self._database = LocationDatabase(self.settings.city_database or self.settings.country_database)

    @hookimpl
    def register_stages(self) -> Iterable[Stage]:
        return [Stage("resolve_location", LocationResolver(self._database))]

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        return [Service(Places, AddressPlaces(self._database))]

    @hookimpl
    async def check_health(self, app: App) -> Health:
        return Health(self._database.available, self._database.description)

    @hookimpl
    async def shutdown(self, app: App) -> None:
        self._database.close()
