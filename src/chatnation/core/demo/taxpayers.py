"""Who comes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from chatnation.core.demo.devices import DESKS, PHONES, Device, choose_device
from chatnation.core.demo.places import Place, choose_address, choose_place

Obligation = Literal["mri", "tot", "nil"]
"""Monthly rental income, turnover tax, and the return of somebody who earned nothing."""

FIRST_NAMES = (
    "Achieng Amina Atieno Barasa Brian Chebet Cherono Collins Daniel Dennis Esther Faith Fatuma Grace Halima "
    "Hassan Irene Jane Jebet John Joseph Joyce Juma Kamau Kevin Kiprono Kiptoo Lilian Lucy Makena Mary Mercy "
    "Moses Mutua Mwende Naliaka Nancy Njeri Nyambura Odhiambo Omar Otieno Patrick Paul Peter Purity Rose Salim "
    "Samuel Sarah Stephen Wambui Wanjiku Winnie Yusuf Zawadi"
).split()
LAST_NAMES = (
    "Abdi Barasa Chege Cheruiyot Gathogo Githinji Hussein Kamau Kariuki Karanja Kibet Kilonzo Kimani Kimutai "
    "Kinyua Kiplagat Koech Korir Maina Makau Mbugua Mohamed Muli Muriuki Musyoka Mutiso Mwangi Mwaniki Ndungu "
    "Ngugi Njoroge Nyaga Ochieng Odera Ogola Okoth Omondi Onyango Otieno Ouma Rotich Ruto Sang Simiyu Wafula "
    "Wairimu Waweru Wekesa"
).split()

OBLIGATIONS: tuple[tuple[Obligation, float], ...] = (("nil", 0.44), ("tot", 0.34), ("mri", 0.22))


@dataclass(frozen=True, slots=True)
class Taxpayer:
    """A made-up person. `pin` is the tax number that they are known by once logged in, `phone` the WhatsApp contact.

    `address` is the IP address they surf from; `devices` are a phone, and for some a computer too.
    """

    name: str
    pin: str
    phone: str
    email: str
    place: Place
    address: str
    devices: tuple[Device, ...]
    obligation: Obligation
    chats: bool
    locale: str


_PHONES = 1_000_000


def taxpayer(seed: int, number: int) -> Taxpayer:
    """The taxpayer of that number: always the same one for the same seed.

    Numbers that are less than a million apart never share a phone.
    """
    rng = random.Random(f"{seed}/taxpayer/{number}")
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    place = choose_place(rng)
    devices = [choose_device(rng, PHONES if rng.random() < 0.72 else DESKS)]
    if rng.random() < 0.18:
        devices.append(choose_device(rng, DESKS if devices[0].screen[0] < 900 else PHONES))
    prefix = random.Random(number).choices(("254767", "256772", "255754", "250788"), (92, 4, 3, 1))[0]
    return Taxpayer(
        name=f"{first} {last}",
        pin=f"A{rng.randrange(10**9):09d}{rng.choice('ABCDEFGHJKLMNPQRSTUVWXYZ')}",
        phone=f"{prefix}{(number * 387_421 + seed) % _PHONES:06d}",
        email=f"{first}.{last}{rng.randrange(1, 1000)}@mail.example".lower(),
        place=place,
        address=choose_address(rng, place),
        devices=tuple(devices),
        obligation=rng.choices([kind for kind, _ in OBLIGATIONS], [share for _, share in OBLIGATIONS])[0],
        chats=rng.random() < 0.6,
        locale="sw-KE" if rng.random() < 0.12 else "en-KE",
    )
