"""What a tenant decides about satisfaction."""

from __future__ import annotations

from pydantic import BaseModel, Field


class CsatTenantSettings(BaseModel):
    """Which scores call for a look."""

    low_score: int = Field(
        2, ge=1, le=4, title="Low scores", description="Up to this score, a response is listed among the low ones."
    )
