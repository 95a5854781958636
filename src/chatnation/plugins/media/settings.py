"""Where files are kept, and how large and how long."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

DISK = "disk"


class MediaSettings(BaseModel):
    """Settings of the instance, `CHATNATION_MEDIA_<FIELD>`."""

    store: str = Field(DISK, description="Where new files go: `disk`, or the name of a store that a plugin brings.")
    folder: Path | None = Field(None, description="Folder of the store `disk`; by default `media` in the data folder.")
    max_bytes: int = Field(10 * 1024 * 1024, ge=1, le=10 * 1024**3, description="Largest file, in bytes.")
    link_seconds: int = Field(86_400, ge=1, description="How long a link opens its file, unless it is asked otherwise.")
    longest_link_seconds: int = Field(30 * 86_400, ge=1, description="Longest life of a link that may be asked for.")


class MediaTenantSettings(BaseModel):
    """Files of the organisation."""

    retention_days: int | None = Field(
        None, ge=1, le=36_500, title="Keep files for (days)", description="Empty: until somebody deletes them."
    )
