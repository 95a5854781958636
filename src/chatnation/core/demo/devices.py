"""What the people of the demo hold in their hands."""

from __future__ import annotations

import random
from dataclasses import dataclass
from uuid import UUID

_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Mobile Safari/537.36"
)
_SAMSUNG = (
    "Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/27.0 Chrome/{v}.0.0.0 Mobile Safari/537.36"
)
_OPERA_MINI = "Opera/9.80 (Android; Opera Mini/82.1.2254/191.283; U; en) Presto/2.12.423 Version/12.16"
_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
_IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.6 Mobile/15E148 Safari/604.1"
)
_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36"
)
_EDGE = _WINDOWS + " Edg/{v}.0.0.0"
_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.4 Safari/605.1.15"
)
_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0"

_VERSIONS = (137, 138, 139, 140, 141)
_PHONE_SCREENS = ((360, 800), (360, 780), (393, 873), (412, 915), (384, 832))
_DESK_SCREENS = ((1366, 768), (1536, 864), (1920, 1080))

PHONES = (
    (_ANDROID, 70, _PHONE_SCREENS),
    (_SAMSUNG, 11, _PHONE_SCREENS),
    (_IPHONE, 11, ((390, 844), (393, 852), (375, 812))),
    (_OPERA_MINI, 6, ((320, 640),)),
    (_IPAD, 2, ((820, 1180),)),
)
DESKS = (
    (_WINDOWS, 70, _DESK_SCREENS),
    (_EDGE, 13, _DESK_SCREENS),
    (_FIREFOX, 8, _DESK_SCREENS),
    (_MAC, 9, ((1440, 900), (1512, 982))),
)
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)


@dataclass(frozen=True, slots=True)
class Device:
    """A browser on a machine: what it says of itself, and the anonymous id our SDK left in it."""

    user_agent: str
    screen: tuple[int, int]
    anonymous_id: str


def choose_device(rng: random.Random, kinds: tuple[tuple[str, int, tuple[tuple[int, int], ...]], ...]) -> Device:
    """A device of `PHONES` or `DESKS`, as likely as its share."""
    pattern, _, screens = rng.choices(kinds, [weight for _, weight, _ in kinds])[0]
    return Device(pattern.format(v=rng.choice(_VERSIONS)), rng.choice(screens), random_uuid(rng))


def choose_crawler(rng: random.Random) -> Device:
    """A program that reads pages, with a fresh anonymous id as such programs have."""
    return Device(rng.choice(CRAWLERS), (1024, 1024), random_uuid(rng))


def random_uuid(rng: random.Random) -> str:
    """A version 4 UUID out of `rng`."""
    return str(UUID(int=rng.getrandbits(128), version=4))
