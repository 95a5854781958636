"""What a tenant asks of logins: how long they last, what else is shown, how often passwords change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

LONGEST = timedelta(days=7)
"""A login ends after this time, unless the tenant says otherwise."""
MOST_MINUTES = 525_600
MOST_PASSWORD_DAYS = 365


@dataclass(frozen=True, slots=True)
class SecurityPolicy:
    """Read from the tenant's settings, where absent or senseless values count as not set.

    `longest` is the absolute limit of a login, `idle` the longest time without activity (None: no limit).
    """

    longest: timedelta = LONGEST
    idle: timedelta | None = None
    single_login: bool = False
    remember_devices: bool = True
    second_factor_required: bool = False
    password_days: int | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """The policy in a tenant's settings, a JSON object."""
        given = settings.get("session")
        session: Mapping[str, Any] = given if isinstance(given, dict) else {}
        longest, idle = _whole(session.get("maxDurationMinutes")), _whole(session.get("inactivityTimeoutMinutes"))
        return cls(
            longest=timedelta(minutes=min(longest, MOST_MINUTES)) if longest else LONGEST,
            idle=timedelta(minutes=min(idle, MOST_MINUTES)) if idle else None,
            single_login=session.get("singleLoginEnforced") is True,
            remember_devices=session.get("rememberDevices") is not False,
            second_factor_required=settings.get("twoFactorRequired") is True,
            password_days=_whole(settings.get("passwordExpiryDays")),
        )

    def as_settings(self) -> dict[str, Any]:
        """The policy as it is kept in a tenant's settings, to be merged into them."""
        return {
            "session": {
                "maxDurationMinutes": in_minutes(self.longest),
                "inactivityTimeoutMinutes": in_minutes(self.idle) if self.idle else 0,
                "singleLoginEnforced": self.single_login,
                "rememberDevices": self.remember_devices,
            },
            "twoFactorRequired": self.second_factor_required,
            "passwordExpiryDays": self.password_days or 0,
        }

    def password_expired(self, changed_at: datetime | None, now: datetime) -> bool:
        """Whether a password that was set then must be replaced; one that never was counts as expired."""
        if self.password_days is None:
            return False
        return changed_at is None or now - changed_at >= timedelta(days=self.password_days)


async def store_policy(connection: AsyncConnection, tenant_id: int, policy: SecurityPolicy) -> None:
    """Replace the tenant's policy; its other settings stay."""
    values = policy.as_settings()
    await connection.execute(_STORE, {"tenant_id": tenant_id, "session": values.pop("session"), "others": values})


_STORE = text(
    """
    UPDATE tenants SET settings = settings || :others || jsonb_build_object(
           'session',
           CASE jsonb_typeof(settings -> 'session') WHEN 'object' THEN settings -> 'session' ELSE '{}' END || :session)
     WHERE id = :tenant_id
    """
).bindparams(bindparam("session", type_=JSONB), bindparam("others", type_=JSONB))


def _whole(value: object) -> int | None:
    """A positive whole number, else None."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 else None


def in_minutes(length: timedelta) -> int:
    """Whole minutes, at least one, as the tenant's settings hold them."""
    return max(1, round(length / timedelta(minutes=1)))
