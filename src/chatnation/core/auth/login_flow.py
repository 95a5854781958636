"""From somebody at the door to an open login: gathers the facts, asks what is missing, keeps the pending step.

    state = await flow.with_password(email, password, visitor)          # the login form
    state = await flow.begin(connection, user_id, Proof.RESET_LINK, visitor)   # reset, invitation, single sign-on

`core.web.accounts.answers` turns a `LoginState` into a response: a page with its cookie, or JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.login_steps import Proof, Step

__all__ = ["LoginFlow", "LoginState", "OpenedLogin", "Proof", "Step", "Visitor"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser or program that wants in, with what it brought along.

    `device_token` and `session_token` come from its cookies; a login that it has already is replaced by the new one.
    `program`: it wants tokens for the API rather than a cookie.
    """

    ip_address: str | None = None
    user_agent: str | None = None
    device_token: str | None = None
    session_token: str | None = None
    program: bool = False


@dataclass(frozen=True, slots=True)
class OpenedLogin:
    """A login that was just opened. `token` goes into the cookie, or is a program's refresh token; kept nowhere."""

    id: str
    token: str
    user_id: int
    tenant_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LoginState:
    """Where a login stands: `challenge` is the token of the pending step, `login` what was opened; never both.

    `sent_to` is the masked address that a code or link went to, `factors` the names of the second factors to choose
    from, `device_token` the token of a device that is remembered from now on, `return_to` the page to go to.
    """

    step: Step
    challenge: str | None = None
    login: OpenedLogin | None = None
    factors: tuple[str, ...] = ()
    factor: str | None = None
    sent_to: str | None = None
    device_token: str | None = None
    return_to: str = "/"
    expires_at: datetime | None = None


class LoginFlow:
    """The service of the core that every way in goes through; `app.services.get(LoginFlow)`."""

    async def with_password(self, email: str, password: str, visitor: Visitor, *, return_to: str = "/") -> LoginState:
        """Begin with an address and a password. Unknown addresses and wrong passwords take and answer the same."""
        raise NotImplementedError

    async def begin(
        self,
        connection: AsyncConnection,
        user_id: int,
        proof: Proof,
        visitor: Visitor,
        *,
        tenant_id: int | None = None,
        second_factor_shown: bool = False,
        return_to: str = "/",
    ) -> LoginState:
        """Begin for somebody who has shown who they are by `proof`, in the transaction of the system door.

        `tenant_id`: the membership to open, such as the one that an invitation was for; otherwise the user's last or
        first active one. `second_factor_shown`: a provider vouches for it. Gives `REFUSED` without an active
        membership.
        """
        raise NotImplementedError
