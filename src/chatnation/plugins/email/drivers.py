"""What carries mails out of the house."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formataddr, formatdate, parseaddr
from typing import Protocol

import httpx

from chatnation import AddressRefused, ChatnationError, Outgoing
from chatnation.plugins.email.composing import Composed
from chatnation.plugins.email.settings import DriverName, EmailSettings, Security


class Refused(ChatnationError):
    """The carrier will never take this mail; trying again is in vain."""


class NotNow(ChatnationError):
    """The mail could not be handed over now; it is tried again."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with its envelope. `id` is the same at every try, so that a carrier can tell a repetition."""

    id: str
    sender: str
    to: str
    content: Composed
    reply_to: str | None = None


class Driver(Protocol):
    """Hands a letter over."""

    async def deliver(self, letter: Letter) -> str:
        """Hand over; gives what the carrier calls the mail. Raises Refused or NotNow, with a reason without secrets."""


def driver_of(settings: EmailSettings, outgoing: Outgoing) -> Driver | None:
    """The driver that is chosen; None for the console, which carries nothing."""
    if settings.driver is DriverName.SMTP:
        return SmtpDriver(settings)
    if settings.driver is DriverName.RESEND:
        return ResendDriver(settings, outgoing)
    return None


class SmtpDriver:
    """Talks SMTP, in a thread: the standard library's client waits."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings

    async def deliver(self, letter: Letter) -> str:
        message = _message(letter)
        try:
            return await asyncio.to_thread(self._send, message, letter.to)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _failure(code, said) from None
        except smtplib.SMTPAuthenticationError as error:
            raise NotNow(f"The SMTP server does not accept our account ({error.smtp_code}).") from None
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise NotNow(f"The SMTP server cannot do what is set: {error}") from None
        except ssl.SSLError as error:
            raise NotNow(f"No safe connection to the SMTP server: {error.reason or 'TLS failed'}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotNow(f"The SMTP server cannot be reached: {type(error).__name__}") from None

    def _send(self, message: EmailMessage, to: str) -> str:
        settings = self._settings
        context = ssl.create_default_context(cafile=str(settings.smtp_ca_file) if settings.smtp_ca_file else None)
        host, port, timeout = settings.smtp_host, settings.smtp_port, settings.timeout_seconds
        if settings.smtp_security is Security.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=timeout)
        with server:
            if settings.smtp_security is Security.STARTTLS:
                server.starttls(context=context)
            if settings.smtp_username:
                server.login(settings.smtp_username, settings.smtp_password.get_secret_value())
            server.send_message(message, from_addr=parseaddr(str(message["From"]))[1], to_addrs=[to])
        return str(message["Message-ID"])


class ResendDriver:
    """Resend's HTTP API."""

    def __init__(self, settings: EmailSettings, outgoing: Outgoing) -> None:
        self._settings = settings
        self._outgoing = outgoing

    async def deliver(self, letter: Letter) -> str:
        content = letter.content
        body = {
            "from": letter.sender,
            "to": [letter.to],
            "subject": content.subject,
            "text": content.text,
            "html": content.html,
        }
        if letter.reply_to:
            body["reply_to"] = letter.reply_to
        headers = {
            "Authorization": f"Bearer {self._settings.resend_api_key.get_secret_value()}",
            "Idempotency-Key": letter.id,
        }
        try:
            async with self._outgoing.client(timeout=self._settings.timeout_seconds) as client:
                answer = await client.post(
                    f"{self._settings.resend_url.rstrip('/')}/emails", json=body, headers=headers
                )
        except AddressRefused as error:
            raise NotNow(str(error)) from None
        except httpx.HTTPError as error:
            raise NotNow(f"Resend cannot be reached: {type(error).__name__}") from None
        if answer.is_success:
            return _id_in(answer)
        # 401 and 403 are about our key or domain, which somebody can mend.
        if answer.status_code in {400, 404, 405, 413, 422}:
            raise Refused(f"Resend refuses it: {_said(answer)}")
        raise NotNow(f"Resend answers {answer.status_code}: {_said(answer)}")


def envelope_address(text: str) -> str:
    """`text` as one address, as it goes into an envelope. Raises Refused when it is none."""
    try:
        return Address(addr_spec=text.strip()).addr_spec
    except (ValueError, IndexError, LookupError):
        raise Refused("This is no e-mail address.") from None
    except Exception as error:  # The parser of the standard library raises what it likes on odd addresses.
        raise Refused("This is no e-mail address.") from error


def with_name(sender: str, name: str) -> str:
    """The `sender` of the settings, under another name."""
    own, address = parseaddr(sender)
    return formataddr((" ".join(name.split()) or own, address))


def _message(letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"] = letter.sender
    message["To"] = letter.to
    message["Subject"] = letter.content.subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = f"<{letter.id}@{parseaddr(letter.sender)[1].rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.reply_to:
        message["Reply-To"] = letter.reply_to
    message.set_content(letter.content.text)
    message.add_alternative(letter.content.html, subtype="html")
    return message


def _failure(code: int, said: bytes | str) -> Refused | NotNow:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    reason = f"The SMTP server answers {code}: {' '.join(text.split())[:200]}"
    return Refused(reason) if 500 <= code < 600 else NotNow(reason)


def _id_in(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["id"])
    except (ValueError, KeyError, TypeError):
        return ""


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
