"""How each number of the trends is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

SESSIONS = (
    "Visits by when they began, in your time zone; a visit counts once, however long it lasts. With a journey: those "
    "in which a journey began or an agent took over. Known bots are left out."
)
CONVERSION = (
    "Share of the sessions that began then in which a conversion event happened. Which events count is set for your "
    "organisation. The total is that of all sessions of the period, not a mean of the shares."
)
GROWTH = (
    "Different people who began a session. New: it was their first ever, as far as the data goes back and with the "
    "same filters; returning: they had one before. Whoever comes on several days is in each of their bars, and once in "
    "the total; so a new person of one day may be a returning one of the next."
)
LENGTH = (
    "Time from the first to the last event of a session. Sessions of a single moment have no length, and are left out. "
    "The total is that of all sessions of the period, not a mean of the means."
)
ACTIVE = (
    "Different people with an event of their own on a day: receipts and mass mailings do not count. The mean is over "
    "all days of the period, those without anybody included."
)
RETENTION = (
    "Of the people who began in a week (or day, or month), the share that came back so many periods later. Column 0 is "
    "the period itself. Hatched cells are of periods that are not over, and may grow."
)
RETENTION_AVERAGE = "Mean over the cohorts whose period is over, each weighted by its size."
LIFECYCLE = (
    "People of each period. New: came for the first time ever. Returning: came in the period before too. Resurrecting: "
    "had come before, but not in the period before. Dormant: came in the period before, and not in this one."
)
STICKINESS = "On how many different days of the period each person came."
RATIO = "Mean of the people active on a day, as a share of all people active in the period."
PATHS = (
    "What people did one after the other; the same step several times in a row counts once. A way ends with a pause of "
    "more than 30 minutes. The most frequent steps of each column are shown, the rest is other."
)
PEOPLE = (
    "The people behind one number, the latest first: as many as it counts. Of ways there is a row for each, so that "
    "somebody who went several is there several times. Last seen is the time of the last event of any kind."
)
ERRORS = (
    "Events named app_error by their error_code: how often, in how many sessions, and to how many different people."
)
AFFECTED = "Sessions with an error, as a share of all sessions with any event in the period."

METRICS = (
    Metric("trends.sessions", "Sessions over time", SESSIONS),
    Metric("trends.conversion", "Conversion rate over time", CONVERSION, "percent"),
    Metric("trends.growth", "New and returning persons", GROWTH),
    Metric("trends.length", "Session duration", LENGTH, "seconds"),
    Metric("trends.active", "Daily active persons", ACTIVE),
    Metric("trends.retention", "Retention", RETENTION, "percent"),
    Metric("trends.retention_average", "Retention on average", RETENTION_AVERAGE, "percent"),
    Metric("trends.lifecycle", "Lifecycle", LIFECYCLE),
    Metric("trends.stickiness", "Stickiness", STICKINESS),
    Metric("trends.ratio", "Daily share", RATIO, "percent"),
    Metric("trends.paths", "Paths", PATHS),
    Metric("trends.people", "Who is behind a number", PEOPLE),
    Metric("trends.errors", "Errors", ERRORS),
    Metric("trends.affected", "Sessions with an error", AFFECTED, "percent"),
)
