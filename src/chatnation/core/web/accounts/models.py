"""What the API answers about logins."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, RootModel


class ActorDetails(BaseModel):
    """Who is signed in, and what they may do."""

    name: str
    email: str
    role: str
    tenant: str = Field(description="Handle of the tenant.")
    tenant_name: str
    timezone: str = Field(description="The tenant's time zone; days and hours of reports follow it.")
    permissions: list[str]
    team_permissions: dict[str, list[str]] = Field(description="What is allowed besides, by the team it is limited to.")
    second_factor_setup_required: bool = Field(
        description="The tenant asks for a second factor; nothing but setting one up is open before."
    )
    csrf_token: str = Field(description="Goes into the X-CSRF-Token header of requests that change something.")


class SignedIn(ActorDetails):
    """A login was opened; its cookie came with the answer."""

    step: Literal["logged_in", "set_up_second_factor"] = "logged_in"


class PendingStep(BaseModel):
    """Something is still missing; `challenge` answers for what was shown so far and opens nothing but the next step."""

    step: Literal["second_factor", "take_over", "change_password"]
    challenge: str = Field(description="Goes into the request that answers the step.")
    factors: list[str] = Field([], description="Second factors that may be shown; recovery codes are always taken.")
    factor: str | None = Field(None, description="The factor whose code is asked for.")
    sent_to: str | None = Field(None, description="Where a code or link was sent, masked.")
    confirm_only: bool = Field(False, description="A take-over that needs no code.")
    expires_at: datetime | None = None


class ProgramTokens(BaseModel):
    """Tokens of a program. The access token goes into the Authorization header, as Bearer."""

    step: Literal["logged_in", "set_up_second_factor"] = "logged_in"
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds that the access token is good for.")
    refresh_token: str = Field(description="Good for one exchange at /api/auth/token/refresh.")
    refresh_expires_at: datetime


class LoginAnswer(RootModel[SignedIn | PendingStep | ProgramTokens]):
    """Where a login stands."""
