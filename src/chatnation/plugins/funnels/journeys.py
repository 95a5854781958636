"""Funnels that come along: the journeys of the tax app, from the first page to the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatnation.plugins.funnels.definition import Definition
from chatnation.query import DAY, Filter, Selection, Step


@dataclass(frozen=True, slots=True)
class Template:
    """A funnel to begin with."""

    name: str
    label: str
    definition: Definition


def _of(obligation: str, field: str) -> tuple[Filter, ...]:
    return (Filter(f"properties.{field}", "is", (obligation, obligation.upper())),)


def _page(pattern: str) -> Selection:
    return Selection(("page_view",), (Filter("page_path", "matches", (pattern,)),))


def _begin(obligation: str) -> list[Step]:
    """What all returns begin with. Of the codes, apps call the event one way or the other."""
    kind = _of(obligation, "obligation_type")
    return [
        Step("Home", _page("/")),
        Step("Start", Selection(("filing_started",), kind)),
        Step("Validation", Selection(("validation_success",), kind)),
        Step("OTP", Selection(("otp_verified", "otp_success"))),
    ]


def _paid(obligation: str) -> Definition:
    steps = [
        *_begin(obligation),
        Step("Return form", _page(f"/{obligation}/form*")),
        Step("Submit", Selection(("return_filed",), _of(obligation, "obligation"))),
        Step("Payment", Selection(("payment_initiated",))),
        Step("Done", Selection(("payment_success",))),
    ]
    return Definition(steps=tuple(steps), window=DAY)


def _nil() -> Definition:
    steps = [
        *_begin("nil"),
        Step("Select obligation", Selection(("obligation_selected",))),
        Step("Submit", Selection(("return_submitted",))),
        Step("Done", Selection(("return_filed",), _of("nil", "obligation"))),
    ]
    return Definition(steps=tuple(steps), window=DAY)


TEMPLATES: Mapping[str, Template] = {
    template.name: template
    for template in (
        Template("mri", "MRI return", _paid("mri")),
        Template("tot", "TOT return", _paid("tot")),
        Template("nil", "NIL return", _nil()),
    )
}
ENTRY_EVENTS = frozenset({"filing_started"})
"""Where these happen, the templates make sense."""
