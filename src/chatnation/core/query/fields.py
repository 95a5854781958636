"""Names of what events and sessions can be filtered and broken down by.

A field is written as text: a column (`event_name`), a property (`properties.amount`, deeper ones with more dots), a
trait of the person (`person.county`), something of the visit that the event belongs to (`session.utm_source`), or a
part of the local time (`time.weekday`). `first_of:properties.step|properties.journeyStep|event_name` is, of several
fields, the first that has a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["column", "properties", "person", "session", "time", "first_of"]
FIRST_OF = "first_of:"
WHO = ("person", "session")
"""Actors that are no fields."""

COLUMNS = (
    "event_name",
    "event_type",
    "channel_type",
    "page_path",
    "referrer",
    "country_code",
    "city",
    "device_type",
    "os_name",
    "browser_name",
    "sdk_name",
    "user_id",
    "external_id",
    "project_id",
    "is_bot",
    "journey_start",
    "journey_end",
)
"""Columns of events. Flags have the values `true` and `false`, and are never missing; neither is the project."""

SESSION_COLUMNS = (
    "channel_type",
    "entry_page",
    "exit_page",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "device_type",
    "os_name",
    "browser_name",
    "country_code",
    "city",
    "conversion_event",
    "user_id",
    "project_id",
    "is_bot",
    "converted",
    "journey",
    "duration_seconds",
    "page_count",
    "event_count",
)
"""Of a visit: texts, flags (`converted`, `journey`: a journey began or an agent took over), and three numbers."""

TIME_PARTS = ("weekday", "hour", "date", "week", "month")
"""Of the local time: weekday 0 is Sunday; hour 0 to 23; the others as ISO text, a week by its Monday."""


class UnknownField(ValueError):
    """No field is called that."""


def actor_parts(actor: str) -> tuple[str, ...]:
    """The kinds of actors, of which a row has the first that is known: those of `first_of:`, or the one alone.

    Fields that stand together are one kind: equal texts of any of them are one actor.
    """
    if not actor.startswith(FIRST_OF):
        return (actor,)
    kinds: list[str] = []
    for part in actor.removeprefix(FIRST_OF).split("|"):
        if kinds and part not in WHO and kinds[-1] not in WHO:
            kinds[-1] = f"{FIRST_OF}{kinds[-1].removeprefix(FIRST_OF)}|{part}"
        else:
            kinds.append(part)
    return tuple(kinds)


@dataclass(frozen=True, slots=True, order=True)
class Field:
    """A parsed field: where it is found, and its name there."""

    scope: Scope
    name: str

    @classmethod
    def parse(cls, text: str, source: str = "events") -> Field:
        """The field that `text` names among those of `source`; raises UnknownField."""
        if text.startswith(FIRST_OF):
            names = text.removeprefix(FIRST_OF)
            parts = [cls.parse(part, source) for part in names.split("|")]
            if any(part.scope == "first_of" for part in parts):
                raise UnknownField(f"{FIRST_OF} stands only at the beginning: {text!r}.")
            return cls("first_of", names)
        scope, dot, name = text.partition(".")
        if not dot:
            known = COLUMNS if source == "events" else SESSION_COLUMNS
            if text in known:
                return cls("column", text)
        elif scope == "properties" and name and source == "events":
            return cls("properties", name)
        elif scope == "person" and name:
            return cls("person", name)
        elif scope == "session" and name in SESSION_COLUMNS and source == "events":
            return cls("session", name)
        elif scope == "time" and name in TIME_PARTS:
            return cls("time", name)
        raise UnknownField(f"There is no field {text!r} of {source}.")

    def __str__(self) -> str:
        if self.scope == "first_of":
            return FIRST_OF + self.name
        return self.name if self.scope == "column" else f"{self.scope}.{self.name}"

    @property
    def parts(self) -> tuple[Field, ...]:
        """The fields of which this is the first with a value; itself, where it is not made of any."""
        if self.scope != "first_of":
            return (self,)
        return tuple(Field.parsed(part) for part in self.name.split("|"))

    @classmethod
    def parsed(cls, text: str) -> Field:
        """A field that has been looked at already, of whichever source."""
        if text.startswith(FIRST_OF):
            return cls("first_of", text.removeprefix(FIRST_OF))
        scope, dot, name = text.partition(".")
        return cls(scope, name) if dot else cls("column", text)  # type: ignore[arg-type]
