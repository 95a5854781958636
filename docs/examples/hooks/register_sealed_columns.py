from collections.abc import Iterable

from chatnation import Plugin, SealedColumn, hookimpl


class WeatherPlugin(Plugin):
    """Weather"""

    name = "weather"

    @hookimpl
    def register_sealed_columns(self) -> Iterable[SealedColumn]:
        return [SealedColumn("weather.accounts", "api_key", "weather.accounts:{tenant_id}")]
