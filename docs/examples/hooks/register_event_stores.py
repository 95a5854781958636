from collections.abc import Iterable

from chatnation import App, Plugin, hookimpl
from chatnation.query import EventStore, EventStoreDriver


def open_clickhouse(app: App) -> EventStore:
    raise NotImplementedError("an object with the methods of EventStore")


class ClickHousePlugin(Plugin):
    """Answers from ClickHouse"""

    name = "clickhouse"

    @hookimpl
    def register_event_stores(self) -> Iterable[EventStoreDriver]:
        return [EventStoreDriver("clickhouse", open_clickhouse)]
