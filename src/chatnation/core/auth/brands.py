"""How the product looks to the people of a tenant: its name, logo, colour and the words of its menu; in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.colours import palette
from chatnation.core.storage.storage import after_commit

if TYPE_CHECKING:
    from chatnation.core.storage.storage import Storage

CACHE = "access"
"""The row of `cache_versions` that triggers raise when the settings of a tenant change."""
PRODUCT = "Chatnation"
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Brand:
    """What a tenant set, or the product's own. `colour` is #rrggbb, `labels` are those of the menu by route."""

    name: str = PRODUCT
    logo: str | None = None
    colour: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Brand:
        """From a tenant's settings; what is absent or makes no sense is the product's."""
        labels = settings.get("navLabels")
        return cls(
            name=_text(settings.get("appName")) or PRODUCT,
            logo=_text(settings.get("logoUrl")),
            colour=_text(settings.get("primaryColor")),
            labels={str(route): str(label) for route, label in labels.items()} if isinstance(labels, dict) else {},
        )

    @property
    def own_name(self) -> str | None:
        """What the tenant calls the product; None where it calls it by our name."""
        return None if self.name == PRODUCT else self.name

    @property
    def dark_enough(self) -> str | None:
        """The colour as the ground of white text, made darker where it must be."""
        return palette(self.colour).on_light if self.colour else None

    @property
    def logo_origin(self) -> str | None:
        """Where the logo comes from, if not from this instance."""
        try:
            parts = urlsplit(self.logo or "")
        except ValueError:
            return None
        # It goes into a header that says what browsers may load, so nothing but a host may be in it.
        return f"https://{parts.netloc}" if parts.scheme == "https" and _HOST.fullmatch(parts.netloc) else None

    def label(self, path: str, default: str) -> str:
        """What the menu calls the page at `path`."""
        return self.labels.get(path.strip("/"), default)


class Brands:
    """Every brand that somebody made; `refresh` reads them again when another process changed one."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._by_tenant: dict[int, Brand] = {}
        self._holders: dict[str, int] = {}
        self._everywhere = Brand()

    def of_tenant(self, tenant_id: int) -> Brand:
        """What the people of a tenant see."""
        return self._by_tenant.get(tenant_id, _PLAIN)

    def of_host(self, host: str) -> Brand:
        """What somebody sees who has not signed in: the brand of the host's tenant, or of the only tenant there is."""
        holder = self._holders.get(host.lower())
        return self._everywhere if holder is None else self.of_tenant(holder)

    def holder_of(self, host: str) -> int | None:
        """The tenant whose host this is."""
        return self._holders.get(host.lower())

    async def refresh(self) -> None:
        """Read every brand."""
        async with self._storage.system("how the product looks to each tenant") as connection:
            rows = list((await connection.execute(_BRANDS)).all())
            sole = await connection.scalar(_SOLE)
        self._by_tenant = {row.id: Brand.of(row.settings) for row in rows}
        hosts = {row.id: _text(row.settings.get("customDomain")) for row in rows}
        # Two tenants can have one host only if both took it in the same moment; the older one keeps it.
        self._holders = {host.lower(): tenant for tenant, host in sorted(hosts.items(), reverse=True) if host}
        self._everywhere = self._by_tenant.get(sole, _PLAIN) if sole is not None else _PLAIN

    def refresh_after(self, connection: AsyncConnection) -> None:
        """Have this process read every brand again as soon as the transaction of `connection` has committed."""
        after_commit(connection, self.refresh)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


_PLAIN = Brand()
_BRANDS = text(
    """
    SELECT id, settings FROM tenants
     WHERE jsonb_exists_any(settings, ARRAY['appName', 'logoUrl', 'primaryColor', 'customDomain', 'navLabels'])
     ORDER BY id
    """
)
_SOLE = text("SELECT min(id) FROM tenants HAVING count(*) = 1")
