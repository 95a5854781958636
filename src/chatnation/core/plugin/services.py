"""Objects that plugins offer each other, keyed by a Protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """The services of one app: interface to (plugin, implementation).

    What a plugin offers is gone while the plugin does not run, which `running(plugin)` tells.
    """

    def __init__(
        self, offers: Mapping[type[Any], tuple[str, object]], running: Callable[[str], bool] = lambda plugin: True
    ) -> None:
        self._offers = dict(offers)
        self._running = running

    def offer(self, plugin: str, interface: type[T], implementation: T) -> None:
        """Add an offer while the app is being built."""
        self._offers[interface] = (plugin, implementation)

    def get(self, interface: type[T]) -> T:
        """The implementation of `interface`; raises `ServiceMissing`."""
        found = self.find(interface)
        if found is None:
            raise ServiceMissing(f"no active plugin offers {interface.__name__}")
        return found

    def find(self, interface: type[T]) -> T | None:
        """The implementation of `interface`, or None."""
        offer = self._offers.get(interface)
        if offer is None or not self._running(offer[0]):
            return None
        return cast("T", offer[1])

    def offered_by(self, interface: type[Any], plugin: str) -> bool:
        """Whether `plugin` is the one that offers `interface`."""
        offer = self._offers.get(interface)
        return offer is not None and offer[0] == plugin

    def __contains__(self, interface: type[Any]) -> bool:
        return self.find(interface) is not None
