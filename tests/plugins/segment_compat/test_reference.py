"""The page that integrators rely on names every route."""

from __future__ import annotations

import re
from pathlib import Path

from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.plugins.segment_compat.settings import SegmentSettings

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "segment.md"
PATH = re.compile(r"`(?:POST |GET )?(/[^`?]*)`")


def test_the_reference_lists_every_route_and_no_other() -> None:
    page = PAGE.read_text("utf-8")
    routes = page[page.index("## Routes") : page.index("## Requests")]
    told = {path for line in routes.splitlines() if line.startswith("|") for path in PATH.findall(line.split("|")[1])}

    registered = {route.path for route in SegmentCompatPlugin(SegmentSettings()).register_ingest_routes()}

    assert {f"{path}{slash}" for path in told for slash in ("", "/")} == registered
