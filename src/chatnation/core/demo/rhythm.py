"""When people come: by hour, weekday and day of the month, in the authority's time."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NAIROBI = ZoneInfo("Africa/Nairobi")

WEB_HOURS = (3, 2, 1, 1, 2, 5, 14, 30, 62, 88, 96, 92, 74, 66, 84, 88, 76, 58, 44, 42, 46, 40, 24, 9)
CHAT_HOURS = (4, 2, 1, 1, 2, 6, 18, 40, 72, 90, 92, 88, 76, 70, 80, 84, 78, 70, 62, 64, 66, 52, 30, 12)
WEEKDAYS = (1.14, 1.10, 1.06, 1.02, 0.96, 0.52, 0.34)
"""Monday first."""

DEADLINE = 20
"""The day of the month by which returns of the month before are due."""


def weight_of_day(day: date) -> float:
    """How busy a day is; 1 is an ordinary one. Returns pile up towards the deadline and fall off behind it.

    A slow swell makes one month differ from the next.
    """
    ahead = DEADLINE - day.day
    if 0 <= ahead <= 6:
        season = (2.1, 1.85, 1.6, 1.35, 1.2, 1.1, 1.05)[ahead]
    elif ahead < 0:
        season = 0.72 if ahead > -6 else 0.86
    else:
        season = 0.95
    swell = 1 + 0.14 * math.sin(2 * math.pi * day.toordinal() / 97)
    return season * swell * WEEKDAYS[day.weekday()]


def moment_in(rng: random.Random, day: date, hours: tuple[int, ...]) -> datetime:
    """An instant of the day, at an hour as likely as `hours` (24 weights) says."""
    hour = rng.choices(range(24), hours)[0]
    start = datetime.combine(day, time(hour), NAIROBI)
    return start + timedelta(milliseconds=rng.randrange(3_600_000))


def is_office_hour(moment: datetime) -> bool:
    """Whether agents are at their desks: weekdays from 8 to 17, Saturday mornings."""
    local = moment.astimezone(NAIROBI)
    return 8 <= local.hour < (17 if local.weekday() < 5 else 13 if local.weekday() == 5 else 0)
