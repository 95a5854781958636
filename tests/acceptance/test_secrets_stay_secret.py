"""A day in the life of secrets: whatever is typed, made, mailed or sealed is in no log, error, record or table."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Plugin, Service, hookimpl
from chatnation.core.mail import Mail, Mailer
from chatnation.testing.apps import PASSWORD, MakeApp, RunningApp
from chatnation.testing.events import track
from tests.acceptance.world import signed_in
from tests.plugins.bundled import bundled_plugins

NEW_PASSWORD = "Tausi-mweupe-anaruka-91"
WRONG_PASSWORD = "Tausi-mweusi-analala-17"
CLIENT_SECRET = "issuer-secret-kifunguo-5501"
LONG_PASSWORD = "Tembo-mkubwa-23-" * 100

sent: list[Mail] = []


class Carrier:
    """Keeps what would be mailed."""

    async def send(self, connection: AsyncConnection, mail: Mail) -> None:
        sent.append(mail)


class CarrierPlugin(Plugin):
    """Carrier

    Takes mails, so that the test knows the secrets in them.
    """

    name = "carrier"

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        return [Service(Mailer, Carrier())]


async def test_no_secret_is_in_logs_errors_records_metrics_or_tables(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.DEBUG, logger="chatnation")
    sent.clear()
    app = await make_app(*(plugin for plugin in bundled_plugins() if plugin.name != "email"), CarrierPlugin)
    source = await app.source("Safe")
    admin = await app.person(source.tenant)
    client = await signed_in(app, admin)
    settings = app.app.settings
    assert settings.secret_key is not None
    secrets = {
        "password": PASSWORD,
        "new password": NEW_PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "long password": LONG_PASSWORD[:60],
        "client secret": CLIENT_SECRET,
        "write key": source.write_key,
        "login": admin.token,
        "secret of the instance": settings.secret_key.get_secret_value(),
        "key that seals": "01" * 32,
    }
    refusals = await _use_everything(app, client, admin.email, secrets)
    assert len(secrets) > 16
    assert len(refusals) > 8
    told = {
        "the log": caplog.text,
        "errors": "\n".join(f"{answer.url.path} {answer.text}" for answer in refusals),
        **{path: (await client.get(path)).text for path in ("/-/plugins", "/-/health", "/-/metrics", "/-/versions")},
        "the audit log": (await client.get("/api/audit-logs", params={"limit": 100})).text,
        "the export of the audit log": (await client.get("/audit-logs/export.csv")).text,
        **await _tables(app),
    }
    assert "auth.login_failure" in told["the audit log"]
    leaks = [
        f"{name} in {where}" for where, content in told.items() for name, secret in secrets.items() if secret in content
    ]
    assert not leaks


async def _use_everything(
    app: RunningApp, client: httpx.AsyncClient, email: str, secrets: dict[str, str]
) -> list[httpx.Response]:
    """Makes and uses every kind of secret, and adds each to `secrets`; gives the answers that refused something."""
    refused: list[httpx.Response] = []

    async def ask(path: str, body: Any, status: int, method: str = "POST", **options: Any) -> dict[str, Any]:
        answer = await (options.pop("of", None) or client).request(method, path, json=body, **options)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        if status >= 400:
            refused.append(answer)
        made: dict[str, Any] = answer.json() if answer.content else {}
        return made

    stranger = await app.client()
    wrong = {"email": email, "password": WRONG_PASSWORD}
    await ask("/api/auth/login", wrong, 401, of=stranger)
    await ask("/api/auth/token", wrong, 401, of=stranger)
    await ask("/api/auth/login", {"email": 5, "password": WRONG_PASSWORD}, 422, of=stranger)
    await ask("/api/auth/login", {"email": email, "password": LONG_PASSWORD}, 422, of=stranger)
    await ask("/api/auth/confirm", {"password": WRONG_PASSWORD}, 403)
    await ask("/api/auth/change-password", {"current_password": WRONG_PASSWORD, "new_password": NEW_PASSWORD}, 403)
    await ask("/api/auth/change-password", {"current_password": [WRONG_PASSWORD]}, 422)

    tokens = await ask("/api/auth/token", {"email": email, "password": PASSWORD}, 200, of=stranger)
    secrets |= {"access token": tokens["access_token"], "refresh token": tokens["refresh_token"]}
    await ask("/api/auth/token/refresh", {"refresh_token": f"{tokens['refresh_token']}x"}, 401, of=stranger)
    for name in ("read", "server"):
        made = await ask("/api/settings/keys", {"name": name, "type": name}, 201)
        secrets[f"{name} key"] = made["key"]
        rotated = await ask(f"/api/settings/keys/{made['id']}/rotate", {"overlap_minutes": 0}, 201)
        secrets[f"rotated {name} key"] = rotated["key"]
    personal = await ask("/api/auth/tokens", {"name": "Program", "scopes": ["analytics.view"]}, 201)
    secrets["personal token"] = personal["token"]
    for secret in (secrets["write key"], f"{personal['token']}x"):
        headers = {"Authorization": f"Bearer {secret}"}
        await ask("/api/overview", None, 401, method="GET", of=stranger, headers=headers)
    capture = {"batch": [track("paid")], "sent_at": None}
    await ask("/v1/capture", capture, 401, of=stranger, headers={"X-Write-Key": secrets["read key"]})
    await ask("/v1/capture", capture, 401, of=stranger, headers={"X-Write-Key": f"{secrets['write key']}x"})

    sso = {
        "issuer": "https://issuer.example",
        "client_id": "us",
        "domains": ["safe.example"],
        "client_secret": CLIENT_SECRET,
    }
    await ask("/api/settings/sso", sso, 422, method="PUT")  # There is no such issuer.
    await ask("/api/settings/sso", {**sso, "issuer": 7}, 422, method="PUT")

    await ask("/api/tenants/current/invitations", {"email": "new@safe.example", "role": "agent"}, 201)
    secrets["invitation"] = _token(sent[-1])
    claim = {"token": secrets["invitation"], "password": "short", "name": "New"}
    await ask("/api/invitations/claim", claim, 422, of=stranger)
    await ask("/api/auth/forgot-password", {"email": email}, 200, of=stranger)
    await app.run_jobs()
    secrets["reset link"] = _token(sent[-1])
    await ask("/api/auth/reset-password", {"token": secrets["reset link"], "new_password": "short"}, 422, of=stranger)

    started = await ask("/api/auth/2fa/setup", {"factor": "totp", "password": PASSWORD}, 200)
    secrets["second factor"] = started["secret"]
    secrets["challenge"] = started["challenge"]
    code = pyotp.TOTP(started["secret"]).now()
    done = await ask("/api/auth/2fa/setup/verify", {"challenge": started["challenge"], "code": code}, 200)
    secrets |= {f"recovery code {number}": code for number, code in enumerate(done["recovery_codes"])}
    pending = await stranger.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    assert pending.status_code < 300
    refused.append(await stranger.post("/api/auth/2fa/verify", json={**pending.json(), "code": "000000"}))
    return refused


def _token(mail: Mail) -> str:
    return parse_qs(urlsplit(mail.values["link"]).query)["token"][0]


async def _tables(app: RunningApp) -> dict[str, str]:
    """The text of every table of the database, those of jobs and plugins included."""
    found = {}
    async with app.app.storage.system("look for secrets in clear") as connection:
        tables = await connection.execute(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
        )
        for (table,) in list(tables):
            found[table] = await connection.scalar(text(f"SELECT string_agg(t::text, E'\\n') FROM {table} t")) or ""
    return found
