"""Settings of the segment_compat plugin."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SegmentSettings(BaseModel):
    """Limits of the compatible routes; the defaults are those of Segment and RudderStack."""

    max_call_bytes: int = Field(32 * 1024, ge=1_024, description="Largest single call, in bytes.")
    max_batch_bytes: int = Field(500 * 1024, ge=1_024, description="Largest batch, in bytes after inflating.")
    max_rudderstack_bytes: int = Field(
        4_000 * 1024,
        ge=1_024,
        description="Largest request, and largest call in it, of RudderStack's SDKs, in bytes after inflating.",
    )
    max_batch_events: int = Field(2_500, ge=1, description="Most calls in one batch.")
