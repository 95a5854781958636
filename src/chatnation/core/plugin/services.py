"""Objects that plugins offer each other, keyed by a Protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from chatnation.core.errors import ChatnationError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """An `implementation` of the Protocol `interface`, offered to every plugin."""

    interface: type[Any]
    implementation: object


class ServiceMissing(ChatnationError):
    """No active plugin offers the service that was asked for."""


class Services:
    """The services of one app, frozen after composition."""

    def __init__(self, services: dict[type[Any], object] | None = None) -> None:
        self._services = dict(services or {})

    def get(self, interface: type[T]) -> T:
        """The implementation of `interface`; raises `ServiceMissing`."""
        try:
            return cast("T", self._services[interface])
        except KeyError:
            raise ServiceMissing(f"no active plugin offers {interface.__name__}") from None

    def find(self, interface: type[T]) -> T | None:
        """The implementation of `interface`, or None."""
        return cast("T | None", self._services.get(interface))

    def __contains__(self, interface: type[Any]) -> bool:
        return interface in self._services
