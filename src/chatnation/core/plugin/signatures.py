"""Whether a plugin's hooks are what their specs ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

import pluggy

from chatnation.core.errors import PluginError
from chatnation.core.plugin.base import PROJECT, Plugin

CALL_ORDER_OPTIONS = ("hookwrapper", "wrapper", "tryfirst", "trylast", "specname")


def add_specs(manager: pluggy.PluginManager, plugin: Plugin) -> None:
    """Add the hooks that `plugin` asks others; raises `PluginError` where a name lacks the plugin's prefix."""
    module = plugin.hookspecs
    if module is None:
        return
    for name, function in inspect.getmembers(module, inspect.isfunction):
        options = getattr(function, f"{PROJECT}_spec", None)
        if options is None:
            continue
        if not name.startswith(f"{plugin.name}_"):
            raise PluginError(plugin.name, f"its hook {name} must be called {plugin.name}_{name}")
        if options.get("firstresult") or options.get("historic"):
            raise PluginError(plugin.name, f"its hook {name} uses options of pluggy that break with coroutines")
    manager.add_hookspecs(module)


def register(manager: pluggy.PluginManager, plugin: Plugin) -> None:
    """Register the hooks of `plugin` after checking each against its spec; raises `PluginError`."""
    for name, function, options in _implementations(manager, plugin):
        _check(manager, plugin.name, name, function, options)
    manager.register(plugin, plugin.name)


def _implementations(
    manager: pluggy.PluginManager, plugin: Plugin
) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    for name in dir(type(plugin)):
        function = inspect.getattr_static(type(plugin), name)
        options = getattr(function, f"{PROJECT}_impl", None)
        if options is not None:
            yield name, getattr(plugin, name), options
        elif inspect.isfunction(function) and name in vars(manager.hook):
            raise PluginError(plugin.name, f"{name} is a hook, but has no @hookimpl")


def _check(
    manager: pluggy.PluginManager, plugin: str, name: str, function: Callable[..., Any], options: dict[str, Any]
) -> None:
    used = [option for option in CALL_ORDER_OPTIONS if options.get(option)]
    if used:
        raise PluginError(plugin, f"{name} uses {', '.join(used)}; order plugins by `requires` and `after` instead")
    caller: pluggy.HookCaller | None = getattr(manager.hook, name, None)
    if caller is None or caller.spec is None:
        if not options.get("optionalhook"):
            raise PluginError(plugin, f"there is no hook {name}{_hint(manager, name)}")
        return
    spec = caller.spec.function
    if inspect.iscoroutinefunction(spec) != inspect.iscoroutinefunction(function):
        kind = "async def" if inspect.iscoroutinefunction(spec) else "def"
        raise PluginError(plugin, f"{name} must be written with `{kind}`")
    unknown = [argument for argument in inspect.signature(function).parameters if argument not in caller.spec.argnames]
    if unknown:
        accepted = ", ".join(caller.spec.argnames) or "nothing"
        raise PluginError(plugin, f"{name} takes {', '.join(unknown)}, but the hook gives {accepted}")


def _hint(manager: pluggy.PluginManager, name: str) -> str:
    hooks = vars(manager.hook).items()
    known = [known for known, caller in hooks if isinstance(caller, pluggy.HookCaller) and caller.spec]
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
