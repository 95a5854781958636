from collections.abc import Iterable

from chatnation import Permission, Plugin, hookimpl


class RefundsPlugin(Plugin):
    """Refunds"""

    name = "refunds"

    @hookimpl
    def register_permissions(self) -> Iterable[Permission]:
        return [Permission("refunds.approve", "Approve refunds", roles=frozenset({"super_admin"}))]
