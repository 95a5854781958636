"""What numbers on pages mean, said once by the plugin that shows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that some page shows, and how it is counted, for its readers.

    `name` is `<plugin>.<words>`; a chart or key figure with that `metric` leads to the definition, which all pages
    list at `/definitions#<name>`. `label` is what pages call it. `unit`: `number`, `percent`, `seconds`, `score`, or an
    ISO 4217 currency code.
    """

    name: str
    label: str
    definition: str
    unit: str = "number"
