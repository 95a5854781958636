"""What the core has to say arrives: an invitation, a link to choose a new password, a notice that it was changed."""

from __future__ import annotations

import re

from chatnation.testing import MakeApp
from tests.plugins.email.carriers import Received, smtp
from tests.plugins.email.test_sending import smtp_settings


def last(server: Received) -> str:
    """The text of the last mail."""
    body = server.messages[-1].get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_an_invitation_and_a_reset_arrive_with_links_that_work(make_app: MakeApp) -> None:
    with smtp() as server:
        running = await make_app(
            plugin_settings=smtp_settings(server.port), settings={"public_url": "http://testserver"}
        )
        person = await running.person((await running.source()).tenant)
        admin = await running.client(person)
        csrf = {"X-CSRF-Token": (await admin.get("/api/auth/me")).json()["csrf_token"]}
        body = {"email": "new@example.org", "role": "agent"}
        invited = await admin.post("/api/tenants/current/invitations", json=body, headers=csrf)
        assert invited.status_code in {200, 201}, invited.text
        await running.run_jobs()
        assert server.recipients == ["new@example.org"]
        stranger = await running.client(headers={"Accept": "text/html"})
        (link,) = re.findall(r"http://testserver(/invitation\S+)", last(server))
        assert (await stranger.get(link)).status_code == 200
        asked = await stranger.post("/api/auth/forgot-password", json={"email": person.email})
        assert asked.is_success
        await running.run_jobs()
        assert server.recipients[-1] == person.email
        (token,) = re.findall(r"/reset-password\?token=(\S+)", last(server))
        new = {"token": token, "new_password": "An0ther-good-passphrase!"}
        reset = await stranger.post("/api/auth/reset-password", json=new)
        assert reset.status_code == 200, reset.text
        await running.run_jobs()
        assert server.messages[-1]["Subject"] == "Your password was changed"
    assert not running.app.boundary.failures
