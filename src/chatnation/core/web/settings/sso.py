"""`/settings/sso` and `/api/settings/sso`: the issuer of the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.audit import audit_of
from chatnation.core.auth.openid import OpenId, OpenIdError
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.single_sign_on import (
    Provider,
    WantedProvider,
    provider_of,
    remove_provider,
    store_provider,
)
from chatnation.core.errors import ChatnationError, NotFound, Problem
from chatnation.core.outgoing import Outgoing
from chatnation.core.web.accounts.sso_pages import CALLBACK
from chatnation.core.web.audited import record_of
from chatnation.core.web.links import link
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem, invalid
from chatnation.core.web.routing import Page, Route

if TYPE_CHECKING:
    from chatnation.core.app import App

PATH = "/settings/sso"
PERMISSION = "settings.single_sign_on"
ROLES = [role for role in RoleName if role is not RoleName.SUPER_ADMIN]


class SingleSignOn(BaseModel):
    """What a tenant asks of single sign-on."""

    label: str = Field("Single sign-on", min_length=1, max_length=100, description="What people call it.")
    issuer: str = Field(max_length=500, description="Address of the issuer, as it calls itself.")
    client_id: str = Field(max_length=500, description="What the issuer calls us.")
    domains: list[str] = Field(max_length=50, description="Of e-mail addresses that the issuer speaks for.")
    enabled: bool = Field(True, description="Whether one can sign in this way.")
    enforced: bool = Field(False, description="Whether there is no other way; super admins may always use a password.")
    makes_members: bool = Field(False, description="Whether whoever the issuer knows becomes a member.")
    role: RoleName = Field(RoleName.AGENT, description="Of members that it makes, where no claim says otherwise.")
    role_claim: str | None = Field(None, max_length=200, description="Claim that says the role, such as `groups`.")
    role_map: dict[str, RoleName] = Field({}, description="Roles by value of that claim; the first that fits counts.")
    vouches: bool = Field(False, description="Whether a second factor shown there counts here.")


class SingleSignOnChange(SingleSignOn):
    """What to set up. Without `client_secret` the stored one stays; an empty one is a public client."""

    client_secret: str | None = Field(None, max_length=2_000, repr=False, description="What the issuer knows us by.")


class SingleSignOnAnswer(SingleSignOn):
    """How single sign-on is set up. The secret cannot be read again."""

    has_secret: bool
    redirect_uri: str = Field(description="To be entered at the issuer's.")


class SingleSignOnSettings:
    """Shows, changes and removes it, as a page and over the API."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._openid = OpenId(app.services.get(Outgoing), app.settings.outgoing_allowed)

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            Page(f"/{PATH}", self.change, PERMISSION, methods=("POST",)),
            Page(f"/{PATH}/remove", self.remove_page, PERMISSION, methods=("POST",)),
        ]

    def routes(self) -> list[Route]:
        return [
            Route("GET", PATH, self.read, PERMISSION, response=SingleSignOnAnswer),
            Route("PUT", PATH, self.put, PERMISSION, body=SingleSignOnChange, response=SingleSignOnAnswer),
            Route("DELETE", PATH, self.remove, PERMISSION, status=204),
        ]

    async def read(self, request: Request) -> SingleSignOnAnswer:
        """How single sign-on is set up."""
        provider = await self._provider(request)
        if provider is None:
            raise NotFound("There is no single sign-on.")
        return self._answer(provider)

    async def put(self, request: Request, body: SingleSignOnChange) -> SingleSignOnAnswer:
        """Set single sign-on up, once the issuer has answered."""
        tenant_id: int = request.state.actor.tenant.id
        wanted = WantedProvider(
            **{**body.model_dump(exclude={"client_secret", "role", "role_map"}), "secret": body.client_secret},
            role=str(body.role),
            role_map={value: str(role) for value, role in body.role_map.items()},
        )
        try:
            await self._openid.discover(wanted.issuer.strip())
        except OpenIdError as error:
            raise Problem(422, "issuer_unusable", str(error)) from None
        async with self._app.storage.system("set up single sign-on, domains are unique") as connection:
            provider = await store_provider(connection, tenant_id, wanted, self._app.vault)
            said = {
                **body.model_dump(mode="json", exclude={"client_secret"}),
                "credential_changed": bool(wanted.secret),
            }
            await audit_of(self._app).record(
                connection, record_of(request, "config.sso.updated", "sso", provider.id, settings=said)
            )
        return self._answer(provider)

    async def remove(self, request: Request) -> None:
        """Forget the issuer. Users stay, and sign in by password."""
        tenant_id: int = request.state.actor.tenant.id
        async with self._app.storage.tenant(tenant_id) as connection:
            if not await remove_provider(connection, tenant_id):
                raise NotFound("There is no single sign-on.")
            await audit_of(self._app).record(connection, record_of(request, "config.sso.deleted", "sso"))

    async def show(self, request: Request) -> Response:
        provider = await self._provider(request)
        return self._page(request, _values(self._answer(provider)) if provider else {}, stored=provider is not None)

    async def change(self, request: Request) -> Response:
        form = await request.form()
        values = {name: str(value)[:2_000] for name, value in form.items() if name != "csrf_token"}
        try:
            await self.put(request, _change(values))
        except ValidationError as error:
            return self._page(request, values, invalid(error, "body"))
        except ChatnationError as error:
            problem = as_problem(error)
            if problem.status >= 500:
                raise
            return self._page(request, values, problem)
        return redirect(PATH, notice="Saved.")

    async def remove_page(self, request: Request) -> Response:
        await self.remove(request)
        return redirect(PATH, notice="Single sign-on was removed.")

    async def _provider(self, request: Request) -> Provider | None:
        tenant_id: int = request.state.actor.tenant.id
        async with self._app.storage.tenant(tenant_id) as connection:
            return await provider_of(connection, tenant_id)

    def _answer(self, provider: Provider) -> SingleSignOnAnswer:
        return SingleSignOnAnswer.model_validate(
            {
                **{name: getattr(provider, name) for name in (*SingleSignOn.model_fields, "has_secret")},
                "domains": list(provider.domains),
                "redirect_uri": link(self._app.settings, CALLBACK),
            }
        )

    def _page(
        self, request: Request, values: dict[str, Any], problem: Problem | None = None, *, stored: bool = True
    ) -> Response:
        response: Response = request.state.render(
            "settings/sso.html",
            status=problem.status if problem else 200,
            values={name: value for name, value in values.items() if name != "client_secret"},
            problem=problem,
            stored=stored,
            roles=ROLES,
            redirect_uri=link(self._app.settings, CALLBACK),
        )
        return response


def _values(answer: SingleSignOnAnswer) -> dict[str, Any]:
    """The settings as fields of the form."""
    values = answer.model_dump(mode="json")
    values["domains"] = " ".join(answer.domains)
    values["role_map"] = "\n".join(f"{value} = {role}" for value, role in answer.role_map.items())
    return values


def _change(fields: dict[str, str]) -> SingleSignOnChange:
    """The form as a change; raises ValidationError."""
    lines = [line.rpartition("=") for line in fields.get("role_map", "").splitlines() if line.strip()]
    switches = ("enabled", "enforced", "makes_members", "vouches")
    texts = ("label", "issuer", "client_id", "role")
    return SingleSignOnChange.model_validate(
        {
            **{name: fields[name] for name in texts if name in fields},
            **{name: fields.get(name) == "on" for name in switches},
            "domains": fields.get("domains", "").replace(",", " ").split(),
            "role_claim": fields.get("role_claim", "").strip() or None,
            "role_map": {value.strip(): role.strip() for value, _, role in lines},
            "client_secret": fields.get("client_secret") or None,
        }
    )
