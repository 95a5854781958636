from collections.abc import Iterable

from chatnation import Metric, Plugin, hookimpl

SALES = Metric("shop.sales", "Sales", "Orders that were paid in the period.")


class ShopPlugin(Plugin):
    """Shop"""

    name = "shop"

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return [SALES]
