"""Plugins of an organisation: switched, and set by forms that are drawn from their models."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from chatnation.core.auth.permissions import RoleName
from chatnation.core.web.forms import Kind, form_of
from chatnation.plugins.audit.plugin import AuditPlugin
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.testing.apps import MakeApp
from tests.core.web.settings.board import FILLED, Board, BoardSettings, Frame
from tests.core.web.settings.office import HTML, Office

pytestmark = pytest.mark.anyio

PATH = "/settings/plugins/board"


@pytest.fixture
async def office(make_app: MakeApp) -> Office:
    app = await make_app(DashboardPlugin, AuditPlugin, Board, Frame)
    source = await app.source("Revenue")
    return Office(app, source, await app.client(await app.person(source.tenant)))


async def test_a_plugin_is_switched_off_at_once_with_what_needs_it_and_for_one_tenant_only(office: Office) -> None:
    app, tenant = office.app.app, office.source.tenant
    stranger = await office.stranger()
    off = await office.send("PATCH", "/settings/plugins/board", {"enabled": False})
    assert off.json() | {"enabled": False, "runs": False, "off_with": []} == off.json()
    assert not app.enabled(tenant.id) & {"board", "frame"}
    assert {"board", "frame"} <= app.enabled(stranger.source.tenant.id)
    page = await office.page("/settings/plugins")
    assert "It needs Board, which is off." in page
    on = await office.send("PATCH", "/settings/plugins/board", {"enabled": True})
    assert (on.json()["runs"], on.json()["off_with"]) == (True, ["Frame"])
    assert {"board", "frame"} <= app.enabled(tenant.id)
    assert [len(await office.records(f"config.plugin.{verb}")) for verb in ("disabled", "enabled")] == [1, 1]


async def test_the_page_names_what_goes_with_a_plugin(office: Office) -> None:
    page = await office.page("/settings/plugins")
    dialog = re.search(r'id="off-board".*?</dialog>', page, re.DOTALL)
    assert dialog
    assert "Frame cannot do without it and goes off with it." in re.sub(r"\s+", " ", dialog[0])
    done = await office.form("/settings/plugins/board/switch", "/settings/plugins", enabled="0")
    assert done.status_code == 303
    assert "board" not in office.app.app.enabled(office.source.tenant.id)
    await office.form("/settings/plugins/board/switch", "/settings/plugins", enabled="1")
    assert "frame" in office.app.app.enabled(office.source.tenant.id)


async def test_nobody_but_who_may_change_settings_switches_plugins(office: Office) -> None:
    for role, status in ((RoleName.AUDITOR, 403), (RoleName.AGENT, 403), (RoleName.DEVELOPER, 200)):
        member = await office.as_role(role)
        assert (await member.send("PATCH", "/settings/plugins/board", {"enabled": True})).status_code == status
        assert (await member.client.get(PATH)).status_code == status
    assert (await office.send("PATCH", "/settings/plugins/nothing", {"enabled": True})).status_code == 404
    assert (await office.send("GET", "/settings/plugins/frame/settings")).status_code == 404


def test_every_kind_of_setting_gets_an_input() -> None:
    kinds = {one.name: one.kind for one in form_of(BoardSettings, {})}
    assert kinds == {
        "title": Kind.TEXT,
        "rows": Kind.NUMBER,
        "ratio": Kind.NUMBER,
        "shown": Kind.SWITCH,
        "colour": Kind.CHOICE,
        "size": Kind.CHOICE,
        "days": Kind.CHOICES,
        "words": Kind.LIST,
        "ink": Kind.COLOUR,
        "text": Kind.LINES,
        "since": Kind.DATE,
        "hours.opens": Kind.TIME,
        "hours.closes": Kind.TIME,
        "extra": Kind.JSON,
        "password": Kind.SECRET,
    }
    title, rows = form_of(BoardSettings, {})[:2]
    assert (title.label, title.longest, title.value) == ("Title of the board", 20, "Board")
    assert (rows.minimum, rows.maximum, rows.step) == (1, 10, "1")


async def test_a_form_is_saved_and_shown_again(office: Office) -> None:
    done = await office.form(PATH, PATH, **FILLED)
    assert done.status_code == 303, done.text
    kept = await office.app.app.tenant_settings.get(office.source.tenant.id, "board", BoardSettings)
    expected: dict[str, Any] = {
        "title": "Menu",
        "rows": 4,
        "ratio": 1.5,
        "shown": False,
        "colour": "dark_blue",
        "size": "large",
        "days": ["mon", "tue"],
        "words": ["one", "two"],
        "ink": "#445566",
        "text": "Line\nnext",
        "since": "2026-01-31",
        "hours": {"opens": "09:30:00", "closes": "18:00:00"},
        "extra": {"a": 1},
    }
    assert kept.model_dump(mode="json", exclude={"password"}) == expected
    assert kept.password
    assert kept.password.get_secret_value() == "hunter2"
    page = await office.page(PATH)
    assert 'value="Menu"' in page
    assert "one\ntwo</textarea>" in page
    assert "Anything &lt;you&gt; like." in page
    assert "hunter2" not in page
    api = (await office.send("GET", "/settings/plugins/board/settings")).json()
    assert api["values"] == expected | {"password": True}
    assert "fields" in api


async def test_a_secret_is_sealed_stays_when_left_empty_and_can_be_forgotten(office: Office) -> None:
    app, tenant = office.app.app, office.source.tenant
    await office.form(PATH, PATH, **FILLED)
    async with app.storage.system("look at what is stored") as connection:
        stored = str((await connection.execute(text("SELECT * FROM plugin_tenant_settings"))).one())
        audited = str((await connection.execute(text("SELECT details FROM audit.records"))).all())
    assert "hunter2" not in stored + audited
    await office.form(PATH, PATH, **{**FILLED, "password": "", "title": "Other"})
    kept = await app.tenant_settings.get(tenant.id, "board", BoardSettings)
    assert kept.password
    assert (kept.title, kept.password.get_secret_value()) == ("Other", "hunter2")
    api = await office.send("PUT", "/settings/plugins/board/settings", {"values": {"title": "Api"}})
    assert (api.json()["values"]["title"], api.json()["values"]["password"]) == ("Api", True)
    await office.form(PATH, PATH, **FILLED, **{"password:clear": "1"})
    assert (await app.tenant_settings.get(tenant.id, "board", BoardSettings)).password is None


async def test_what_cannot_be_is_said_at_its_field_and_nothing_is_saved(office: Office) -> None:
    wrong = {
        **FILLED,
        "title": "",
        "rows": "11",
        "since": "soon",
        "extra": "{",
        "hours.opens": "late",
        "password": "xyz",
    }
    refused = await office.form(PATH, PATH, **wrong)
    assert refused.status_code == 422
    for name in ("title", "rows", "since", "extra", "hours.opens"):
        assert f'id="{name}-fault"' in refused.text, name
    assert "less than or equal to 10" in refused.text
    assert 'value="soon"' in refused.text
    assert "xyz" not in refused.text
    together = await office.form(PATH, PATH, **{**FILLED, "rows": "6", "size": "small"})
    assert "so many rows need a large board" in together.text
    assert (await office.send("GET", "/settings/plugins/board/settings")).json()["values"]["title"] == "Board"
    api = await office.send("PUT", "/settings/plugins/board/settings", {"values": {"rows": 0}})
    assert (api.status_code, api.json()["errors"][0]["path"]) == (422, "rows")
    assert (await office.send("PUT", "/settings/plugins/board/settings", {"values": {"x": 0}})).status_code == 404


async def test_settings_of_a_plugin_are_the_tenants_own(office: Office) -> None:
    await office.form(PATH, PATH, **FILLED)
    stranger = await office.stranger()
    theirs = (await stranger.client.get(PATH, headers=HTML)).text
    assert 'value="Menu"' not in theirs
    assert (await stranger.send("GET", "/settings/plugins/board/settings")).json()["values"]["password"] is False


async def test_every_settings_page_opens_where_the_dashboard_is_left_out(make_app: MakeApp) -> None:
    app = await make_app(Board)
    source = await app.source("Revenue")
    bare = Office(app, source, await app.client(await app.person(source.tenant)))
    for name in ("organisation", "projects", "keys", "navigation", "system-messages", "plugins", "plugins/board"):
        await bare.page(f"/settings/{name}")
    assert (await bare.client.get("/settings/session", headers=HTML)).headers["location"] == "/settings/security"
