"""Figures about the running processes, in Prometheus' terms. One registry an app, none of the module.

Several processes make up an instance, and a scrape reaches one of them. So each leaves a copy of its figures in Redis
every few seconds, and whichever is asked answers for all, with a label `process`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.inventory import Inventory

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
PUBLISH_SECONDS = 5
EXPIRE_SECONDS = 30
PREFIX = "chatnation:metrics:"


class Sample(msgspec.Struct, array_like=True, frozen=True):
    """One figure."""

    name: str
    labels: dict[str, str]
    value: float


class Family(msgspec.Struct, array_like=True, frozen=True):
    """The figures of one name, as left in Redis."""

    name: str
    documentation: str
    kind: str
    samples: list[Sample]


class Metrics:
    """The registry of one app and the figures that the core writes to it.

    A plugin adds its own with `registry=app.metrics.registry`; their names start with `chatnation_<plugin>_`.
    """

    def __init__(self, boundary: Boundary, inventory: Inventory, *, role: str) -> None:
        self.process = f"{socket.gethostname()}-{os.getpid()}-{role}"
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(_PluginFigures(boundary, inventory))
        self.requests = Counter(
            "chatnation_http_requests",
            "Requests answered, by area (capture, api, page, other) and status.",
            ["area", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "chatnation_http_request_seconds",
            "Time to answer requests of the dashboard and API.",
            ["area"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.processed_events = Counter(
            "chatnation_processed_events",
            "Events that consumers have handled, by what became of them (stored, duplicate, dead).",
            ["outcome"],
            registry=self.registry,
        )
        self.lag_seconds = Histogram(
            "chatnation_lag_seconds",
            "Time from the receipt of a delivery to the commit of its events.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.step_seconds = Histogram(
            "chatnation_step_seconds",
            "Time of each step of storing a batch: stages, projections and the core's own.",
            ["plugin", "step"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.job_seconds = Histogram(
            "chatnation_job_seconds",
            "Time of jobs, by outcome (done, failed).",
            ["job", "outcome"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.query_seconds = Histogram(
            "chatnation_query_seconds",
            "Time to answer questions of events, by outcome (kept: it was known, found, refused, failed).",
            ["kind", "outcome"],
            buckets=SECONDS,
            registry=self.registry,
        )

    async def publish(self, redis: Redis) -> None:
        """Leave a copy of the figures for whoever is scraped; it expires when this process stops renewing it."""
        await redis.set(PREFIX + self.process, msgspec.msgpack.encode(self._families()), ex=EXPIRE_SECONDS)

    async def keep_publishing(self, redis: Redis) -> None:
        """Publish every few seconds until cancelled; while Redis is away, nothing is missed but the copies."""
        while True:
            try:
                await self.publish(redis)
            except Exception as error:
                logger.debug("figures were not published: %s", error)
            await asyncio.sleep(PUBLISH_SECONDS)

    async def of_all_processes(self, redis: Redis) -> CollectorRegistry:
        """A registry that holds the figures of every process; only ours, while Redis is away."""
        figures = {self.process: self._families()}
        try:
            async for key in redis.scan_iter(f"{PREFIX}*"):
                name = (key.decode() if isinstance(key, bytes) else str(key)).removeprefix(PREFIX)
                copy = await redis.get(key)
                if isinstance(copy, bytes) and name not in figures:
                    figures[name] = msgspec.msgpack.decode(copy, type=list[Family])
        except Exception as error:
            logger.warning("figures of other processes could not be read: %s", type(error).__name__)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Merged(figures))
        return registry

    def _families(self) -> list[Family]:
        return [
            Family(
                metric.name,
                metric.documentation,
                metric.type,
                [Sample(sample.name, dict(sample.labels), sample.value) for sample in metric.samples],
            )
            for metric in self.registry.collect()
        ]


class _Merged(Collector):
    """The figures of several processes as one."""

    def __init__(self, figures: dict[str, list[Family]]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        merged: dict[str, Metric] = {}
        for process, families in self._figures.items():
            for family in families:
                metric = merged.setdefault(family.name, Metric(family.name, family.documentation, family.kind))
                for sample in family.samples:
                    metric.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
        return merged.values()


class _PluginFigures(Collector):
    """Plugin states and failures, read where they are kept."""

    def __init__(self, boundary: Boundary, inventory: Inventory) -> None:
        self._boundary = boundary
        self._inventory = inventory

    def collect(self) -> Iterator[Metric]:
        failures = CounterMetricFamily(
            "chatnation_plugin_failures", "Failures of plugins, by where they happened.", labels=["plugin", "where"]
        )
        for (plugin, where), count in self._boundary.failures.items():
            failures.add_metric([plugin, where], count)
        yield failures
        states = GaugeMetricFamily(
            "chatnation_plugin_state", "1 for the state that a plugin is in.", labels=["plugin", "state"]
        )
        for record in self._inventory:
            states.add_metric([record.name, record.state], 1)
        yield states
