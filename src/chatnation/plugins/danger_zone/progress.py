"""How far long work is. Kept in Redis: a transaction that deletes a tenant could not tell anybody before its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from chatnation import App

_KEPT = timedelta(days=7)

State = Literal["waiting", "running", "done", "failed"]


class ReceiptDetails(BaseModel):
    """What was erased, in rows by kind."""

    id: int
    erased_at: datetime
    counts: dict[str, int]


class Work(BaseModel):
    """Long work, and how far it is."""

    state: State = "waiting"
    subject: str = Field("", description="What it is about.")
    done: int = 0
    total: int = 0
    what: str = Field("", description="What is being done now.")
    error: str | None = Field(None, description="Why it failed.")
    requested_at: datetime
    finished_at: datetime | None = None
    file: UUID | None = Field(None, description="What an export made.")
    size: int = Field(0, description="Of that file, in bytes.")
    rows: int = Field(0, description="Rows in that file.")
    receipt: ReceiptDetails | None = Field(None, description="What a deletion leaves.")

    @property
    def percent(self) -> int:
        """How much is done."""
        return 100 if self.state == "done" else int(100 * self.done / self.total) if self.total else 0

    @property
    def is_under_way(self) -> bool:
        return self.state in {"waiting", "running"}


class Board:
    """Where work says how far it is, and whoever may see it looks."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    async def put(self, name: str, work: Work) -> None:
        await self._app().redis.set(f"chatnation:danger_zone:{name}", work.model_dump_json(), ex=_KEPT)

    async def get(self, name: str) -> Work | None:
        found = await self._app().redis.get(f"chatnation:danger_zone:{name}")
        return Work.model_validate_json(found) if found else None


def export_of(tenant_id: int) -> str:
    """The name of a tenant's latest export."""
    return f"export:{tenant_id}"


def deletion_of(token: str) -> str:
    """The name of a deletion, from the token that its link holds."""
    return f"deletion:{sha256(token.encode()).hexdigest()}"
