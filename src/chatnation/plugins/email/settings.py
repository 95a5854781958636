"""How mails leave, and what a tenant says in them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, model_validator


class DriverName(StrEnum):
    """What carries mails."""

    CONSOLE = "console"
    SMTP = "smtp"
    RESEND = "resend"


class Security(StrEnum):
    """How a connection to an SMTP server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailSettings(BaseModel):
    """Settings of the instance, `CHATNATION_EMAIL_<FIELD>`."""

    driver: DriverName = Field(DriverName.CONSOLE, description="`smtp`, `resend`, or `console`, which sends nothing.")
    sender: str = Field("Chatnation <no-reply@localhost>", description="From whom mails come: `Name <address>`.")
    smtp_host: str = Field("", description="SMTP server.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Security = Field(Security.STARTTLS, description="`starttls`, `tls` from the first byte, or `none`.")
    smtp_username: str = Field("", description="Account; empty: none.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    smtp_ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    resend_api_key: SecretStr = Field(SecretStr(""), description="Key of Resend.")
    resend_url: str = Field("https://api.resend.com", description="Address of Resend's API.")
    timeout_seconds: float = Field(15, gt=0, le=120, description="Longest wait for the other side.")
    attempts: int = Field(8, ge=1, le=50, description="Tries before a mail is given up.")
    first_pause_seconds: float = Field(30, ge=0, description="Pause after the first try; each next is twice as long.")

    @model_validator(mode="after")
    def _complete(self) -> EmailSettings:
        if self.driver is DriverName.SMTP and not self.smtp_host:
            raise ValueError("the driver smtp needs CHATNATION_EMAIL_SMTP_HOST")
        if self.driver is DriverName.RESEND and not self.resend_api_key.get_secret_value():
            raise ValueError("the driver resend needs CHATNATION_EMAIL_RESEND_API_KEY")
        return self


def _subject(what: str) -> str:
    return Field("", max_length=200, title=f"{what}: subject", description="Empty: ours.")


def _body(what: str, names: str) -> str:
    return Field(
        "",
        max_length=5_000,
        title=f"{what}: text",
        description=f"Empty: ours. It may use {names}. The link or code is added where it is missing.",
    )


class EmailTenantSettings(BaseModel):
    """Words of the organisation's mails. Those of invitations and take-overs are among its system messages."""

    sender_name: str = Field("", max_length=100, title="Name of the sender", description="Empty: the organisation's.")
    reset_password_subject: str = _subject("New password")
    reset_password_body: str = _body("New password", "{{name}}, {{link}}, {{hours}}")
    login_code_subject: str = _subject("Login code")
    login_code_body: str = _body("Login code", "{{name}}, {{code}}, {{minutes}}")
    login_alert_subject: str = _subject("New device")
    login_alert_body: str = _body("New device", "{{name}}, {{time}}, {{ip_address}}, {{device}}")
    password_changed_subject: str = _subject("Password changed")
    password_changed_body: str = _body("Password changed", "{{name}}, {{time}}, {{ip_address}}")

    def words(self, template: str) -> tuple[str, str]:
        """The tenant's subject and text of a mail; empty where it has none."""
        return getattr(self, f"{template}_subject", ""), getattr(self, f"{template}_body", "")
