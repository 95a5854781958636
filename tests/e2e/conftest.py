"""A real browser for every test in this folder.

Chromium is looked for at `CHATNATION_TEST_BROWSER`, then among the system's programs, then where Playwright keeps its
own. Where there is none, the tests of this folder are skipped with one line that says what to install.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from playwright.sync_api import sync_playwright

from chatnation.plugins.sdk.assets import STATIC, Asset, assets

WEB = Path(__file__).parents[2] / "web"
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The shell first: it is the same engine without the windows, and does the work in two thirds of the time."""
PATIENCE_MS = 30_000
"""How long a browser may take on a busy machine to show what is expected of it."""
NO_BROWSER = (
    "no browser: install Chromium (Debian: `apt-get install chromium-headless-shell`; elsewhere: "
    "`python -m playwright install chromium`) or set CHATNATION_TEST_BROWSER to one"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.e2e)
    driving = [item for item in ours if "browser" in getattr(item, "fixturenames", ())]
    if driving and browser_program() is None:
        for item in driving:
            item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """One line in the summary, not one for each test."""
    report = yield
    if report.skipped and NO_BROWSER in str(report.longrepr):
        report.longrepr = (__file__, 1, f"Skipped: {NO_BROWSER}")
        report.keywords["pytestmark"] = 1
    return report


@functools.cache
def browser_program() -> str | None:
    """The path of a Chromium, or None."""
    wanted = os.environ.get("CHATNATION_TEST_BROWSER")
    if wanted:
        return shutil.which(wanted)
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        with sync_playwright() as playwright:
            found = shutil.which(playwright.chromium.executable_path)
    return found


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """Chromium, started once."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_program(), args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
def expected_console_errors() -> list[str]:
    """Regular expressions of console errors that a test provokes; it appends them."""
    return []


@pytest.fixture
def failing_requests(expected_console_errors: list[str]) -> None:
    """Lets a test provoke requests that fail: the console shows each."""
    expected_console_errors.append(r"net::ERR_|Failed to load resource")


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """Servers of a test. They stop after its pages are closed: a page whose server went away logs an error."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def browser_context(
    browser: Browser, servers: ExitStack, expected_console_errors: list[str]
) -> AsyncIterator[BrowserContext]:
    """A fresh profile. The test fails when one of its pages logs an error or throws one that nobody catches."""
    problems: list[str] = []
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: problems.append(f"uncaught: {error.error}"))
    yield context
    await context.close()
    unexpected = [text for text in problems if not any(re.search(known, text) for known in expected_console_errors)]
    assert not unexpected, f"the browser's console shows errors: {unexpected}"


@pytest.fixture
async def browser_page(browser_context: BrowserContext) -> Page:
    """A page of `browser_context`."""
    return await browser_context.new_page()


# --- the tracker, built, and a site that uses it -----------------------------------------------------


@pytest.fixture(scope="session")
def built_sdk() -> Asset:
    """`sdk.js`, built afresh when its source is newer and the build tools are there."""
    built = STATIC / "sdk.js"
    sources = [*(WEB / "sdk" / "src").glob("*.ts"), WEB / "build.mjs"]
    changed = max((source.stat().st_mtime for source in sources if source.exists()), default=0)
    stale = not built.exists() or built.stat().st_mtime < changed
    if stale and (WEB / "node_modules" / "esbuild").is_dir():
        subprocess.run(["node", "build.mjs", "sdk"], cwd=WEB, check=True, capture_output=True)
    return assets()["sdk.js"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the recorder says to one batch. Without a body it is the server's usual answer to it."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | str | None = None
    rejected: tuple[int, ...] = ()
    """Indexes of events that are not accepted."""
    after: threading.Event | None = None
    """The answer waits for this."""


@dataclass(frozen=True, slots=True)
class Received:
    """One batch that reached the recorder, and the answer it got."""

    headers: dict[str, str]
    size: int
    body: dict[str, Any]
    status: int

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.body["batch"])

    @property
    def message_ids(self) -> list[str]:
        return [event["message_id"] for event in self.events]


class Recorder:
    """A real HTTP server that serves the tracker, takes batches as the collector does, and remembers them."""

    def __init__(self, sdk: Asset) -> None:
        self._sdk = sdk
        self._received: list[Received] = []
        self._lock = threading.Lock()
        self.answers: deque[Answer] = deque()
        """Answers to the next batches, first to last; after them every batch is accepted."""
        self.url = ""

    @property
    def received(self) -> list[Received]:
        with self._lock:
            return list(self._received)

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """Events of batches that were answered with 200, in the order in which they came."""
        return [event for batch in self.received if batch.status == 200 for event in batch.events]

    def names(self) -> list[str]:
        """Names of the accepted events."""
        return [event["event_name"] for event in self.accepted]

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path != "/sdk.js":
            return 404, {}, b""
        response = self._sdk.answer("GET", headers)
        return response.status_code, dict(response.headers), bytes(response.body)

    def post(self, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        body = json.loads(raw)
        with self._lock:
            answer = self.answers.popleft() if self.answers else Answer()
        if answer.after:
            answer.after.wait(20)
        with self._lock:
            self._received.append(Received(headers, len(raw), body, answer.status))
        content = answer.body if answer.body is not None else _usual_answer(body["batch"], answer)
        encoded = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        return answer.status, answer.headers, encoded


def _usual_answer(batch: list[dict[str, Any]], answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        return {"status": "error", "code": "refused", "message": "The batch was refused."}
    rejected = [
        {
            "index": index,
            "message_id": batch[index]["message_id"],
            "code": "too_long",
            "path": "event_name",
            "message": "at most 100 characters",
        }
        for index in answer.rejected
    ]
    return {"status": "success", "accepted": len(batch) - len(rejected), "rejected": rejected}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def _lower_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}


_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}


class _RecorderHandler(_Handler):
    def __init__(self, recorder: Recorder, *args: Any) -> None:
        self._recorder = recorder
        super().__init__(*args)

    def do_OPTIONS(self) -> None:
        allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type, X-Write-Key"}
        self._answer(204, _CORS | allowed, b"")

    def do_GET(self) -> None:
        self._answer(*self._recorder.get(urlsplit(self.path).path, self._lower_headers()))

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        try:
            raw = self.rfile.read(length)
        except OSError:
            raw = b""
        if len(raw) < length:  # the page went away while it was sending
            self.close_connection = True
            return
        status, headers, body = self._recorder.post(self._lower_headers(), raw)
        self._answer(status, _CORS | headers, body)


class _SiteHandler(_Handler):
    def __init__(self, html: Callable[[str], str], *args: Any) -> None:
        self._html = html
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer(200, {"Content-Type": "text/html; charset=utf-8"}, self._html(self.path).encode())


class Server:
    """A threaded HTTP server on a free local port, for the length of a `with`."""

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type]
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve_http(servers: ExitStack) -> Callable[[Callable[..., BaseHTTPRequestHandler]], Server]:
    """Serves a request handler until the test is over: `serve_http(handler).url`."""
    return lambda handler: servers.enter_context(Server(handler))


@pytest.fixture
def answer() -> type[Answer]:
    """Makes what `Recorder.answers` holds."""
    return Answer


@pytest.fixture
def recorder(built_sdk: Asset, serve_http: Callable[..., Server]) -> Recorder:
    """A stand-in for the collector that remembers what it got and answers as it is told."""
    recorder = Recorder(built_sdk)
    recorder.url = serve_http(partial(_RecorderHandler, recorder)).url
    return recorder


class Site:
    """Pages on another origin than the collector's. Every path answers the same document with `head` in it."""

    def __init__(self, head: str) -> None:
        self.head = head
        self.url = ""

    def html(self, path: str) -> str:
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">'
            f"<title>Page {urlsplit(path).path}</title>{self.head}<h1>{urlsplit(path).path}</h1></html>"
        )


@pytest.fixture
def serve_site(serve_http: Callable[..., Server]) -> Callable[[str], Site]:
    """Serves a site with something in its head until the test is over: `serve_site(head).url`."""

    def serve(head: str) -> Site:
        site = Site(head)
        site.url = serve_http(partial(_SiteHandler, site.html)).url
        return site

    return serve


@pytest.fixture
def site(recorder: Recorder, serve_site: Callable[[str], Site]) -> Site:
    """A site whose pages load the tracker and leave the rest to the test."""
    return serve_site(f'<script src="{recorder.url}/sdk.js"></script>')
