"""`chatnation demo`: made-up months, sent to a running server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain

import anyio
import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chatnation.core.demo.access import demo_access
from chatnation.core.demo.facts import Fact
from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.demo.rhythm import NAIROBI
from chatnation.core.demo.sender import Sender, all_of
from chatnation.core.instance import opened
from chatnation.core.settings import Settings
from chatnation.core.storage.storage import Storage
from chatnation.core.supervisor.claim import Claim
from chatnation.core.supervisor.protocol import announce_ready, on_goodbye

LIVE_TICK = timedelta(milliseconds=500)
"""Live events that are due within this time leave in one request."""
REPORT_EVERY = timedelta(minutes=10)


@click.command()
@click.option("--days", type=click.IntRange(0, 730), default=60, help="Days to fill, up to now.")
@click.option("--visits-per-day", type=click.IntRange(1, 100_000), default=400, help="Visits of an ordinary day.")
@click.option("--live", is_flag=True, help="Go on with new events until Ctrl-C.")
@click.option("--rate", type=click.FloatRange(0.1, 5_000), default=1.0, help="Live events a second.")
@click.option("--seed", type=int, default=1, help="Another seed makes up other people.")
@click.option("--tenant", help="Handle of the tenant that gets the project `demo`; the first one by default.")
@click.option("--url", envvar="CHATNATION_URL", help="Address of the collector; the one of this instance by default.")
@click.option(
    "--write-key",
    envvar="CHATNATION_WRITE_KEY",
    help="A key of type `server`; without one, this instance is opened and a key made for as long as this runs.",
)
def demo(
    days: int,
    visits_per_day: int,
    live: bool,
    rate: float,
    seed: int,
    tenant: str | None,
    url: str | None,
    write_key: str | None,
) -> None:
    """Send two believable months of a tax authority to a running server.

    People file returns on the website and give up halfway, ask the bot on WhatsApp, talk to agents, and rate them.
    Nobody in it exists. Their events go to a project of their own, `demo`. Called again, it goes on where it ended;
    the same events are never stored twice.
    """
    settings = Settings()
    plan = _Plan(
        authority=TaxAuthority(seed, visits_per_day),
        days=days,
        live_rate=rate if live else None,
        url=url or _running_url(settings),
    )
    if write_key:
        anyio.run(_until_asked_to_end, partial(_send, plan, write_key))
    else:
        with opened(settings) as complete:
            anyio.run(_until_asked_to_end, partial(_send_to_instance, plan, complete, tenant))


@dataclass(frozen=True, slots=True)
class _Plan:
    authority: TaxAuthority
    days: int
    live_rate: float | None
    url: str


async def _until_asked_to_end(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work`, and let it tidy up when a signal ends it."""
    with anyio.CancelScope() as scope:
        watching = on_goodbye(scope.cancel)
        try:
            announce_ready()
            await work()
        finally:
            watching.cancel()


async def _send_to_instance(plan: _Plan, settings: Settings, tenant: str | None) -> None:
    storage = Storage(settings.database_url or "", pool_size=1, application="chatnation demo")
    try:
        async with demo_access(storage, tenant) as access:
            await _send(plan, access.write_key, access.resume)
    finally:
        with anyio.CancelScope(shield=True):
            await storage.dispose()


async def _send(plan: _Plan, write_key: str, resume: Callable[[datetime], datetime] = lambda start: start) -> None:
    console = Console(stderr=True)
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=8)) as client:
        now = datetime.now(UTC)
        start = resume(now - timedelta(days=plan.days))
        work = []
        if plan.days:
            work.append(_send_past(console, plan.authority, Sender(client, plan.url, write_key), start, now))
        if plan.live_rate is not None:
            work.append(_send_live(console, plan.authority, Sender(client, plan.url, write_key), now, plan.live_rate))
        await all_of(*work)


def _running_url(settings: Settings) -> str:
    """Where the instance of these settings answers: as its `serve` says, else as the settings say."""
    serving = Claim(settings.data_dir).current() if settings.embedded else None
    if serving and serving.url:
        return serving.url
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{host}:{settings.port}"


async def _send_past(console: Console, authority: TaxAuthority, sender: Sender, start: datetime, end: datetime) -> None:
    kinds: Counter[str] = Counter()
    with Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days, {task.fields[events]:,} events"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        bar = progress.add_task("Sending", total=_days_between(start, end), events=0)

        def told() -> Iterator[list[Fact]]:
            for facts in authority.between(start, end, newest_first=True):
                kinds.update(fact.event["event_name"] for fact in facts)
                yield facts
                progress.advance(bar)

        await sender.send_all(chain.from_iterable(told()), lambda _: progress.update(bar, events=sender.accepted))
    _summarize(console, sender, kinds)


def _days_between(start: datetime, end: datetime) -> int:
    """Days in Nairobi that the interval touches."""
    return (end.astimezone(NAIROBI).date() - start.astimezone(NAIROBI).date()).days + 1


def _summarize(console: Console, sender: Sender, kinds: Counter[str]) -> None:
    table = Table(box=None, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for name, label in (
        ("page_view", "page views"),
        ("filing_started", "returns started"),
        ("return_filed", "returns filed"),
        ("payment_success", "payments"),
        ("message.received", "WhatsApp messages received"),
        ("ai.classification", "questions that the AI classified"),
        ("agent.handoff", "chats handed to an agent"),
        ("csat_submitted", "ratings"),
    ):
        table.add_row(f"{kinds[name]:,}", label)
    console.print(table)
    console.print(f"[bold]{sender.accepted:,}[/] events accepted, {sender.rejected:,} rejected.")
    if sender.first_rejection:
        console.print(f"The first rejection: {sender.first_rejection}")


async def _send_live(
    console: Console, authority: TaxAuthority, sender: Sender, start: datetime, events_per_second: float
) -> None:
    """Send facts when they are due, for ever."""
    console.print(f"Live: about {events_per_second:g} events a second. Ctrl-C stops.")
    reported = start
    due: list[Fact] = []
    for fact in authority.live(start, events_per_second):
        if due and fact.at - due[0].at > LIVE_TICK:
            ready_at = due[-1].at
            await anyio.sleep(max(0.0, (ready_at - datetime.now(UTC)).total_seconds()))
            await sender.send(due)
            due = []
            if ready_at - reported > REPORT_EVERY:
                reported = ready_at
                console.print(f"Live: {sender.accepted:,} events so far.")
        due.append(fact)
