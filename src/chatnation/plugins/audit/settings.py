"""What a tenant decides about its log."""

from __future__ import annotations

from pydantic import BaseModel, Field


class AuditTenantSettings(BaseModel):
    """The audit log of the organisation."""

    retention_days: int | None = Field(
        None, ge=30, le=36_500, title="Keep records for (days)", description="Empty: for ever. At least 30."
    )
