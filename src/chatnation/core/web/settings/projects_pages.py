"""`/settings/projects`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.tenancy import IpMode, MaskingRule, Project
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import Page
from chatnation.core.web.settings.projects import TenantProjects
from chatnation.core.web.settings.projects_routes import PERMISSION

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from chatnation.core.app import App

PATH = "/settings/projects"

IP_MODES = {
    IpMode.MASK: ("Cut the end off", "197.248.12.0 is kept. Enough for the country."),
    IpMode.DROP_AFTER_GEO: ("Use for the country, then forget", "The address is never stored; the country is."),
    IpMode.NEVER: ("Never look", "Neither address nor country."),
    IpMode.OFF: ("Keep", "197.248.12.77 is kept in full. Ask whether the law lets you."),
}
RULES = {
    MaskingRule.DROP: ("Leave out", "it is not stored"),
    MaskingRule.MASK: ("Hide but the end", "A012345678Z is stored as ***8Z"),
    MaskingRule.HASH: ("Replace by a code", "equal values get equal codes, so they can be counted but not read"),
}
BLANK_ROWS = 3


class ProjectPages:
    """The projects, and a form for each."""

    def __init__(self, app: App) -> None:
        self._projects = TenantProjects(app)

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            Page(f"/{PATH}", self.create, PERMISSION, methods=("POST",)),
            Page(f"/{PATH}/{{project}}", self.edit, PERMISSION),
            Page(f"/{PATH}/{{project}}", self.change, PERMISSION, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        return await self._list(request)

    async def create(self, request: Request) -> Response:
        form = await request.form()
        try:
            made = await self._projects.create(
                request, str(form.get("name", ""))[:200], _origins(form), _ip_mode(form) or IpMode.MASK
            )
        except ChatnationError as error:
            return await self._list(request, problem=as_problem(error), form=form)
        return redirect(f"{PATH}/{made.slug}", notice=f"The project {made.name} is made. It needs a key next.")

    async def edit(self, request: Request) -> Response:
        project = await self._projects.find(request.state.actor, request.path_params["project"])
        return self._form(request, project)

    async def change(self, request: Request) -> Response:
        form = await request.form()
        slug = request.path_params["project"]
        try:
            changed = await self._projects.change(
                request,
                slug,
                name=str(form.get("name", ""))[:200],
                origins=_origins(form),
                ip_mode=_ip_mode(form),
                masking=_masking(form),
                replace_masking=True,
            )
        except ChatnationError as error:
            problem = as_problem(error)
            if problem.status == 404:
                raise
            project = await self._projects.find(request.state.actor, slug)
            return self._form(request, project, problem=problem, form=form)
        return redirect(f"{PATH}/{slug}", notice=f"{changed.name} is changed; collectors follow within a second.")

    async def _list(
        self, request: Request, *, problem: Problem | None = None, form: FormData | None = None
    ) -> Response:
        if problem is not None and problem.status >= 500:
            raise problem
        response: Response = request.state.render(
            "settings/projects.html",
            status=problem.status if problem else 200,
            projects=await self._projects.list(request.state.actor),
            ip_modes=IP_MODES,
            problem=problem,
            form=form or {},
        )
        return response

    def _form(
        self, request: Request, project: Project, *, problem: Problem | None = None, form: FormData | None = None
    ) -> Response:
        """The form as it was filled in, if it was refused; else as the project is."""
        if problem is not None and problem.status >= 500:
            raise problem
        rows = [(name, str(rule)) for name, rule in sorted(project.masking.items())]
        if form is not None:
            rows = _rows(form)
        response: Response = request.state.render(
            "settings/project.html",
            status=problem.status if problem else 200,
            project=project,
            name=str(form.get("name", "")) if form is not None else project.name,
            origins=str(form.get("origins", "")) if form is not None else "\n".join(project.allowed_origins),
            ip_mode=(_ip_mode(form) if form is not None else None) or project.ip_mode,
            rows=[*rows, *([("", "")] * BLANK_ROWS)],
            ip_modes=IP_MODES,
            rules=RULES,
            problem=problem,
        )
        return response


def _origins(form: FormData) -> list[str]:
    return str(form.get("origins", ""))[:20_000].replace(",", " ").split()


def _ip_mode(form: FormData) -> IpMode | None:
    try:
        return IpMode(str(form.get("ip_mode", "")))
    except ValueError:
        return None


def _rows(form: FormData) -> list[tuple[str, str]]:
    """What was typed into the editor of rules, without the rows that were left empty."""
    properties, rules = form.getlist("property"), form.getlist("rule")
    pairs = zip(properties[:500], rules[:500], strict=False)
    return [
        (name.strip(), rule) for name, rule in pairs if isinstance(name, str) and isinstance(rule, str) and name.strip()
    ]


def _masking(form: FormData) -> dict[str, MaskingRule | None]:
    known = {str(rule): rule for rule in MaskingRule}
    return {name: known[rule] for name, rule in _rows(form) if rule in known}
