"""The unmodified browser SDKs of Segment and RudderStack deliver to us from Chromium (conformance lines 5 to 9)."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page

from chatnation import Event
from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.testing.apps import MakeApp
from tests.plugins.segment_compat.conftest import Counter, open_counter
from tests.plugins.segment_compat.node_packages import node_folder, why_not

SEGMENT = 'import { AnalyticsBrowser } from "@segment/analytics-next"; window.AnalyticsBrowser = AnalyticsBrowser;'
RUDDER = (
    'import { RudderAnalytics } from "@rudderstack/analytics-js/bundled"; window.RudderAnalytics = RudderAnalytics;'
)
PAGE = '<!doctype html><title>Shop</title><link rel=icon href="data:,"><script src=/{}.js></script>'
SEGMENT_VISIT = """
async ([url, writeKey, delivery]) => {
  const apiHost = url.replace("http://", "") + "/v1";
  const options = {
    // Where to send is told by the settings alone.
    told: undefined,
    standard: { apiHost, protocol: "http" },
    batching: {
      apiHost, protocol: "http",
      deliveryStrategy: { strategy: "batching", config: { size: 3, timeout: 200 } },
    },
  }[delivery];
  const analytics = AnalyticsBrowser.load(
    { writeKey, cdnURL: url },
    options && { integrations: { "Segment.io": options } },
  );
  await analytics.page("Home");
  await analytics.track("Clicked", { label: "Start" });
  await analytics.identify("u1", { name: "Wanjiru" });
}
"""
RUDDER_VISIT = """
async ([url, writeKey, delivery]) => {
  const options = {
    xhr: {},
    batch: { queueOptions: { batch: { enabled: true, maxItems: 3, flushInterval: 200 } } },
    beacon: { useBeacon: true, beaconQueueOptions: { maxItems: 3, flushQueueInterval: 200 } },
  }[delivery];
  const analytics = new RudderAnalytics();
  analytics.load(writeKey, url, { configUrl: url, ...options });
  analytics.page("Home");
  analytics.track("Clicked", { label: "Start" });
  analytics.identify("u1", { name: "Wanjiru" });
}
"""


class _Files(SimpleHTTPRequestHandler):
    """Files of a folder, without a line on the console for each."""

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A shop on an origin of its own, with a page for each SDK that has it in a bundle."""
    folder = node_folder()
    if folder is None:
        pytest.skip(why_not())
    root = tmp_path_factory.mktemp("site")
    esbuild = folder / "node_modules" / ".bin" / "esbuild"
    for name, entry in (("segment", SEGMENT), ("rudder", RUDDER)):
        command = [str(esbuild), "--bundle", "--format=iife", f"--outfile={root / name}.js"]
        subprocess.run(command, cwd=folder, input=entry.encode(), check=True, capture_output=True, timeout=60)
        (root / f"{name}.html").write_text(PAGE.format(name), "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(root))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture
async def counter(make_app: MakeApp) -> Counter:
    return await open_counter(await make_app(SegmentCompatPlugin))


async def visit(counter: Counter, page: Page, address: str, program: str, delivery: str) -> dict[str, Event]:
    """What arrives when the page at `address` runs `program`, by name."""
    await page.goto(address)
    await asyncio.wait_for(page.evaluate(program, [counter.url, counter.source.write_key, delivery]), 20)
    events = await counter.arrived(3)
    await page.goto("about:blank")
    by_name = {event.event_name: event for event in events}
    assert len(events) == len(by_name) == 3
    return by_name


@pytest.mark.parametrize("delivery", ["told", "standard", "batching"])
async def test_segment_s_calls_arrive_once_from_another_origin(
    counter: Counter, browser_page: Page, site: str, delivery: str
) -> None:
    events = await visit(counter, browser_page, f"{site}/segment.html?utm_source=mail", SEGMENT_VISIT, delivery)

    viewed, clicked, identified = (events[name] for name in ("page_view", "Clicked", "identify"))
    assert viewed.anonymous_id == clicked.anonymous_id == identified.anonymous_id is not None
    assert (viewed.user_id, identified.user_id) == (None, "u1")
    assert (viewed.page_path, viewed.page_title) == ("/segment.html", "Shop")
    assert viewed.campaign == {"source": "mail"}
    assert viewed.ip_address == "127.0.0.0"
    assert "Chrome" in (clicked.user_agent or "")
    assert clicked.properties == b'{"label":"Start"}'
    assert (viewed.message_ref or "").startswith("ajs-next-")


@pytest.mark.parametrize("delivery", ["xhr", "batch", "beacon"])
async def test_rudderstack_s_calls_arrive_once_from_another_origin(
    counter: Counter, browser_page: Page, site: str, delivery: str
) -> None:
    sent: list[str] = []
    browser_page.on("request", lambda request: sent.append(urlsplit(request.url).path))

    events = await visit(counter, browser_page, f"{site}/rudder.html?utm_source=mail", RUDDER_VISIT, delivery)

    viewed, clicked, identified = (events[name] for name in ("page_view", "Clicked", "identify"))
    assert viewed.anonymous_id == clicked.anonymous_id == identified.anonymous_id is not None
    assert viewed.session_id == clicked.session_id is not None
    assert (viewed.user_id, identified.user_id) == (None, "u1")
    assert (viewed.page_path, viewed.page_title, viewed.referrer) == ("/rudder.html", "Shop", None)
    assert viewed.campaign == {"source": "mail"}
    assert viewed.ip_address == "127.0.0.0"
    assert "Chrome" in (clicked.user_agent or "")
    assert clicked.properties == b'{"label":"Start"}'
    assert b'"name":"Wanjiru"' in identified.properties
    assert "/sourceConfig/" in sent
    assert {"xhr": "/v1/page", "batch": "/v1/batch", "beacon": "/beacon/v1/batch"}[delivery] in sent
