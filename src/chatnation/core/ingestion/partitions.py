"""Which partition of the stream an event goes to."""

from __future__ import annotations

from zlib import crc32

import msgspec

from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.wire import EventFields, StreamedBatch

_batches = msgspec.json.Decoder(StreamedBatch)


def partition_of(event: EventFields, partitions: int) -> int:
    """The number of the partition that takes everything of the event's visitor, in order."""
    visitor = event.anonymous_id or event.user_id or event.session_id or event.message_id or ""
    return crc32(visitor.encode("utf-8", "replace")) % partitions


def partition_of_delivery(delivery: Delivery, partitions: int) -> int:
    """Where a delivery belongs that has left the stream before; the first partition if it cannot be read."""
    try:
        events = _batches.decode(delivery.body).batch
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0
    return partition_of(events[0], partitions) if events else 0
