"""The unmodified browser SDK of Segment delivers to us from a real browser (conformance lines 5 and 6)."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.async_api import Page

from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.testing.apps import MakeApp
from tests.plugins.segment_compat.conftest import Counter, open_counter
from tests.plugins.segment_compat.node_packages import node_folder, why_not

ENTRY = 'import { AnalyticsBrowser } from "@segment/analytics-next"; window.AnalyticsBrowser = AnalyticsBrowser;'
PAGE = '<!doctype html><title>Shop</title><link rel=icon href="data:,"><script src=/analytics.js></script>'
VISIT = """
async ([url, writeKey, batching]) => {
  const apiHost = url.replace("http://", "") + "/v1";
  const delivery = batching ? { deliveryStrategy: { strategy: "batching", config: { size: 3, timeout: 200 } } } : {};
  const analytics = AnalyticsBrowser.load(
    { writeKey, cdnURL: url },
    { integrations: { "Segment.io": { apiHost, protocol: "http", ...delivery } } },
  );
  await analytics.page("Home");
  await analytics.track("Clicked", { label: "Start" });
  await analytics.identify("u1", { name: "Wanjiru" });
}
"""


class _Files(SimpleHTTPRequestHandler):
    """Files of a folder, without a line on the console for each."""

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A shop on an origin of its own, whose page has the SDK in a bundle."""
    folder = node_folder()
    if folder is None:
        pytest.skip(why_not())
    root = tmp_path_factory.mktemp("site")
    esbuild = folder / "node_modules" / ".bin" / "esbuild"
    command = [str(esbuild), "--bundle", "--format=iife", f"--outfile={root / 'analytics.js'}"]
    subprocess.run(command, cwd=folder, input=ENTRY.encode(), check=True, capture_output=True, timeout=60)
    (root / "start.html").write_text(PAGE, "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(root))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture
async def counter(make_app: MakeApp) -> Counter:
    return await open_counter(await make_app(SegmentCompatPlugin))


@pytest.mark.parametrize("batching", [False, True], ids=["standard", "batching"])
async def test_pages_and_calls_arrive_once_from_another_origin(
    counter: Counter, browser_page: Page, site: str, batching: bool
) -> None:
    await browser_page.goto(f"{site}/start.html?utm_source=mail")
    await asyncio.wait_for(browser_page.evaluate(VISIT, [counter.url, counter.source.write_key, batching]), 20)

    events = await counter.arrived(3)
    await browser_page.goto("about:blank")

    by_name = {event.event_name: event for event in events}
    assert len(events) == len(by_name) == 3
    viewed, clicked, identified = (by_name[name] for name in ("page_view", "Clicked", "identify"))
    assert viewed.anonymous_id == clicked.anonymous_id == identified.anonymous_id is not None
    assert (viewed.user_id, identified.user_id) == (None, "u1")
    assert (viewed.page_path, viewed.page_title) == ("/start.html", "Shop")
    assert viewed.campaign == {"source": "mail"}
    assert viewed.ip_address == "127.0.0.0"
    assert "Chrome" in (clicked.user_agent or "")
    assert clicked.properties == b'{"label":"Start"}'
    assert (viewed.message_ref or "").startswith("ajs-next-")
