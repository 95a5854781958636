"""The order in which plugins load."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush

from chatnation.core.plugin.inventory import Inventory


def arrange(inventory: Inventory) -> None:
    """Sort active plugins so that what they require or come after is first, by name where it does not matter.

    Plugins that wait for each other in a circle are failed; what requires a plugin that is not there is blocked.
    """
    inventory.block_incomplete()
    while True:
        waits = _waits(inventory)
        try:
            inventory.arrange(_sorted(waits))
        except CycleError as error:
            circle = error.args[1]
            path = " → ".join(reversed(circle))
            inventory.fail_together(sorted(set(circle)), f"plugins wait for each other: {path}")
        else:
            return


def _waits(inventory: Inventory) -> dict[str, set[str]]:
    """For each active plugin, the active ones that load before it."""
    active = {record.name: record.plugin_class for record in inventory.active() if record.plugin_class}
    return {name: {*plugin.requires, *plugin.after} & active.keys() for name, plugin in active.items()}


def _sorted(waits: dict[str, set[str]]) -> list[str]:
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    ready = list(sorter.get_ready())
    heapify(ready)
    order = []
    while ready:
        name = heappop(ready)
        order.append(name)
        sorter.done(name)
        for following in sorter.get_ready():
            heappush(ready, following)
    return order
