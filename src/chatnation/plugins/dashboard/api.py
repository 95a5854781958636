"""What other plugins may use of the dashboard: periods, charts, key figures, and how pages are built from them.

`docs/guides/analytics-page.md` shows a whole page of analytics. Templates: extend `layout.html` (blocks `title`,
`pretitle`, `actions`, `content`) or `dashboard/analytics_page.html`, and import from `dashboard/components.html` the
macros that are described there.
"""

from __future__ import annotations

from chatnation.plugins.dashboard.analytics_page import AnalyticsPage
from chatnation.plugins.dashboard.analytics_query import (
    FILTERS,
    SESSION_FILTERS,
    UNKNOWN,
    AnalyticsQuery,
    FilteredPeriodQuery,
    FilterName,
    GlobalFilter,
    address,
    changed,
)
from chatnation.plugins.dashboard.answer_charts import (
    bucket_label,
    bucket_labels,
    distribution_chart,
    funnel_chart,
    funnel_trend_chart,
    intervals_chart,
    intervals_trend_chart,
    lifecycle_chart,
    outcomes_chart,
    outcomes_trend_chart,
    paths_chart,
    ranked_chart,
    retention_chart,
    share_chart,
    stickiness_chart,
    trend_chart,
    week_heatmap,
)
from chatnation.plugins.dashboard.cards import Card, Content, Part
from chatnation.plugins.dashboard.chart_tables import Cell, ChartTable
from chatnation.plugins.dashboard.charts import (
    Chart,
    ChartKind,
    Flow,
    Kpi,
    Node,
    Series,
    Target,
    Unit,
    Value,
    percent,
    percent_change,
    percent_of,
)
from chatnation.plugins.dashboard.conditions import SIGNS, conditions_of, parse_condition
from chatnation.plugins.dashboard.countries import country_name
from chatnation.plugins.dashboard.data_tables import Column, DataTable
from chatnation.plugins.dashboard.filter_bar import Chip, FilterBar, value_label
from chatnation.plugins.dashboard.names import agent_names, channel_name, person_names, with_agent_names
from chatnation.plugins.dashboard.people import (
    PEOPLE,
    Listed,
    PeopleQuery,
    nobody_asked_for,
    people_card,
    people_part,
)
from chatnation.plugins.dashboard.period import DEFAULT, PRESETS, Period, PeriodAnswer, PeriodQuery
from chatnation.plugins.dashboard.view import View

__all__ = [
    "DEFAULT",
    "FILTERS",
    "PEOPLE",
    "PRESETS",
    "SESSION_FILTERS",
    "SIGNS",
    "UNKNOWN",
    "AnalyticsPage",
    "AnalyticsQuery",
    "Card",
    "Cell",
    "Chart",
    "ChartKind",
    "ChartTable",
    "Chip",
    "Column",
    "Content",
    "DataTable",
    "FilterBar",
    "FilterName",
    "FilteredPeriodQuery",
    "Flow",
    "GlobalFilter",
    "Kpi",
    "Listed",
    "Node",
    "Part",
    "PeopleQuery",
    "Period",
    "PeriodAnswer",
    "PeriodQuery",
    "Series",
    "Target",
    "Unit",
    "Value",
    "View",
    "address",
    "agent_names",
    "bucket_label",
    "bucket_labels",
    "changed",
    "channel_name",
    "conditions_of",
    "country_name",
    "distribution_chart",
    "funnel_chart",
    "funnel_trend_chart",
    "intervals_chart",
    "intervals_trend_chart",
    "lifecycle_chart",
    "nobody_asked_for",
    "outcomes_chart",
    "outcomes_trend_chart",
    "parse_condition",
    "paths_chart",
    "people_card",
    "people_part",
    "percent",
    "percent_change",
    "percent_of",
    "person_names",
    "ranked_chart",
    "retention_chart",
    "share_chart",
    "stickiness_chart",
    "trend_chart",
    "value_label",
    "week_heatmap",
    "with_agent_names",
]
