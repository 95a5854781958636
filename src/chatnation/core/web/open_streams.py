"""Responses that stay open end when whoever reads them may no longer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

EVENT_STREAM = "text/event-stream"
CHECK_SECONDS = 0.4
"""Together with the half second in which processes notice changes, less than one second."""


async def while_admitted(
    body: AsyncIterable[Any], admitted: Callable[[], Awaitable[bool]], *, every: float = CHECK_SECONDS
) -> AsyncIterator[Any]:
    """The chunks of `body` as long as `admitted()` holds, which is asked `every` so many seconds.

    Asking is cheap: what it looks at is in memory until something was revoked.
    """
    chunks = aiter(body)
    coming: asyncio.Future[Any] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(chunks))
            done, _ = await asyncio.wait({coming}, timeout=every)
            if not await admitted():
                return
            if done:
                try:
                    chunk = coming.result()
                except StopAsyncIteration:
                    return
                coming = None
                yield chunk
    finally:
        if coming is not None:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
                await coming
        if hasattr(chunks, "aclose"):
            await chunks.aclose()
