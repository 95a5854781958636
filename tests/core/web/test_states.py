"""What the web makes of plugins that are off for a tenant, or not well."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl
from chatnation.core.context import Actor
from chatnation.core.plugin.inventory import State
from chatnation.testing.apps import MakeApp
from tests.core.web.conftest import Street, csrf_token
from tests.core.web.shop import Shop


async def test_a_plugin_that_is_off_for_a_tenant_is_not_there_for_it(street: Street) -> None:
    other = await street.app.source("Soko")
    elsewhere = await street.app.client(await street.app.person(other.tenant))
    await street.app.app.switches.switch(street.source.tenant.id, "shop", enabled=False)
    assert (await street.buyer.get("/api/corner/shop/things/tea")).status_code == 404
    assert (await street.buyer.get("/corner/shop")).status_code == 404
    assert (await elsewhere.get("/api/corner/shop/things/tea")).status_code == 200
    page = await street.buyer.get("/login", headers={"Accept": "text/html"}, follow_redirects=False)
    assert page.status_code == 303


async def test_a_degraded_plugin_answers_503_with_its_name(street: Street) -> None:
    street.app.app.inventory.settle("shop", State.DEGRADED, "for this test")
    answer = await street.buyer.get("/api/corner/shop/things/tea")
    assert (answer.status_code, answer.json()["code"]) == (503, "plugin_unavailable")
    assert "shop" in answer.json()["detail"]
    assert answer.headers["retry-after"]
    page = await street.buyer.get("/corner/shop", headers={"Accept": "text/html"})
    assert (page.status_code, "shop" in page.text) == (503, True)


class Veto(Plugin):
    """Says no

    To everything that somebody called Eve may not buy.
    """

    name = "veto"
    broken = False

    @hookimpl
    async def check_permission(self, actor: Actor, permission: str) -> bool | None:
        if Veto.broken:
            raise RuntimeError
        return False if permission == "shop.buy" else None


async def test_a_plugin_may_veto_what_the_role_allows_and_a_broken_one_refuses(make_app: MakeApp) -> None:
    app = await make_app(Shop, Veto)
    source = await app.source()
    client = await app.client(await app.person(source.tenant))
    headers = {"X-CSRF-Token": await csrf_token(client)}
    refused = await client.delete("/api/corner/shop/orders/1", headers=headers)
    assert refused.status_code == 403
    assert (await client.get("/api/corner/shop/things/tea")).status_code == 200
    Veto.broken = True
    try:
        assert (await client.get("/till")).status_code == 403
    finally:
        Veto.broken = False


class Badge(Plugin):
    """Lets in who shows a badge"""

    name = "badge"

    @hookimpl
    async def startup(self, app: App) -> None:
        self.app = app

    @hookimpl
    async def resolve_actor(self, request: object) -> Actor | None:
        headers = request.headers  # type: ignore[attr-defined]
        if headers.get("x-badge") != "yes":
            return None
        return Actor(tenant=self.tenant, permissions=frozenset({"shop.buy"}))


async def test_a_plugin_may_recognise_who_asks(make_app: MakeApp) -> None:
    app = await make_app(Shop, Badge)
    source = await app.source("Duka")
    badge = app.app.inventory["badge"].plugin
    assert badge is not None
    badge.tenant = source.tenant  # type: ignore[attr-defined]
    client = await app.client()
    assert (await client.get("/api/corner/shop/things/tea")).status_code == 401
    answer = await client.get("/api/corner/shop/things/tea", headers={"X-Badge": "yes"})
    assert answer.json()["tenant"] == "duka"
