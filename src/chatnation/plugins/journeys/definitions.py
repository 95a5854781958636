"""How each number of the journeys page is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

JOURNEY = (
    "A journey is an attempt: it begins with a person's journey start, and lasts until that person's next one, or 24 "
    "hours unless your organisation set another length. It counts in the period in which it began, whatever "
    "happened later and on whatever channel; everything that leads to one person is joined. Known bots are left out."
)
TOTAL = (
    f"{JOURNEY} The total has the journeys that are over: completed, abandoned and assisted. Filters concern the "
    "journey start."
)
ASSISTED = (
    "Share of the journeys in which an agent took over (agent.handoff, or another event by which an agent takes a "
    "chat), also where the journey ran on the website and the agent on WhatsApp."
)
COMPLETED = "Share of the journeys that came to a journey end without an agent."
ABANDONED = (
    "Share of the journeys with neither an end nor an agent that are over: their person started another one, their "
    "time is up, or the person has done nothing for 30 minutes. If the person comes back in time, this changes."
)
IN_PROGRESS = (
    "Journeys with neither an end nor an agent whose person did something less than 30 minutes ago, unless your "
    "organisation set another grace. They are in no rate."
)
BOT_CHATS = (
    "WhatsApp visits that began in the period with neither a journey start nor a hand-off to an agent in them. The "
    "filter for journeys has no effect on them."
)
OUTCOMES = "Journeys that began in the period by what became of them; those in progress apart."
SELF_SERVE = "Journeys by when they began: without an agent (completed or abandoned), and assisted."
RATE = (
    "Assisted journeys per journey that is over, by when they began. The change compares the second half of the period "
    "with the first."
)
BY_JOURNEY = (
    "Journeys by name: the first of the properties of the journey start that name one, or else the event's name. "
    "Started = completed by oneself + assisted + dropped off + in progress. Ended in all: came to a journey end, with "
    "or without an agent."
)
STEPS = (
    "Hand-offs in the period by the step from which they came; without a step by their reason. Filters concern the "
    "hand-off itself."
)
REASONS = "Hand-offs in the period by their reason. Filters concern the hand-off itself."
TIME = "Time from the journey start to the first hand-off of the journey, of the journeys that were assisted."
AGENTS = (
    "Hand-offs in the period and different persons by the agent who took over. Filters concern the hand-off itself."
)
HANDOFFS = (
    "Every hand-off (agent.handoff) of the period lies within a journey, or is a chat that an agent took without a "
    "journey start of that person before it, within the length of a journey. So none is lost. A journey may have "
    "several."
)
TOLD = "The journeys themselves, the latest first."

METRICS = (
    Metric("journeys.total", "Journeys", TOTAL),
    Metric("journeys.assisted", "Assisted rate", ASSISTED, "percent"),
    Metric("journeys.completed", "Completion rate", COMPLETED, "percent"),
    Metric("journeys.abandoned", "Abandonment rate", ABANDONED, "percent"),
    Metric("journeys.in_progress", "Journeys in progress", IN_PROGRESS),
    Metric("journeys.bot_chats", "Bot chat only", BOT_CHATS),
    Metric("journeys.outcomes", "Outcomes of journeys", OUTCOMES),
    Metric("journeys.self_serve", "Self-serve and assisted", SELF_SERVE),
    Metric("journeys.handoff_rate", "Hand-off rate", RATE, "percent"),
    Metric("journeys.by_journey", "Journeys by name", BY_JOURNEY),
    Metric("journeys.handoff_steps", "Hand-offs by step", STEPS),
    Metric("journeys.handoff_reasons", "Hand-offs by reason", REASONS),
    Metric("journeys.time_to_handoff", "Time to hand-off", TIME, "seconds"),
    Metric("journeys.agents", "Hand-offs by agent", AGENTS),
    Metric("journeys.handoffs", "Hand-offs", HANDOFFS),
)
