from collections.abc import Iterable
from typing import Protocol

from chatnation import Plugin, Service, hookimpl


class Mailer(Protocol):  # lives in the plugin's api.py; others ask: self.services.get(Mailer)
    """Sends mail."""

    async def send(self, to: str, subject: str, text: str) -> None: ...


class ConsoleMailer:
    async def send(self, to: str, subject: str, text: str) -> None:
        print(f"To: {to}\nSubject: {subject}\n\n{text}")


class ConsoleMailPlugin(Plugin):
    """Mail to the console"""

    name = "console_mail"

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        return [Service(Mailer, ConsoleMailer())]
