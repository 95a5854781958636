"""The pages that are timed."""

from __future__ import annotations

PAGES = {
    "overview": "/overview",
    "trends": "/trends",
    "funnel": "/funnel",
    "journeys": "/journeys",
    "whatsapp": "/whatsapp-analytics",
    "ai": "/ai-analytics",
    "csat": "/csat-analytics",
    "events": "/events",
    "sessions": "/sessions",
    "insights": "/insights",
}
PAGE_MS = 300.0
"""A whole page, warm, with the parts that it loads by itself."""
TIMELINE_MS = 100.0
