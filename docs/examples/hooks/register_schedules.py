from collections.abc import Iterable

from chatnation import Plugin, Schedule, hookimpl


class ReportsPlugin(Plugin):
    """Reports by mail"""

    name = "reports"

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return [Schedule("reports.send_all", "0 5 * * 1")]  # Mondays at 5:00 UTC; register_jobs names the job
