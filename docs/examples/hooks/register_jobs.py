from collections.abc import Iterable
from typing import Any

from chatnation import Job, Plugin, hookimpl


class ReportsPlugin(Plugin):
    """Reports by mail"""

    name = "reports"

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job("reports.send_report", self.send_report, attempts=3)]

    async def send_report(self, payload: dict[str, Any]) -> None:
        print("report for tenant", payload["tenant_id"])
