"""How each number of the explorer is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

EVENTS = "Stored events of the period that meet the filters, by the time when they happened. Known bots are left out."
EVENT_PERSONS = (
    "Different people behind these events; browsers, user ids and phone numbers that belong together are one."
)
EVENT_SESSIONS = "Different visits that these events belong to."
NAMES = "The events of the period that meet the filters, by their names."
CATALOGUE = (
    "Every name under which events came in the period: how many, of how many people, from which library, and when the "
    "first and the last of them happened. Known bots are left out."
)
PROPERTIES = (
    "What the properties of the newest events of this name look like: in how many of them each is, of which types its "
    "values are, and examples."
)
SENDERS = "The events of this name by the library that sent them."
CHANNELS = "The events of this name by the channel that they came through."
TREND = "The events of this name by when they happened; with a property chosen, by its most frequent values."
VALUES = "The events of this name by the value of the property, and how many people have it."
NUMBERS = "How the values of the property that are numbers are spread. Other values are left out, and counted."
SESSIONS = (
    "Visits that began in the period and meet the filters. A visit ends after half an hour without an event, unless "
    "your settings say otherwise. Known bots are left out."
)
SESSION_PERSONS = "Different people behind these sessions, all that leads to one person counted once."
CONVERTED = "Share of these sessions in which a conversion event happened."
PERSON_EVENTS = "Every stored event of this person, under any of their ids."
PERSON_SESSIONS = "Every session of this person, under any of their ids."
PERSON_CONVERSIONS = "Those of the sessions in which a conversion event happened."

METRICS = (
    Metric("explorer.events", "Events", EVENTS),
    Metric("explorer.event_persons", "Persons", EVENT_PERSONS),
    Metric("explorer.event_sessions", "Sessions", EVENT_SESSIONS),
    Metric("explorer.names", "Events by name", NAMES),
    Metric("explorer.catalogue", "Event catalogue", CATALOGUE),
    Metric("explorer.properties", "Properties", PROPERTIES),
    Metric("explorer.senders", "Senders", SENDERS),
    Metric("explorer.channels", "Channels", CHANNELS),
    Metric("explorer.trend", "Events over time", TREND),
    Metric("explorer.values", "Values", VALUES),
    Metric("explorer.numbers", "Numbers", NUMBERS),
    Metric("explorer.sessions", "Sessions in a list", SESSIONS),
    Metric("explorer.session_persons", "Persons of a list of sessions", SESSION_PERSONS),
    Metric("explorer.converted", "Converted sessions", CONVERTED, "percent"),
    Metric("explorer.person_events", "Events of a person", PERSON_EVENTS),
    Metric("explorer.person_sessions", "Sessions of a person", PERSON_SESSIONS),
    Metric("explorer.person_conversions", "Conversions of a person", PERSON_CONVERSIONS),
)
