"""What a project does not want to keep, taken out before anything is written down."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from chatnation.core.auth.tenancy import IpMode, MaskingRule
from chatnation.core.ingestion.wire import Context, EventFields

_HIDDEN = "***"
_LEFT_READABLE = 2
_FIELDS = ("user_id", "previous_id", "anonymous_id")
_QUERY_PARAMETER = re.compile(r"(?P<start>[?&#]|^)(?P<name>[^=&#?]+)=(?P<value>[^&#]*)")


@lru_cache(maxsize=20_000)
def visitor_address(address: str, mode: IpMode) -> tuple[str | None, str | None]:
    """What becomes of a visitor's address: what is stored, and what only the location stage may see.

    Text that is no address gives neither. Masking leaves a network of 256 IPv4 addresses, or a site's IPv6 network.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return None, None
    if parsed.version == 6:
        parsed = ip_address(str(parsed).partition("%")[0])
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if mode is IpMode.OFF:
        return str(parsed), None
    if mode is IpMode.MASK:
        return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False).network_address), None
    return (None, str(parsed)) if mode is IpMode.DROP_AFTER_GEO else (None, None)


class Masker:
    """Applies a project's masking rules to events.

    A rule's name is that of a property, at any depth; or a path from the top such as `address.street`; or `user_id`,
    `previous_id`, `anonymous_id`, `external_id`; or a parameter in the address of a page. `key` makes the hashes of
    this instance unlike those of any other.
    """

    def __init__(self, rules: Mapping[str, MaskingRule], tenant_id: int, key: bytes) -> None:
        self._by_name = {name: rule for name, rule in rules.items() if "." not in name}
        self._by_path = {tuple(name.split(".")): rule for name, rule in rules.items() if "." in name}
        self._salt = tenant_id.to_bytes(8, "big")
        self._key = hashlib.blake2b(key, digest_size=32).digest()

    def apply(self, event: EventFields, context: Context, properties: dict[str, Any] | None) -> None:
        """Change one event, its context and its properties in place."""
        for name in _FIELDS:
            rule = self._by_name.get(name)
            value = getattr(event, name)
            if rule is not None and value is not None:
                setattr(event, name, self._treated(value, rule))
        rule = self._by_name.get("external_id")
        if rule is not None and context.external_id is not None:
            context.external_id = self._treated(context.external_id, rule)
        if context.page is not None:
            for part in ("url", "search", "referrer"):
                text = getattr(context.page, part)
                if text is not None and "=" in text:
                    setattr(context.page, part, _QUERY_PARAMETER.sub(self._parameter, text))
        if properties is not None:
            for path, rule in self._by_path.items():
                self._along(path, properties, rule)
            self._anywhere(properties)

    def _parameter(self, match: re.Match[str]) -> str:
        rule = self._by_name.get(match["name"])
        if rule is None:
            return match[0]
        treated = self._treated(match["value"], rule)
        return match["start"] if treated is None else f"{match['start']}{match['name']}={treated}"

    def _along(self, path: tuple[str, ...], value: object, rule: MaskingRule) -> None:
        if isinstance(value, list):
            for item in value:
                self._along(path, item, rule)
        elif isinstance(value, dict) and path[0] in value:
            if len(path) == 1:
                self._replace(value, path[0], rule)
            else:
                self._along(path[1:], value[path[0]], rule)

    def _anywhere(self, value: object) -> None:
        if isinstance(value, list):
            for item in value:
                self._anywhere(item)
        elif isinstance(value, dict):
            for name in list(value):
                rule = self._by_name.get(name)
                if rule is None:
                    self._anywhere(value[name])
                else:
                    self._replace(value, name, rule)

    def _replace(self, holder: dict[str, Any], name: str, rule: MaskingRule) -> None:
        treated = self._treated(holder[name], rule)
        if treated is None:
            del holder[name]
        else:
            holder[name] = treated

    def _treated(self, value: object, rule: MaskingRule) -> str | None:
        """The value after a rule, None when it goes. Null stays out of it: it tells nothing and is dropped."""
        if value is None or rule is MaskingRule.DROP:
            return None
        if rule is MaskingRule.MASK:
            readable = isinstance(value, str) and len(value) > 3 * _LEFT_READABLE
            return _HIDDEN + (str(value)[-_LEFT_READABLE:] if readable else "")
        # A number and its text are one value, so that a phone number hashes alike however it was typed in.
        text = value.encode() if isinstance(value, str) else msgspec.json.encode(value)
        return hashlib.blake2b(text, key=self._key, salt=self._salt, digest_size=16).hexdigest()
