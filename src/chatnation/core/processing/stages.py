"""Runs stages over batches, and leaves out those that keep failing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chatnation.core.errors import ChatnationError
from chatnation.core.ingestion.event import EventBatch
from chatnation.core.metrics import Metrics
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.resources import Registered
from chatnation.core.processing.circuit import Circuit
from chatnation.core.processing.stage import Stage


class StageRefused(ChatnationError):
    """A privacy stage failed, so the batch must not be stored as it is.

    `broken` means that it fails for every batch: then nothing is wrong with this one, and it waits.
    """

    def __init__(self, stage: str, *, broken: bool) -> None:
        super().__init__(f"the privacy stage {stage} failed")
        self.broken = broken


@dataclass(slots=True)
class _Step:
    """A registered stage with its circuit, which all tenants share."""

    plugin: str
    stage: Stage
    circuit: Circuit = field(default_factory=Circuit)


class Stages:
    """The registered stages, compiled into a tuple for each set of plugins that is on."""

    def __init__(
        self,
        stages: Iterable[Registered[Stage]],
        boundary: Boundary,
        metrics: Metrics,
        wanted: Callable[[int], frozenset[str]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps = tuple(_Step(entry.plugin, entry.item, Circuit(now)) for entry in stages)
        self._private = tuple(step for step in self._steps if step.stage.privacy)
        self._wanted = wanted
        self._compiled: dict[frozenset[str], tuple[_Step, ...]] = {}
        self._boundary = boundary
        self._metrics = metrics

    async def apply(self, batch: EventBatch, enabled: frozenset[str]) -> None:
        """Pass `batch` through the stages of the `enabled` plugins, in load order. Raises StageRefused.

        A privacy stage whose plugin does not run now refuses too, unless the tenant switched the plugin off.
        """
        for step in self._private:
            if step.plugin not in enabled and step.plugin in self._wanted(batch.tenant_id):
                raise StageRefused(step.stage.name, broken=True)
        steps = self._compiled.get(enabled)
        if steps is None:
            steps = self._compiled[enabled] = tuple(step for step in self._steps if step.plugin in enabled)
        for step in steps:
            await self._run(step, batch)

    async def _run(self, step: _Step, batch: EventBatch) -> None:
        stage = step.stage
        if step.circuit.is_open:
            if stage.privacy:
                raise StageRefused(stage.name, broken=True)
            return
        with self._metrics.step_seconds.labels(step.plugin, stage.name).time():
            outcome = await self._boundary.acall(step.plugin, f"stage:{stage.name}", lambda: stage.apply(batch))
        if outcome.ok:
            step.circuit.succeeded()
            return
        step.circuit.failed()
        if stage.privacy:
            raise StageRefused(stage.name, broken=step.circuit.is_open) from outcome.error
