"""How each number of the overview is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

SESSIONS = (
    "Visits that began in the period, in your time zone. A visit is one visitor's events with no pause longer than 30 "
    "minutes; it does not end at midnight. On WhatsApp it belongs to the contact. Known bots are left out."
)
PERSONS = (
    "Different people who began a session in the period. Everything that leads to one person counts once: browsers, "
    "user ids and phone numbers that were seen together, also when that was found out later."
)
CONVERSION = (
    "Share of the sessions in which a conversion event happened, such as a filed return or a payment. Which events "
    "count is set for your organisation."
)
DURATION = "Mean time from the first to the last event of a session. Sessions with a single event count with 0 seconds."
IDENTIFIED = "Of the persons, those who were seen with a user id or a phone number in a session of the period."
SESSIONS_OVER_TIME = "Sessions by when they began, against the equally long period before."
CONVERSION_OVER_TIME = (
    "Share of the sessions that began then in which a conversion event happened. The rate of the whole period is that "
    "of all its sessions, not a mean of these."
)
GROWTH = (
    "Different people who began a session. New: it was their first ever, as far as the data goes back and with the "
    "same filters; returning: they had one before. Whoever comes on several days is in each of their bars."
)
ACTIVE = "Different people with an event of their own on a day; receipts and mass mailings do not count."
DEVICES = "Sessions by the kind of device that the visitor's browser or app named. Unknown: it named none."
BROWSERS = "Sessions by browser, from the name that it sends along. Unknown: it sent none, as on WhatsApp."
COUNTRIES = "Sessions by country, from the network address, or the prefix of the phone number on WhatsApp."
HEATMAP = "Sessions by the weekday and the hour in which they began, in your time zone."
PAGES = (
    "Page views in the period by the path of the page, without the part of the address after a question mark; and in "
    "how many sessions it was looked at. Known bots are left out."
)
ENTRIES = (
    "Sessions by the first page that was looked at in them. Sessions without a page, as on WhatsApp, are left out."
)
EXITS = "Sessions by the last page that was looked at. Sessions without a page, as on WhatsApp, are left out."
LIVE_EVENTS = "Events that happened in the last 60 seconds and are stored; it follows within two seconds."
LIVE_PERSONS = "Different people with an event in the last 5 minutes."

METRICS = (
    Metric("overview.sessions", "Sessions", SESSIONS),
    Metric("overview.persons", "Persons", PERSONS),
    Metric("overview.identified", "Identified persons", IDENTIFIED, "percent"),
    Metric("overview.conversion", "Conversion rate", CONVERSION, "percent"),
    Metric("overview.duration", "Average duration", DURATION, "seconds"),
    Metric("overview.days", "Sessions over time", SESSIONS_OVER_TIME),
    Metric("overview.conversions", "Conversion rate over time", CONVERSION_OVER_TIME, "percent"),
    Metric("overview.growth", "New and returning persons", GROWTH),
    Metric("overview.daily_users", "Daily active users", ACTIVE),
    Metric("overview.devices", "Devices", DEVICES),
    Metric("overview.browsers", "Browsers", BROWSERS),
    Metric("overview.countries", "Countries", COUNTRIES),
    Metric("overview.heatmap", "When sessions begin", HEATMAP),
    Metric("overview.pages", "Top pages", PAGES),
    Metric("overview.entries", "Entry pages", ENTRIES),
    Metric("overview.exits", "Exit pages", EXITS),
    Metric("overview.live_persons", "Active persons", LIVE_PERSONS),
    Metric("overview.live_events", "Events in the last minute", LIVE_EVENTS),
)
