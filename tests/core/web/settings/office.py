"""An organisation, somebody who runs it, and what they send."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import RunningApp, Source

HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class Office:
    """A running instance with one organisation, and its super admin at work."""

    app: RunningApp
    source: Source
    client: httpx.AsyncClient

    async def as_role(self, role: RoleName) -> Office:
        """The same office, and a member with `role` at work."""
        client = await self.app.client(await self.app.person(self.source.tenant, role))
        return Office(self.app, self.source, client)

    async def stranger(self) -> Office:
        """Another organisation of the same instance."""
        source = await self.app.source("Another organisation")
        return Office(self.app, source, await self.app.client(await self.app.person(source.tenant)))

    async def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call the API."""
        token = str((await self.client.get("/api/auth/me")).json()["csrf_token"])
        return await self.client.request(method, f"/api{path}", json=body, headers={"X-CSRF-Token": token})

    async def form(self, path: str, page: str, **fields: str | Sequence[str]) -> httpx.Response:
        """Send a form of `page`, with its token."""
        shown = (await self.client.get(page, headers=HTML)).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
        assert token, shown
        return await self.client.post(path, data={"csrf_token": token[1], **fields}, headers=HTML)

    async def page(self, path: str) -> str:
        """The text of a page, which has to open, without inline script or style."""
        answer = await self.client.get(path, headers=HTML)
        assert answer.status_code == 200, answer.text
        assert not re.search(r"\son\w+=|\sstyle=|<style|<script>", answer.text), path
        return answer.text

    async def records(self, action: str) -> list[dict[str, Any]]:
        """The details of what was recorded of `action`, oldest first."""
        async with self.app.app.storage.tenant(self.source.tenant.id) as connection:
            rows = await connection.scalars(
                text("SELECT details FROM audit.records WHERE action = :action ORDER BY id"), {"action": action}
            )
            return list(rows)
