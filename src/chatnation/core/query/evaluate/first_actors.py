"""The first of several kinds of actors that is known of a row: `first_of:properties.inboxSessionId|session`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

import numpy as np

from chatnation.core.query.frame import MISSING, ActorNames, Actors, Codes


def first_actor(kinds: Sequence[Actors]) -> Actors:
    """Of each row the first actor that is known. Actors of different kinds are never the same."""
    offsets = [0, *accumulate(len(actors.names) for actors in kinds)]
    found: Codes = np.full(len(kinds[0].codes), MISSING, np.int32)
    for actors, offset in zip(kinds, offsets, strict=False):
        known = (found == MISSING) & (actors.codes != MISSING)
        found = np.where(known, actors.codes + np.int32(offset), found)
    return Actors(found, _Several([actors.names for actors in kinds], offsets))


@dataclass(frozen=True, slots=True)
class Texts:
    """Names of actors that are values of a field."""

    texts: Sequence[str]

    def __len__(self) -> int:
        return len(self.texts)

    def label(self, code: int) -> str:
        return self.texts[code]

    def person(self, code: int) -> UUID | None:
        return None


@dataclass(frozen=True, slots=True)
class _Several:
    """Names of actors of several kinds: those of kind i have the codes from `offsets[i]` on."""

    kinds: Sequence[ActorNames]
    offsets: Sequence[int]

    def __len__(self) -> int:
        return self.offsets[-1]

    def label(self, code: int) -> str:
        kind = self._kind(code)
        return self.kinds[kind].label(code - self.offsets[kind])

    def person(self, code: int) -> UUID | None:
        kind = self._kind(code)
        return self.kinds[kind].person(code - self.offsets[kind])

    def _kind(self, code: int) -> int:
        return int(np.searchsorted(self.offsets, code, "right")) - 1
