"""How each number of a funnel is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

ENTERED = (
    "Those with an event in the period that matches the first step: different persons, or sessions or entries where "
    "the funnel counts these. Known bots are left out unless the funnel says otherwise."
)
CONVERTED = (
    "Of those who entered in the period, those who reached the last step within the window, also if that was after "
    "the end of the period."
)
CONVERSION = "Those who converted, as a share of those who entered."
TIME = (
    "Median time from the first step to the last, of those who converted. The histogram shows all of them; its last "
    "bar holds everything longer."
)
OPEN = (
    "Those who have not reached the last step and still can, because their window is not over. They are neither "
    "converted nor dropped."
)
STEPS = (
    "How many came to each step or further, as a share of the first step with the bounds that chance alone leaves "
    "(Wilson's interval, 95%), and as a share of the step before. Dropped: came here and no further, and cannot go on "
    "any more. The page says under “How was this counted?” what the chosen options mean."
)
DROP = (
    "The step after which most stop for good, among those after which more than 5% do. Who may still go on is not "
    "counted as dropped."
)
TIMES = "How long it took to come to a step: from the step before, and from the first one, of those who came to it."
TREND = (
    "Those who entered by the day, week or month of their entry, and the share of them that converted. Marked values "
    "may still change, because somebody's window is not over."
)
BREAKDOWN = (
    "The same chains, sorted by a value. The rows add up to the funnel. A difference is marked where the conversion of "
    "a row differs from that of all others with p < 0.05 (two-sided test of two proportions, at least 5 expected on "
    "either side)."
)
PEOPLE = (
    "Who came to a step or further (reached), came there and no further and cannot go on (dropped), or came there and "
    "still can (open). The latest entry first."
)

METRICS = (
    Metric("funnels.entered", "Entered", ENTERED),
    Metric("funnels.converted", "Converted", CONVERTED),
    Metric("funnels.conversion", "Conversion", CONVERSION, "percent"),
    Metric("funnels.time", "Time to convert", TIME, "seconds"),
    Metric("funnels.open", "Still open", OPEN),
    Metric("funnels.steps", "Steps", STEPS),
    Metric("funnels.drop", "Largest drop", DROP, "percent"),
    Metric("funnels.times", "Times between steps", TIMES, "seconds"),
    Metric("funnels.trend", "Conversion over time", TREND, "percent"),
    Metric("funnels.breakdown", "Breakdown of a funnel", BREAKDOWN),
    Metric("funnels.people", "Who is behind a step", PEOPLE),
)
