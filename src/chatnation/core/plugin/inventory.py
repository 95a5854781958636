"""Which plugins there are, and how each of them is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from chatnation.core.errors import PluginError
from chatnation.core.plugin.boundary import CORE

if TYPE_CHECKING:
    from chatnation.core.plugin.base import Plugin
    from chatnation.core.plugin.discovery import Candidate

logger = logging.getLogger(__name__)

ASKED_WHILE_DEGRADED = ("erase_", "export_", "summarize_")
"""What a plugin keeps about somebody must not be forgotten because the plugin does not run now."""


class State(StrEnum):
    """How a plugin is."""

    ACTIVE = "active"
    """It runs."""
    DEGRADED = "degraded"
    """It was composed but cannot run: its routes answer 503, its stages and jobs do not run."""
    FAILED = "failed"
    """It broke before it could be composed."""
    BLOCKED = "blocked"
    """It requires a plugin that is not there."""
    DISABLED = "disabled"
    """The operator left it out."""


@dataclass(slots=True)
class PluginRecord:
    """One plugin of the instance.

    `reason` says why it is not active, in words that anybody may read. `detail` is the text of the error behind it,
    which may hold secrets: for the log and the operator's terminal only.
    """

    candidate: Candidate
    state: State = State.ACTIVE
    reason: str = ""
    detail: str = ""
    plugin_class: type[Plugin] | None = None
    plugin: Plugin | None = None

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def requires(self) -> tuple[str, ...]:
        return self.plugin_class.requires if self.plugin_class else ()


class Inventory:
    """Every plugin that was found, in load order once `arrange` was called.

    With `strict`, a plugin that is settled as failed, blocked or degraded raises `PluginError`: the start stops.
    """

    def __init__(self, candidates: Iterable[Candidate], *, strict: bool = False) -> None:
        self.strict = strict
        self._records: dict[str, PluginRecord] = {}
        self._duplicates: list[PluginRecord] = []
        self._running: frozenset[str] | None = None
        for candidate in candidates:
            self._add(candidate)

    def __iter__(self) -> Iterator[PluginRecord]:
        yield from self._records.values()
        yield from self._duplicates

    def __getitem__(self, name: str) -> PluginRecord:
        return self._records[name]

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def active(self) -> list[PluginRecord]:
        """The plugins that run, or will once started, in load order."""
        return [record for record in self._records.values() if record.state is State.ACTIVE]

    def composed(self) -> list[PluginRecord]:
        """The active plugins and those that were composed but cannot run, in load order."""
        return [record for record in self._records.values() if record.state in (State.ACTIVE, State.DEGRADED)]

    def runs(self, name: str) -> bool:
        """Whether the plugin `name` is active; the core always is."""
        record = self._records.get(name)
        return name == CORE or (record is not None and record.state is State.ACTIVE)

    def running(self) -> frozenset[str]:
        """Names of the active plugins; the same object until a state changes."""
        if self._running is None:
            self._running = frozenset(record.name for record in self.active())
        return self._running

    def asked(self, name: str, hook: str) -> bool:
        """Whether the plugin is asked `hook` now: active ones all, degraded ones what concerns the data they keep."""
        if self.runs(name):
            return True
        record = self._records.get(name)
        return record is not None and record.state is State.DEGRADED and hook.startswith(ASKED_WHILE_DEGRADED)

    def arrange(self, order: Iterable[str]) -> None:
        """Put the named plugins in this order; all others follow as they were."""
        first = {name: self._records[name] for name in order}
        self._records = {**first, **self._records}

    def disable(self, names: Iterable[str]) -> None:
        """Leave the named plugins out. A name that was not found is logged."""
        for name in sorted(names):
            if name in self._records:
                record = self._records[name]
                record.state, record.reason = State.DISABLED, "CHATNATION_PLUGINS_DISABLED names it"
                self._running = None
            else:
                logger.warning("CHATNATION_PLUGINS_DISABLED names %r, which is not installed", name)

    def settle(self, name: str, state: State, reason: str, error: BaseException | None = None) -> None:
        """Record that a plugin cannot go on, and block or degrade what requires it."""
        self._settle(self._records[name], state, reason, error)
        self._settle_dependents()

    def fail_together(self, names: Iterable[str], reason: str) -> None:
        """Settle plugins as failed for one reason that lies between them."""
        for name in names:
            self._settle(self._records[name], State.FAILED, reason, None)
        self._settle_dependents()

    def fail(self, name: str, where: str, error: BaseException | None) -> None:
        """Settle a plugin as failed by an exception that it raised at `where`."""
        self.settle(name, State.FAILED, f"{where} failed: {describe(error)}", error)

    def block_incomplete(self) -> None:
        """Block every plugin that requires one which is not there."""
        self._settle_dependents()

    def _add(self, candidate: Candidate) -> None:
        taken = self._records.get(candidate.name)
        if taken is None:
            self._records[candidate.name] = PluginRecord(candidate)
            return
        duplicate = PluginRecord(candidate)
        self._duplicates.append(duplicate)
        self._settle(duplicate, State.FAILED, f"the name is taken by the plugin from {taken.candidate.origin}", None)

    def _settle(self, record: PluginRecord, state: State, reason: str, error: BaseException | None) -> None:
        record.state, record.reason = state, reason
        self._running = None
        record.detail = str(error) if error is not None else reason
        logger.warning("plugin %s is %s: %s", record.name, state, reason)
        if self.strict:
            raise PluginError(record.name, record.detail) from error

    def _settle_dependents(self) -> None:
        settled = True
        while settled:
            settled = False
            for record in self.active():
                missing = next((name for name in record.requires if not self.runs(name)), None)
                if missing is not None:
                    state, reason = self._consequence(missing)
                    self._settle(record, state, reason, None)
                    settled = True

    def _consequence(self, missing: str) -> tuple[State, str]:
        """What becomes of a plugin that requires `missing`, and why."""
        if missing not in self._records:
            return State.BLOCKED, f"it requires {missing}, which is not installed"
        state = self._records[missing].state
        return State.DEGRADED if state is State.DEGRADED else State.BLOCKED, f"it requires {missing}, which is {state}"


def describe(error: BaseException | None) -> str:
    """An error in words that hold no secret: our own sentences as they are, of others only the kind."""
    if isinstance(error, PluginError):
        return error.message
    return f"{type(error).__name__}; `chatnation plugins list` shows the text"
