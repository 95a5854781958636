"""What a tenant asks of the passwords of its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from sqlalchemy import cast, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.passwords import PasswordRules
from chatnation.core.storage.models import memberships, tenants

LENIENT = PasswordRules(uppercase=False, lowercase=False, number=False, special=False)
"""What a tenant asks that set nothing."""
STRICT = PasswordRules()
"""What somebody is asked who signs up, and operators."""

_SHORTEST, _LONGEST = 8, 128


def rules_of(tenant_settings: Mapping[str, Any]) -> PasswordRules:
    """The rules in a tenant's `passwordComplexity`; what is missing or makes no sense counts as not set."""
    wanted = tenant_settings.get("passwordComplexity")
    if not isinstance(wanted, Mapping):
        return LENIENT
    longest = max(_number(wanted.get("maxLength"), _LONGEST), _SHORTEST)
    return PasswordRules(
        min_length=min(max(_number(wanted.get("minLength"), _SHORTEST), 1), longest),
        max_length=longest,
        uppercase=wanted.get("requireUppercase") is True,
        lowercase=wanted.get("requireLowercase") is True,
        number=wanted.get("requireNumber") is True,
        special=wanted.get("requireSpecial") is True,
    )


async def store_rules(connection: AsyncConnection, tenant_id: int, rules: PasswordRules) -> None:
    """Replace a tenant's rules; they hold for passwords that are set from then on."""
    values = {
        "minLength": rules.min_length,
        "maxLength": rules.max_length,
        "requireUppercase": rules.uppercase,
        "requireLowercase": rules.lowercase,
        "requireNumber": rules.number,
        "requireSpecial": rules.special,
    }
    await connection.execute(
        update(tenants)
        .where(tenants.c.id == tenant_id)
        .values(settings=tenants.c.settings.op("||")(cast({"passwordComplexity": values}, JSONB)))
    )


def strictest(rules: Iterable[PasswordRules]) -> PasswordRules:
    """Rules that keep all of `rules`, for somebody who belongs to several tenants."""
    return reduce(_both, rules, LENIENT)


async def rules_of_user(connection: AsyncConnection, user_id: int) -> PasswordRules:
    """What the tenants that the user is an active member of ask together."""
    query = (
        select(tenants.c.settings)
        .select_from(memberships.join(tenants, tenants.c.id == memberships.c.tenant_id))
        .where(memberships.c.user_id == user_id, memberships.c.active)
    )
    return strictest(rules_of(settings) for settings in await connection.scalars(query))


def _both(one: PasswordRules, other: PasswordRules) -> PasswordRules:
    shortest = max(one.min_length, other.min_length)
    return PasswordRules(
        min_length=shortest,
        max_length=max(min(one.max_length, other.max_length), shortest),
        uppercase=one.uppercase or other.uppercase,
        lowercase=one.lowercase or other.lowercase,
        number=one.number or other.number,
        special=one.special or other.special,
    )


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10_000 else default
