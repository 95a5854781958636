"""`/login/sso`: to the issuer of one's organisation, and back."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation.core.audit import audit_of
from chatnation.core.auth.openid import Departure, OpenId, OpenIdError
from chatnation.core.auth.single_sign_on import (
    Admission,
    NotAdmitted,
    Provider,
    admit,
    find_provider,
    provider_for_address,
    read_client,
)
from chatnation.core.auth.throttling import Attempt
from chatnation.core.errors import Problem
from chatnation.core.outgoing import Outgoing
from chatnation.core.vault import CannotOpen
from chatnation.core.web.accounts.ending import LoginEnding
from chatnation.core.web.accounts.return_to import inside
from chatnation.core.web.accounts.visitors import address_of
from chatnation.core.web.audited import record_of
from chatnation.core.web.cookies import delete_cookie, read_cookie, set_cookie
from chatnation.core.web.links import link
from chatnation.core.web.routing import PUBLIC, Page

if TYPE_CHECKING:
    from chatnation.core.web.accounts.parts import AccountParts

logger = logging.getLogger(__name__)

PATH = "/login/sso"
CALLBACK = f"{PATH}/callback"
COOKIE = "chatnation_sso"
"""Holds, sealed, what has to be remembered while the browser is at the issuer's."""
_LASTS = timedelta(minutes=10)
_CONTEXT = "sso.departure"


class _Away(msgspec.Struct):
    """A browser that was sent to the issuer of a tenant."""

    tenant: str
    departure: dict[str, str]
    return_to: str
    until: datetime


class SingleSignOnPages:
    """The form that asks for an address, the way there, and the way back."""

    def __init__(self, parts: AccountParts, ending: LoginEnding) -> None:
        self._parts = parts
        self._app = parts.app
        self._ending = ending
        self._openid = OpenId(parts.app.services.get(Outgoing), parts.app.settings.outgoing_allowed)

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.ask, PUBLIC),
            Page(f"/{PATH}", self.route, PUBLIC, methods=("POST",)),
            Page(f"/{CALLBACK}", self.arrive, PUBLIC),
            Page(f"/{PATH}/{{tenant}}/start", self.depart, PUBLIC),
        ]

    async def ask(self, request: Request) -> Response:
        return self._form(request, next=inside(request.query_params.get("next")))

    async def route(self, request: Request) -> Response:
        """Find the issuer by the domain of an address. A form may not lead to another site, so a page does."""
        form = await request.form()
        email, target = str(form.get("email", ""))[:254].strip(), inside(str(form.get("next", "")))
        await self._parts.throttle.admit(Attempt.LINK, address_of(request))
        async with self._app.storage.system("an address names no tenant yet") as connection:
            provider = await provider_for_address(connection, email)
        if provider is None:
            problem = Problem(404, "no_single_sign_on", "No organisation signs on with addresses of this domain.")
            return self._form(request, problem, email=email, next=target)
        start = link(self._app.settings, f"{PATH}/{provider.tenant}/start", next=target, email=email)
        path = start[start.index(PATH) :]
        response: Response = request.state.render("accounts/sso_continue.html", start=path, label=provider.label)
        return response

    async def depart(self, request: Request) -> Response:
        """Send the browser to the issuer of a tenant."""
        await self._parts.throttle.admit(Attempt.LINK, address_of(request))
        async with self._app.storage.system("somebody wants to sign on") as connection:
            provider = await find_provider(connection, request.path_params["tenant"])
            client = await read_client(connection, provider, self._app.vault) if provider else None
        if provider is None or client is None:
            return self._form(request, Problem(404, "no_single_sign_on", "There is no single sign-on here."))
        hint = request.query_params.get("email", "")[:254]
        try:
            address, departure = await self._openid.depart(client, self._callback(), login_hint=hint)
        except OpenIdError as error:
            return await self._refuse(request, provider, str(error), "The issuer cannot be used now. Try again later.")
        away = _Away(
            provider.tenant,
            asdict(departure),
            inside(request.query_params.get("next")),
            self._app.clock.now() + _LASTS,
        )
        response = RedirectResponse(address, status_code=302)
        sealed = self._app.vault.seal(msgspec.json.encode(away), _CONTEXT)
        set_cookie(response, request, COOKIE, sealed, expires=away.until)
        return response

    async def arrive(self, request: Request) -> Response:
        """Take the answer of the issuer, find the user, and go on with their login."""
        away = self._away(request)
        if away is None:
            expired = Problem(400, "login_expired", "This took too long, or began in another browser. Begin again.")
            return self._form(request, expired)
        async with self._app.storage.system("somebody comes back from an issuer") as connection:
            provider = await find_provider(connection, away.tenant)
            client = await read_client(connection, provider, self._app.vault) if provider else None
        if provider is None or client is None:
            return self._form(request, Problem(404, "no_single_sign_on", "There is no single sign-on here."))
        try:
            departure = Departure(**away.departure)
            identity = await self._openid.arrive(client, self._callback(), departure, dict(request.query_params))
            async with self._app.storage.system("who an issuer means") as connection:
                admission = await admit(connection, provider, identity)
                await self._note(request, connection, provider, admission)
        except OpenIdError as error:
            return await self._refuse(request, provider, str(error), "The issuer could not tell us who you are.")
        except NotAdmitted as error:
            return await self._refuse(request, provider, str(error), str(error))
        try:
            response = await self._ending.finish(
                request,
                admission.user_id,
                tenant_id=provider.tenant_id,
                second_factor_shown=provider.vouches and identity.used_second_factor,
                return_to=away.return_to,
            )
        except Problem as problem:
            if problem.code != "wrong_credentials":
                raise
            refused = "Your access to this organisation was taken away."
            return await self._refuse(request, provider, "not an active member", refused)
        delete_cookie(response, request, COOKIE)
        return response

    def _away(self, request: Request) -> _Away | None:
        sealed = read_cookie(request, COOKIE)
        try:
            away = msgspec.json.decode(self._app.vault.open(sealed or "", _CONTEXT), type=_Away)
        except (CannotOpen, msgspec.MsgspecError):
            return None
        return away if self._app.clock.now() < away.until else None

    async def _note(self, request: Request, connection: Any, provider: Provider, admission: Admission) -> None:
        if admission.linked:
            record = record_of(
                request,
                "auth.sso.linked",
                "user",
                admission.user_id,
                tenant_id=provider.tenant_id,
                issuer=provider.issuer,
                made_member=admission.made,
            )
            await audit_of(self._app).record(connection, record)

    async def _refuse(self, request: Request, provider: Provider, reason: str, shown: str) -> Response:
        """Tell the administrators why, and the person as much as helps."""
        logger.warning("single sign-on of %s was refused: %s", provider.tenant, reason)
        async with self._app.storage.tenant(provider.tenant_id) as connection:
            record = record_of(
                request, "auth.sso.rejected", "sso", tenant_id=provider.tenant_id, issuer=provider.issuer, reason=reason
            )
            await audit_of(self._app).record(connection, record)
        response = self._form(request, Problem(403, "single_sign_on_refused", shown))
        delete_cookie(response, request, COOKIE)
        return response

    def _callback(self) -> str:
        return link(self._app.settings, CALLBACK)

    def _form(self, request: Request, problem: Problem | None = None, **values: Any) -> Response:
        response: Response = request.state.render(
            "accounts/sso.html",
            status=problem.status if problem else 200,
            **{"problem": problem, "email": "", "next": "/", **values},
        )
        return response
