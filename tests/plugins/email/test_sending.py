"""Mails reach real servers, are tried again, and are given up with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text, update

from chatnation import ChatnationError, Mail, Tenant, mailer_of
from chatnation.core.mail import CORE_MAILS
from chatnation.core.storage.models import tenants
from chatnation.plugins.email.settings import EmailSettings, EmailTenantSettings
from chatnation.testing import MakeApp, RunningApp
from tests.plugins.email.carriers import ACCOUNT, SMTP_PASSWORD, resend, smtp

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # It is TLS all the time.

LINK = "https://example.org/accept?token=s3cret-t0ken"
INVITE = {"workspace": "KRA & <Co>", "inviter": "Wanjiku", "role": "agent", "link": LINK, "days": 7}
LOOPBACK = {"outgoing_allowed": "127.0.0.0/8"}


def smtp_settings(port: int, **more: Any) -> dict[str, dict[str, Any]]:
    given = {"driver": "smtp", "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none"}
    return {"email": {**given, "first_pause_seconds": 0, "sender": "Chatnation <no-reply@example.org>", **more}}


async def send(running: RunningApp, tenant: Tenant | None, *, to: str = "new@example.org", **more: Any) -> None:
    mail = Mail(to, "invite", INVITE, tenant.id if tenant else None, **more)
    async with running.app.storage.system("a mail of a test") as connection:
        await mailer_of(running.app).send(connection, mail)


async def outbox(running: RunningApp) -> list[Any]:
    async with running.app.storage.system("look at the outbox") as connection:
        return list(await connection.execute(text("SELECT * FROM email.outbox ORDER BY created_at, id")))


async def test_a_mail_goes_out_as_text_and_html_once_what_made_it_necessary_is_committed(make_app: MakeApp) -> None:
    with smtp() as server:
        running = await make_app(plugin_settings=smtp_settings(server.port))
        tenant = (await running.source()).tenant
        with pytest.raises(RuntimeError):
            async with running.app.storage.tenant(tenant.id) as connection:
                await mailer_of(running.app).send(connection, Mail("a@example.org", "invite", INVITE, tenant.id))
                raise RuntimeError
        await send(running, tenant, reply_to="wanjiku@example.org")
        await running.run_jobs()
    (message,) = server.messages
    assert server.recipients == ["new@example.org"]
    assert message["Subject"] == "Wanjiku invites you to KRA & <Co>"
    assert tenant.name in message["From"]
    assert "no-reply@example.org" in message["From"]
    assert message["Reply-To"] == "wanjiku@example.org"
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert LINK in plain.get_content()
    assert f'href="{LINK}"' in html.get_content()
    assert "KRA &amp; &lt;Co&gt;" in html.get_content()
    (row,) = await outbox(running)
    assert (row.state, row.attempts, row.sealed_values, row.error) == ("sent", 1, None, None)


async def test_what_a_mail_says_is_sealed_while_it_waits(make_app: MakeApp) -> None:
    running = await make_app(plugin_settings=smtp_settings(1))
    await send(running, None)
    (row,) = await outbox(running)
    assert row.state == "waiting"
    assert "s3cret" not in str(row)
    async with running.app.storage.system("look at the jobs") as connection:
        payloads = await connection.scalars(text("SELECT convert_from(payload, 'UTF8') FROM jobs.queue"))
        assert not [payload for payload in payloads if "s3cret" in payload]


@pytest.mark.parametrize("tls_first", [False, True])
async def test_connections_are_encrypted_and_certificates_checked(
    make_app: MakeApp, tmp_path: Path, tls_first: bool
) -> None:
    with smtp(tmp_path, tls_first=tls_first, account=True) as server:
        how = {"smtp_security": "tls" if tls_first else "starttls", "smtp_username": ACCOUNT}
        trusting = {**how, "smtp_password": SMTP_PASSWORD, "smtp_ca_file": tmp_path / "certificate.pem"}
        running = await make_app(plugin_settings=smtp_settings(server.port, **trusting))
        await send(running, None)
        await running.run_jobs()
        assert server.encrypted == [True]
        strict = smtp_settings(server.port, **{**trusting, "smtp_ca_file": None, "attempts": 1})
        running = await make_app(plugin_settings=strict)
        await send(running, None)
        await running.run_jobs()
    (row,) = await outbox(running)
    assert row.state == "given_up"
    assert "No safe connection" in row.error
    assert len(server.messages) == 1


async def test_a_wrong_password_is_told_without_the_password(make_app: MakeApp, tmp_path: Path) -> None:
    with smtp(tmp_path, tls_first=True, account=True) as server:
        how = {"smtp_security": "tls", "smtp_username": ACCOUNT, "smtp_password": "wr0ng-s3cret", "attempts": 1}
        settings = smtp_settings(server.port, smtp_ca_file=tmp_path / "certificate.pem", **how)
        running = await make_app(plugin_settings=settings)
        await send(running, None)
        await running.run_jobs()
    (row,) = await outbox(running)
    assert "does not accept our account" in row.error
    assert "wr0ng" not in row.error


async def test_a_mail_that_cannot_be_taken_now_is_tried_again(make_app: MakeApp) -> None:
    with smtp() as server:
        server.answers = ["451 later", "451 later"]
        running = await make_app(plugin_settings=smtp_settings(server.port))
        await send(running, None)
        await running.run_jobs()
    assert len(server.messages) == 1
    (row,) = await outbox(running)
    assert (row.state, row.attempts) == ("sent", 3)


async def test_a_mail_that_nobody_takes_is_given_up_and_the_tenant_sees_why(make_app: MakeApp) -> None:
    with smtp() as server:
        server.answers = ["550 no such mailbox here"]
        running = await make_app(plugin_settings=smtp_settings(server.port))
        tenant = (await running.source()).tenant
        await send(running, tenant)
        await send(running, tenant, to="not an address")
        await running.run_jobs()
        stranger = await running.client(await running.person((await running.source()).tenant))
    assert server.messages == []
    client = await running.client(await running.person(tenant))
    items = (await client.get("/api/email/outbox", params={"state": "given_up"})).json()["items"]
    assert {item["error"] for item in items} == {
        "The SMTP server answers 550: no such mailbox here",
        "This is no e-mail address.",
    }
    page = (await client.get("/settings/outbox", headers={"Accept": "text/html"})).text
    assert "no such mailbox here" in page
    assert "s3cret" not in page
    assert (await stranger.get("/api/email/outbox")).json()["items"] == []
    told = (await client.get("/api/audit-logs", params={"action": "email.mail.given_up"})).json()["items"]
    assert len(told) == 2
    assert "new@example.org" not in str(told)


async def test_a_mail_is_given_up_after_its_last_try(make_app: MakeApp) -> None:
    running = await make_app(plugin_settings=smtp_settings(1, attempts=3))
    await send(running, None)
    await running.run_jobs()
    (row,) = await outbox(running)
    assert (row.state, row.attempts, row.sealed_values) == ("given_up", 3, None)
    assert "cannot be reached" in row.error


async def test_of_mails_with_one_key_only_the_first_is_sent(make_app: MakeApp) -> None:
    with smtp() as server:
        running = await make_app(plugin_settings=smtp_settings(server.port))
        one, other = (await running.source()).tenant, (await running.source()).tenant
        for tenant in (one, one, other):
            await send(running, tenant, dedupe_key="invite:1")
        await running.run_jobs()
    assert len(server.messages) == 2


async def test_a_mail_whose_job_was_lost_is_found_by_the_schedule(make_app: MakeApp) -> None:
    with smtp() as server:
        running = await make_app(plugin_settings=smtp_settings(server.port))
        await send(running, None)
        async with running.app.storage.system("lose a job") as connection:
            await connection.execute(text("DELETE FROM jobs.queue"))
            await running.app.jobs.enqueue(connection, "email.send_due", {})
        await running.run_jobs()
    assert len(server.messages) == 1


async def test_resend_gets_the_mail_and_recognises_a_repetition(make_app: MakeApp) -> None:
    async with resend() as api:
        api.answers = [(500, {"message": "oh"}), (429, {"message": "slowly"})]
        given = {"driver": "resend", "resend_url": api.url, "resend_api_key": "re_s3cret", "first_pause_seconds": 0}
        running = await make_app(plugin_settings={"email": given}, settings=LOOPBACK)
        await send(running, None, reply_to="wanjiku@example.org")
        await running.run_jobs()
    assert len({headers["idempotency-key"] for headers, _ in api.requests}) == 1
    headers, body = api.requests[-1]
    assert headers["authorization"] == "Bearer re_s3cret"
    assert (body["to"], body["reply_to"]) == (["new@example.org"], "wanjiku@example.org")
    assert LINK in body["text"]
    (row,) = await outbox(running)
    assert (row.state, row.attempts, row.reference) == ("sent", 3, "re_123")


async def test_what_resend_refuses_for_good_is_given_up_at_once(make_app: MakeApp) -> None:
    async with resend() as api:
        api.answers = [(422, {"message": "The domain is not verified"})]
        given = {"driver": "resend", "resend_url": api.url, "resend_api_key": "re_s3cret"}
        running = await make_app(plugin_settings={"email": given}, settings=LOOPBACK)
        await send(running, None)
        await running.run_jobs()
    (row,) = await outbox(running)
    assert (row.state, row.error) == ("given_up", "Resend refuses it: The domain is not verified")


async def test_the_words_of_a_tenant_are_used_and_cannot_inject_anything(make_app: MakeApp) -> None:
    with smtp() as server:
        running = await make_app(plugin_settings=smtp_settings(server.port))
        tenant = (await running.source()).tenant
        messages = {
            "inviteEmailSubject": "{{inviterName}} calls\r\nBcc: all@example.org",
            "inviteEmailBody": "<script>x</script> come to {{workspaceName}}, {{ 7*7 }} {{unknown}}",
        }
        async with running.app.storage.system("words of a test") as connection:
            await connection.execute(
                update(tenants).where(tenants.c.id == tenant.id).values(settings={"systemMessages": messages})
            )
        words = EmailTenantSettings(sender_name="Tax\r\nBcc: all@example.org")
        await running.app.tenant_settings.put(tenant.id, "email", words)
        await send(running, tenant)
        await running.run_jobs()
    (message,) = server.messages
    assert message["Bcc"] is None
    assert message["Subject"] == "Wanjiku calls Bcc: all@example.org"
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "come to KRA & <Co>, {{ 7*7 }} {{unknown}}" in " ".join(plain.get_content().split())
    assert LINK in plain.get_content()
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


async def test_a_mail_looks_like_the_tenants_and_can_be_read(make_app: MakeApp) -> None:
    with smtp() as server:
        running = await make_app(plugin_settings=smtp_settings(server.port))
        tenant = (await running.source()).tenant
        async with running.app.storage.system("the brand of a test") as connection:
            look = {"appName": "Ushuru <Desk>", "primaryColor": "#ffee00"}
            await connection.execute(update(tenants).where(tenants.c.id == tenant.id).values(settings=look))
        await running.app.versions.poll()
        await send(running, tenant)
        await running.run_jobs()
    html = server.messages[0].get_body(("html",))
    assert html is not None
    assert "Ushuru &lt;Desk&gt;" in html.get_content()
    assert "#ffee00" not in html.get_content(), "nobody can read white on yellow"


async def test_an_unknown_mail_or_one_that_lacks_a_value_is_refused_when_it_is_sent(make_app: MakeApp) -> None:
    running = await make_app(plugin_settings=smtp_settings(1))
    for mail in (Mail("a@example.org", "poem", {}, None), Mail("a@example.org", "invite", {"link": LINK}, None)):
        with pytest.raises(ChatnationError):
            async with running.app.storage.system("a mail of a test") as connection:
                await mailer_of(running.app).send(connection, mail)


@pytest.mark.parametrize("template", [mail.name for mail in CORE_MAILS])
async def test_every_mail_of_the_core_can_be_composed(template: str) -> None:
    from chatnation.plugins.email.composing import compose

    (mail,) = [mail for mail in CORE_MAILS if mail.name == template]
    values = {name: LINK if name == "link" else f"<{name}>" for name in mail.values}
    composed = compose(template, values, brand="KRA")
    assert composed.subject
    assert "\n" not in composed.subject
    for name, value in values.items():
        if name in {"link", "code", "minutes", "hours", "days", "device", "time"}:
            assert value in composed.text
    assert "<code>" not in composed.html
    words = EmailTenantSettings().words(template)
    assert words == ("", "")


@pytest.mark.parametrize("given", [{"driver": "smtp"}, {"driver": "resend"}, {"driver": "pigeon"}])
def test_a_driver_without_what_it_needs_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        EmailSettings.model_validate(given)
