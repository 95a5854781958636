"""What happens on the tax app: looking around, and the three journeys with the steps where people give up."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from chatnation.core.demo.devices import Device, random_uuid
from chatnation.core.demo.facts import Client, Recorder
from chatnation.core.demo.rhythm import NAIROBI
from chatnation.core.demo.taxpayers import Obligation, Taxpayer

SITE = "https://tax.example"
SERVICE_PHONE = "254767000100"
LIBRARY = {"name": "chatnation.js", "version": "0.1.0"}

PAGES = {
    "/": "Taxpayer portal",
    "/services": "All services",
    "/services/pin-registration": "Register for a PIN",
    "/services/tax-compliance": "Tax compliance certificate",
    "/services/etims": "Electronic invoices",
    "/rates": "Tax rates",
    "/deadlines": "Deadlines",
    "/help": "Help",
    "/help/payment": "How to pay",
    "/contact": "Contact us",
}
BROWSE_PAGES = tuple(PAGES)[1:]
BROWSE_WEIGHTS = (20, 12, 14, 9, 11, 12, 10, 7, 5)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a journey. `passes` is the share of those who reach it that go on to the next."""

    name: str
    event: str
    passes: float
    seconds: tuple[float, float]


JOURNEYS: Mapping[Obligation, tuple[Step, ...]] = {
    "mri": (
        Step("start", "filing_started", 0.90, (4, 30)),
        Step("validation", "validation_success", 0.88, (15, 90)),
        Step("otp", "otp_verified", 0.93, (12, 120)),
        Step("form", "page_view", 0.79, (5, 25)),
        Step("submit", "return_filed", 0.86, (40, 360)),
        Step("payment", "payment_initiated", 0.82, (8, 60)),
        Step("done", "payment_success", 1.0, (15, 150)),
    ),
    "tot": (
        Step("start", "filing_started", 0.89, (4, 30)),
        Step("validation", "validation_success", 0.86, (15, 90)),
        Step("otp", "otp_verified", 0.92, (12, 120)),
        Step("form", "page_view", 0.74, (5, 25)),
        Step("submit", "return_filed", 0.83, (60, 480)),
        Step("payment", "payment_initiated", 0.78, (8, 60)),
        Step("done", "payment_success", 1.0, (15, 150)),
    ),
    "nil": (
        Step("start", "filing_started", 0.93, (4, 25)),
        Step("validation", "validation_success", 0.91, (12, 70)),
        Step("otp", "otp_verified", 0.94, (12, 100)),
        Step("obligation", "obligation_selected", 0.93, (5, 30)),
        Step("submit", "return_submitted", 0.97, (8, 60)),
        Step("done", "return_filed", 1.0, (2, 8)),
    ),
}

ERRORS = (
    ("OTP_EXPIRED", "The code is no longer valid"),
    ("PIN_NOT_FOUND", "No taxpayer with this PIN"),
    ("GATEWAY_TIMEOUT", "The service did not answer in time"),
    ("PAYMENT_DECLINED", "The payment was declined"),
    ("LEDGER_UNAVAILABLE", "The tax ledger cannot be reached"),
)


@dataclass(frozen=True, slots=True)
class Landing:
    """How somebody came to the site."""

    referrer: str = ""
    query: Mapping[str, str] | None = None


LANDINGS: tuple[tuple[Landing, float], ...] = (
    (Landing(), 38),
    (Landing("https://www.google.com/"), 30),
    (
        Landing("https://www.google.com/", {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "file-early"}),
        8,
    ),
    (
        Landing(
            "https://m.facebook.com/", {"utm_source": "facebook", "utm_medium": "social", "utm_campaign": "deadline"}
        ),
        8,
    ),
    (Landing("", {"utm_source": "sms", "utm_medium": "sms", "utm_campaign": "reminder-20th"}), 9),
    (Landing("https://x.com/", {"utm_source": "x", "utm_medium": "social"}), 3),
    (Landing("https://www.bing.com/"), 2),
    (Landing("https://news.example/tax-deadline"), 2),
)


def choose_landing(rng: random.Random) -> Landing:
    landing = rng.choices([landing for landing, _ in LANDINGS], [share for _, share in LANDINGS])[0]
    if landing.query and landing.query.get("utm_source") == "google":
        return Landing(landing.referrer, {**landing.query, "gclid": f"Cj0{rng.getrandbits(96):024x}"})
    return landing


class BrowserVisit(Recorder):
    """One visit in one browser: what our SDK would send while somebody clicks."""

    def __init__(
        self,
        rng: random.Random,
        start: datetime,
        device: Device,
        address: str,
        *,
        locale: str = "en-KE",
        landing: Landing | None = None,
        handshake_token: str | None = None,
        user_id: str | None = None,
    ) -> None:
        super().__init__(rng, start)
        self._client = Client(address, device.user_agent)
        self._device = device
        self._session_id = random_uuid(rng)
        self._sequence = 0
        self._locale = locale
        self._token = handshake_token
        self._user_id = user_id
        self._referrer = landing.referrer if landing else ""
        self._query = dict(landing.query or {}) if landing else {}
        if handshake_token:
            self._query = {"hs_token": handshake_token}
        self._url = SITE + "/"
        self._path, self._title = "/", PAGES["/"]

    @property
    def is_known(self) -> bool:
        """Whether this browser has logged in, now or on an earlier visit."""
        return self._user_id is not None

    def page(self, path: str, title: str, properties: Mapping[str, Any] | None = None) -> None:
        """Look at a page."""
        self._path, self._title = path, title
        query, self._query = self._query, {}
        self._url = SITE + path + (f"?{urlencode(query)}" if query else "")
        self._send("page_view", kind="page", properties=properties)
        self._referrer = self._url

    def track(
        self, name: str, properties: Mapping[str, Any] | None = None, *, start: bool = False, end: bool = False
    ) -> None:
        """Do something on the present page."""
        self._send(name, properties=properties, journey_start=start, journey_end=end)

    def open_whatsapp(self, handshake_token: str) -> None:
        """Follow the link to WhatsApp; its prefilled text carries the token."""
        self._send(
            "whatsapp_link_created", properties={"phone": SERVICE_PHONE}, context={"handshakeToken": handshake_token}
        )

    def identify(self, person: Taxpayer, *, by_phone: bool) -> None:
        """Log in. A code that came over WhatsApp proves the phone too, so it is sent as the external id."""
        self._user_id = person.pin
        traits = {"name": person.name, "email": person.email, "pin": person.pin, "county": person.place.county}
        extra = {"externalId": person.phone} if by_phone else {}
        self._send("identify", kind="identify", properties={**traits, "phone": person.phone}, context=extra)

    def _send(
        self,
        name: str,
        *,
        kind: str = "track",
        properties: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        journey_start: bool = False,
        journey_end: bool = False,
    ) -> None:
        self._sequence += 1
        width, height = self._device.screen
        page = {"path": self._path, "url": self._url, "title": self._title, "referrer": self._referrer}
        self.record(
            name,
            kind=kind,
            properties=properties,
            context={
                "library": LIBRARY,
                "page": page,
                "userAgent": self._client.user_agent,
                "locale": self._locale,
                "screen": {"width": width, "height": height},
                "channel": "web",
                **({"handshakeToken": self._token} if self._token else {}),
                **(context or {}),
            },
            client=self._client,
            anonymous_id=self._device.anonymous_id,
            session_id=self._session_id,
            sequence=self._sequence,
            user_id=self._user_id,
            journey_start=journey_start,
            journey_end=journey_end,
        )


def visit_of(
    rng: random.Random, person: Taxpayer, start: datetime, *, returning: bool, handshake_token: str | None = None
) -> BrowserVisit:
    """Open the site on one of the person's devices, through a link of the bot when there is a token."""
    device = person.devices[0] if handshake_token else rng.choice(person.devices)
    return BrowserVisit(
        rng,
        start,
        device,
        person.address,
        locale=person.locale,
        landing=None if handshake_token else choose_landing(rng),
        handshake_token=handshake_token,
        user_id=person.pin if returning and rng.random() < 0.55 else None,
    )


def browse(visit: BrowserVisit, *, bounce: float = 0.38) -> None:
    """Look around. A share of `bounce` leaves after the first page."""
    visit.page("/", PAGES["/"])
    if visit.chance(bounce):
        return
    for _ in range(visit.rng.choices((1, 2, 3, 4, 6), (38, 28, 18, 10, 6))[0]):
        visit.wait(8, 140)
        path = visit.rng.choices(BROWSE_PAGES, BROWSE_WEIGHTS)[0]
        visit.page(path, PAGES[path])
    if visit.chance(0.12):
        visit.wait(5, 60)
        visit.track("button_click", {"button_id": "download_guide", "label": "Download the guide"})


def sign_up(visit: BrowserVisit, person: Taxpayer) -> None:
    """Register for a tax number; four in ten do not get through."""
    visit.page("/services/pin-registration", PAGES["/services/pin-registration"])
    visit.wait(10, 60)
    visit.track("signup_started", {"source": "portal"})
    visit.wait(40, 300)
    if visit.chance(0.25):
        return
    visit.track("form_submitted", {"form_id": "pin_registration"})
    visit.wait(5, 60)
    if visit.chance(0.2):
        visit.track("app_error", {"error_code": "ID_NOT_FOUND", "message": "No identity card with this number"})
        return
    visit.track("signup_completed", {"method": "national_id"})
    visit.identify(person, by_phone=False)


def file_return(visit: BrowserVisit, person: Taxpayer, *, diligence: float = 1.0) -> str | None:
    """Walk the person's journey until it is done or given up.

    Returns the step at which the person gave up, None when all are done. `diligence` above 1 makes giving up rarer.
    """
    rng, obligation = visit.rng, person.obligation
    steps = JOURNEYS[obligation]
    details = _return_details(rng, person, visit.now)
    visit.page("/", PAGES["/"])
    visit.wait(4, 40)
    for step in steps:
        properties = {"journey": obligation.upper(), "step": step.name, "obligation_type": obligation}
        visit.wait(*step.seconds)
        _do_step(visit, person, step, properties, details, is_last=step is steps[-1])
        if not visit.chance(step.passes ** (1 / diligence)):
            if visit.chance(0.3):
                visit.wait(2, 40)
                code, message = rng.choice(ERRORS)
                visit.track("app_error", {**properties, "error_code": code, "message": message})
            return step.name
    if visit.chance(0.16):
        visit.wait(10, 90)
        rating = rng.choices((5, 4, 3, 2, 1), (52, 26, 11, 5, 6))[0]
        visit.track("csat_submitted", {"rating": rating, "journey": obligation.upper()})
    return None


def _do_step(
    visit: BrowserVisit,
    person: Taxpayer,
    step: Step,
    properties: dict[str, Any],
    details: Mapping[str, Any],
    *,
    is_last: bool,
) -> None:
    title = f"{person.obligation.upper()} return: {step.name}"
    path = f"/{person.obligation}/{step.name}"
    if step.event == "page_view":
        visit.page(path, title, properties)
        return
    visit.page(path, title)
    visit.wait(0.5, 4)
    if step.name == "otp":
        properties["method"] = "whatsapp" if person.chats and visit.chance(0.65) else "sms"
    visit.track(step.event, {**properties, **details.get(step.event, {})}, start=step.name == "start", end=is_last)
    if step.name == "otp" and not visit.is_known:
        visit.identify(person, by_phone=properties["method"] == "whatsapp")


def _return_details(rng: random.Random, person: Taxpayer, at: datetime) -> dict[str, dict[str, Any]]:
    """Properties that particular events of a filing carry: period, receipt, tax due in shillings."""
    local = at.astimezone(NAIROBI)
    year, month = (local.year, local.month - 1) if local.month > 1 else (local.year - 1, 12)
    base = {"mri": 38_000, "tot": 190_000, "nil": 0}[person.obligation]
    rate = {"mri": 0.075, "tot": 0.03, "nil": 0.0}[person.obligation]
    amount = round(base * rng.lognormvariate(0, 0.7) * rate)
    receipt = f"R{rng.randrange(10**10):010d}"
    filed = {
        "obligation": person.obligation,
        "receipt_number": receipt,
        "period": f"{year}-{month:02d}",
        "amount": amount,
    }
    return {
        "return_filed": filed,
        "payment_initiated": {
            "amount": amount,
            "prn": f"{rng.randrange(10**12):012d}",
            "phone_masked": f"2547…{person.phone[-3:]}",
        },
        "payment_success": {"amount": amount, "transaction_id": f"T{rng.getrandbits(40):010X}"},
    }
