"""What journeys and steps are called on pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNKNOWN = "unknown"

_OWN_NAMES = (
    *("Sales Invoice", "Credit Note", "Buyer-Initiated Invoices", "eTIMS", "NIL Filing", "MRI", "TOT", "PAYE", "VAT"),
    *("Partnership", "Excise", "PIN Registration", "PIN Retrieve", "PIN Change", "PIN Update", "PIN Reactivate"),
    *("PIN Obligations", "PIN Check", "TCC Application", "TCC Reprint", "TCC Check", "F88 Declaration", "TIMV"),
    *("Forms", "Status", "eSlip", "NITA", "AHL", "Invoice Check", "Staff Check", "Import Check", "Station", "Refund"),
    *("Report Fraud", "More"),
)
"""Names that are their own labels."""
LABELS: Mapping[str, str] = {
    **{name: name for name in _OWN_NAMES},
    "TEMV": "Extend TIMV",
    "tax": "Tax",
    UNKNOWN: "Other",
}
"""The labels that come along."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels by name. Names are the same in whatever case, and with spaces, hyphens or underscores."""

    shown: Mapping[str, str]
    """As the API tells them: by the name as it was written."""
    _folded: Mapping[str, str]

    @classmethod
    def of(cls, lines: Sequence[str]) -> Labels:
        """Those that come along, and over them a tenant's own, each a line `name = label`."""
        own = {key.strip(): label.strip() for key, _, label in (line.partition("=") for line in lines)}
        replaced = {folded(key) for key in own}
        shown = {key: label for key, label in LABELS.items() if folded(key) not in replaced} | own
        return cls(shown, {folded(key): label for key, label in shown.items()})

    def label(self, name: str) -> str:
        """What a journey, step or reason is called; without a label, by its name, with spaces for underscores."""
        return self._folded.get(folded(name)) or _spaced(name)


def _spaced(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[0].upper() + words[1:] if words and (words != name or name.islower()) else name


def folded(name: str) -> str:
    """A name without what does not tell it from another."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()
