"""How often a process looks for garbage."""

from __future__ import annotations

import gc


def collect_garbage_rarely() -> None:
    """Spare a busy process most of the search for reference cycles; call it when the program is loaded.

    Requests and batches are many objects without cycles, and looking through them again and again took a quarter of the
    processor's time. What the program itself is made of is left out for good.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
