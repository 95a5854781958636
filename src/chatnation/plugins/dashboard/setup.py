"""Getting the first event in: a key, a snippet, and a light that turns green."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from chatnation import (
    App,
    AuditRecord,
    ChatnationError,
    KeyType,
    NotFound,
    Page,
    Projects,
    Route,
    audit_of,
    record_of,
    redirect,
)
from chatnation.plugins.dashboard import queries

PERMISSION = "settings.manage"
PLACEHOLDER = "YOUR_WRITE_KEY"


class SetupQuery(BaseModel):
    """Whose setup is asked about."""

    project: str = Field(description="Handle of the project.")


class SetupStatus(BaseModel):
    """Whether events arrive, and the latest of them."""

    done: bool = Field(description="At least one event of the project is stored.")
    event_name: str | None = None
    page_path: str | None = None
    received_at: datetime | None = None


class SetupPages:
    """`/setup` and what belongs to it."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [
            Page("//setup", self.show, PERMISSION),
            Page("//setup/keys", self.create_key, PERMISSION, methods=("POST",)),
            Page("//setup/keys/{key_id:int}/revoke", self.revoke_key, PERMISSION, methods=("POST",)),
        ]

    def routes(self) -> list[Route]:
        return [Route("GET", "/setup", self.status, PERMISSION, query=SetupQuery, response=SetupStatus)]

    async def show(self, request: Request) -> Response:
        return await self._page(request)

    async def create_key(self, request: Request) -> Response:
        """Make a write key and show it, once, in the page that answers."""
        form = await request.form()
        tenant_id: int = request.state.actor.tenant.id
        project = await self._project(tenant_id, str(form.get("project", "")))
        name = str(form.get("name", ""))

        async def note(connection: AsyncConnection, made: Any) -> None:
            said = {"name": name, "prefix": made.prefix, "type": "write", "project": project.slug}
            await self._record(connection, record_of(request, "config.key.created", "key", made.id, **said))

        try:
            key = await self._projects.create_key(
                tenant_id, project, name, KeyType.WRITE, created_by=request.state.actor.user_id, then=note
            )
        except ChatnationError as error:
            return await self._page(request, project=project.slug, status=422, fault=str(error))
        return await self._page(request, project=project.slug, new_key=key.secret)

    async def revoke_key(self, request: Request) -> Response:
        form = await request.form()
        back = f"/setup?project={form.get('project', '')}"

        async def note(connection: AsyncConnection, gone: Any) -> None:
            said = {"name": gone.name, "prefix": gone.prefix}
            await self._record(connection, record_of(request, "config.key.revoked", "key", gone.id, **said))

        try:
            key = await self._projects.revoke_key(
                request.state.actor.tenant.id, request.path_params["key_id"], then=note
            )
        except ChatnationError as error:
            return redirect(back, notice=str(error), kind="danger")
        return redirect(back, notice=f"The key “{key.name}” is revoked; what is sent with it is refused.")

    async def status(self, request: Request, query: SetupQuery) -> SetupStatus:
        """Whether events of a project arrive."""
        tenant_id: int = request.state.actor.tenant.id
        project = await self._project(tenant_id, query.project)
        arrival = await self._arrival(tenant_id, project.id)
        if arrival is None:
            return SetupStatus(done=False)
        return SetupStatus(
            done=True, event_name=arrival.event_name, page_path=arrival.page_path, received_at=arrival.received_at
        )

    async def _record(self, connection: AsyncConnection, record: AuditRecord) -> None:
        await audit_of(self._app()).record(connection, record)

    @property
    def _projects(self) -> Projects:
        return self._app().services.get(Projects)

    async def _project(self, tenant_id: int, slug: str) -> Any:
        for project in await self._projects.list(tenant_id):
            if project.slug == slug or not slug:
                return project
        raise NotFound("There is no such project.")

    async def _arrival(self, tenant_id: int, project_id: int) -> queries.Arrival | None:
        async with self._app().storage.tenant(tenant_id) as connection:
            return await queries.latest_arrival(connection, tenant_id, project_id)

    async def _page(
        self, request: Request, *, project: str = "", status: int = 200, new_key: str = "", fault: str = ""
    ) -> Response:
        tenant_id: int = request.state.actor.tenant.id
        chosen = await self._project(tenant_id, project or request.query_params.get("project", ""))
        keys = await self._projects.keys(tenant_id)
        base_url = (self._app().settings.public_url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")
        response: Response = request.state.render(
            "dashboard/setup.html",
            status=status,
            projects=await self._projects.list(tenant_id),
            project=chosen,
            keys=[key for key in keys if key.type is KeyType.WRITE and key.project == chosen.slug],
            new_key=new_key,
            fault=fault,
            snippet=self._snippet(new_key or PLACEHOLDER, base_url),
            placeholder=PLACEHOLDER,
            base_url=base_url,
            arrival=await self._arrival(tenant_id, chosen.id),
        )
        return response

    def _snippet(self, key: str, base_url: str) -> str | None:
        """What goes into a website; None where the tracker is switched off."""
        if not self._app().inventory.runs("sdk"):
            return None
        from chatnation.plugins.sdk.api import loader_snippet

        return loader_snippet(key, base_url)
