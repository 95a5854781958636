"""Replacing a password: under the rules, not by an old one, and with everybody logged out who used it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.password_policy import rules_of_user
from chatnation.core.auth.passwords import WeakPassword, hash_password, verify_password
from chatnation.core.auth.refusals import Impossible, WrongPassword
from chatnation.core.storage.models import login_sessions, old_passwords, password_resets, users

if TYPE_CHECKING:
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage

REMEMBERED = 5
"""As many passwords before the current one may not be used again, and the current one neither."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password that was found good, ready to be stored; valid while the user still has the one it `replaces`."""

    user_id: int
    password_hash: str
    replaces: str | None


class NewPasswords:
    """Checks and hashes outside of a transaction, because that takes a second; stores within the caller's.

    new = await new_passwords.checked(user_id, password)
    async with storage.system("…") as connection:
        await new_passwords.store(connection, new)
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def checked(self, user_id: int, password: str, *, current: str | None = None) -> NewPassword:
        """The new password of a user, if it keeps the rules of their tenants and is none of their last ones.

        `current` has to be the current password, where given. Raises WrongPassword, WeakPassword.
        """
        async with self._storage.system("what a new password has to be") as connection:
            rules = await rules_of_user(connection, user_id)
            present = await connection.scalar(select(users.c.password_hash).where(users.c.id == user_id))
            before = list(await connection.scalars(_before(user_id)))
        if current is not None and not await verify_password(current, present):
            raise WrongPassword("The current password is wrong.")
        rules.check(password)
        known = [digest for digest in (present, *before) if digest]
        if any(await asyncio.gather(*(verify_password(password, digest) for digest in known))):
            raise WeakPassword(f"The password is one of your last {REMEMBERED}; choose one that you have not had yet.")
        return NewPassword(user_id, await hash_password(password), present)

    async def store(self, connection: AsyncConnection, new: NewPassword) -> None:
        """Replace the password; every login and every reset link of the user ends. The system door is needed.

        Raises Impossible when the password was changed meanwhile.
        """
        now = self._clock.now()
        changed = await connection.execute(
            update(users)
            .where(users.c.id == new.user_id, users.c.password_hash.is_not_distinct_from(new.replaces))
            .values(password_hash=new.password_hash, password_changed_at=now)
        )
        if not changed.rowcount:
            raise Impossible("The password was changed a moment ago; try again.")
        if new.replaces is not None:
            await connection.execute(
                insert(old_passwords).values(user_id=new.user_id, password_hash=new.replaces, replaced_at=now)
            )
            kept = select(old_passwords.c.id).where(old_passwords.c.user_id == new.user_id)
            kept = kept.order_by(old_passwords.c.id.desc()).limit(REMEMBERED)
            await connection.execute(
                delete(old_passwords).where(old_passwords.c.user_id == new.user_id, old_passwords.c.id.not_in(kept))
            )
        await connection.execute(delete(login_sessions).where(login_sessions.c.user_id == new.user_id))
        await connection.execute(delete(password_resets).where(password_resets.c.user_id == new.user_id))


def _before(user_id: int) -> Select[Any]:
    old = old_passwords.c
    return select(old.password_hash).where(old.user_id == user_id).order_by(old.id.desc()).limit(REMEMBERED)
