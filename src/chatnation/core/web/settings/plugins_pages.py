"""`/settings/plugins`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.tenancy import Unknown
from chatnation.core.errors import ChatnationError
from chatnation.core.web.forms import Kind, errors_of, filled_in, form_of
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import Page
from chatnation.core.web.settings.plugins import TenantPlugin, TenantPlugins, shown_values
from chatnation.core.web.settings.plugins_routes import PERMISSION

if TYPE_CHECKING:
    from chatnation.core.app import App

PATH = "/settings/plugins"
TONES = {"active": "green", "degraded": "yellow", "failed": "red", "blocked": "orange", "disabled": "secondary"}


class PluginPages:
    """The plugins with their switches, and a form for the settings of each."""

    def __init__(self, app: App) -> None:
        self._plugins = TenantPlugins(app)

    def pages(self) -> list[Page]:
        one = f"/{PATH}/{{plugin}}"
        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            Page(one, self.edit, PERMISSION),
            Page(one, self.save, PERMISSION, methods=("POST",)),
            Page(f"{one}/switch", self.switch, PERMISSION, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        response: Response = request.state.render(
            "settings/plugins.html",
            plugins=self._plugins.list(request.state.actor),
            tones=TONES,
            tells_more=request.state.actor.can("instance.view"),
        )
        return response

    async def switch(self, request: Request) -> Response:
        on = (await request.form()).get("enabled") == "1"
        try:
            plugin = await self._plugins.switch(request, request.path_params["plugin"], on=on)
        except ChatnationError as error:
            problem = as_problem(error)
            if problem.status >= 500:
                raise
            return redirect(PATH, notice=problem.detail, kind="danger")
        return redirect(PATH, notice=f"{plugin.title} is {'on' if on else 'off'} for your organisation.")

    async def edit(self, request: Request) -> Response:
        plugin = self._plugin(request)
        values = shown_values(await self._plugins.settings(request.state.actor, plugin))
        return self._form(request, plugin, values, {})

    async def save(self, request: Request) -> Response:
        plugin = self._plugin(request)
        assert plugin.model is not None
        kept = await self._plugins.kept_secrets(request.state.actor, plugin)
        values, errors = filled_in(plugin.model, await request.form(), kept)
        try:
            checked = plugin.model.model_validate(values)
        except ValidationError as error:
            errors = {**errors_of(plugin.model, error), **errors}
            checked = None
        if errors or checked is None:
            secrets = [one.name for one in form_of(plugin.model, {}) if one.kind is Kind.SECRET]
            return self._form(request, plugin, {**values, **{name: name in kept for name in secrets}}, errors)
        await self._plugins.save(request, plugin, checked)
        return redirect(f"{PATH}/{plugin.name}", notice="Saved. It holds within a second.")

    def _plugin(self, request: Request) -> TenantPlugin:
        plugin = self._plugins.find(request.state.actor, request.path_params["plugin"])
        if plugin.model is None:
            raise Unknown(f"{plugin.title} has no settings.")
        return plugin

    def _form(
        self, request: Request, plugin: TenantPlugin, values: Mapping[str, Any], errors: Mapping[str, str]
    ) -> Response:
        assert plugin.model is not None
        fields = form_of(plugin.model, values, errors)
        response: Response = request.state.render(
            "settings/plugin.html",
            status=422 if errors else 200,
            plugin=plugin,
            sections=[(title, list(some)) for title, some in groupby(fields, key=lambda one: one.section)],
            errors=errors,
        )
        return response
