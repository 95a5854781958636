"""Domain events: typed notices that something happened, delivered after the commit that made it true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.storage import after_commit

if TYPE_CHECKING:
    from chatnation.core.jobs.definitions import Listener
    from chatnation.core.plugin.boundary import Boundary
    from chatnation.core.plugin.resources import Registered
    from chatnation.core.switches import Switches


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """Base of every domain event. Subclasses are frozen dataclasses named in the past tense: `ConversationClosed`."""

    tenant_id: int


class Signals:
    """Tells listeners what happened.

    Listeners run in the process that published, one after the other, outside the transaction. They may be missed if the
    process dies between commit and delivery; what must happen is enqueued as a job in the transaction instead.
    """

    def __init__(self, listeners: Sequence[Registered[Listener]], boundary: Boundary, switches: Switches) -> None:
        self._listeners = tuple(listeners)
        self._boundary = boundary
        self._switches = switches

    def publish(self, connection: AsyncConnection, *events: DomainEvent) -> None:
        """Deliver `events` once the transaction of `connection` has committed; never, if it rolls back."""
        after_commit(connection, partial(self.deliver, *events))

    async def deliver(self, *events: DomainEvent) -> None:
        """Run every listener of each event, in order. A listener that raises is logged and counted."""
        for event in events:
            enabled = self._switches.enabled(event.tenant_id)
            for listener in self._listeners:
                if isinstance(event, listener.item.event) and listener.plugin in enabled:
                    where = f"listener:{type(event).__name__}"
                    await self._boundary.acall(listener.plugin, where, partial(listener.item.handle, event))
