"""What a plugin's class attributes must look like."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel

from chatnation.core.plugin.base import API_VERSION, Plugin
from chatnation.core.settings import Settings

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
"""A name is also a PostgreSQL schema (at most 63 bytes) and part of environment variables."""
PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
RESERVED_NAMES = frozenset({"core", "public", "information_schema", "jobs", "chatnation", "all", "none"})
RESERVED_PREFIXES = frozenset({"api", "v1", "static", "-"})


def problems(candidate: object, expected_name: str) -> list[str]:
    """What is wrong with the manifest of `candidate`, found under `expected_name`, a sentence each."""
    if not (isinstance(candidate, type) and issubclass(candidate, Plugin)):
        return [f"{candidate!r} is not a subclass of chatnation.Plugin"]
    return [*_identity(candidate, expected_name), *_relations(candidate), *_attachments(candidate)]


def _identity(plugin: type[Plugin], expected_name: str) -> list[str]:
    name = getattr(plugin, "name", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return [f"`name` must match {NAME.pattern}, it is {name!r}"]
    found = []
    if name != expected_name:
        found.append(f"`name` is {name!r}, but it was found as {expected_name!r}")
    if name in RESERVED_NAMES or name.startswith("pg_"):
        found.append(f"the name {name!r} is reserved")
    if plugin.api_version != API_VERSION:
        found.append(f"it was written for API version {plugin.api_version}, this is {API_VERSION}")
    if not (plugin.__doc__ or "").strip():
        found.append("the class has no docstring; its first line is the title")
    prefix = plugin.prefix()
    if prefix and (not PREFIX.fullmatch(prefix) or prefix.partition("/")[0] in RESERVED_PREFIXES):
        found.append(f"`url_prefix` {prefix!r} is not a usable path")
    return found


def _relations(plugin: type[Plugin]) -> list[str]:
    found = []
    for attribute in ("requires", "after"):
        names = getattr(plugin, attribute)
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            found.append(f"`{attribute}` must be a tuple of plugin names")
        elif plugin.name in names:
            found.append(f"`{attribute}` names the plugin itself")
    return found


def _attachments(plugin: type[Plugin]) -> list[str]:
    found = []
    if not _is_model(plugin.Settings):
        found.append("`Settings` must be a pydantic model")
    else:
        taken = [field for field in plugin.Settings.model_fields if f"{plugin.name}_{field}" in Settings.model_fields]
        found.extend(f"the core has a setting of the name {plugin.name}_{field}" for field in taken)
    if plugin.TenantSettings is not None and not _is_model(plugin.TenantSettings):
        found.append("`TenantSettings` must be a pydantic model")
    specs: object = plugin.hookspecs
    if not isinstance(specs, ModuleType | type | None):
        found.append("`hookspecs` must be a module or a class")
    tables: object = plugin.global_tables
    if not isinstance(tables, tuple) or not all(isinstance(table, str) and "." not in table for table in tables):
        found.append("`global_tables` must be a tuple of names of tables, without the schema")
    if plugin.migrations is not None and not Path(plugin.migrations).is_dir():
        found.append(f"the migrations folder {plugin.migrations} does not exist")
    return found


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)
