"""How somebody came by the login that they have."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.login_steps import Proof
from chatnation.core.auth.one_time import hash_token
from chatnation.core.storage.models import login_sessions


async def proof_of(connection: AsyncConnection, session_token: str | None) -> tuple[Proof, bool]:
    """What opened the login of a cookie, and whether a second factor was shown; a password and none, if there is none.

    For whoever goes on to another login with it: what was shown need not be shown again, and what was not is asked for.
    """
    if session_token is None:
        return Proof.PASSWORD, False
    query = select(login_sessions.c.proof, login_sessions.c.second_factor).where(
        login_sessions.c.token_hash == hash_token(session_token)
    )
    row = (await connection.execute(query)).one_or_none()
    return (Proof.PASSWORD, False) if row is None else (Proof(row.proof), row.second_factor is not None)
