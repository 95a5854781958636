"""Takes single events out of a delivery."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from chatnation.core.ids import hashed_uuid
from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.normalize import UnreadableDelivery

_Envelope = msgspec.json.Decoder(dict[str, msgspec.Raw])
_Events = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def count_events(delivery: Delivery) -> int:
    """The events in the body. Raises UnreadableDelivery."""
    return len(_open(delivery)[1])


def only(delivery: Delivery, places: Collection[int]) -> Delivery:
    """`delivery` with only the events at `places`; it is still the same delivery, to be stored once.

    An event without an id of its own is named after its place, because it would be named after a new place otherwise.
    """
    envelope, events = _open(delivery)
    chosen = []
    for place in sorted(places):
        event = events[place]
        if not any(_is_text(event.get(name)) for name in ("message_id", "event_id")):
            event = {**event, "message_id": msgspec.Raw(msgspec.json.encode(f"{delivery.id.hex()}:{place}"))}
        chosen.append(event)
    body = msgspec.json.encode({**envelope, "batch": chosen})
    return msgspec.structs.replace(delivery, body=body, count=len(chosen))


def alone(delivery: Delivery, place: int) -> Delivery:
    """One event of `delivery` as a delivery of its own, with an id that is the same every time."""
    single = only(delivery, [place])
    return msgspec.structs.replace(single, id=hashed_uuid("event of", delivery.id.hex(), place).bytes)


def emptied(delivery: Delivery) -> Delivery:
    """The delivery without its events, to be marked as dealt with."""
    return msgspec.structs.replace(delivery, body=b'{"batch":[]}', count=0)


def _open(delivery: Delivery) -> tuple[dict[str, msgspec.Raw], list[dict[str, msgspec.Raw]]]:
    try:
        envelope = _Envelope.decode(delivery.body)
        return envelope, _Events.decode(envelope["batch"])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError) as error:
        raise UnreadableDelivery(f"delivery {delivery.id.hex()}: {error}") from error


def _is_text(value: msgspec.Raw | None) -> bool:
    return value is not None and bytes(value) not in (b"null", b'""')
