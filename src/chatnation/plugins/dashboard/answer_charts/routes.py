"""The ways that people took, as a Sankey diagram."""

from __future__ import annotations

from collections.abc import Callable

from chatnation.plugins.dashboard.answer_charts.labels import Rename, value_name
from chatnation.plugins.dashboard.charts import Chart, Flow, Node
from chatnation.query import PathLink, PathNode, PathsAnswer


def paths_chart(
    answer: PathsAnswer,
    *,
    rename: Rename | None = None,
    link: Callable[[PathNode, PathNode], str | None] | None = None,
    node_link: Callable[[PathNode], str | None] | None = None,
    note: str = "",
) -> Chart:
    """Nodes in columns from left to right; `link(source, target)` says where a flow leads, `node_link` where a node."""
    first = min((node.column for node in answer.nodes), default=0)
    nodes = [
        Node(
            value_name(node.value, rename, other=node.other),
            node.column - first,
            node.count,
            node.ended,
            node_link(node) if node_link else None,
        )
        for node in answer.nodes
    ]
    return Chart(kind="sankey", category="Step", nodes=nodes, flows=_flows(answer, link), note=note)


def _flows(answer: PathsAnswer, link: Callable[[PathNode, PathNode], str | None] | None) -> list[Flow]:
    def leads(step: PathLink) -> str | None:
        return link(answer.nodes[step.source], answer.nodes[step.target]) if link else None

    return [Flow(step.source, step.target, step.count, leads(step)) for step in answer.links]
