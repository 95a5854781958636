"""Keeping funnels: what page and API do alike, with a record of who did it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from starlette.requests import Request

from chatnation import App, NotFound, Problem, audit_of, record_of, uuid7
from chatnation.plugins.funnels import actions, queries
from chatnation.plugins.funnels.definition import Definition
from chatnation.plugins.funnels.queries import SavedFunnel

MANAGE = "funnels.manage"
MOST_SAVED = 200
"""Of one tenant: a list that is longer helps nobody."""
LONGEST_NAME = 100


class SavedFunnels:
    """The funnels that a tenant keeps."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    async def all(self, request: Request) -> list[SavedFunnel]:
        """Those of whoever asks, by name."""
        tenant_id = _tenant(request)
        async with self._app().storage.tenant(tenant_id) as connection:
            return await queries.all_saved(connection, tenant_id)

    async def one(self, request: Request, funnel_id: UUID) -> SavedFunnel:
        """One of them; raises NotFound."""
        tenant_id = _tenant(request)
        async with self._app().storage.tenant(tenant_id) as connection:
            return _there(await queries.one_saved(connection, tenant_id, funnel_id))

    async def create(self, request: Request, name: str, definition: Definition) -> SavedFunnel:
        """Keep a funnel. Raises a 409 where the name is taken, or there are too many."""
        tenant_id, funnel_id = _tenant(request), uuid7()
        values = {"name": _named(name), "definition": definition.model_dump(mode="json", exclude_defaults=True)}
        try:
            async with self._app().storage.tenant(tenant_id) as connection:
                if await queries.count_saved(connection, tenant_id) >= MOST_SAVED:
                    raise Problem(409, "too_many", f"There are {MOST_SAVED} funnels already; delete some first.")
                user_id = request.state.actor.user_id
                await actions.insert_saved(connection, id=funnel_id, tenant_id=tenant_id, created_by=user_id, **values)
                record = record_of(request, "config.funnel.created", "funnel", funnel_id, name=values["name"])
                await audit_of(self._app()).record(connection, record)
                return _there(await queries.one_saved(connection, tenant_id, funnel_id))
        except IntegrityError:
            raise _taken() from None

    async def update(
        self, request: Request, funnel_id: UUID, name: str | None = None, definition: Definition | None = None
    ) -> SavedFunnel:
        """Give a funnel another name, other steps and options, or both."""
        tenant_id = _tenant(request)
        values: dict[str, Any] = {}
        if name is not None:
            values["name"] = _named(name)
        if definition is not None:
            values["definition"] = definition.model_dump(mode="json", exclude_defaults=True)
        try:
            async with self._app().storage.tenant(tenant_id) as connection:
                before = _there(await queries.one_saved(connection, tenant_id, funnel_id))
                if not values:
                    return before
                await actions.update_saved(connection, tenant_id, funnel_id, **values)
                changed = sorted(values)
                record = record_of(
                    request, "config.funnel.updated", "funnel", funnel_id, name=before.name, changed=changed
                )
                await audit_of(self._app()).record(connection, record)
                return _there(await queries.one_saved(connection, tenant_id, funnel_id))
        except IntegrityError:
            raise _taken() from None

    async def delete(self, request: Request, funnel_id: UUID) -> str:
        """Forget a funnel; gives its name."""
        tenant_id = _tenant(request)
        async with self._app().storage.tenant(tenant_id) as connection:
            name = await actions.delete_saved(connection, tenant_id, funnel_id)
            if name is None:
                raise NotFound("There is no such funnel.")
            record = record_of(request, "config.funnel.deleted", "funnel", funnel_id, name=name)
            await audit_of(self._app()).record(connection, record)
            return name


def _tenant(request: Request) -> int:
    tenant_id: int = request.state.actor.tenant.id
    return tenant_id


def _there(found: SavedFunnel | None) -> SavedFunnel:
    if found is None:
        raise NotFound("There is no such funnel.")
    return found


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise Problem(422, "invalid_name", f"A funnel needs a name of at most {LONGEST_NAME} characters.")
    return name


def _taken() -> Problem:
    return Problem(409, "name_taken", "Another funnel has this name.")
