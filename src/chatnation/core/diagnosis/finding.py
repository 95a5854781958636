"""What a check found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """`ok`; `warning`: it works, and will not for long or not well; `failure`: it does not work."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, and what to do about it. `facts` are for programs."""

    subject: str
    verdict: Verdict
    detail: str
    advice: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


def ok(subject: str, detail: str, **facts: object) -> Finding:
    return Finding(subject, Verdict.OK, detail, facts=facts)


def warning(subject: str, detail: str, advice: str, **facts: object) -> Finding:
    return Finding(subject, Verdict.WARNING, detail, advice, facts)


def failure(subject: str, detail: str, advice: str, **facts: object) -> Finding:
    return Finding(subject, Verdict.FAILURE, detail, advice, facts)


def size(count: int) -> str:
    """Bytes for people: `1.5 GB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit in ("B", "kB") else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
