"""Clients that send events over HTTP, keep what they are not sure of, and remember what they were promised."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import msgspec

SENDERS = 8
VISITORS = 150
USERS = 60
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
_GIVES_UP = 0.05
_SENDS_AGAIN = 0.05
_RETRY_SECONDS = 0.1

Wire = dict[str, object]


@dataclass
class Promises:
    """What the senders know: message ids that went out, those that were answered with 200, and other answers."""

    sent: set[UUID] = field(default_factory=set)
    accepted: set[UUID] = field(default_factory=set)
    answers: dict[int, int] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)


class Load:
    """Senders at work. Each event is one visitor's, at a time within the last hours; some visitors log in."""

    def __init__(self, url: str, write_key: str, *, seed: int) -> None:
        self.promises = Promises()
        self._address = f"{url}/v1/capture"
        self._headers = {"X-Write-Key": write_key, "User-Agent": BROWSER}
        self._random = random.Random(seed)
        self._visitors = [UUID(int=self._random.getrandbits(128), version=4) for _ in range(VISITORS)]
        # Nobody shares a device and nobody has two accounts, so who is who is plain: visitors of one user are one.
        self._user_of = {
            visitor: f"citizen-{self._random.randrange(USERS)}"
            for visitor in self._visitors
            if self._random.random() < 0.7
        }
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send until the block ends; what was begun is then sent until it is answered or given up."""
        async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=SENDERS)) as client:
            senders = [asyncio.create_task(self._send_all(client)) for _ in range(SENDERS)]
            try:
                yield
            finally:
                self._stopping.set()
                await asyncio.gather(*senders)

    async def accepted_more(self, than: int, *, seconds: float = 120) -> None:
        """Wait until more events than so many were accepted."""
        async with asyncio.timeout(seconds):
            while len(self.promises.accepted) <= than:
                await asyncio.sleep(0.01)

    async def _send_all(self, client: httpx.AsyncClient) -> None:
        while not self._stopping.is_set():
            batch = list(self._events(self._random.randint(1, 20)))
            ids = {UUID(str(event["message_id"])) for event in batch}
            self.promises.sent |= ids
            if await self._deliver(client, batch):
                self.promises.accepted |= ids
                if self._random.random() < _SENDS_AGAIN:
                    await self._deliver(client, batch)

    async def _deliver(self, client: httpx.AsyncClient, batch: list[Wire]) -> bool:
        """Send until it is accepted, as the SDK does; now and then give up, as a closed tab does."""
        while True:
            body = msgspec.json.encode({"batch": batch, "sent_at": datetime.now(UTC).isoformat()})
            try:
                answer = await client.post(self._address, content=body, headers=self._headers)
            except httpx.TransportError:
                status = 0
            else:
                status = answer.status_code
                if status == 200:
                    report = answer.json()
                    if report["accepted"] != len(batch):
                        self.promises.surprises.append(answer.text)
                elif status != 503:
                    self.promises.surprises.append(f"{status} {answer.text}")
            self.promises.answers[status] = self.promises.answers.get(status, 0) + 1
            if status == 200:
                return True
            if self._random.random() < _GIVES_UP:
                return False
            await asyncio.sleep(_RETRY_SECONDS)

    def _events(self, count: int) -> Iterator[Wire]:
        for _ in range(count):
            visitor = self._random.choice(self._visitors)
            user = self._user_of.get(visitor)
            knows_user = user is not None and self._random.random() < 0.5
            at = datetime.now(UTC) - timedelta(minutes=self._random.expovariate(1 / 60))
            yield {
                "message_id": str(uuid4()),
                "event_name": self._random.choice(["page_view", "button_click", "filing_started", "return_filed"]),
                "timestamp": at.isoformat(),
                "anonymous_id": str(visitor),
                **({"user_id": user} if knows_user else {}),
                "context": {"page": {"path": f"/step/{self._random.randrange(5)}"}},
                "properties": {"amount": self._random.randrange(1000)},
            }
