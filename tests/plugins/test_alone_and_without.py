"""No bundled plugin is indispensable: each runs alone, and everything else does its work without it."""

from __future__ import annotations

import pytest

from chatnation import Plugin
from chatnation.testing import MakeApp
from chatnation.testing.compliance import with_requirements
from tests.plugins.acceptance import PROMISES, accept
from tests.plugins.bundled import bundled_plugins

BUNDLED = bundled_plugins()


def test_every_bundled_plugin_promises_something() -> None:
    assert PROMISES.keys() == {plugin.name for plugin in BUNDLED}


async def test_all_bundled_plugins_together_keep_their_promises(make_app: MakeApp) -> None:
    running = await make_app(*BUNDLED)
    assert {record.name: record.reason for record in running.app.inventory if record.reason} == {}
    await accept(running)
    assert not running.app.boundary.failures


@pytest.mark.parametrize("plugin", BUNDLED, ids=lambda plugin: plugin.name)
async def test_the_others_keep_their_promises_without(plugin: type[Plugin], make_app: MakeApp) -> None:
    running = await make_app(*BUNDLED, settings={"plugins_disabled": plugin.name})
    states = {record.name: str(record.state) for record in running.app.inventory}
    dependents = {other.name for other in BUNDLED if plugin in with_requirements(other)[1:]}
    assert states.pop(plugin.name) == "disabled"
    assert {name for name, state in states.items() if state == "blocked"} == dependents
    assert set(states.values()) <= {"active", "blocked"}
    await accept(running)
    assert not running.app.boundary.failures


@pytest.mark.parametrize("plugin", BUNDLED, ids=lambda plugin: plugin.name)
async def test_a_plugin_keeps_its_promise_alone(plugin: type[Plugin], make_app: MakeApp) -> None:
    running = await make_app(*with_requirements(plugin))
    await accept(running)
    assert not running.app.boundary.failures
