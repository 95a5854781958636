from collections.abc import Iterable
from dataclasses import dataclass

from chatnation import DomainEvent, Listener, Plugin, hookimpl


@dataclass(frozen=True, slots=True)
class RefundRequested(DomainEvent):
    """Published by whoever stores the request; lives in that plugin's api.py."""

    amount: int


async def tell_the_treasurer(event: RefundRequested) -> None:
    print(f"tenant {event.tenant_id}: refund of {event.amount}")


class TreasurerPlugin(Plugin):
    """Treasurer"""

    name = "treasurer"

    @hookimpl
    def register_listeners(self) -> Iterable[Listener]:
        return [Listener(RefundRequested, tell_the_treasurer)]
