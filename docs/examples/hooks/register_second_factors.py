from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import ChatnationError, CodeMessage, Job, Jobs, Plugin, SecondFactor, hookimpl


class TextMessagesPlugin(Plugin):
    """Codes by text message"""

    name = "text_messages"

    @hookimpl
    def register_second_factors(self) -> Iterable[SecondFactor]:
        return [SecondFactor("sms", "Text message", self.send, "Phone number", self.check)]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job("text_messages.send", self.deliver)]

    async def send(self, connection: AsyncConnection, message: CodeMessage) -> None:
        # Enqueued in the login's own transaction: it goes out if that commits, and is retried if the provider is away.
        payload = {"to": message.address, "text": f"{message.code} is your code for {message.minutes} minutes."}
        await self.services.get(Jobs).enqueue(connection, "text_messages.send", payload)

    async def deliver(self, payload: dict[str, str]) -> None: ...

    def check(self, address: str) -> str:
        digits = "".join(character for character in address if character.isdigit())
        if not 10 <= len(digits) <= 15:
            raise ChatnationError("A phone number has 10 to 15 digits.")
        return digits
