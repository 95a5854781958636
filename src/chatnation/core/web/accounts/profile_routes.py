"""One's own account, for programs that act for somebody who is signed in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from chatnation.core.auth.device_names import device_name
from chatnation.core.auth.places import Places
from chatnation.core.auth.totp import qr_code
from chatnation.core.web.accounts.answers import Answers
from chatnation.core.web.accounts.models import ActorDetails
from chatnation.core.web.accounts.own_account import Given, OwnAccount, SetUp, login_of
from chatnation.core.web.routing import AUTHENTICATED, LIMITED, Route

if TYPE_CHECKING:
    from chatnation.core.auth.devices import Device
    from chatnation.core.auth.logins import LoginEntry
    from chatnation.core.web.accounts.parts import AccountParts

LARGEST_ID = 2**31 - 1
LONGEST_DAYS = 3_650


class NewName(BaseModel):
    """What somebody is called from now on."""

    name: str = Field(max_length=100)


class Proving(BaseModel):
    """Shown once more before something dangerous: the password, or a code of a second factor."""

    password: str = Field("", max_length=1024)
    code: str = Field("", max_length=64)


class FactorDetails(BaseModel):
    """A second factor that is set up."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    label: str
    hint: str = Field(description="Where its codes go, masked; empty for an app.")
    available: bool = Field(description="Whether its codes can be made or sent now.")
    created_at: datetime
    last_used_at: datetime | None


class FactorStatus(BaseModel):
    """The second factors of whoever asks."""

    enabled: bool
    required: bool = Field(description="The tenant asks for one.")
    factors: list[FactorDetails]
    possible: list[str] = Field(description="Names of those that can be set up.")
    recovery_codes_left: int


class SetUpStart(Proving):
    """Which second factor to set up; `address` where its codes go, for those that have one."""

    factor: str = Field(max_length=50)
    address: str = Field("", max_length=200)


class SetUpStarted(BaseModel):
    """A second factor waits for its first code. An app's secret is told this once."""

    challenge: str
    factor: str
    secret: str | None = None
    uri: str | None = Field(None, description="What the QR code says.")
    qr_svg: str | None = None
    sent_to: str | None = None


class SetUpCode(BaseModel):
    """The first code of a second factor that is being set up."""

    challenge: str = Field(max_length=200)
    code: str = Field(max_length=64)


class FactorName(Proving):
    """Which second factor to take away."""

    factor: str = Field(max_length=50)


class RecoveryCodes(BaseModel):
    """Codes for when nothing else is at hand, each good for one login. They are told this once."""

    recovery_codes: list[str]


class LoginDetails(BaseModel):
    """An open login."""

    id: UUID
    current: bool = Field(description="The one that asks.")
    program: bool
    device: str
    place: str | None
    ip_address: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class LoginList(BaseModel):
    """Where somebody is signed in, the last used first."""

    sessions: list[LoginDetails]


class ClosedLogins(BaseModel):
    """How many logins were closed."""

    closed: int


class WhichLogins(BaseModel):
    """Which logins to close."""

    keep_current: bool = Field(False, description="Stay signed in here.")


class DeviceDetails(BaseModel):
    """A browser that is not asked for a second factor."""

    id: UUID
    device: str
    place: str | None
    ip_address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class DeviceList(BaseModel):
    """Browsers that are not asked for a second factor."""

    devices: list[DeviceDetails]


class TokenDetails(BaseModel):
    """A personal token; the token itself cannot be told any more."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenList(BaseModel):
    """The personal tokens of somebody at their tenant, newest first."""

    tokens: list[TokenDetails]


class NewToken(BaseModel):
    """A personal token to make; `scopes` are permissions of one's own."""

    name: str = Field(max_length=100)
    scopes: list[str] = Field(min_length=1, max_length=200)
    expires_in_days: int | None = Field(90, ge=1, le=LONGEST_DAYS, description="Null: it does not expire.")


class MadeToken(TokenDetails):
    """A personal token that was just made; `token` is told this once."""

    token: str


class ProfileRoutes:
    """`/api/auth/me`, `/api/auth/2fa`, `/api/auth/sessions`, `/api/auth/devices` and `/api/auth/tokens`."""

    def __init__(self, parts: AccountParts, answers: Answers) -> None:
        self._parts = parts
        self._account = OwnAccount(parts)
        self._answers = answers

    def routes(self) -> list[Route]:
        return [
            Route("PATCH", "/auth/me", self.rename, AUTHENTICATED, body=NewName, response=ActorDetails),
            Route("POST", "/auth/confirm", self.confirm, AUTHENTICATED, body=Proving, status=204),
            Route("GET", "/auth/2fa/status", self.status, LIMITED, response=FactorStatus),
            Route("POST", "/auth/2fa/setup", self.start, LIMITED, body=SetUpStart, response=SetUpStarted),
            Route("POST", "/auth/2fa/setup/verify", self.finish, LIMITED, body=SetUpCode, response=RecoveryCodes),
            Route("POST", "/auth/2fa/disable", self.disable, AUTHENTICATED, body=FactorName, status=204),
            Route(
                "POST", "/auth/2fa/recovery-codes", self.recover, AUTHENTICATED, body=Proving, response=RecoveryCodes
            ),
            Route("GET", "/auth/sessions", self.logins, AUTHENTICATED, response=LoginList),
            Route(
                "DELETE", "/auth/sessions", self.close_logins, AUTHENTICATED, query=WhichLogins, response=ClosedLogins
            ),
            Route("DELETE", "/auth/sessions/{login:uuid}", self.close_login, AUTHENTICATED, status=204),
            Route("GET", "/auth/devices", self.devices, AUTHENTICATED, response=DeviceList),
            Route("DELETE", "/auth/devices", self.forget_devices, AUTHENTICATED, status=204),
            Route("DELETE", "/auth/devices/{device:uuid}", self.forget_device, AUTHENTICATED, status=204),
            Route("GET", "/auth/tokens", self.tokens, AUTHENTICATED, response=TokenList),
            Route(
                "POST", "/auth/tokens", self.create_token, AUTHENTICATED, body=NewToken, response=MadeToken, status=201
            ),
            Route("DELETE", "/auth/tokens/{token:int}", self.revoke_token, AUTHENTICATED, status=204),
        ]

    async def rename(self, request: Request, body: NewName) -> ActorDetails:
        """Be called something else."""
        await self._account.rename(request, body.name)
        actor = await self._parts.standings.of(request.state.actor.tenant.id, request.state.actor.user_id)
        return self._answers.details(request, actor.actor() if actor else request.state.actor)

    async def confirm(self, request: Request, body: Proving) -> None:
        """Show once more who you are, for what asks for a fresh login."""
        await self._account.confirm(request, Given(body.password, body.code))

    async def status(self, request: Request) -> FactorStatus:
        """Your second factors."""
        found = await self._account.factors(request)
        return FactorStatus(
            enabled=bool(found.held),
            required=found.required,
            factors=[FactorDetails.model_validate(entry) for entry in found.held],
            possible=[name for name, _, _ in found.possible],
            recovery_codes_left=found.recovery_codes_left,
        )

    async def start(self, request: Request, body: SetUpStart) -> SetUpStarted:
        """Begin to set up a second factor. Where you have one already, the password or a code goes with it."""
        given = Given(body.password, body.code)
        return _started(await self._account.start_set_up(request, body.factor, body.address, given))

    async def finish(self, request: Request, body: SetUpCode) -> RecoveryCodes:
        """Prove that the second factor works. With the first one, recovery codes come back."""
        return RecoveryCodes(recovery_codes=await self._account.finish_set_up(request, body.challenge, body.code))

    async def disable(self, request: Request, body: FactorName) -> None:
        """Take a second factor away."""
        await self._account.disable(request, body.factor, Given(body.password, body.code))

    async def recover(self, request: Request, body: Proving) -> RecoveryCodes:
        """Fresh recovery codes; those of before are void."""
        codes = await self._account.new_recovery_codes(request, Given(body.password, body.code))
        return RecoveryCodes(recovery_codes=codes)

    async def logins(self, request: Request) -> LoginList:
        """Where you are signed in."""
        here = login_of(request).login_id
        return LoginList(sessions=[self.login_details(entry, here) for entry in await self._account.logins(request)])

    async def close_logins(self, request: Request, query: WhichLogins) -> ClosedLogins:
        """Sign out everywhere; remembered browsers are forgotten too."""
        return ClosedLogins(closed=await self._account.close_logins(request, keep_this=query.keep_current))

    async def close_login(self, request: Request) -> None:
        """Sign out somewhere."""
        await self._account.close_login(request, request.path_params["login"])

    async def devices(self, request: Request) -> DeviceList:
        """Browsers that are not asked for a second factor."""
        return DeviceList(devices=[self.device_details(device) for device in await self._account.devices(request)])

    async def forget_devices(self, request: Request) -> None:
        """Have every browser asked for a second factor again."""
        await self._account.forget_device(request, None)

    async def forget_device(self, request: Request) -> None:
        """Have one browser asked for a second factor again."""
        await self._account.forget_device(request, request.path_params["device"])

    async def tokens(self, request: Request) -> TokenList:
        """Your personal tokens."""
        return TokenList(tokens=[TokenDetails.model_validate(token) for token in await self._account.tokens(request)])

    async def create_token(self, request: Request, body: NewToken) -> MadeToken:
        """Make a personal token; it is told this once."""
        days = body.expires_in_days
        expires_at = self._parts.app.clock.now() + timedelta(days=days) if days else None
        made = await self._account.create_token(request, body.name, body.scopes, expires_at)
        return MadeToken(token=made.secret, **TokenDetails.model_validate(made.token).model_dump())

    async def revoke_token(self, request: Request) -> None:
        """Revoke a personal token."""
        await self._account.revoke_token(request, min(request.path_params["token"], LARGEST_ID))

    def login_details(self, entry: LoginEntry, here: UUID | None) -> LoginDetails:
        """A login as people see it."""
        return LoginDetails(
            id=entry.id,
            current=entry.id == here,
            program=entry.program,
            device=device_name(entry.user_agent),
            place=self.place(entry.ip_address),
            ip_address=entry.ip_address,
            created_at=entry.created_at,
            last_seen_at=entry.last_seen_at,
            expires_at=entry.expires_at,
        )

    def device_details(self, device: Device) -> DeviceDetails:
        """A remembered browser as people see it."""
        return DeviceDetails(
            id=device.id,
            device=device_name(device.user_agent),
            place=self.place(device.ip_address),
            ip_address=device.ip_address,
            created_at=device.created_at,
            last_used_at=device.last_used_at,
            expires_at=device.expires_at,
        )

    def place(self, ip_address: str | None) -> str | None:
        """Where an address is, if somebody knows."""
        places = self._parts.app.services.find(Places)
        return places.place(ip_address) if places and ip_address else None


def _started(made: SetUp) -> SetUpStarted:
    return SetUpStarted(
        challenge=made.challenge,
        factor=made.factor,
        secret=made.secret or None,
        uri=made.uri or None,
        qr_svg=qr_code(made.uri) if made.uri else None,
        sent_to=made.sent_to or None,
    )
