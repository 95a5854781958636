"""Keys and projects over HTTP: for people and for programs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import MakeApp
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import track
from tests.core.web.settings.office import Office

pytestmark = pytest.mark.anyio


async def capture(client: httpx.AsyncClient, key: str) -> int:
    answer = await client.post("/v1/capture", json={"batch": [track("hello")]}, headers={"X-Write-Key": key})
    return answer.status_code


async def test_a_key_is_told_once_and_works_until_it_is_revoked(office: Office) -> None:
    made = await office.send("POST", "/settings/keys", {"name": "website"})
    assert made.status_code == 201, made.text
    key = made.json()
    assert key["key"].startswith(key["prefix"])
    assert await capture(office.client, key["key"]) == 200
    assert key["key"] not in (await office.send("GET", "/settings/keys")).text
    revoked = await office.send("PATCH", f"/settings/keys/{key['id']}/revoke")
    assert revoked.json()["revoked_at"]
    await office.app.app.versions.poll()
    assert await capture(office.client, key["key"]) == 401
    assert (await office.send("PATCH", f"/settings/keys/{key['id']}/revoke")).status_code == 404
    assert [record["prefix"] for record in await office.records("config.key.revoked")] == [key["prefix"]]
    assert key["key"] not in str(await office.records("config.key.created"))


async def test_a_replaced_key_goes_on_until_its_overlap_ends(make_app: MakeApp) -> None:
    clock = FakeClock()
    app = await make_app(clock=clock)
    source = await app.source("Revenue")
    office = Office(app, source, await app.client(await app.person(source.tenant)))
    old = (await office.send("POST", "/settings/keys", {"name": "website"})).json()
    new = await office.send("POST", f"/settings/keys/{old['id']}/rotate", {"overlap_minutes": 60})
    assert new.status_code == 201, new.text
    await app.app.versions.poll()
    assert [await capture(office.client, key) for key in (old["key"], new.json()["key"])] == [200, 200]
    clock.move(timedelta(minutes=61))
    assert [await capture(office.client, key) for key in (old["key"], new.json()["key"])] == [401, 200]
    again = await office.send("POST", f"/settings/keys/{old['id']}/rotate", {"overlap_minutes": 60})
    assert (again.status_code, again.json()["code"]) == (409, "impossible")


async def test_a_key_without_overlap_ends_at_once(office: Office) -> None:
    old = (await office.send("POST", "/settings/keys", {"name": "website"})).json()
    await office.send("POST", f"/settings/keys/{old['id']}/rotate", {"overlap_minutes": 0})
    await office.app.app.versions.poll()
    assert await capture(office.client, old["key"]) == 401


async def test_a_new_key_lasts_as_long_as_the_one_it_replaces(office: Office) -> None:
    ends = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    old = (await office.send("POST", "/settings/keys", {"name": "website", "expires_at": ends})).json()
    new = (await office.send("POST", f"/settings/keys/{old['id']}/rotate", {"overlap_minutes": 60})).json()
    lasts = datetime.fromisoformat(new["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30, minutes=1)


async def test_a_key_may_do_no_more_than_whoever_makes_it(office: Office) -> None:
    developer = await office.as_role(RoleName.DEVELOPER)
    refused = await developer.send("POST", "/settings/keys", {"name": "x", "type": "read", "scopes": ["users.manage"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    plain = await developer.send("POST", "/settings/keys", {"name": "reports", "type": "read"})
    assert plain.json()["scopes"] == ["analytics.view"]
    strong = await office.send("POST", "/settings/keys", {"name": "x", "type": "read", "scopes": ["users.manage"]})
    taken = await developer.send("POST", f"/settings/keys/{strong.json()['id']}/rotate", {"overlap_minutes": 0})
    assert taken.status_code == 403


SENSELESS: list[dict[str, object]] = [
    {"name": ""},
    {"name": "x", "type": "master"},
    {"name": "x", "scopes": ["analytics.view"]},
    {"name": "x", "type": "read", "scopes": ["no.such"]},
    {"name": "x", "project": "nowhere"},
    {"name": "x", "allowed_origins": ["not an origin"]},
    {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
    {"name": "x", "expires_at": "2030-01-01T00:00:00"},
    {"name": "x", "tenant_id": 1},
]


async def test_a_senseless_key_is_refused(office: Office) -> None:
    for body in SENSELESS:
        answer = await office.send("POST", "/settings/keys", body)
        assert answer.status_code == 422, (body, answer.text)


async def test_keys_and_projects_of_others_do_not_exist(office: Office) -> None:
    key = (await office.send("POST", "/settings/keys", {"name": "website"})).json()
    stranger = await office.stranger()
    for method, path, body in (
        ("PATCH", f"/settings/keys/{key['id']}/revoke", None),
        ("DELETE", f"/settings/keys/{key['id']}", None),
        ("POST", f"/settings/keys/{key['id']}/rotate", {"overlap_minutes": 0}),
        ("GET", f"/settings/projects/{office.source.project.slug}", None),
        ("PATCH", f"/settings/projects/{office.source.project.slug}", {"name": "Mine"}),
    ):
        assert (await stranger.send(method, path, body)).status_code == 404, path
    assert key["prefix"] not in (await stranger.send("GET", "/settings/keys")).text
    assert await capture(office.client, key["key"]) == 200


async def test_an_agent_sees_no_keys(office: Office) -> None:
    agent = await office.as_role(RoleName.AGENT)
    assert (await agent.send("GET", "/settings/keys")).status_code == 403
    assert (await agent.client.get("/settings/keys")).status_code == 403


async def test_on_the_page_a_key_is_made_shown_once_replaced_and_revoked(office: Office) -> None:
    made = await office.form(
        "/settings/keys", "/settings/keys", name="Kiosk", type="write", days="90", origins="https://a.example.org"
    )
    secret = re.search(r"cn_write_[A-Za-z0-9]{32}", made.text)
    assert secret
    page = await office.page("/settings/keys")
    assert "Kiosk" in page
    assert secret[0] not in page
    assert "https://a.example.org" in page
    key_id = re.findall(r"/settings/keys/(\d+)/rotate", page)[0]
    replaced = await office.form(f"/settings/keys/{key_id}/rotate", "/settings/keys", overlap="60")
    assert "goes on until" in replaced.text
    done = await office.form(f"/settings/keys/{key_id}/revoke", "/settings/keys")
    assert done.status_code == 303
    assert "Revoked and ended keys" in await office.page("/settings/keys")


async def test_a_refused_form_says_why_and_keeps_what_was_typed(office: Office) -> None:
    answer = await office.form("/settings/keys", "/settings/keys", name="Kiosk", type="write", origins="nonsense")
    assert answer.status_code == 422
    assert "is not an origin" in answer.text
    assert 'value="Kiosk"' in answer.text
    assert "data-open" in answer.text


async def test_a_project_is_made_and_changed_and_collectors_follow(office: Office) -> None:
    made = await office.send("POST", "/settings/projects", {"name": "Tax portal"})
    assert (made.status_code, made.json()["slug"]) == (201, "tax-portal")
    assert (await office.send("POST", "/settings/projects", {"name": "Tax portal"})).status_code == 409
    key = (await office.send("POST", "/settings/keys", {"name": "web", "project": "tax-portal"})).json()["key"]
    change = {"allowed_origins": ["https://tax.example.org"], "masking": {"pin": "hash"}, "ip_mode": "never"}
    changed = await office.send("PATCH", "/settings/projects/tax-portal", change)
    assert changed.json() == made.json() | change
    await office.app.app.versions.poll()
    headers = {"X-Write-Key": key, "Origin": "https://elsewhere.example.org"}
    refused = await office.client.post("/v1/capture", json={"batch": [track("hello")]}, headers=headers)
    assert refused.status_code == 403
    assert (await office.records("config.project.updated"))[0]["changed"]["masking"] == {
        "from": {},
        "to": {"pin": "hash"},
    }


async def test_the_editor_of_rules_adds_changes_and_takes_away(office: Office) -> None:
    path = f"/settings/projects/{office.source.project.slug}"
    given = {"name": "Website", "origins": "*", "ip_mode": "mask"}
    done = await office.form(path, path, **given, property=["pin", "email", ""], rule=["hash", "drop", "drop"])
    assert done.status_code == 303
    assert (await office.send("GET", path)).json()["masking"] == {"pin": "hash", "email": "drop"}
    await office.form(path, path, **given, property=["pin", "email", ""], rule=["mask", "none", "drop"])
    found = (await office.send("GET", path)).json()
    assert (found["masking"], found["name"]) == ({"pin": "mask"}, "Website")
    refused = await office.form(path, path, **{**given, "origins": ""}, property=["pin"], rule=["drop"])
    assert refused.status_code == 422
    assert "take no events from browsers" in refused.text


async def test_keys_of_the_setup_page_are_recorded_like_the_others(office: Office) -> None:
    await office.form("/setup/keys", "/setup", name="Site", project=office.source.project.slug)
    (key,) = [key for key in (await office.send("GET", "/settings/keys")).json()["keys"] if key["name"] == "Site"]
    assert key["created_by"] == "Somebody"
    await office.form(f"/setup/keys/{key['id']}/revoke", "/setup", project=office.source.project.slug)
    for verb in ("created", "revoked"):
        assert [record["prefix"] for record in await office.records(f"config.key.{verb}")] == [key["prefix"]]
