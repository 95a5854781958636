"""From answers of the query language to charts: labels, the period before, what is still open, where numbers lead.

Charts come without id, title and definition; the card that they are drawn for fills these in.
"""

from __future__ import annotations

from chatnation.plugins.dashboard.answer_charts.breakdowns import ranked_chart, share_chart, week_heatmap
from chatnation.plugins.dashboard.answer_charts.funnels import funnel_chart, funnel_trend_chart
from chatnation.plugins.dashboard.answer_charts.labels import bucket_label, bucket_labels
from chatnation.plugins.dashboard.answer_charts.outcomes import outcomes_chart, outcomes_trend_chart
from chatnation.plugins.dashboard.answer_charts.people import lifecycle_chart, retention_chart, stickiness_chart
from chatnation.plugins.dashboard.answer_charts.routes import paths_chart
from chatnation.plugins.dashboard.answer_charts.spreads import (
    distribution_chart,
    intervals_chart,
    intervals_trend_chart,
)
from chatnation.plugins.dashboard.answer_charts.trends import trend_chart

__all__ = [
    "bucket_label",
    "bucket_labels",
    "distribution_chart",
    "funnel_chart",
    "funnel_trend_chart",
    "intervals_chart",
    "intervals_trend_chart",
    "lifecycle_chart",
    "outcomes_chart",
    "outcomes_trend_chart",
    "paths_chart",
    "ranked_chart",
    "retention_chart",
    "share_chart",
    "stickiness_chart",
    "trend_chart",
    "week_heatmap",
]
