"""Take the pictures of docs/guides/pages.md: `python docs/_build/screenshots.py [NAME ...]`.

Starts the product with made-up days in a temporary folder on a free port of this machine, looks at each page in
Chromium, and writes docs/assets/pages/*.webp. Takes some minutes. `CHATNATION_TEST_BROWSER` names another browser.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, expect, sync_playwright

PICTURES = Path(__file__).parents[1] / "assets" / "pages"
PROGRAM = Path(sys.executable).with_name("chatnation")
WIDTH, TALLEST = 1280, 1800
LARGEST_BYTES = 200_000
START_SECONDS = 120
DAYS, VISITS_PER_DAY = 65, 150


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its name, the page, and the link on that page to follow first, if any."""

    name: str
    path: str
    follow: str = ""
    scheme: str = "light"


SHOTS = (
    Shot("overview", "/overview"),
    Shot("overview-dark", "/overview", scheme="dark"),
    Shot("trends", "/trends"),
    Shot("retention", "/trends/retention"),
    Shot("lifecycle", "/trends/lifecycle"),
    Shot("paths", "/trends/paths"),
    Shot("errors", "/trends/errors"),
    Shot("funnel", "/funnel?template=mri"),
    Shot("funnel-dark", "/funnel?template=mri", scheme="dark"),
    Shot("journeys", "/journeys"),
    Shot("whatsapp", "/whatsapp-analytics"),
    Shot("ai", "/ai-analytics"),
    Shot("satisfaction", "/csat-analytics"),
    Shot("events", "/events"),
    Shot("catalogue", "/events/catalogue"),
    Shot("explore", "/events/explore?event_name=csat_submitted&property=rating"),
    Shot("sessions", "/sessions"),
    Shot("session", "/sessions", "main tbody tr:has(.badge) a[href*='/sessions/']"),
    Shot("journey", "/journey?q=2547"),
    Shot("person", "/journey?q=2547", "main a[href*='/persons/']"),
    Shot("insights", "/insights"),
    Shot("definitions", "/definitions"),
)


@dataclass(frozen=True, slots=True)
class Running:
    """Where the product answers, and who may look."""

    url: str
    email: str
    password: str


@contextmanager
def product() -> Iterator[Running]:
    """The product with made-up days in it, for as long as the pictures take."""
    with tempfile.TemporaryDirectory(prefix="chatnation-pictures-") as folder:
        told = Path(folder) / "told"
        environment = {**os.environ, "CHATNATION_DATA_DIR": f"{folder}/data"}
        with told.open("w") as out:
            serve = subprocess.Popen([PROGRAM, "serve", "--port", "0"], env=environment, stdout=out, stderr=out)
        try:
            running = _told(told, serve)
            fill = ["demo", "--days", str(DAYS), "--visits-per-day", str(VISITS_PER_DAY)]
            subprocess.run([PROGRAM, *fill], env=environment, check=True)
            yield running
        finally:
            serve.terminate()
            serve.wait(60)


def _told(told: Path, serve: subprocess.Popen[bytes]) -> Running:
    """What the first start prints: the address, and a password that nobody is told again."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and serve.poll() is None:
        found = dict(re.findall(r"^  (Dashboard|E-mail|Password)\s+(\S+)$", told.read_text(), re.MULTILINE))
        if len(found) == 3:
            return Running(found["Dashboard"], found["E-mail"], found["Password"])
        time.sleep(0.5)
    raise SystemExit(f"The product did not start:\n{told.read_text()}")


def signed_in(browser: Browser, running: Running, scheme: str) -> Page:
    """A page of a browser of one colour scheme."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(urljoin(running.url, "/login?next=/overview"))
    page.get_by_label("E-mail address").fill(running.email)
    page.get_by_label("Password", exact=True).fill(running.password)
    page.keyboard.press("Enter")
    page.wait_for_url(urljoin(running.url, "/overview"))
    return page


def wait_until_stored(page: Page, running: Running) -> None:
    """The collector takes events faster than they are stored: wait until two looks see the same number."""
    before, seen = "", "none yet"
    while before != seen:
        before = seen
        page.wait_for_timeout(5_000)
        page.goto(urljoin(running.url, "/events?period=90d"))
        _wait_for_cards(page)
        seen = page.locator("main .card").first.inner_text()


def take(page: Page, running: Running, shot: Shot) -> None:
    """Show a page as tall as it is, up to a limit, and write its picture."""
    page.set_viewport_size({"width": WIDTH, "height": 900})
    page.goto(urljoin(running.url, shot.path))
    if shot.follow:
        page.goto(urljoin(running.url, page.locator(shot.follow).first.get_attribute("href") or ""))
    _wait_for_cards(page)
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": min(max(tall, 720), TALLEST)})
    _wait_for_cards(page)
    image = _webp(page)
    (PICTURES / f"{shot.name}.webp").write_bytes(image)
    print(f"{shot.name}: {len(image) // 1000} kB")


def _wait_for_cards(page: Page) -> None:
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=60_000)
    page.wait_for_timeout(700)  # charts grow and resize after their data came, and do not tell


def _webp(page: Page) -> bytes:
    """The picture in the best quality that is small enough."""
    devtools = page.context.new_cdp_session(page)
    for quality in (85, 70, 55, 40):
        answer = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        image = base64.b64decode(answer["data"])
        if len(image) < LARGEST_BYTES:
            return image
    raise SystemExit(f"The picture of {page.url} is too large in every quality.")


def main(names: list[str]) -> None:
    """Take all pictures, or those named."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    program = os.environ.get("CHATNATION_TEST_BROWSER") or shutil.which("chromium")
    with product() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = signed_in(browser, running, scheme)
            wait_until_stored(page, running)
            for shot in SHOTS:
                if shot.scheme == scheme and (not names or shot.name in names):
                    take(page, running, shot)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
