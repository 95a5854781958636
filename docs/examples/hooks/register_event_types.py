from collections.abc import Iterable

from chatnation import EventType, Plugin, hookimpl


class RefundsPlugin(Plugin):
    """Refunds"""

    name = "refunds"

    @hookimpl
    def register_event_types(self) -> Iterable[EventType]:
        return [EventType("refund_requested", "Somebody asks for money back.", {"amount": "in shillings"})]
