"""What plugins may ask about projects and their keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth import keys, tenancy
from chatnation.core.auth.keys import KeyEntry, KeyType, NewKey
from chatnation.core.auth.tenancy import Project

if TYPE_CHECKING:
    from chatnation.core.storage.storage import Storage


class Projects(Protocol):
    """Projects of a tenant and the keys that open them. Plugins get it with `services.get(Projects)`."""

    async def list(self, tenant_id: int) -> Sequence[Project]:
        """The tenant's projects, by handle."""
        ...

    async def keys(self, tenant_id: int) -> Sequence[KeyEntry]:
        """The tenant's keys, the revoked ones included, newest first. The keys themselves are not known any more."""
        ...

    async def create_key(
        self,
        tenant_id: int,
        project: Project,
        name: str,
        key_type: KeyType,
        *,
        created_by: int | None = None,
        then: Callable[[AsyncConnection, NewKey], Awaitable[None]] | None = None,
    ) -> NewKey:
        """Make a key for a project; its secret is told this once. Raises `ChatnationError` for a bad name.

        `created_by` is the id of a user. `then` is done in the same transaction: a record of it, for example.
        """
        ...

    async def revoke_key(
        self,
        tenant_id: int,
        key_id: int,
        *,
        then: Callable[[AsyncConnection, KeyEntry], Awaitable[None]] | None = None,
    ) -> KeyEntry:
        """Revoke a key; every process refuses it within a second. Raises `ChatnationError` if there is none."""
        ...


class StoredProjects:
    """`Projects` over the core's tables."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self, tenant_id: int) -> Sequence[Project]:
        async with self._storage.tenant(tenant_id) as connection:
            return await tenancy.list_projects(connection, tenant_id)

    async def keys(self, tenant_id: int) -> Sequence[KeyEntry]:
        async with self._storage.tenant(tenant_id) as connection:
            return await keys.list_keys(connection, tenant_id)

    async def create_key(
        self,
        tenant_id: int,
        project: Project,
        name: str,
        key_type: KeyType,
        *,
        created_by: int | None = None,
        then: Callable[[AsyncConnection, NewKey], Awaitable[None]] | None = None,
    ) -> NewKey:
        async with self._storage.tenant(tenant_id) as connection:
            made = await keys.create_key(
                connection, tenant_id, name, key_type, project_id=project.id, created_by=created_by
            )
            if then is not None:
                await then(connection, made)
        return made

    async def revoke_key(
        self,
        tenant_id: int,
        key_id: int,
        *,
        then: Callable[[AsyncConnection, KeyEntry], Awaitable[None]] | None = None,
    ) -> KeyEntry:
        async with self._storage.tenant(tenant_id) as connection:
            gone = await keys.revoke_key(connection, tenant_id, str(key_id))
            if then is not None:
                await then(connection, gone)
        return gone
