"""The class that every plugin derives from."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

import pluggy
from pydantic import BaseModel

if TYPE_CHECKING:
    from pathlib import Path

    from chatnation.core.plugin.services import Services

PROJECT = "chatnation"
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class NoSettings(BaseModel):
    """The settings of a plugin that has none."""


class Plugin:
    """A feature. The class attributes are its manifest; the docstring's first line is its title, the rest its text.

    An instance is made once per app with its validated settings. `services` is set before `startup`.
    """

    name: ClassVar[str]
    """Name of the entry point, of the PostgreSQL schema and of the template folder: `[a-z][a-z0-9_]*`."""
    version: ClassVar[str] = ""
    """Needed only where no installed distribution says it, as in a single file."""
    api_version: ClassVar[int] = API_VERSION
    """The API_VERSION that the plugin was written against."""
    url_prefix: ClassVar[str | None] = None
    """Routes live under `/api/<url_prefix>`, pages under `/<url_prefix>`; defaults to the name."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Plugins that must be active; they load first."""
    after: ClassVar[tuple[str, ...]] = ()
    """Plugins that load first when they are present."""
    Settings: ClassVar[type[BaseModel]] = NoSettings
    """Instance settings, read from `CHATNATION_<NAME>_<FIELD>`."""
    TenantSettings: ClassVar[type[BaseModel] | None] = None
    """Settings that each tenant edits in the dashboard."""
    hookspecs: ClassVar[ModuleType | type | None] = None
    """Module with the hooks that this plugin asks of others; their names start with `<name>_`."""
    migrations: ClassVar[str | Path | None] = None
    """Folder of Alembic revisions; defaults to `migrations/` beside the plugin's module when it exists."""
    global_tables: ClassVar[tuple[str, ...]] = ()
    """Tables of the plugin's schema that belong to no tenant and so have no column `tenant_id`.

    A transaction of a tenant may read them; only one of the system may write them.
    """

    services: Services

    def __init__(self, settings: BaseModel | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()

    @classmethod
    def title(cls) -> str:
        """First line of the class's own docstring."""
        return _own_docstring(cls).partition("\n")[0] or cls.name

    @classmethod
    def description(cls) -> str:
        """The class's own docstring after its first line."""
        return _own_docstring(cls).partition("\n")[2].strip()

    @classmethod
    def prefix(cls) -> str:
        """The URL prefix, without slashes at its ends."""
        return (cls.url_prefix if cls.url_prefix is not None else cls.name).strip("/")


def _own_docstring(cls: type[Plugin]) -> str:
    return inspect.cleandoc(cls.__doc__ or "")
