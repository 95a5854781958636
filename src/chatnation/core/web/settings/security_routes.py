"""`/api/settings/security`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, model_validator
from starlette.requests import Request

from chatnation.core.auth.passwords import PasswordRules
from chatnation.core.auth.security_policy import MOST_MINUTES, MOST_PASSWORD_DAYS, SecurityPolicy, in_minutes
from chatnation.core.web.routing import Route
from chatnation.core.web.settings.security import PERMISSION, Security

if TYPE_CHECKING:
    from chatnation.core.app import App

MOST_IDLE_MINUTES = 10_079


class SecuritySettings(BaseModel):
    """What a tenant asks of logins and passwords."""

    max_duration_minutes: int = Field(ge=5, le=MOST_MINUTES, description="A login ends after so long in any case.")
    inactivity_timeout_minutes: int = Field(
        ge=0, le=MOST_IDLE_MINUTES, description="A login ends after so long without activity; 0: it does not."
    )
    single_login: bool = Field(description="One login a user; another one has to take over.")
    remember_devices: bool = Field(description="Users may have a browser remembered instead of a second factor.")
    second_factor_required: bool
    password_expiry_days: int = Field(ge=0, le=MOST_PASSWORD_DAYS, description="0: passwords do not expire.")
    password_min_length: int = Field(ge=8, le=128)
    password_max_length: int = Field(ge=8, le=128)
    password_uppercase: bool
    password_lowercase: bool
    password_number: bool
    password_special: bool

    @model_validator(mode="after")
    def _lengths_fit(self) -> SecuritySettings:
        if self.password_min_length > self.password_max_length:
            raise ValueError("the shortest length is longer than the longest")
        return self

    @classmethod
    def of(cls, policy: SecurityPolicy, rules: PasswordRules) -> SecuritySettings:
        """The settings of a policy and rules."""
        return cls(
            max_duration_minutes=max(5, min(in_minutes(policy.longest), MOST_MINUTES)),
            inactivity_timeout_minutes=min(in_minutes(policy.idle), MOST_IDLE_MINUTES) if policy.idle else 0,
            single_login=policy.single_login,
            remember_devices=policy.remember_devices,
            second_factor_required=policy.second_factor_required,
            password_expiry_days=min(policy.password_days or 0, MOST_PASSWORD_DAYS),
            password_min_length=max(8, min(rules.min_length, 128)),
            password_max_length=max(8, min(rules.max_length, 128)),
            password_uppercase=rules.uppercase,
            password_lowercase=rules.lowercase,
            password_number=rules.number,
            password_special=rules.special,
        )

    def policy(self) -> SecurityPolicy:
        """What is asked of logins."""
        return SecurityPolicy(
            longest=timedelta(minutes=self.max_duration_minutes),
            idle=timedelta(minutes=self.inactivity_timeout_minutes) if self.inactivity_timeout_minutes else None,
            single_login=self.single_login,
            remember_devices=self.remember_devices,
            second_factor_required=self.second_factor_required,
            password_days=self.password_expiry_days or None,
        )

    def rules(self) -> PasswordRules:
        """What is asked of passwords."""
        return PasswordRules(
            min_length=self.password_min_length,
            max_length=self.password_max_length,
            uppercase=self.password_uppercase,
            lowercase=self.password_lowercase,
            number=self.password_number,
            special=self.password_special,
        )


class SecurityChanges(BaseModel):
    """What to change; what is left out stays."""

    max_duration_minutes: int | None = None
    inactivity_timeout_minutes: int | None = None
    single_login: bool | None = None
    remember_devices: bool | None = None
    second_factor_required: bool | None = None
    password_expiry_days: int | None = None
    password_min_length: int | None = None
    password_max_length: int | None = None
    password_uppercase: bool | None = None
    password_lowercase: bool | None = None
    password_number: bool | None = None
    password_special: bool | None = None


class SignedOutEverybody(BaseModel):
    """How many logins were closed."""

    closed: int


class SecurityRoutes:
    """The security settings of one's tenant."""

    def __init__(self, app: App) -> None:
        self._security = Security(app)

    def routes(self) -> list[Route]:
        path = "/settings/security"
        return [
            Route("GET", path, self.show, PERMISSION, response=SecuritySettings),
            Route("PATCH", path, self.change, PERMISSION, body=SecurityChanges, response=SecuritySettings),
            Route("POST", f"{path}/sign-everybody-out", self.sign_out, PERMISSION, response=SignedOutEverybody),
        ]

    async def show(self, request: Request) -> SecuritySettings:
        """What your tenant asks of logins and passwords."""
        return SecuritySettings.of(*await self._security.read(request))

    async def change(self, request: Request, body: SecurityChanges) -> SecuritySettings:
        """Change what your tenant asks of logins and passwords; it holds at once, also for who is signed in."""
        before = SecuritySettings.of(*await self._security.read(request))
        wanted = checked_settings({**before.model_dump(), **body.model_dump(exclude_none=True)})
        await self._security.change(request, wanted.policy(), wanted.rules())
        return wanted

    async def sign_out(self, request: Request) -> SignedOutEverybody:
        """Close every login at your tenant, your own too."""
        return SignedOutEverybody(closed=await self._security.sign_everybody_out(request))


def checked_settings(values: dict[str, object]) -> SecuritySettings:
    """Settings from values; raises a 422 that lists the faults."""
    from pydantic import ValidationError

    from chatnation.core.web.problems import invalid

    try:
        return SecuritySettings.model_validate(values)
    except ValidationError as error:
        raise invalid(error, "body") from None
