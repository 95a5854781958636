"""The country that a phone number's prefix belongs to."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

UNASSIGNED = frozenset({"ZZ", "001"})


@lru_cache(maxsize=65_536)
def country_of_phone(phone: str) -> str | None:
    """ISO 3166-1 alpha-2 code for an international number, given as digits with or without a leading plus."""
    digits = phone.removeprefix("+")
    if not digits.isdecimal():
        return None
    try:
        code = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return None
    return code if code and code not in UNASSIGNED else None
