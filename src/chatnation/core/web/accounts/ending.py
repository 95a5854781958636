"""How every other way in ends: the service that decides what else has to be shown, and answers the browser."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.login_flow import Proof
from chatnation.core.hookspecs.auth import LoginProvider
from chatnation.core.plugin.boundary import CORE
from chatnation.core.web.accounts.return_to import inside
from chatnation.core.web.accounts.visitors import visitor_of

if TYPE_CHECKING:
    from chatnation.core.web.accounts.answers import Answers
    from chatnation.core.web.accounts.parts import AccountParts

logger = logging.getLogger(__name__)


class LoginEnding:
    """For pages of login providers; `app.services.get(LoginEnding)`."""

    def __init__(self, parts: AccountParts, answers: Answers) -> None:
        self._parts = parts
        self._answers = answers

    async def finish(
        self,
        request: Request,
        user_id: int,
        *,
        tenant_id: int | None = None,
        second_factor_shown: bool = False,
        return_to: str = "/",
    ) -> Response:
        """Go on with a user who was recognised: to the next step of their login, or in.

        `tenant_id`: the membership to open, by default the first. `second_factor_shown`: the provider vouches for one.
        Raises a Problem when they may not come in.
        """
        async with self._parts.app.storage.system("somebody comes in by a login provider") as connection:
            state = await self._parts.flow.begin(
                connection,
                user_id,
                Proof.SINGLE_SIGN_ON,
                visitor_of(request),
                tenant_id=tenant_id,
                second_factor_shown=second_factor_shown,
                return_to=inside(return_to),
            )
        return await self._answers.page(request, state)


async def login_buttons(parts: AccountParts) -> list[LoginProvider]:
    """The providers that can be used now, in load order."""
    found = []
    for entry in parts.app.resources.login_providers:
        if entry.plugin != CORE and not parts.app.inventory.runs(entry.plugin):
            continue
        outcome = await parts.app.boundary.acall(entry.plugin, "login provider", entry.item.available)
        if outcome.ok and outcome.value:
            found.append(entry.item)
    return found
