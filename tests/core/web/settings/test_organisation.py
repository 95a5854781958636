"""What an organisation sets about itself, and where it shows."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chatnation.core.auth.brands import Brand
from chatnation.core.auth.colours import DARK_SURFACE, ENOUGH, contrast, palette
from chatnation.core.auth.permissions import RoleName
from tests.core.web.settings.office import HTML, Office

pytestmark = pytest.mark.anyio

CURRENT = "/tenants/current"


async def set_(office: Office, **settings: Any) -> dict[str, Any]:
    answer = await office.send("PATCH", CURRENT, {"settings": settings})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["settings"]
    return found


async def test_settings_are_merged_at_every_depth_and_null_takes_one_away(office: Office) -> None:
    await set_(office, session={"singleLoginEnforced": True}, appName="Ushuru")
    assert await set_(office, session={"inactivityTimeoutMinutes": 30}) == {
        "session": {"singleLoginEnforced": True, "inactivityTimeoutMinutes": 30},
        "appName": "Ushuru",
        "timezone": "Africa/Nairobi",
    }
    left = await set_(office, session={"singleLoginEnforced": None, "inactivityTimeoutMinutes": None}, appName=None)
    assert left == {"timezone": "Africa/Nairobi"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"colour": "red"}, "settings.colour"),
    ({"session": {"idle": 5}}, "settings.session.idle"),
    ({"session": {"inactivityTimeoutMinutes": "30"}}, "settings.session.inactivityTimeoutMinutes"),
    ({"session": {"inactivityTimeoutMinutes": 10_080}}, "settings.session.inactivityTimeoutMinutes"),
    ({"twoFactorRequired": "yes"}, "settings.twoFactorRequired"),
    ({"inbox": {"resolvedChatsPeriodDays": 3}}, "settings.inbox.resolvedChatsPeriodDays"),
    ({"primaryColor": "red"}, "settings.primaryColor"),
    ({"logoUrl": "javascript:alert(1)"}, "settings.logoUrl"),
    ({"logoUrl": "http://example.org/logo.png"}, "settings.logoUrl"),
    ({"logoUrl": "//example.org/logo.png"}, "settings.logoUrl"),
    ({"logoUrl": "https://a.example.org; script-src *"}, "settings.logoUrl"),
    ({"timezone": "Mars/Olympus"}, "settings.timezone"),
    ({"customDomain": "not a host"}, "settings.customDomain"),
    ({"navLabels": {"overview": "x" * 41}}, "settings.navLabels"),
    ({"navLabels": {"no-such-page": "Here"}}, "settings.navLabels.no-such-page"),
    ({"passwordComplexity": {"minLength": 3}}, "settings.passwordComplexity.minLength"),
    ({"systemMessages": {"csatButtonText": "x" * 21}}, "settings.systemMessages.csatButtonText"),
    ({"systemMessages": {"inviteEmailBody": "{{password}}"}}, "settings.systemMessages.inviteEmailBody"),
]


async def test_what_is_unknown_or_wrong_is_refused_with_its_path(office: Office) -> None:
    for settings, path in WRONG:
        answer = await office.send("PATCH", CURRENT, {"settings": settings})
        assert answer.status_code == 422, (path, answer.text)
        assert [fault["path"] for fault in answer.json()["errors"]] == [path]


async def test_rules_for_passwords_have_to_fit_together(office: Office) -> None:
    await set_(office, passwordComplexity={"maxLength": 10})
    refused = await office.send("PATCH", CURRENT, {"settings": {"passwordComplexity": {"minLength": 12}}})
    assert refused.status_code == 422
    assert "minLength is more than maxLength" in refused.json()["detail"]


async def test_a_developer_changes_the_look_but_not_the_rules_for_logins(office: Office) -> None:
    developer = await office.as_role(RoleName.DEVELOPER)
    await set_(developer, appName="Ushuru")
    for guarded in ({"twoFactorRequired": True}, {"passwordComplexity": {"minLength": 12}}, {"passwordExpiryDays": 30}):
        refused = await developer.send("PATCH", CURRENT, {"settings": guarded})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    agent = await office.as_role(RoleName.AGENT)
    assert (await agent.send("PATCH", CURRENT, {"name": "Mine"})).status_code == 403
    assert (await agent.send("GET", CURRENT)).json()["settings"]["appName"] == "Ushuru"


async def test_a_change_is_recorded_without_the_words_of_messages(office: Office) -> None:
    await set_(office, appName="Ushuru", systemMessages={"csatBody": "Were we kind to you?"})
    (record,) = await office.records("config.settings.updated")
    assert record["changed"]["appName"] == {"from": None, "to": "Ushuru"}
    assert "kind" not in str(record)
    await set_(office, appName="Ushuru")
    assert len(await office.records("config.settings.updated")) == 1


async def test_a_new_name_and_time_zone_hold_at_once(office: Office) -> None:
    await office.send("PATCH", CURRENT, {"name": "Revenue Authority", "settings": {"timezone": "Asia/Tokyo"}})
    me = (await office.client.get("/api/auth/me")).json()
    assert (me["tenant_name"], me["timezone"]) == ("Revenue Authority", "Asia/Tokyo")
    stranger = await office.stranger()
    assert (await stranger.send("GET", CURRENT)).json()["timezone"] == "Africa/Nairobi"


async def test_the_brand_is_on_every_page_and_on_the_login_page_of_the_only_organisation(office: Office) -> None:
    await set_(office, appName="Ushuru", logoUrl="https://cdn.example.org/logo.png", primaryColor="#FFcc00")
    visitor = await office.app.client()
    for client, path in ((office.client, "/settings/organisation"), (visitor, "/login")):
        page = await client.get(path, headers=HTML)
        assert re.search(r"<title>[^<]* · Ushuru</title>", page.text), path
        assert 'src="https://cdn.example.org/logo.png"' in page.text
        assert "img-src https://cdn.example.org 'self'" in page.headers["content-security-policy"]
        assert '<link rel="stylesheet" href="/branding/ffcc00.css">' in page.text
    style = await visitor.get("/branding/ffcc00.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "immutable" in style.headers["cache-control"]
    assert (await visitor.get("/branding/nothex.css")).status_code == 404


async def test_with_two_organisations_the_login_page_is_of_neither_but_on_the_host_that_one_has(office: Office) -> None:
    await set_(office, appName="Ushuru", customDomain="Chat.Example.org")
    stranger = await office.stranger()
    await office.app.app.versions.poll()
    visitor = await office.app.client()
    assert "Sign in to Chatnation" in (await visitor.get("/login")).text
    assert "Sign in to Ushuru" in (await visitor.get("http://chat.example.org/login")).text
    taken = await stranger.send("PATCH", CURRENT, {"settings": {"customDomain": "chat.example.org"}})
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert "Ushuru" not in await stranger.page("/settings/organisation")


@pytest.mark.parametrize(
    ("logo", "origin"),
    [
        ("https://cdn.example.org:8443/logo.png", "https://cdn.example.org:8443"),
        ("/media/logo.png", None),
        ("http://example.org/logo.png", None),
        ("https://a.example.org;script-src/x.png", None),
        ("https://user@example.org/x.png", None),
        ("https://[broken", None),
    ],
)
def test_nothing_but_a_host_gets_from_a_logo_into_the_policy(logo: str, origin: str | None) -> None:
    assert Brand(logo=logo).logo_origin == origin


@pytest.mark.parametrize("colour", ["#ffcc00", "#066fd1", "#ffffff", "#000000", "#7f7f7f", "#00ff00", "#123456"])
def test_any_colour_becomes_one_that_can_be_read(colour: str) -> None:
    shades = palette(colour)
    assert contrast(shades.on_light, "#ffffff") >= ENOUGH
    assert contrast(shades.on_dark, DARK_SURFACE) >= ENOUGH
    assert contrast(shades.text_on_light, shades.on_light) >= ENOUGH
    assert contrast(shades.text_on_dark, shades.on_dark) >= ENOUGH


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert palette("#066fd1").on_light == "#066fd1"
    assert round(contrast("#000000", "#ffffff")) == 21


async def test_the_page_saves_what_was_typed_and_says_what_cannot_be(office: Office) -> None:
    path = "/settings/organisation"
    given = {"name": "Revenue", "timezone": "Africa/Kampala", "app_name": "Ushuru", "primary_color": "#ffcc00"}
    done = await office.form(path, path, **given, own_color="1", period="0.25", transfer_reason="1")
    assert done.status_code == 303
    assert (await office.send("GET", CURRENT)).json()["settings"] == {
        "timezone": "Africa/Kampala",
        "appName": "Ushuru",
        "primaryColor": "#ffcc00",
        "inbox": {"resolvedChatsPeriodDays": 0.25},
        "transferReasonRequired": True,
    }
    page = await office.page(path)
    assert "a darker shade" in page
    refused = await office.form(path, path, **{**given, "timezone": "Mars"}, logo_url="nonsense")
    assert refused.status_code == 422
    assert "2 of the fields" in refused.text
    assert 'value="nonsense"' in refused.text
    assert 'id="logoUrl-fault"' in refused.text
    await office.form(path, path, name="Revenue", timezone="Africa/Nairobi", period="")
    assert (await office.send("GET", CURRENT)).json()["settings"] == {"timezone": "Africa/Nairobi"}


async def test_labels_of_the_menu_are_changed_shown_escaped_and_reset(office: Office) -> None:
    path = "/settings/navigation"
    await office.form(path, path, **{"label-/overview": "Numbers <b>", "label-/settings/people": "Staff"})
    page = await office.page("/settings/people")
    assert "Numbers &lt;b&gt;" in page
    assert re.search(r'href="/settings/people"[^>]*>(?:<svg.*?</svg>)?Staff', page)
    await office.form(path, path, reset="/overview")
    assert await set_(office) == {"navLabels": {"settings/people": "Staff"}, "timezone": "Africa/Nairobi"}
    stranger = await office.stranger()
    assert "Staff" not in await stranger.page("/settings/people")


async def test_messages_are_changed_previewed_escaped_and_reset(office: Office) -> None:
    path = "/settings/system-messages"
    await office.form(path, path, csatHeader="Hi & hello", inviteEmailBody="Join {{workspaceName}}\r\n<i>now</i>")
    assert (await set_(office))["systemMessages"] == {
        "csatHeader": "Hi & hello",
        "inviteEmailBody": "Join {{workspaceName}}\n<i>now</i>",
    }
    page = await office.page(path)
    assert "Join Revenue Authority<br>&lt;i&gt;now&lt;/i&gt;" in page
    refused = await office.form(path, path, csatHeader="Hi", csatButtonText="{{name}}")
    assert refused.status_code == 422
    assert "is not known here" in refused.text
    await office.form(path, path, csatHeader="Hi & hello", reset="csatHeader")
    assert "systemMessages" not in await set_(office)
