"""What signing in is made of, built once for an app."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chatnation.core.audit import audit_of
from chatnation.core.auth import recognition as recognitions
from chatnation.core.auth.access_tokens import AccessTokens, looks_like_access_token
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.key_actors import ApiKeys
from chatnation.core.auth.login_flow import LoginFlow
from chatnation.core.auth.new_passwords import NewPasswords
from chatnation.core.auth.one_time import CodeHasher
from chatnation.core.auth.personal_tokens import PREFIX
from chatnation.core.auth.recognition import Recognition
from chatnation.core.auth.second_factors import SecondFactors
from chatnation.core.auth.throttling import Throttle
from chatnation.core.context import Actor
from chatnation.core.hookspecs.auth import SecondFactor
from chatnation.core.mail import mailer_of
from chatnation.core.plugin.boundary import CORE
from chatnation.core.web.links import link

if TYPE_CHECKING:
    from chatnation.core.app import App


class AccountParts:
    """The services of signing in, and the two questions that the gate asks: whose cookie, whose token."""

    def __init__(self, app: App, *, secret: str) -> None:
        self.app = app
        self.secret = secret
        self.standings = app.services.get(Standings)
        self.recognition = Recognition(app.storage, self.standings, app.versions, app.clock)
        app.versions.watch(recognitions.CACHE, self.recognition.forget)
        self.factors = SecondFactors(partial(_running_carriers, app), app.vault, CodeHasher(secret))
        self._keys = ApiKeys(app.storage, app.versions, app.clock)
        self.access_tokens = AccessTokens(secret)
        self.throttle = Throttle(app.redis)
        self.passwords = NewPasswords(app.storage, app.clock)
        self.flow = LoginFlow(
            storage=app.storage,
            clock=app.clock,
            standings=self.standings,
            recognition=self.recognition,
            factors=self.factors,
            throttle=self.throttle,
            passwords=self.passwords,
            mailer=partial(mailer_of, app),
            audit=partial(audit_of, app),
            signals=app.signals,
            link=partial(link, app.settings),
        )
        for service in (self.recognition, self.factors, self.throttle, self.flow):
            app.services.offer(CORE, type(service), service)

    async def by_cookie(self, token: str, *, active: bool) -> Actor | None:
        """Who has the login of this cookie."""
        return await self.recognition.by_cookie(token, active=active)

    async def by_bearer(self, token: str) -> Actor | None:
        """Who asks with this key, personal token or access token; told apart by how they begin."""
        if token.startswith(PREFIX):
            return await self.recognition.by_personal_token(token)
        if looks_like_access_token(token):
            login_id = self.access_tokens.login_of(token, self.app.clock.now())
            return await self.recognition.by_login(login_id) if login_id else None
        return await self._keys.actor(token)


def _running_carriers(app: App) -> dict[str, SecondFactor]:
    """The factors that bring codes, by name; only of plugins that run now."""
    return {
        entry.item.name: entry.item
        for entry in app.resources.second_factors
        if entry.plugin == CORE or app.inventory.runs(entry.plugin)
    }
