"""Settings of the sessions plugin."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SessionsTenantSettings(BaseModel):
    """What a tenant can set about sessions. A change counts for events that arrive after it."""

    inactivity_minutes: int = Field(30, ge=1, le=1440, title="Inactivity", description="Minutes that end a session.")
    conversion_events: tuple[str, ...] = Field(
        ("conversion", "purchase", "form_submit", "return_filed", "payment_success"),
        title="Conversion events",
        description="Names of the events that mark a session as converted.",
    )
