"""Plugins for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from chatnation.core.auth.tenancy import Unknown
from chatnation.core.web.problems import invalid
from chatnation.core.web.routing import Route
from chatnation.core.web.settings.plugins import TenantPlugin, TenantPlugins, shown_values

if TYPE_CHECKING:
    from chatnation.core.app import App

PERMISSION = "settings.manage"


class PluginDetails(BaseModel):
    """A plugin of the instance, as the tenant has it."""

    name: str
    title: str
    description: str
    state: str = Field(description="How it is on the instance: active, degraded, failed, blocked or disabled.")
    enabled: bool = Field(description="Whether the tenant has it switched on.")
    runs: bool = Field(description="Whether it runs for the tenant.")
    off_with: list[str] = Field(description="Titles of plugins that go off with it.")
    has_settings: bool


class PluginList(BaseModel):
    """Every plugin of the instance, by title."""

    plugins: list[PluginDetails]


class PluginSwitch(BaseModel):
    """What to do with a plugin."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class PluginValues(BaseModel):
    """Settings of a plugin."""

    values: dict[str, Any] = Field(description="Of a secret, whether there is one.")
    fields: dict[str, Any] = Field(description="JSON Schema of the values.")


class NewPluginValues(BaseModel):
    """Settings to be kept."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any] = Field(
        description="By name; what is left out has its default, but a secret stays as it is."
    )


class PluginRoutes:
    """`/api/settings/plugins`."""

    def __init__(self, app: App) -> None:
        self._plugins = TenantPlugins(app)

    def routes(self) -> list[Route]:
        base = "/settings/plugins"
        one = f"{base}/{{plugin}}"
        settings = f"{one}/settings"
        return [
            Route("GET", base, self.list, PERMISSION, response=PluginList),
            Route("PATCH", one, self.switch, PERMISSION, body=PluginSwitch, response=PluginDetails),
            Route("GET", settings, self.settings, PERMISSION, response=PluginValues),
            Route("PUT", settings, self.save, PERMISSION, body=NewPluginValues, response=PluginValues),
        ]

    async def list(self, request: Request) -> PluginList:
        """Every plugin, and whether it runs for you."""
        return PluginList(plugins=[_details(plugin) for plugin in self._plugins.list(request.state.actor)])

    async def switch(self, request: Request, body: PluginSwitch) -> PluginDetails:
        """Turn a plugin on or off for your organisation, at once."""
        return _details(await self._plugins.switch(request, request.path_params["plugin"], on=body.enabled))

    async def settings(self, request: Request) -> PluginValues:
        """What your organisation has set, and what can be set."""
        return await self._values(request, self._plugin(request))

    async def save(self, request: Request, body: NewPluginValues) -> PluginValues:
        """Replace what your organisation has set."""
        plugin = self._plugin(request)
        assert plugin.model is not None
        kept = await self._plugins.kept_secrets(request.state.actor, plugin)
        names = {field.alias or name for name, field in plugin.model.model_fields.items()}
        unknown = sorted(set(body.values) - names)
        if unknown:
            raise Unknown(f"{plugin.title} has no setting {unknown[0]}.")
        try:
            values = plugin.model.model_validate({**kept, **body.values})
        except ValidationError as error:
            raise invalid(error, "body") from None
        await self._plugins.save(request, plugin, values)
        return await self._values(request, plugin)

    def _plugin(self, request: Request) -> TenantPlugin:
        plugin = self._plugins.find(request.state.actor, request.path_params["plugin"])
        if plugin.model is None:
            raise Unknown(f"{plugin.title} has no settings.")
        return plugin

    async def _values(self, request: Request, plugin: TenantPlugin) -> PluginValues:
        assert plugin.model is not None
        values = await self._plugins.settings(request.state.actor, plugin)
        return PluginValues(values=shown_values(values), fields=plugin.model.model_json_schema())


def _details(plugin: TenantPlugin) -> PluginDetails:
    return PluginDetails(
        name=plugin.name,
        title=plugin.title,
        description=plugin.description,
        state=str(plugin.state),
        enabled=plugin.wanted,
        runs=plugin.on,
        off_with=list(plugin.off_with),
        has_settings=plugin.model is not None,
    )
