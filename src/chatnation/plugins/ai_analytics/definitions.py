"""How each number about the AI agent is counted, in words for its readers."""

from __future__ import annotations

from chatnation import Metric

CLASSIFICATIONS = "Texts that a model sorted by what the person wants (events ai.classification) in the period."
ERROR_RATE = (
    "Errors (ai.error) as a share of all attempts: of the classifications and the errors together. An error that was "
    "made good by another attempt counts as one attempt that failed, and one that did not."
)
LATENCY = "Time that a classification took, as the AI agent measured it (latency_ms). Percentiles are over all of them."
CONFIDENCE = "How sure the model was of a classification, 0 to 100%: the mean of confidence."
CONTAINMENT = (
    "Of the persons whose text was classified in the period, those whom no human agent took over from the AI agent "
    "within 24 hours, or what is set for your organisation. Persons are joined across channels. Whoever asked less "
    "than that ago may still be handed over."
)
INTENTS = "Classifications by the intent that was found, and how sure the model was of it on average."
LATENCY_BUCKETS = "Classifications by the time that they took."
ERRORS = "Errors by their type, and how many of them were made good (recovered)."
TREND = "Classifications and errors by when they happened."
CONFIDENCE_TREND = "Mean, least and greatest confidence of the classifications, by when they happened."
HANDOVERS = "Persons whose text was classified, by when that first happened, and the share that was handed over."
TOKENS = (
    "Tokens that models read (prompt_tokens) and wrote (completion_tokens), of all events that name a model, and what "
    "they cost by the prices that are set for your organisation."
)
RESOLVED = "Chats that human agents resolved (chat.resolved), and how many agents did."
RESOLUTION_TIME = "Time from an agent's taking over a chat to its being resolved (resolution_time_seconds)."
TOP_AGENTS = "Human agents by the chats that they resolved, with the mean time that one took."

METRICS = (
    Metric("ai_analytics.classifications", "Classifications", CLASSIFICATIONS),
    Metric("ai_analytics.error_rate", "Error rate", ERROR_RATE, "percent"),
    Metric("ai_analytics.latency", "Latency", LATENCY, "seconds"),
    Metric("ai_analytics.confidence", "Confidence", CONFIDENCE, "percent"),
    Metric("ai_analytics.containment", "Containment", CONTAINMENT, "percent"),
    Metric("ai_analytics.intents", "Intents", INTENTS),
    Metric("ai_analytics.latency_buckets", "How long classifications take", LATENCY_BUCKETS),
    Metric("ai_analytics.errors", "Errors", ERRORS),
    Metric("ai_analytics.trend", "Classifications and errors over time", TREND),
    Metric("ai_analytics.confidence_trend", "Confidence over time", CONFIDENCE_TREND, "percent"),
    Metric("ai_analytics.handovers", "Persons and hand-overs over time", HANDOVERS),
    Metric("ai_analytics.tokens", "Tokens and cost", TOKENS),
    Metric("ai_analytics.resolved", "Chats resolved by agents", RESOLVED),
    Metric("ai_analytics.resolution_time", "Resolution time", RESOLUTION_TIME, "seconds"),
    Metric("ai_analytics.top_agents", "Top agents", TOP_AGENTS),
)
