"""The session of an event is the one of its visit in whose time it lies."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.query.segments.visits import SessionTimes

VISITS = 4
Session = tuple[int, int, int]
"""Visit, beginning, end."""


@st.composite
def sessions_of_visits(draw: st.DrawFn) -> list[Session]:
    found: list[Session] = []
    for visit in range(draw(st.integers(0, VISITS))):
        time = 0
        for _ in range(draw(st.integers(0, 6))):
            started = time + draw(st.integers(1, 4))
            time = started + draw(st.integers(0, 4))
            found.append((visit, started, time))
    return draw(st.permutations(found))


@given(sessions_of_visits(), st.lists(st.tuples(st.integers(-1, VISITS - 1), st.integers(0, 40)), max_size=40))
def test_an_event_finds_the_session_around_it(sessions: list[Session], events: list[tuple[int, int]]) -> None:
    columns = np.array(sessions, np.int64).reshape(-1, 3)
    times = SessionTimes.of(columns[:, 0].astype(np.int32), columns[:, 1], columns[:, 2], VISITS)
    of_events = np.array(events, np.int64).reshape(-1, 2)
    found = times.find(of_events[:, 0].astype(np.int32), of_events[:, 1])
    assert found.tolist() == [
        next((row for row, (of, started, ended) in enumerate(sessions) if of == visit and started <= time <= ended), -1)
        for visit, time in events
    ]
