"""`chatnation doctor`: what runs where, whether it is well, and what to do if it is not."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from dataclasses import asdict

import click
import msgspec

from chatnation.core.diagnosis.examination import examine
from chatnation.core.diagnosis.finding import Finding, Verdict
from chatnation.core.settings import Settings

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILURE: "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Look at the instance: servers, schemas, stream, plugins, disk. Changes nothing.

    The exit status is 1 if something does not work.
    """
    verdicts = asyncio.run(_report(Settings(), as_json=as_json))
    sys.exit(1 if Verdict.FAILURE in verdicts else 0)


async def _report(settings: Settings, *, as_json: bool) -> list[Verdict]:
    findings = []
    async with aclosing(examine(settings)) as examination:
        async for finding in examination:
            findings.append(finding)
            if not as_json:
                _print(finding)
    if as_json:
        encoded = msgspec.json.encode([asdict(finding) for finding in findings])
        click.echo(msgspec.json.format(encoded, indent=2))
    return [finding.verdict for finding in findings]


def _print(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:<8}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict} {finding.subject}: {finding.detail}")
    if finding.advice:
        click.echo(f"{'':<8} → {finding.advice}")
