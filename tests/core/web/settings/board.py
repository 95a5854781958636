"""A plugin with a setting of every kind."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, model_validator

from chatnation import Plugin


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark_blue"


class Hours(BaseModel):
    """When it is open."""

    opens: time = time(8)
    closes: time = time(17)


class BoardSettings(BaseModel):
    """What a tenant writes on the board."""

    title: str = Field("Board", min_length=1, max_length=20, title="Title of the board")
    rows: int = Field(3, ge=1, le=10)
    ratio: float | None = Field(None, gt=0)
    shown: bool = True
    colour: Colour = Colour.RED
    size: Literal["small", "large"] | None = None
    days: list[Literal["mon", "tue"]] = Field(["mon"], title="Open days")
    words: tuple[str, ...] = ("hello",)
    ink: str = Field("#112233", pattern="^#[0-9a-f]{6}$", json_schema_extra={"format": "color"})
    text: str = Field("", max_length=1000, description="Anything <you> like.")
    since: date | None = None
    hours: Hours = Hours()
    extra: dict[str, int] = {}
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _readable(self) -> BoardSettings:
        if self.rows > 5 and self.size == "small":
            raise ValueError("so many rows need a large board")
        return self


class Board(Plugin):
    """Board

    Shows what people write on it.
    """

    name = "board"
    version = "1"
    TenantSettings = BoardSettings


class Frame(Plugin):
    """Frame

    Hangs around the board.
    """

    name = "frame"
    version = "1"
    requires = ("board",)


FILLED = {
    "title": "Menu",
    "rows": "4",
    "ratio": "1.5",
    "colour": "dark_blue",
    "size": "large",
    "days": ["mon", "tue"],
    "words": "one\r\n\r\n two \r\n",
    "ink": "#445566",
    "text": "Line\r\nnext",
    "since": "2026-01-31",
    "hours.opens": "09:30",
    "hours.closes": "18:00",
    "extra": '{"a": 1}',
    "password": "hunter2",
}
