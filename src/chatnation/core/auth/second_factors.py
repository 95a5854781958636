"""What users show besides a password: codes of an app, codes that are sent to them, recovery codes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth import totp
from chatnation.core.auth.one_time import CodeHasher, new_code
from chatnation.core.errors import ChatnationError
from chatnation.core.hookspecs.auth import CodeMessage, SecondFactor
from chatnation.core.storage.models import recovery_codes, users
from chatnation.core.storage.models import second_factors as factors

if TYPE_CHECKING:
    from chatnation.core.vault import Vault

APP = "totp"
EMAIL = "email"
RECOVERY = "recovery"
APP_LABEL = "Authenticator app"

CODE_LASTS = timedelta(minutes=10)
RECOVERY_CODES = 10
_RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LENGTH = 10


@dataclass(frozen=True, slots=True)
class FactorEntry:
    """A second factor of a user. `hint` says where its codes come from; `available`: what carries them runs."""

    name: str
    label: str
    hint: str
    available: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code on its way: its hash, and what may be shown of where it went."""

    code_hash: bytes
    sent_to: str


class SecondFactors:
    """The factors of users, in transactions of the system door.

    `carriers()` gives those that bring codes, by name, as they run now.
    """

    def __init__(self, carriers: Callable[[], Mapping[str, SecondFactor]], vault: Vault, codes: CodeHasher) -> None:
        self._carriers = carriers
        self._vault = vault
        self._codes = codes

    @property
    def carriers(self) -> Mapping[str, SecondFactor]:
        """What can bring codes now, by name."""
        return self._carriers()

    def label(self, name: str) -> str:
        """What a factor is called."""
        if name == APP:
            return APP_LABEL
        carrier = self.carriers.get(name)
        return carrier.label if carrier else name

    async def of_user(self, connection: AsyncConnection, user_id: int) -> Sequence[FactorEntry]:
        """The factors that a user has set up."""
        query = select(factors).where(factors.c.user_id == user_id).order_by(factors.c.factor != APP, factors.c.factor)
        rows = (await connection.execute(query)).all()
        return [
            FactorEntry(
                row.factor,
                self.label(row.factor),
                self._hint(user_id, row.factor, row.sealed),
                row.factor == APP or row.factor in self.carriers,
                row.created_at,
                row.last_used_at,
            )
            for row in rows
        ]

    async def choices(self, connection: AsyncConnection, user_id: int) -> tuple[str, ...]:
        """The factors that a user may show now, the best first; none for who has none.

        Codes by e-mail stand in for factors whose plugin does not run, so that nobody is locked out by a switch.
        """
        held = await self.of_user(connection, user_id)
        available = tuple(entry.name for entry in held if entry.available)
        return available or ((EMAIL,) if held else ())

    async def send(
        self, connection: AsyncConnection, tenant_id: int, user_id: int, name: str, *, address: str | None = None
    ) -> SentCode:
        """Send the user a fresh code; `address` for one that is being set up. Raises ChatnationError."""
        carrier = self.carriers.get(name)
        if carrier is None:
            raise ChatnationError("Codes cannot be sent that way now.")
        user = (await connection.execute(select(users.c.name, users.c.email).where(users.c.id == user_id))).one()
        target = address or await self._address(connection, user_id, carrier) or user.email
        code, minutes = new_code(), int(CODE_LASTS / timedelta(minutes=1))
        await carrier.send(connection, CodeMessage(tenant_id, user_id, user.name, user.email, target, code, minutes))
        return SentCode(self._codes.hash(code, f"{user_id}"), carrier.mask_address(target))

    async def matching(
        self, connection: AsyncConnection, user_id: int, code: str, now: datetime, sent: tuple[str, bytes] | None
    ) -> str | None:
        """The factor that a code belongs to: the one `sent` (factor and hash), the app, or a recovery code.

        None for a wrong code. An app's and a recovery code are used up by this.
        """
        if sent is not None and self._codes.matches(code, f"{user_id}", sent[1]):
            await self._note_use(connection, user_id, sent[0], now)
            return sent[0]
        if await self._is_app_code(connection, user_id, code, now):
            return APP
        return RECOVERY if await self._use_recovery_code(connection, user_id, code, now) else None

    def sent_code_matches(self, user_id: int, code: str, code_hash: bytes | None) -> bool:
        """Whether it is the code that was sent."""
        return self._codes.matches(code, f"{user_id}", code_hash)

    def hash_code(self, user_id: int, code: str) -> bytes:
        """What is stored of a code for this user."""
        return self._codes.hash(code, f"{user_id}")

    def seal(self, user_id: int, name: str, secret: str) -> str:
        """A secret or an address, as it is stored."""
        return self._vault.seal(secret.encode(), _context(user_id, name))

    def open(self, user_id: int, name: str, sealed: str) -> str:
        """What `seal` was given."""
        return self._vault.open(sealed, _context(user_id, name)).decode()

    async def enable(
        self,
        connection: AsyncConnection,
        user_id: int,
        name: str,
        sealed: str | None,
        now: datetime,
        counter: int | None,
    ) -> None:
        """Set a factor up, or replace it; `counter` is the time step of the app's code that proved it."""
        values = {"sealed": sealed, "last_counter": counter, "created_at": now, "last_used_at": now}
        await connection.execute(
            upsert(factors)
            .values(user_id=user_id, factor=name, **values)
            .on_conflict_do_update(index_elements=["user_id", "factor"], set_=values)
        )

    async def disable(self, connection: AsyncConnection, user_id: int, name: str) -> bool:
        """Take a factor away; says whether the user had it. Recovery codes go with the last one."""
        mine = (factors.c.user_id == user_id) & (factors.c.factor == name)
        gone = (await connection.execute(delete(factors).where(mine))).rowcount > 0
        if not await connection.scalar(select(func.count()).where(factors.c.user_id == user_id)):
            await connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
        return gone

    async def new_recovery_codes(self, connection: AsyncConnection, user_id: int) -> list[str]:
        """Ten fresh recovery codes instead of those of before; to be shown once."""
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        await connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
        rows = [{"user_id": user_id, "code_hash": self._codes.hash(code, f"recovery {user_id}")} for code in codes]
        await connection.execute(insert(recovery_codes), rows)
        return codes

    async def recovery_codes_left(self, connection: AsyncConnection, user_id: int) -> int:
        """How many recovery codes the user has not used yet."""
        unused = (recovery_codes.c.user_id == user_id) & recovery_codes.c.used_at.is_(None)
        return await connection.scalar(select(func.count()).select_from(recovery_codes).where(unused)) or 0

    async def _is_app_code(self, connection: AsyncConnection, user_id: int, code: str, now: datetime) -> bool:
        this = (factors.c.user_id == user_id) & (factors.c.factor == APP)
        query = select(factors.c.sealed, factors.c.last_counter).where(this).with_for_update()
        row = (await connection.execute(query)).one_or_none()
        if row is None or row.sealed is None:
            return False
        counter = totp.matching_counter(self.open(user_id, APP, row.sealed), code, now, row.last_counter)
        if counter is None:
            return False
        await connection.execute(update(factors).where(this).values(last_counter=counter, last_used_at=now))
        return True

    async def _use_recovery_code(self, connection: AsyncConnection, user_id: int, code: str, now: datetime) -> bool:
        unused = (
            (recovery_codes.c.user_id == user_id)
            & (recovery_codes.c.code_hash == self._codes.hash(code, f"recovery {user_id}"))
            & recovery_codes.c.used_at.is_(None)
        )
        return (await connection.execute(update(recovery_codes).where(unused).values(used_at=now))).rowcount > 0

    async def _note_use(self, connection: AsyncConnection, user_id: int, name: str, now: datetime) -> None:
        this = (factors.c.user_id == user_id) & (factors.c.factor == name)
        await connection.execute(update(factors).where(this).values(last_used_at=now))

    async def _address(self, connection: AsyncConnection, user_id: int, carrier: SecondFactor) -> str | None:
        this = (factors.c.user_id == user_id) & (factors.c.factor == carrier.name)
        sealed = await connection.scalar(select(factors.c.sealed).where(this))
        return self.open(user_id, carrier.name, sealed) if sealed else None

    def _hint(self, user_id: int, name: str, sealed: str | None) -> str:
        carrier = self.carriers.get(name)
        if carrier is None or sealed is None:
            return ""
        return carrier.mask_address(self.open(user_id, name, sealed))


async def remove_factors(connection: AsyncConnection, user_id: int) -> int:
    """Take every factor of a user away, recovery codes too; gives how many factors there were."""
    await connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    return (await connection.execute(delete(factors).where(factors.c.user_id == user_id))).rowcount


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(_RECOVERY_LENGTH))
    return f"{letters[:5]}-{letters[5:]}"


def _context(user_id: int, name: str) -> str:
    return f"second_factors:{user_id}:{name}"
