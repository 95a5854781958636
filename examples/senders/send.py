"""Send events from a Python server with httpx.

    CHATNATION_WRITE_KEY=… python send.py [http://127.0.0.1:8000]

A batch is sent until the server has answered for it, under the same message ids, so nothing is lost or counted twice.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx

PASSING = {408, 429}
ATTEMPTS = 6


def event(name: str, user_id: str, properties: dict[str, Any], **context: Any) -> dict[str, Any]:
    """One event; its message id makes a repeat recognisable."""
    return {
        "message_id": str(uuid.uuid4()),
        "event_name": name,
        "timestamp": datetime.now(UTC).isoformat(),
        "user_id": user_id,
        "context": {"library": {"name": "example-python", "version": "1.0.0"}, **context},
        "properties": properties,
    }


def send(client: httpx.Client, write_key: str, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Deliver up to 500 events; returns those that were rejected, each with its reason.

    Raises httpx.HTTPStatusError when the server will never take the batch, and whatever the last attempt ended with.
    """
    for attempt in range(1, ATTEMPTS + 1):
        pause = min(2**attempt, 60)
        try:
            body = {"batch": batch, "sent_at": datetime.now(UTC).isoformat()}
            response = client.post("/v1/capture", json=body, headers={"X-Write-Key": write_key})
            if response.status_code not in PASSING and response.status_code < 500:
                return list(response.raise_for_status().json()["rejected"])
            pause = int(response.headers.get("Retry-After", pause))
            if attempt == ATTEMPTS:
                response.raise_for_status()
        except httpx.TransportError:
            if attempt == ATTEMPTS:
                raise
        time.sleep(pause)
    raise AssertionError("unreachable")


def main() -> None:
    server = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    batch = [
        event("return_filed", "A012345678Z", {"obligation": "mri", "receipt_number": "MRA00000001", "amount": 6375}),
        event(
            "message.received",
            "254712345678",
            {"messageId": f"wamid.{uuid.uuid4().hex}", "from": "254712345678", "type": "text", "text": "Hello"},
            channel="whatsapp",
        ),
    ]
    with httpx.Client(base_url=server, timeout=30) as client:
        rejected = send(client, os.environ["CHATNATION_WRITE_KEY"], batch)
    print(f"{len(batch) - len(rejected)} accepted")
    for problem in rejected:
        print(f"event {problem['index']} was rejected: {problem['path']} {problem['message']}", file=sys.stderr)


if __name__ == "__main__":
    main()
