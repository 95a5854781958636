"""Everything that a tenant can set about itself, as it is kept in `tenants.settings`.

Keys are written as browsers and earlier systems have them, in camelCase. What is absent has its default where it is
used. The model is also the body of `PATCH /api/tenants/current`, where null takes a key away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from chatnation.core.auth.names import InvalidName, checked_timezone
from chatnation.core.auth.security_policy import MOST_MINUTES, MOST_PASSWORD_DAYS
from chatnation.core.auth.system_messages import MESSAGES

_ROUTE = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*(?:/[a-z0-9]+(?:[-_][a-z0-9]+)*)*")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
_HTTPS: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
LONGEST_LABEL = 40
LONGEST_ADDRESS = 500
RESOLVED_PERIODS = (0.25, 0.5, 1, 7, 30, 0)


def _picture(address: str) -> str:
    """An https address, or a path of ours such as that of an uploaded file."""
    if re.fullmatch(r"/[A-Za-z0-9][A-Za-z0-9/._~%?=&-]*", address):
        return address
    try:
        url = _HTTPS.validate_python(address)
    except ValidationError:
        url = None
    if url is None or url.scheme != "https" or url.username or not re.fullmatch(r"[!-~]+", address):
        raise ValueError("write the whole address of a picture, such as https://www.example.org/logo.png")
    return address


def _host(name: str) -> str:
    name = name.strip().lower()
    if not _HOST.fullmatch(name):
        raise ValueError("write the name of a host, such as chat.example.org")
    return name


def _timezone(name: str) -> str:
    try:
        return checked_timezone(name)
    except InvalidName as error:
        raise ValueError(str(error)) from None


def _period(days: float) -> float:
    if days not in RESOLVED_PERIODS:
        raise ValueError(f"choose one of {', '.join(f'{one:g}' for one in RESOLVED_PERIODS)}")
    return days


def _labels(labels: dict[str, str | None]) -> dict[str, str | None]:
    for route, label in labels.items():
        if not _ROUTE.fullmatch(route):
            raise ValueError(f"{route[:50]!r} is no route; they look like overview, or settings/people")
        if label is not None and (len(label.strip()) > LONGEST_LABEL or not label.isprintable()):
            raise ValueError(f"the label of {route} is longer than {LONGEST_LABEL} characters, or not on one line")
    return {route: (label or "").strip() or None for route, label in labels.items()}


Picture = Annotated[str, Field(max_length=LONGEST_ADDRESS), AfterValidator(_picture)]
OneLine = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, serialize_by_alias=True)


class SessionSettings(_Section):
    """How long logins last."""

    max_duration_minutes: int | None = Field(None, ge=1, le=MOST_MINUTES, description="A login ends after this time.")
    inactivity_timeout_minutes: int | None = Field(
        None, ge=0, le=10_079, description="A login ends after this time without activity; 0: never."
    )
    single_login_enforced: bool | None = Field(None, description="Whether a new login has to end the one before.")
    remember_devices: bool | None = Field(None, description="Whether a device can be trusted for a while.")


class InboxSettings(_Section):
    """The shared inbox."""

    resolved_chats_period_days: Annotated[float, AfterValidator(_period)] | None = Field(
        None, description="How long resolved chats stay listed: 0.25, 0.5, 1, 7 or 30 days; 0: all."
    )


class PasswordSettings(_Section):
    """What a new password has to be."""

    min_length: int | None = Field(None, ge=6, le=64)
    max_length: int | None = Field(None, ge=8, le=1024)
    require_uppercase: bool | None = None
    require_lowercase: bool | None = None
    require_number: bool | None = None
    require_special: bool | None = None


class SystemMessages(_Section):
    """Texts that go out in the tenant's name. Blank or absent: the text of the product."""

    handover_message: str | None = None
    out_of_office_message: str | None = None
    out_of_office_image: Picture | None = None
    invite_email_subject: str | None = None
    invite_email_body: str | None = None
    login_verify_subject: str | None = None
    login_verify_body: str | None = None
    csat_header: str | None = None
    csat_body: str | None = None
    csat_footer: str | None = None
    csat_button_text: str | None = None

    @field_validator("*")
    @classmethod
    def _fits(cls, text: str | None, info: ValidationInfo) -> str | None:
        message = MESSAGES.get(to_camel(info.field_name or ""))
        if message is None or text is None:
            return text
        if not text.strip():
            return None
        fault = message.fault_of(text)
        if fault is not None:
            raise ValueError(fault)
        return text


class OrganisationSettings(_Section):
    """What a tenant can set. Everything is optional; null takes a key away, so that its default holds again."""

    logo_url: Picture | None = Field(None, description="Address of the logo: https, or a path of this instance.")
    primary_color: str | None = Field(None, pattern="^#[0-9a-fA-F]{6}$", description="As #rrggbb.")
    app_name: OneLine | None = Field(None, max_length=LONGEST_LABEL, description="Instead of Chatnation.")
    custom_domain: Annotated[str, AfterValidator(_host)] | None = Field(
        None, description="Host under which the login page already looks like the tenant's."
    )
    timezone: Annotated[str, AfterValidator(_timezone)] | None = Field(
        None, description="IANA name; days and hours of reports follow it."
    )
    session: SessionSettings | None = None
    inbox: InboxSettings | None = None
    nav_labels: Annotated[dict[str, str | None], AfterValidator(_labels)] | None = Field(
        None, max_length=200, description="Labels of the menu by route, such as `overview`; blank: the default."
    )
    password_complexity: PasswordSettings | None = None
    password_expiry_days: int | None = Field(None, ge=0, le=MOST_PASSWORD_DAYS, description="0: never.")
    two_factor_required: bool | None = None
    transfer_reason_required: bool | None = Field(None, description="Whether a transfer of a chat needs a reason.")
    system_messages: SystemMessages | None = None


GUARDED: Mapping[str, str] = {
    "passwordComplexity": "settings.password_complexity",
    "passwordExpiryDays": "settings.password_complexity",
    "twoFactorRequired": "settings.two_factor",
}
"""Keys that need another permission besides `settings.manage`."""


def merged(stored: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`stored` with `patch` laid over it at every depth; None and empty objects take a key away."""
    result = dict(stored)
    for key, value in patch.items():
        below = stored.get(key)
        if isinstance(value, Mapping):
            value = merged(below if isinstance(below, Mapping) else {}, value) or None
        if value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result
