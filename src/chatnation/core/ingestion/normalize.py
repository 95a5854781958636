"""From a delivery to events, as the columns of the table want them."""

from __future__ import annotations

from uuid import UUID

import msgspec

from chatnation.core.errors import ChatnationError
from chatnation.core.ids import client_uuid, hashed_uuid, message_uuid
from chatnation.core.ingestion.event import Delivery, Event
from chatnation.core.ingestion.times import ClockRules, ReceiptClock, from_milliseconds, parse_instant
from chatnation.core.ingestion.wire import Context, Page, StreamedBatch, StreamedEvent

_DEFAULT_RULES = ClockRules()
_batches = msgspec.json.Decoder(StreamedBatch)
_properties = msgspec.json.Decoder(dict[str, object])
_ADDRESSED_CHANNELS = frozenset({"web", "mobile", "server"})
_CONTACT_PROPERTY = {"message.received": "from", "message.sent": "to"}


class UnreadableDelivery(ChatnationError):
    """The body of a delivery is not a batch that this version can read."""


def normalize(delivery: Delivery, rules: ClockRules = _DEFAULT_RULES) -> list[Event]:
    """The events of a delivery, in order, each ready for the stages.

    The same delivery always gives the same events. Text that is longer than its column is cut. Raises
    UnreadableDelivery.
    """
    try:
        batch = _batches.decode(delivery.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableDelivery(f"delivery {UUID(bytes=delivery.id)}: {error}") from error
    clock = ReceiptClock(from_milliseconds(delivery.received_ms), parse_instant(batch.sent_at), rules)
    normalizer = _Normalizer(delivery, clock)
    return [normalizer.event(index, streamed) for index, streamed in enumerate(batch.batch)]


class _Normalizer:
    """What the events of one delivery share, so that it is worked out once."""

    __slots__ = ("_clock", "_delivery", "_uuids")

    def __init__(self, delivery: Delivery, clock: ReceiptClock) -> None:
        self._delivery = delivery
        self._clock = clock
        self._uuids: dict[str, UUID] = {}

    def event(self, index: int, streamed: StreamedEvent) -> Event:
        delivery, context = self._delivery, streamed.context
        time = self._clock.place(parse_instant(streamed.timestamp))
        name = streamed.event_name
        raw = bytes(streamed.properties)
        properties = raw if raw.startswith(b"{") else b"{}"
        message_id, message_ref, event_id = self._message(index, streamed)
        channel = (context.channel or "web")[:20]
        page, library = context.page, context.library
        event = Event(
            tenant_id=delivery.tenant_id,
            project_id=delivery.project_id,
            message_id=message_id,
            message_ref=message_ref,
            event_id=event_id,
            event_name=name[:100],
            event_type=(streamed.event_type or "track")[:20],
            timestamp=time.timestamp,
            claimed_at=time.claimed_at,
            has_claim=time.has_claim,
            received_at=self._clock.received_at,
            skew_ms=self._clock.skew_ms,
            sequence=streamed.sequence,
            anonymous_id=self._uuid(streamed.anonymous_id),
            session_id=self._uuid(streamed.session_id),
            user_id=_user_id(name, streamed.user_id),
            previous_id=streamed.previous_id or None,
            external_id=_external_id(name, channel, context, properties),
            handshake_token=_cut(context.handshake_token, 100),
            channel_type=channel,
            campaign=context.campaign or None,
            sdk_name=_cut(library.name, 100) if library else None,
            sdk_version=_cut(library.version, 20) if library else None,
            journey_start=_flag(streamed.journey_start, b'"journeyStart"', "journeyStart", properties),
            journey_end=_flag(streamed.journey_end, b'"journeyEnd"', "journeyEnd", properties),
            properties=properties,
        )
        if page is not None and channel == "web":
            event.page_path = _cut(page.path, 500)
            event.page_url = _cut(_address(page), 2000)
            event.page_title = _cut(page.title, 500)
            event.referrer = _cut(page.referrer, 2000)
        if channel in _ADDRESSED_CHANNELS:
            self._address(event, streamed)
        return event

    def _address(self, event: Event, streamed: StreamedEvent) -> None:
        """The visitor's address and browser: the connection's, unless it comes from a customer's server."""
        delivery = self._delivery
        event.user_agent = _cut(streamed.context.user_agent, 1000)
        if streamed.ip or streamed.geo_ip:
            event.ip_address, event.geo_ip = streamed.ip, streamed.geo_ip
        elif not delivery.server_side or streamed.use_connection:
            event.ip_address, event.geo_ip = delivery.ip, delivery.geo_ip
        if event.user_agent is None and not delivery.server_side:
            event.user_agent = _cut(delivery.user_agent, 1000)

    def _message(self, index: int, streamed: StreamedEvent) -> tuple[UUID, str | None, UUID | None]:
        """The dedupe key, its text where that is no UUID, and the event id where it is another one."""
        text = streamed.message_id or streamed.event_id
        if not text:
            return hashed_uuid("delivery", self._delivery.id.hex(), index), None, None
        message_id, message_ref = message_uuid(text)
        if streamed.project_scoped:
            message_id, message_ref = hashed_uuid("message", self._delivery.project_id, text), text
        event_id = None
        if streamed.event_id and streamed.event_id != text:
            event_id = client_uuid(self._delivery.tenant_id, streamed.event_id)
        return message_id, message_ref, event_id if event_id != message_id else None

    def _uuid(self, text: str | None) -> UUID | None:
        if not text:
            return None
        found = self._uuids.get(text)
        if found is None:
            found = self._uuids[text] = client_uuid(self._delivery.tenant_id, text)
        return found


def _address(page: Page) -> str | None:
    """The page's address, with the query that some clients keep apart from it; campaigns are read from there."""
    url, search = page.url, page.search
    if not url or not search or "?" in url or "#" in url:
        return url
    return f"{url}?{search.removeprefix('?')}"


def _user_id(event_name: str, user_id: str | None) -> str | None:
    """The user id; survey pages write the contact's phone number in many ways, so theirs is reduced to its digits.

    Only a number that can be a phone's is: a tax number such as `A012345678Z` would become somebody else's id.
    """
    if event_name == "csat_submitted" and user_id:
        digits = "".join(character for character in user_id if character in "0123456789")
        return digits if 10 <= len(digits) <= 15 else user_id
    return user_id or None


def _external_id(event_name: str, channel: str, context: Context, properties: bytes) -> str | None:
    """The contact's phone number: as stated, else the WhatsApp message's other party."""
    if context.external_id:
        return context.external_id[:100]
    key = _CONTACT_PROPERTY.get(event_name) if channel == "whatsapp" else None
    value = _properties.decode(properties).get(key) if key else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value[:100] if isinstance(value, str) and value else None


def _flag(stated: bool | None, needle: bytes, key: str, properties: bytes) -> bool:
    """A journey flag beside the properties or among them, where the text "true" counts and other text does not."""
    if stated:
        return True
    if needle not in properties:
        return False
    value = _properties.decode(properties).get(key)
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _cut(text: str | None, length: int) -> str | None:
    return text[:length] if text else None
