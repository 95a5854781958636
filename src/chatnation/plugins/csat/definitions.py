"""How each number about satisfaction is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

SENT = "Surveys that were sent (csat.sent)."
RESPONSES = (
    "Ratings given in the period (csat_submitted) that are whole numbers from 1 to 5. Of each chat the first valid one "
    "counts, whenever it was given: later ones are kept as revisions. A rating without a chat belongs to its visit."
)
RESPONSE_RATE = (
    "Of the surveys sent in the period, those that were answered by a valid rating of the same chat within 30 days. "
    "Ratings that nobody asked for, such as those on a website, do not change it."
)
AVERAGE = "Mean score of the responses, from 1 to 5."
FIVE_STAR = "Share of the responses with a score of 5."
SCORES = "Responses by score."
JOURNEYS = (
    "Responses by the journey that the rating names (journey, else journeyStep, else issue), with their average and "
    "how many of them have a score of 5."
)
CHANNELS = "Responses by the channel over which the rating came, with their average."
AGENTS = (
    "Surveys sent in the period by the agent of the chat, and the first valid rating of the same chat, if it came "
    "within 30 days. So an answer counts on the day of its survey."
)
FEEDBACK = (
    "The latest responses. Revised: valid ratings of a chat that had been rated before. Not valid: ratings that are no "
    "whole number from 1 to 5. Neither counts in any figure."
)

METRICS = (
    Metric("csat.sent", "Surveys sent", SENT),
    Metric("csat.responses", "Responses", RESPONSES),
    Metric("csat.response_rate", "Response rate", RESPONSE_RATE, "percent"),
    Metric("csat.average", "Average score", AVERAGE, "score"),
    Metric("csat.five_star", "5-star share", FIVE_STAR, "percent"),
    Metric("csat.scores", "Scores", SCORES),
    Metric("csat.journeys", "Satisfaction by journey", JOURNEYS),
    Metric("csat.channels", "Satisfaction by channel", CHANNELS),
    Metric("csat.agents", "Satisfaction by agent", AGENTS),
    Metric("csat.feedback", "Feedback", FEEDBACK),
)
