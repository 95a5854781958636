"""Names of the keys in Redis. The braces keep all keys of a partition in one slot of a Redis Cluster."""

from __future__ import annotations

GROUP = "processors"
"""The consumer group; every worker reads as a member of it."""

FIELD = b"d"
"""The one field of a stream entry: a msgpack array of deliveries."""


def stream(partition: int) -> str:
    """Stream of the deliveries that wait."""
    return f"analytics:events:{{{partition}}}"


def depth(partition: int) -> str:
    """Number of events in the stream."""
    return f"analytics:depth:{{{partition}}}"


def unreadable(partition: int) -> str:
    """Stream of entries that are no deliveries, kept for the operator."""
    return f"analytics:unreadable:{{{partition}}}"


def ledger(partition: int) -> str:
    """Prefix of the hashes that count what was received, one a minute (`<prefix><minutes since 1970>`)."""
    return f"analytics:ledger:{{{partition}}}:"


def changed_minutes(partition: int) -> str:
    """Set of the minutes whose counts changed since they were last copied to the database."""
    return f"analytics:ledger:{{{partition}}}:changed"


def copied_minutes(partition: int) -> str:
    """Set of the minutes whose counts are being copied."""
    return f"analytics:ledger:{{{partition}}}:copied"


def samples(partition: int) -> str:
    """Hash of the latest rejected event by project, minute and reason."""
    return f"analytics:ledger:{{{partition}}}:samples"


def consumer(name: str) -> str:
    """Lease on a consumer's name."""
    return f"analytics:consumer:{name}"
