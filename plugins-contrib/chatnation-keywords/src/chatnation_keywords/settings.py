"""Settings of the keywords plugin."""

from __future__ import annotations

from pydantic import BaseModel, Field


class KeywordsSettings(BaseModel):
    """What an operator sets in the environment."""

    longest_text: int = Field(4_000, ge=1, le=65_536, description="Characters of a message that are looked at.")


class KeywordsTenantSettings(BaseModel):
    """What a tenant sets in the dashboard. A change counts for messages that arrive after it."""

    keywords: tuple[str, ...] = Field(
        ("nil", "pin", "otp", "tcc", "refund", "etims"),
        max_length=200,
        title="Keywords",
        description="Words and phrases to count, whatever their case.",
    )
