"""What the numbers of insights mean, in words for their readers."""

from __future__ import annotations

from chatnation import Metric

METRICS = (
    Metric(
        "insights.answer",
        "Answer of an insight",
        "What the form asks, counted over the events of the period in your time zone. Persons are everybody whom the "
        "evidence joins; bots are left out unless they are asked for; values that are no numbers are left out of sums, "
        "means and percentiles, and counted.",
    ),
    Metric(
        "insights.people",
        "Who is behind a number of an insight",
        "Those whom the number counts, the latest first: as many as it says, by the same rules at the same moment. Of "
        "paths, one row for each way.",
    ),
)
