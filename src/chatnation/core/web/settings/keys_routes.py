"""Keys for programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request

from chatnation.core.auth.keys import KeyType
from chatnation.core.web.routing import Route
from chatnation.core.web.settings.keys import TenantKeys, WantedKey

if TYPE_CHECKING:
    from chatnation.core.app import App

PERMISSION = "settings.manage"
LARGEST_ID = 2**31 - 1


class KeyDetails(BaseModel):
    """A key. The key itself cannot be told any more; `prefix` is how it begins."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    type: KeyType
    prefix: str
    project: str | None = Field(description="Handle of the project that its events go to.")
    scopes: list[str] = Field(description="Permissions that it has.")
    allowed_origins: list[str] = Field(description="Instead of the project's; none: the project's.")
    created_at: datetime
    created_by: str | None = Field(description="Name of who made it.")
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyList(BaseModel):
    """Every key of the tenant, the revoked ones included, newest first."""

    keys: list[KeyDetails]


class KeySecret(KeyDetails):
    """A key that was just made."""

    key: str = Field(description="The key, told this once.")


class NewKeyDetails(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100)
    type: KeyType = KeyType.WRITE
    project: str | None = Field(
        None, max_length=50, description="Handle; needed to send events unless there is only one project."
    )
    scopes: list[str] = Field(
        [], max_length=500, description="Permissions of yours that it gets. Of a read key by default: to read reports."
    )
    allowed_origins: list[str] = Field(
        [], max_length=200, description="Websites that may use it, if not the project's."
    )
    expires_at: AwareDatetime | None = None


class Rotation(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(extra="forbid")

    overlap_minutes: int = Field(
        1440, ge=0, le=129_600, description="How long the old key goes on; 0 ends it at once, 129600 is 90 days."
    )


class KeyRoutes:
    """`/api/settings/keys`."""

    def __init__(self, app: App) -> None:
        self._keys = TenantKeys(app)

    def routes(self) -> list[Route]:
        base = "/settings/keys"
        one = f"{base}/{{key:int}}"
        return [
            Route("GET", base, self.list, PERMISSION, response=KeyList),
            Route("POST", base, self.create, PERMISSION, body=NewKeyDetails, response=KeySecret, status=201),
            Route("POST", f"{one}/rotate", self.rotate, PERMISSION, body=Rotation, response=KeySecret, status=201),
            Route("PATCH", f"{one}/revoke", self.revoke, PERMISSION, response=KeyDetails),
            Route("DELETE", one, self.delete, PERMISSION, status=204),
        ]

    async def list(self, request: Request) -> dict[str, object]:
        """Every key, without the keys themselves."""
        return {"keys": await self._keys.entries(request.state.actor)}

    async def create(self, request: Request, body: NewKeyDetails) -> KeySecret:
        """Make a key with permissions that you hold yourself; the answer is the only place that tells it."""
        wanted = WantedKey(
            body.name, body.type, body.project, body.scopes, tuple(body.allowed_origins), body.expires_at
        )
        entry, made = await self._keys.create(request, wanted)
        return KeySecret(**KeyDetails.model_validate(entry).model_dump(), key=made.secret)

    async def rotate(self, request: Request, body: Rotation) -> KeySecret:
        """Make a key that may do the same; the old one ends after the overlap."""
        overlap = timedelta(minutes=body.overlap_minutes)
        _, entry, made = await self._keys.rotate(request, key_id(request), overlap)
        return KeySecret(**KeyDetails.model_validate(entry).model_dump(), key=made.secret)

    async def revoke(self, request: Request) -> object:
        """Have a key refused within a second, for good."""
        return await self._keys.revoke(request, key_id(request))

    async def delete(self, request: Request) -> None:
        """The same as to revoke it; what it did stays in the records."""
        await self._keys.revoke(request, key_id(request))


def key_id(request: Request) -> int:
    """The id in the address; one that no row can have stays one that no row has."""
    return min(int(request.path_params["key"]), LARGEST_ID)
