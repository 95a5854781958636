"""What other plugins may use of the dashboard: periods, charts, key figures, and how pages are built from them.

Templates: extend `layout.html` (blocks `title`, `pretitle`, `actions`, `content`), and import from
`dashboard/components.html` the macros `period_picker(period)`, `kpi(kpi, previous)`, `chart(chart)`,
`empty(title, text)`, `how(definition)`, `pager(page)` and `dialog`-less forms with `csrf_field(csrf)`.
"""

from __future__ import annotations

from chatnation.plugins.dashboard.charts import Chart, ChartKind, Kpi, Series, Unit, percent_change
from chatnation.plugins.dashboard.countries import country_name
from chatnation.plugins.dashboard.period import DEFAULT, PRESETS, Period, PeriodQuery

__all__ = [
    "DEFAULT",
    "PRESETS",
    "Chart",
    "ChartKind",
    "Kpi",
    "Period",
    "PeriodQuery",
    "Series",
    "Unit",
    "country_name",
    "percent_change",
]
