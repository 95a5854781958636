"""`/settings/roles`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.tenant_roles import TenantRole
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import Page
from chatnation.core.web.settings.roles import TenantRoles
from chatnation.core.web.settings.roles_routes import DELETE, READ

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor

PATH = "/settings/roles"
_BLANK = TenantRole("new", "", "", frozenset(), None, None, changed=False, members=0)


class RolePages:
    """The list of roles, and a form for one."""

    def __init__(self, app: App) -> None:
        self._roles = TenantRoles(app)

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, READ),
            Page(f"/{PATH}/new", self.blank, READ),
            Page(f"/{PATH}/new", self.create, READ, methods=("POST",)),
            Page(f"/{PATH}/{{role}}", self.edit, READ),
            Page(f"/{PATH}/{{role}}", self.change, READ, methods=("POST",)),
            Page(f"/{PATH}/{{role}}/delete", self.delete, DELETE, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        response: Response = request.state.render(
            "settings/roles.html", roles=await self._roles.list(request.state.actor)
        )
        return response

    async def blank(self, request: Request) -> Response:
        return self._form(request, _BLANK, new=True)

    async def edit(self, request: Request) -> Response:
        return self._form(request, await self._roles.find(request.state.actor, request.path_params["role"]))

    async def create(self, request: Request) -> Response:
        name, description, permissions = await _filled_in(request)
        try:
            made = await self._roles.create(request, name, description, permissions)
        except ChatnationError as error:
            draft = TenantRole("new", name, description, permissions, None, None, changed=False, members=0)
            return self._form(request, draft, new=True, problem=as_problem(error))
        return redirect(PATH, notice=f"The role {made.name} is made.")

    async def change(self, request: Request) -> Response:
        role = await self._roles.find(request.state.actor, request.path_params["role"])
        name, description, permissions = await _filled_in(request)
        try:
            await self._roles.change(
                request,
                role.key,
                name=None if role.system else name,
                description=description,
                permissions=permissions,
            )
        except ChatnationError as error:
            return self._form(request, role, problem=as_problem(error))
        return redirect(PATH, notice=f"The role {role.name if role.system else name} is changed.")

    async def delete(self, request: Request) -> Response:
        try:
            role = await self._roles.delete(request, request.path_params["role"])
        except ChatnationError as error:
            return redirect(PATH, notice=as_problem(error).detail, kind="danger")
        done = "is as delivered again" if role.system else "is deleted; its members are agents now"
        return redirect(PATH, notice=f"The role {role.name} {done}.")

    def _form(
        self, request: Request, role: TenantRole, *, new: bool = False, problem: Problem | None = None
    ) -> Response:
        if problem is not None and problem.status >= 500:
            raise problem
        actor: Actor = request.state.actor
        fixed = role.system is RoleName.SUPER_ADMIN or role.name == actor.role
        response: Response = request.state.render(
            "settings/role.html",
            status=problem.status if problem else 200,
            role=role,
            new=new,
            problem=problem,
            groups=self._roles.permissions(),
            locked=not new and (fixed or not role.permissions <= actor.permissions),
            own=role.name == actor.role,
            may_delete=actor.can(DELETE),
        )
        return response


async def _filled_in(request: Request) -> tuple[str, str, frozenset[str]]:
    form = await request.form()
    permissions = frozenset(str(value)[:200] for value in form.getlist("permission"))
    return str(form.get("name", ""))[:200], str(form.get("description", ""))[:1000], permissions
