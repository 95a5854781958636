"""Typical events of the tax app, as the browser tracker sends them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from chatnation.core.ids import uuid7

USER_AGENTS = tuple(
    f"Mozilla/5.0 (Linux; Android {system}; SM-A{model}F) AppleWebKit/537.36 (KHTML, like Gecko) "
    f"Chrome/{chrome}.0.0.0 Mobile Safari/537.36"
    for system in (11, 12, 13, 14)
    for model in (125, 135, 145, 235)
    for chrome in (124, 125, 126)
)
STEPS = (
    ("page_view", "page", "/"),
    ("button_click", "track", "/"),
    ("page_view", "page", "/mri/start"),
    ("filing_started", "track", "/mri/start"),
    ("page_view", "page", "/mri/validation"),
    ("validation_success", "track", "/mri/validation"),
    ("otp_success", "track", "/mri/otp"),
    ("page_view", "page", "/mri/return"),
    ("page_view", "page", "/mri/payment"),
    ("return_filed", "track", "/mri/done"),
)


class Visitors:
    """Visits that go on: each call gives the next events of visitors who are half-way through a filing."""

    def __init__(self, seed: int = 7, active: int = 2_000) -> None:
        self._random = random.Random(seed)
        self._active = [self._arrive() for _ in range(active)]

    def batch(self, count: int, write_key: str) -> bytes:
        """The body of a capture request with `count` events, of one visitor up to 10, of several beyond."""
        events: list[dict[str, object]] = []
        while len(events) < count:
            events.extend(self._next(min(10, count - len(events))))
        return json.dumps({"batch": events, "sent_at": _now(), "write_key": write_key}).encode()

    def user_agent(self) -> str:
        """The user agent of somebody."""
        return self._random.choice(USER_AGENTS)

    def _next(self, count: int) -> Iterator[dict[str, object]]:
        place = self._random.randrange(len(self._active))
        anonymous_id, session_id, step, user_agent = self._active[place]
        for number in range(count):
            yield _event(anonymous_id, session_id, step + number, user_agent)
        if step + count >= 3 * len(STEPS):
            self._active[place] = self._arrive()
        else:
            self._active[place] = (anonymous_id, session_id, step + count, user_agent)

    def _arrive(self) -> tuple[str, str, int, str]:
        return self._uuid(), self._uuid(), 0, self.user_agent()

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))


def _event(anonymous_id: str, session_id: str, step: int, user_agent: str) -> dict[str, object]:
    name, type_, path = STEPS[step % len(STEPS)]
    return {
        "message_id": str(uuid7()),
        "event_name": name,
        "event_type": type_,
        "timestamp": _now(),
        "anonymous_id": anonymous_id,
        "session_id": session_id,
        "sequence": step,
        "context": {
            "library": {"name": "chatnation-js", "version": "0.1.0"},
            "page": {
                "path": path,
                "url": f"https://itax.example.go.ke{path}",
                "title": "File your return",
                "referrer": "https://www.google.com/" if step == 0 else "",
            },
            "userAgent": user_agent,
            "channel": "web",
        },
        "properties": {"obligation_type": "mri", "step": step % len(STEPS)} if type_ == "track" else {},
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
