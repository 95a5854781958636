"""The API of the danger zone."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation import PUBLIC, Route
from chatnation.plugins.danger_zone.progress import Work
from chatnation.plugins.danger_zone.queries import ArchiveEntry, ArchiveQuery
from chatnation.plugins.danger_zone.zone import PERMISSION, TENANT, DangerZone

PREFIX = "settings/danger-zone"


class PreviewDetails(BaseModel):
    """Something as it is before it is deleted."""

    entity: str
    key: str
    name: str = Field(description="What has to be sent as `confirm` to delete it.")
    consequences: str
    counts: dict[str, int | None] = Field(description="Rows that go with it, by kind; null where nobody could count.")


class Confirmation(BaseModel):
    """That it is meant."""

    confirm: str = Field(max_length=1_000, description="The name of the thing, as the preview says it.")


class Deleted(BaseModel):
    """What was deleted, or is being deleted."""

    entity: str
    key: str
    name: str
    archive: int | None = Field(None, description="Number of the copy in the archive.")
    progress: str | None = Field(None, description="Token to ask with how far the deletion of the tenant is.")


class ArchiveList(BaseModel):
    """What was deleted, the latest first."""

    items: list[ArchiveEntry]
    next_cursor: str | None


class Restored(BaseModel):
    """What is there again."""

    name: str


class ExportDetails(BaseModel):
    """An export, and where it is once it is done."""

    state: str | None = Field(description="waiting, running, done or failed; null: there is none.")
    percent: int
    error: str | None
    requested_at: datetime | None
    size: int = Field(description="In bytes.")
    rows: int
    url: str | None = Field(description="Downloads it, for anybody who knows it, until it is deleted after a day.")


class DangerZoneRoutes:
    """Everything under `/api/settings/danger-zone`."""

    def __init__(self, zone: DangerZone) -> None:
        self._zone = zone

    def routes(self) -> list[Route]:
        thing = "/{entity}/{key}"
        return [
            Route("GET", f"/preview{thing}", self.preview, PERMISSION, response=PreviewDetails),
            Route("POST", f"/archive-and-delete{thing}", self.delete, PERMISSION, body=Confirmation, response=Deleted),
            Route("GET", "/archive", self.archive, PERMISSION, query=ArchiveQuery, response=ArchiveList),
            Route("POST", "/archive/{entry:int}/restore", self.restore, PERMISSION, response=Restored),
            Route("GET", "/export", self.export, PERMISSION, response=ExportDetails),
            Route("POST", "/export", self.start_export, PERMISSION, response=ExportDetails, status=202),
            Route("GET", "/deletions/{token}", self.deletion, PUBLIC, response=Work),
        ]

    async def preview(self, request: Request) -> PreviewDetails:
        """What deleting it would take along. `entity` is role, user, tenant, or what a plugin adds."""
        found = await self._zone.preview(request, *_named(request))
        return PreviewDetails(
            entity=found.entity,
            key=found.key,
            name=found.name,
            consequences=found.consequences,
            counts=dict(found.counts),
        )

    async def delete(self, request: Request, body: Confirmation) -> Deleted:
        """Copy it into the archive and delete it. A tenant is not archived: export it before."""
        entity, key = _named(request)
        if entity == TENANT:
            token = await self._zone.delete_tenant(request, key, body.confirm)
            return Deleted(entity=entity, key=key, name=request.state.actor.tenant.name, progress=token)
        doomed, number = await self._zone.archive_and_delete(request, entity, key, body.confirm)
        return Deleted(entity=entity, key=doomed.key, name=doomed.name, archive=number)

    async def archive(self, request: Request, query: ArchiveQuery) -> ArchiveList:
        """What was deleted here, and is kept as it was."""
        found = await self._zone.archive(request.state.actor, query)
        return ArchiveList(items=found.items, next_cursor=found.next_cursor)

    async def restore(self, request: Request) -> Restored:
        """Make it again."""
        return Restored(name=await self._zone.restore(request, request.path_params["entry"]))

    async def start_export(self, request: Request) -> ExportDetails:
        """Have everything of the tenant written into a zip: each table as CSV and JSON."""
        return _details(await self._zone.start_export(request), None)

    async def export(self, request: Request) -> ExportDetails:
        """The latest export."""
        return _details(*await self._zone.export(request.state.actor))

    async def deletion(self, request: Request) -> Work:
        """How far the deletion of a tenant is, and its receipt."""
        return await self._zone.deletion(request.path_params["token"])


def _named(request: Request) -> tuple[str, str]:
    return request.path_params["entity"], request.path_params["key"]


def _details(work: Work | None, url: str | None) -> ExportDetails:
    return ExportDetails(
        state=work.state if work else None,
        percent=work.percent if work else 0,
        error=work.error if work else None,
        requested_at=work.requested_at if work else None,
        size=work.size if work else 0,
        rows=work.rows if work else 0,
        url=url,
    )
