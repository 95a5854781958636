"""Accessibility of a page, judged by axe-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}


async def grave_findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical: the rule, what it says, and the elements."""
    # Not as a script of the page, whose policy forbids foreign ones.
    await page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = await page.evaluate("axe.run().then(results => results.violations)")
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:200] for node in rule['nodes']][:5]}"
        for rule in found
        if rule["impact"] in GRAVE
    ]
