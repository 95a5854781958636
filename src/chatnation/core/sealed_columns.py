"""Where sealed texts are kept, so that they can be sealed anew when keys are rotated."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_TABLE = re.compile(r"(?:[a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]*")
_COLUMN = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A text column that holds what `Vault.seal` made.

    `table` is the name with its schema, `email.outbox`, or without for the core's. `context` is what the texts are
    sealed for, with the columns that identify a row in braces: `email.outbox:{id}`.
    """

    table: str
    column: str
    context: str

    def __post_init__(self) -> None:
        if not _TABLE.fullmatch(self.table) or not all(_COLUMN.fullmatch(name) for name in (self.column, *self.keys)):
            raise ValueError(f"{self.table}.{self.column} is no name of a column")
        if not self.keys:
            raise ValueError(f"the context of {self.table}.{self.column} names no column that identifies a row")

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that the context is made of; together they identify a row."""
        return tuple(_PLACEHOLDER.findall(self.context))

    @property
    def label(self) -> str:
        return f"{self.table}.{self.column}"

    def context_of(self, values: tuple[object, ...]) -> str:
        """The context of the row with these values of `keys`."""
        return self.context.format(**dict(zip(self.keys, values, strict=True)))
