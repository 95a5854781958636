"""From a delivery to events, as the columns of the table want them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from chatnation.core.errors import ChatnationError
from chatnation.core.ids import client_uuid, hashed_uuid, message_uuid, parse_uuid
from chatnation.core.ingestion.event import Delivery, Event
from chatnation.core.ingestion.times import ClockRules, ReceiptClock, from_milliseconds, parse_instant
from chatnation.core.ingestion.wire import Context, Page, StreamedBatch, StreamedEvent

_DEFAULT_RULES = ClockRules()
_batches = msgspec.json.Decoder(StreamedBatch)
_contexts = msgspec.json.Decoder(Context)
_properties = msgspec.json.Decoder(dict[str, object])
_ADDRESSED_CHANNELS = frozenset({"web", "mobile", "server"})
_CONTACT_PROPERTY = {"message.received": "from", "message.sent": "to"}
_LONGEST_REMEMBERED = 2_000
"""Bytes of a context that is worth remembering; the tracker's have a few hundred."""
_copy: Callable[[Event], Event] = Event.__copy__  # type: ignore[attr-defined]  # Half the time of `copy.copy`.
_NEVER = datetime.fromtimestamp(0, UTC)
_NO_ID = UUID(int=0)


class UnreadableDelivery(ChatnationError):
    """The body of a delivery is not a batch that this version can read."""


def normalize(delivery: Delivery, rules: ClockRules = _DEFAULT_RULES) -> list[Event]:
    """The events of a single delivery; see `Normalizer`."""
    return Normalizer(rules).events(delivery)


class Normalizer:
    """Makes events of deliveries. One per process: it remembers contexts, which the events on a page share."""

    def __init__(self, rules: ClockRules, remembered: int = 4_000) -> None:
        self._rules = rules
        self._remembered = lru_cache(remembered)(_blank)

    def events(self, delivery: Delivery) -> list[Event]:
        """The events of a delivery, in order, each ready for the stages.

        The same delivery always gives the same events. Text that is longer than its column is cut. Raises
        UnreadableDelivery.
        """
        try:
            batch = _batches.decode(delivery.body)
            events = [self._begun(bytes(streamed.context)) for streamed in batch.batch]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableDelivery(f"delivery {UUID(bytes=delivery.id)}: {error}") from error
        clock = ReceiptClock(from_milliseconds(delivery.received_ms), parse_instant(batch.sent_at), self._rules)
        filler = _Filler(delivery, clock)
        for place, (event, streamed) in enumerate(zip(events, batch.batch, strict=True)):
            filler.fill(event, streamed, place)
        return events

    def _begun(self, context: bytes) -> Event:
        """An event of which only what comes from its context is filled in."""
        event = _copy(self._remembered(context) if len(context) <= _LONGEST_REMEMBERED else _blank(context))
        if event.campaign is not None:
            event.campaign = event.campaign.copy()
        return event


def _blank(raw: bytes) -> Event:
    """An event of which only what comes from its context, as JSON, is filled in; to be copied."""
    context = _contexts.decode(raw) if raw else Context()
    channel = (context.channel or "web")[:20]
    library = context.library
    blank = Event(
        tenant_id=0,
        project_id=0,
        message_id=_NO_ID,
        event_name="",
        event_type="",
        timestamp=_NEVER,
        received_at=_NEVER,
        external_id=_cut(context.external_id, 100),
        handshake_token=_cut(context.handshake_token, 100),
        channel_type=channel,
        campaign=context.campaign or None,
        sdk_name=_cut(library.name, 100) if library else None,
        sdk_version=_cut(library.version, 20) if library else None,
    )
    page = context.page
    if page is not None and channel == "web":
        blank.page_path = _cut(page.path, 500)
        blank.page_url = _cut(_address(page), 2000)
        blank.page_title = _cut(page.title, 500)
        blank.referrer = _cut(page.referrer, 2000)
    if channel in _ADDRESSED_CHANNELS:
        blank.user_agent = _cut(context.user_agent, 1000)
    return blank


class _Filler:
    """Fills in the events of one delivery; holds what they share, so that it is worked out once."""

    __slots__ = ("_clock", "_delivery", "_uuids")

    def __init__(self, delivery: Delivery, clock: ReceiptClock) -> None:
        self._delivery = delivery
        self._clock = clock
        self._uuids: dict[str, UUID] = {}

    def fill(self, event: Event, streamed: StreamedEvent, place: int) -> None:
        delivery, clock = self._delivery, self._clock
        event.tenant_id = delivery.tenant_id
        event.project_id = delivery.project_id
        event.received_at = clock.received_at
        event.skew_ms = clock.skew_ms
        claim = parse_instant(streamed.timestamp)
        if claim is not None and clock.believed_until is not None and claim <= clock.believed_until:
            event.timestamp = claim
        else:
            event.timestamp, event.claimed_at, event.has_claim = clock.place(claim)
        event.event_name = streamed.event_name[:100]
        event.event_type = streamed.event_type[:20] if streamed.event_type else "track"
        event.sequence = streamed.sequence
        self._identify(event, streamed, place)
        properties = bytes(streamed.properties)
        if properties.startswith(b"{"):
            event.properties = properties
            if event.channel_type == "whatsapp":
                _read_contact(event)
            if b'"journey' in properties:
                _read_journey(event)
        if streamed.journey_start:
            event.journey_start = True
        if streamed.journey_end:
            event.journey_end = True
        if event.channel_type in _ADDRESSED_CHANNELS:
            self._locate(event, streamed)

    def _identify(self, event: Event, streamed: StreamedEvent, place: int) -> None:
        """Fill in the ids of the event and of whoever caused it."""
        message, anonymous, session = streamed.message_id, streamed.anonymous_id, streamed.session_id
        key = parse_uuid(message) if message else None
        if key is not None and streamed.event_id is None and not streamed.project_scoped:
            event.message_id = key
        else:
            event.message_id, event.message_ref, event.event_id = self._message(place, streamed)
        uuids = self._uuids
        if anonymous:
            event.anonymous_id = uuids.get(anonymous) or self._uuid(anonymous)
        if session:
            event.session_id = uuids.get(session) or self._uuid(session)
        if streamed.user_id:
            event.user_id = _user_id(streamed.event_name, streamed.user_id)
        if streamed.previous_id:
            event.previous_id = streamed.previous_id

    def _locate(self, event: Event, streamed: StreamedEvent) -> None:
        """The visitor's address and browser: the connection's, unless it comes from a customer's server."""
        delivery = self._delivery
        if streamed.ip or streamed.geo_ip:
            event.ip_address, event.geo_ip = streamed.ip, streamed.geo_ip
        elif not delivery.server_side or streamed.use_connection:
            event.ip_address, event.geo_ip = delivery.ip, delivery.geo_ip
        if event.user_agent is None and not delivery.server_side:
            event.user_agent = _cut(delivery.user_agent, 1000)

    def _message(self, place: int, streamed: StreamedEvent) -> tuple[UUID, str | None, UUID | None]:
        """The dedupe key, its text where that is no UUID, and the event id where it is another one."""
        text = streamed.message_id or streamed.event_id
        if not text:
            return hashed_uuid("delivery", self._delivery.id.hex(), place), None, None
        message_id, message_ref = message_uuid(text)
        if streamed.project_scoped:
            message_id, message_ref = hashed_uuid("message", self._delivery.project_id, text), text
        event_id = None
        if streamed.event_id and streamed.event_id != text:
            event_id = client_uuid(self._delivery.tenant_id, streamed.event_id)
        return message_id, message_ref, event_id if event_id != message_id else None

    def _uuid(self, text: str) -> UUID:
        """The UUID of an id, remembered for the other events of the visitor."""
        found = self._uuids[text] = client_uuid(self._delivery.tenant_id, text)
        return found


def _address(page: Page) -> str | None:
    """The page's address, with the query that some clients keep apart from it; campaigns are read from there."""
    url, search = page.url, page.search
    if not url or not search or "?" in url or "#" in url:
        return url
    return f"{url}?{search.removeprefix('?')}"


def _user_id(event_name: str, user_id: str) -> str:
    """The user id; survey pages write the contact's phone number in many ways, so theirs is reduced to its digits.

    Only a number that can be a phone's is: a tax number such as `A012345678Z` would become somebody else's id.
    """
    if event_name == "csat_submitted":
        digits = "".join(character for character in user_id if character in "0123456789")
        return digits if 10 <= len(digits) <= 15 else user_id
    return user_id


def _read_contact(event: Event) -> None:
    """Fill in the phone number of a WhatsApp contact that is only among the properties: the message's other party."""
    key = _CONTACT_PROPERTY.get(event.event_name)
    if key is None or event.external_id is not None:
        return
    value = _properties.decode(event.properties).get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and value:
        event.external_id = value[:100]


def _read_journey(event: Event) -> None:
    """Fill in the journey flags that are among the properties."""
    properties = _properties.decode(event.properties)
    event.journey_start = _is_true(properties.get("journeyStart"))
    event.journey_end = _is_true(properties.get("journeyEnd"))


def _is_true(value: object) -> bool:
    """Whether a flag is set; the text "true" counts and other text does not."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _cut(text: str | None, length: int) -> str | None:
    return text[:length] if text else None
