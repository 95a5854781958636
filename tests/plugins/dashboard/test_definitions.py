"""The page that says what each number means."""

from __future__ import annotations

import pytest

from chatnation.core.context import Tenant
from chatnation.plugins.dashboard.api import AnalyticsQuery, Card, Kpi, View
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.testing.apps import MakeApp, RunningApp


async def text_of(app: RunningApp, tenant: Tenant) -> str:
    client = await app.client(await app.person(tenant))
    answer = await client.get("/definitions")
    assert answer.status_code == 200
    return answer.text


async def test_a_card_leads_to_the_definition_of_its_number(make_app: MakeApp) -> None:
    app = await make_app()
    tenant = (await app.source()).tenant
    page = await (await app.client(await app.person(tenant))).get("/overview/parts/figures")
    assert 'href="/definitions#overview.sessions"' in page.text
    assert 'id="overview.sessions"' in await text_of(app, tenant)


async def test_only_what_runs_for_the_tenant_is_defined(make_app: MakeApp) -> None:
    app = await make_app(settings={"plugins_disabled": "overview"})
    assert "overview.sessions" not in await text_of(app, (await app.source()).tenant)


async def test_without_any_number_the_page_says_so(make_app: MakeApp) -> None:
    app = await make_app(DashboardPlugin)
    assert "No definitions" in await text_of(app, (await app.source()).tenant)


async def figures(view: View[AnalyticsQuery]) -> list[Kpi]:
    return []


def test_a_card_without_a_definition_has_that_of_its_metric() -> None:
    known = {"returns.filed": "Returns that were filed."}
    assert Card("filed", "Filed", figures, metric="returns.filed").defined(known).definition == known["returns.filed"]
    assert Card("filed", "Filed", figures, "Others.", metric="returns.filed").defined(known).definition == "Others."
    assert Card("filed", "Filed", figures).defined(known).definition == ""


def test_a_card_whose_metric_nobody_defines_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'returns.filed' is no metric"):
        Card("filed", "Filed", figures, metric="returns.filed").defined({})
