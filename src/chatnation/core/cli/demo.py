"""`chatnation demo`: a believable month, sent to a running server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import anyio
import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chatnation.core.demo.facts import Fact
from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.demo.sender import NotDelivered, Sender

LIVE_TICK = timedelta(milliseconds=500)
"""Live events that are due within this time leave in one request."""
REPORT_EVERY = timedelta(seconds=60)


@click.command()
@click.option("--url", envvar="CHATNATION_URL", default="http://127.0.0.1:8000", help="Address of the running server.")
@click.option("--write-key", envvar="CHATNATION_WRITE_KEY", required=True, help="A server write key of the project.")
@click.option("--days", type=click.IntRange(0, 730), default=30, help="Days to fill, up to now.")
@click.option("--visits-per-day", type=click.IntRange(1, 100_000), default=400, help="Visits of an ordinary day.")
@click.option("--live", is_flag=True, help="Go on with new events until Ctrl-C.")
@click.option("--rate", type=click.FloatRange(0.1, 5_000), default=4.0, help="Live events a second.")
@click.option("--seed", type=int, default=1, help="Another seed makes up other people.")
def demo(url: str, write_key: str, days: int, visits_per_day: int, live: bool, rate: float, seed: int) -> None:
    """Send a believable month of a tax authority to a running server.

    People file returns on the website and give up halfway, ask the bot on WhatsApp, talk to agents, and rate them.
    Nobody in it exists. Sending the same month again adds nothing, since it has the same message ids.
    """
    authority = TaxAuthority(seed, visits_per_day)
    try:
        anyio.run(_run, authority, url, write_key, days, rate if live else None)
    except NotDelivered as failure:
        raise click.ClickException(str(failure)) from None
    except KeyboardInterrupt:
        click.echo()


async def _run(authority: TaxAuthority, url: str, write_key: str, days: int, live_rate: float | None) -> None:
    console = Console(stderr=True)
    limits = httpx.Limits(max_connections=8)
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:
        sender = Sender(client, url, write_key)
        now = datetime.now(UTC)
        if days:
            await _send_past(console, authority, sender, now, days)
        if live_rate is not None:
            await _send_live(console, authority, sender, now, live_rate)


async def _send_past(console: Console, authority: TaxAuthority, sender: Sender, now: datetime, days: int) -> None:
    kinds: Counter[str] = Counter()
    with Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days, {task.fields[events]:,} events"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        bar = progress.add_task("Sending a month" if days == 30 else "Sending the past", total=days + 1, events=0)

        def told() -> Iterator[list[Fact]]:
            for facts in authority.between(now - timedelta(days=days), now):
                kinds.update(fact.event["event_name"] for fact in facts)
                yield facts
                progress.advance(bar)

        await sender.send_all(chain.from_iterable(told()), lambda _: progress.update(bar, events=sender.accepted))
    _summarize(console, sender, kinds)


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
    """Send facts when they are due, for ever. What fell due meanwhile, while the past was sent, leaves at once."""
    console.print(f"Live: about {events_per_second:g} events a second. Ctrl-C stops.")
    before, reported = sender.accepted, start
    due: list[Fact] = []
    for fact in authority.live(start, events_per_second):
        if due and fact.at - due[0].at > LIVE_TICK:
            ready_at = due[-1].at
            await anyio.sleep(max(0.0, (ready_at - datetime.now(UTC)).total_seconds()))
            await sender.send(due)
            due = []
            if ready_at - reported > REPORT_EVERY:
                reported = ready_at
                console.print(f"Live: {sender.accepted - before:,} events so far.")
        due.append(fact)
