"""Where the people of the demo are."""

from __future__ import annotations

import random
from dataclasses import dataclass
from ipaddress import IPv4Network


@dataclass(frozen=True, slots=True)
class Place:
    """A town with its county (or country, abroad) and its share of the visits."""

    city: str
    county: str
    country_code: str
    weight: float


KENYA = (
    Place("Nairobi", "Nairobi", "KE", 37.0),
    Place("Mombasa", "Mombasa", "KE", 9.5),
    Place("Nakuru", "Nakuru", "KE", 6.5),
    Place("Kisumu", "Kisumu", "KE", 6.0),
    Place("Eldoret", "Uasin Gishu", "KE", 5.5),
    Place("Thika", "Kiambu", "KE", 5.5),
    Place("Ruiru", "Kiambu", "KE", 4.0),
    Place("Machakos", "Machakos", "KE", 3.0),
    Place("Meru", "Meru", "KE", 2.8),
    Place("Nyeri", "Nyeri", "KE", 2.6),
    Place("Kakamega", "Kakamega", "KE", 2.4),
    Place("Kisii", "Kisii", "KE", 2.4),
    Place("Naivasha", "Nakuru", "KE", 1.8),
    Place("Kericho", "Kericho", "KE", 1.5),
    Place("Kitale", "Trans Nzoia", "KE", 1.5),
    Place("Malindi", "Kilifi", "KE", 1.3),
    Place("Embu", "Embu", "KE", 1.2),
    Place("Garissa", "Garissa", "KE", 0.9),
    Place("Lodwar", "Turkana", "KE", 0.4),
)
ABROAD = (
    Place("London", "United Kingdom", "GB", 1.4),
    Place("Dallas", "United States", "US", 1.1),
    Place("Dubai", "United Arab Emirates", "AE", 0.9),
    Place("Kampala", "Uganda", "UG", 0.5),
    Place("Johannesburg", "South Africa", "ZA", 0.3),
)
PLACES = KENYA + ABROAD

NETWORKS = {
    "KE": ("41.80.0.0/16", "41.90.0.0/16", "41.212.0.0/17", "105.160.0.0/13", "154.122.0.0/16", "197.232.0.0/16"),
    "GB": ("81.2.69.0/24", "86.128.0.0/12"),
    "US": ("73.0.0.0/12",),
    "AE": ("94.200.0.0/16",),
    "UG": ("41.75.160.0/19", "102.80.0.0/16"),
    "ZA": ("105.224.0.0/14",),
}
"""Public networks of access providers, so that a country database has something to find."""

_NETWORKS = {code: tuple(IPv4Network(network) for network in networks) for code, networks in NETWORKS.items()}
_WEIGHTS = tuple(place.weight for place in PLACES)


def choose_place(rng: random.Random) -> Place:
    """A place, as likely as its share."""
    return rng.choices(PLACES, _WEIGHTS)[0]


def choose_address(rng: random.Random, place: Place) -> str:
    """An IPv4 address of a network in the place's country."""
    network = rng.choice(_NETWORKS[place.country_code])
    return str(network[rng.randrange(1, network.num_addresses - 1)])
