"""What happens to mails while nothing sends them."""

from __future__ import annotations

import logging

import pytest

from chatnation.core.mail import CORE_MAILS, ConsoleMailer, Mail, mailer_of, masked
from chatnation.core.storage.storage import Storage
from chatnation.testing import MakeApp

RESET = Mail("wanjiku@example.org", "reset_password", {"name": "W", "link": "https://x/?token=s3cret", "hours": 24}, 1)


async def test_the_log_says_that_no_mail_was_sent_and_never_what_it_said(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with storage.system("a mail of a test") as connection:
            await ConsoleMailer().send(connection, RESET)
            assert caplog.text == ""
    assert "CHATNATION_EMAIL_DRIVER" in caplog.text
    assert "w***@example.org (reset_password)" in caplog.text
    assert "s3cret" not in caplog.text


async def test_nothing_is_told_of_a_mail_whose_transaction_rolled_back(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RuntimeError):
        async with storage.system("a mail of a test") as connection:
            await ConsoleMailer().send(connection, RESET)
            raise RuntimeError
    assert caplog.text == ""


async def test_the_link_is_shown_on_the_terminal_of_somebody_who_tries_the_product_out(storage: Storage) -> None:
    shown: list[str] = []
    async with storage.system("a mail of a test") as connection:
        await ConsoleMailer(show_links=True, write=shown.append).send(connection, RESET)
    assert "token=s3cret" in shown[0]


async def test_without_a_plugin_that_sends_mails_there_is_a_mailer_all_the_same(make_app: MakeApp) -> None:
    running = await make_app(settings={"plugins_disabled": frozenset({"email"})})
    assert isinstance(mailer_of(running.app), ConsoleMailer)


def test_a_mail_does_not_show_its_values_where_it_is_printed() -> None:
    assert "s3cret" not in repr(RESET)
    assert masked("wanjiku@example.org") == "w***@example.org"


def test_every_mail_says_what_it_needs() -> None:
    assert [mail.name for mail in CORE_MAILS] == [
        "invite",
        "reset_password",
        "login_code",
        "login_alert",
        "password_changed",
        "takeover",
    ]
    assert all(mail.values and mail.description for mail in CORE_MAILS)
