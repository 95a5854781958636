"""The manifest of the email plugin."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import click
from pydantic import BaseModel
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import (
    CORE_MAILS,
    App,
    ConsoleMailer,
    Health,
    Job,
    Mail,
    Mailer,
    NavigationEntry,
    Page,
    Plugin,
    Retention,
    Route,
    Schedule,
    SealedColumn,
    Service,
    Services,
    hookimpl,
)
from chatnation.plugins.email.cli import email_commands
from chatnation.plugins.email.mailer import SEND, OutboxMailer
from chatnation.plugins.email.models import outbox
from chatnation.plugins.email.sending import Postman
from chatnation.plugins.email.settings import DriverName, EmailSettings, EmailTenantSettings
from chatnation.plugins.email.views import PATH, PERMISSION, OutboxViews

SEND_DUE = "email.send_due"


class EmailPlugin(Plugin):
    """E-mail

    Sends invitations, login codes and the like by SMTP or by Resend, with retries; shows what became of each.
    """

    name = "email"
    requires = ("dashboard",)
    Settings = EmailSettings
    TenantSettings = EmailTenantSettings
    settings: EmailSettings

    def __init__(self, settings: BaseModel | None = None) -> None:
        super().__init__(settings)
        self._postman = Postman(self.app, self.settings)
        self._views = OutboxViews(self.app, self.settings)
        self._mailer = OutboxMailer(self._services, {mail.name: mail for mail in CORE_MAILS})
        self._console = ConsoleMailer()

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app
        self._console = ConsoleMailer.of(app)

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    def _services(self) -> Services:
        return self.services

    async def send(self, connection: AsyncConnection, mail: Mail) -> None:
        """The service `Mailer`: into the outbox, or to the console where nothing carries mails."""
        mailer: Mailer = self._console if self.settings.driver is DriverName.CONSOLE else self._mailer
        await mailer.send(connection, mail)

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        return [Service(Mailer, self)]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job(SEND, self._postman.send_one), Job(SEND_DUE, self._postman.send_due)]

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return [Schedule(SEND_DUE, "* * * * *")]

    @hookimpl
    def register_retention(self) -> Iterable[Retention]:
        return [Retention("email.outbox", "created_at", days=90)]

    @hookimpl
    def register_sealed_columns(self) -> Iterable[SealedColumn]:
        return [SealedColumn("email.outbox", "sealed_values", "email.outbox:{id}")]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return self._views.routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return self._views.pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Outbox", PATH, PERMISSION, group="settings", icon="mail", order=80)]

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        return [email_commands(self.settings)]

    @hookimpl
    async def check_health(self, app: App) -> Health:
        if self.settings.driver is DriverName.CONSOLE:
            return Health(ok=True, detail="no mails are sent: CHATNATION_EMAIL_DRIVER is console")
        return Health(ok=True, detail=f"mails leave by {self.settings.driver}")

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        query = select(func.count()).select_from(outbox).where(outbox.c.tenant_id == tenant_id)
        return {"mails": await connection.scalar(query) or 0}

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        return (await connection.execute(delete(outbox).where(outbox.c.tenant_id == tenant_id))).rowcount

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        return 0  # Mails go to users of the dashboard, never to visitors.
