"""Figures about the running process, in Prometheus' terms. One registry an app, none of the module."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.inventory import Inventory

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The registry of one app and the figures that the core writes to it.

    A plugin adds its own with `registry=app.metrics.registry`; their names start with `chatnation_<plugin>_`.
    """

    def __init__(self, boundary: Boundary, inventory: Inventory) -> None:
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
        self.batch_events = Counter(
            "chatnation_processed_events",
            "Events handled by this process's consumers, by what became of them (stored, duplicate, dead).",
            ["outcome"],
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
