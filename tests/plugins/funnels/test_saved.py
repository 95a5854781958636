"""Funnels are kept per tenant, by those who may, and every change is on record."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import text

from chatnation.core.auth.permissions import RoleName
from chatnation.core.hookspecs import data
from chatnation.plugins.audit.plugin import AuditPlugin
from chatnation.plugins.funnels.saving import MOST_SAVED
from chatnation.testing.apps import MakeApp
from tests.plugins.funnels.conftest import Office, open_office, signed_in

DEFINITION: dict[str, Any] = {
    "steps": [{"name": "Begin", "select": {"events": ["start"]}}, {"name": "End", "select": {"events": ["done"]}}],
    "window": 3600,
}


async def saved(office: Office, name: str = "Returns") -> dict[str, Any]:
    answer = await office.client.post("/api/funnel/saved", json={"name": name, "definition": DEFINITION})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def names(office: Office) -> list[str]:
    return [one["name"] for one in (await office.client.get("/api/funnel/saved")).json()["items"]]


async def test_a_funnel_is_kept_changed_and_forgotten(office: Office) -> None:
    one = await saved(office)
    assert one["definition"]["window"] == 3600
    assert one["created_by"] == "Somebody"
    path = f"/api/funnel/saved/{one['id']}"
    assert (await office.client.get(path)).json() == one
    changed = (await office.client.patch(path, json={"name": " Filed  returns "})).json()
    assert (changed["name"], changed["definition"]) == ("Filed returns", one["definition"])
    other = {**DEFINITION, "order": "strict"}
    assert (await office.client.patch(path, json={"definition": other})).json()["definition"]["order"] == "strict"
    await saved(office, "a funnel")
    assert await names(office) == ["a funnel", "Filed returns"]
    assert (await office.client.delete(path)).status_code == 204
    assert (await office.client.delete(path)).status_code == 404
    assert await names(office) == ["a funnel"]


async def test_names_are_taken_once_whatever_their_case(office: Office) -> None:
    one, other = await saved(office, "Returns"), await saved(office, "Payments")
    again = await office.client.post("/api/funnel/saved", json={"name": "returns", "definition": DEFINITION})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    renamed = await office.client.patch(f"/api/funnel/saved/{other['id']}", json={"name": "RETURNS"})
    assert renamed.status_code == 409
    assert (await office.client.patch(f"/api/funnel/saved/{one['id']}", json={"name": "RETURNS"})).status_code == 200


async def test_what_makes_no_funnel_is_not_kept(office: Office) -> None:
    for definition in ({}, {"steps": []}, {**DEFINITION, "exclusions": [{"select": {}, "after": 5}]}):
        answer = await office.client.post("/api/funnel/saved", json={"name": "x", "definition": definition})
        assert answer.status_code == 422
    answer = await office.client.post("/api/funnel/saved", json={"name": "   ", "definition": DEFINITION})
    assert answer.status_code == 422


async def test_there_is_an_end_to_what_is_kept(office: Office) -> None:
    async with office.app.app.storage.tenant(office.source.tenant.id) as connection:
        await connection.execute(
            text(
                "INSERT INTO funnels.saved (id, tenant_id, name, definition)"
                ' SELECT gen_random_uuid(), :tenant, n::text, \'{"steps": [{"name": "a", "select": {}}]}\''
                " FROM generate_series(1, :most) n"
            ),
            {"tenant": office.source.tenant.id, "most": MOST_SAVED},
        )
    answer = await office.client.post("/api/funnel/saved", json={"name": "one more", "definition": DEFINITION})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many")


async def test_whoever_may_only_look_cannot_change(office: Office) -> None:
    one = await saved(office)
    auditor = await office.as_role(RoleName.AUDITOR)
    path = f"/api/funnel/saved/{one['id']}"
    assert (await auditor.get(path)).status_code == 200
    assert (await auditor.post("/api/funnel/saved", json={"name": "x", "definition": DEFINITION})).status_code == 403
    assert (await auditor.patch(path, json={"name": "x"})).status_code == 403
    assert (await auditor.delete(path)).status_code == 403
    page = (await auditor.get(f"/funnel?saved={one['id']}", follow_redirects=True)).text
    assert "Returns" in page
    assert 'action="/funnel/saved' not in page
    agent = await office.as_role(RoleName.AGENT)
    assert (await agent.get(path)).status_code == 403
    assert (await agent.get("/funnel")).status_code == 403


async def test_another_tenant_finds_nothing(office: Office) -> None:
    one = await saved(office)
    stranger = await office.as_role(RoleName.ADMIN, await office.app.source("Somebody else"))
    path = f"/api/funnel/saved/{one['id']}"
    assert (await stranger.get("/api/funnel/saved")).json() == {"items": []}
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.patch(path, json={"name": "x"})).status_code == 404
    assert (await stranger.delete(path)).status_code == 404
    assert (await stranger.get(f"/funnel?saved={one['id']}")).status_code == 404
    assert await names(office) == ["Returns"]


async def test_changes_are_on_record(make_app: MakeApp) -> None:
    app = await make_app()
    source = await app.source()
    client = await signed_in(app, await app.person(source.tenant))
    assert app.app.inventory.runs(AuditPlugin.name)
    made = (await client.post("/api/funnel/saved", json={"name": "Returns", "definition": DEFINITION})).json()
    path = f"/api/funnel/saved/{made['id']}"
    await client.patch(path, json={"name": "Filed"})
    await client.delete(path)
    found = (await client.get("/api/audit-logs", params={"resource_type": "funnel"})).json()["items"]
    assert [row["action"] for row in found] == [f"config.funnel.{what}" for what in ("deleted", "updated", "created")]
    assert {row["resource_id"] for row in found} == {made["id"]}


async def test_a_tenant_that_is_erased_leaves_no_funnels(office: Office) -> None:
    await saved(office)
    tenant_id = office.source.tenant.id
    async with office.app.app.storage.tenant(tenant_id) as connection:
        summaries = await office.app.app.hooks.gather(data.summarize_tenant, connection, tenant_id)
        assert {"saved funnels": 1} in [summary.unwrap() for summary in summaries]
        for erased in await office.app.app.hooks.gather(data.erase_tenant, connection, tenant_id):
            erased.unwrap()
        assert await connection.scalar(text("SELECT count(*) FROM funnels.saved")) == 0


async def test_the_page_keeps_renames_and_deletes(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    address = "step=start&step=done&window=1h"

    async def send(path: str, **form: str) -> str:
        answer = await office.client.post(f"{path}?{address}", data=form)
        assert answer.status_code == 303, answer.text
        location: str = answer.headers["location"]
        return location

    location = await send("/funnel/saved", name="Returns")
    found = re.search(r"saved=([0-9a-f-]{36})", location)
    assert found is not None
    assert await names(office) == ["Returns"]
    page = await office.page(f"/funnel?saved={found[1]}")
    assert "Returns" in page
    assert "Save changes" not in page
    page = await office.page(f"/funnel?{address}&order=strict&saved={found[1]}")
    assert "Save changes" in page
    answer = await office.client.post(f"/funnel/saved/{found[1]}/update?{address}&order=strict&saved={found[1]}")
    assert answer.status_code == 303
    one = (await office.client.get(f"/api/funnel/saved/{found[1]}")).json()
    assert one["definition"]["order"] == "strict"
    await send(f"/funnel/saved/{found[1]}/rename", name="Filed")
    assert await names(office) == ["Filed"]
    await send("/funnel/saved", name="filed")
    assert await names(office) == ["Filed"]
    assert "saved" not in await send(f"/funnel/saved/{found[1]}/delete")
    assert await names(office) == []
