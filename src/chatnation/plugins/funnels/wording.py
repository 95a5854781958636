"""How a funnel is counted, in words made from its options. `docs/explanation/funnels.md` has the rule in full."""

from __future__ import annotations

from chatnation.plugins.funnels.conditions import all_in_words, field_label, joined
from chatnation.plugins.funnels.definition import Definition
from chatnation.plugins.funnels.lengths import spoken
from chatnation.query import Selection, Step

_ORDERS = {
    "ordered": "The steps have to come in this order. Other events may lie between them.",
    "strict": "The steps have to come in this order, and no other event that matches any step may lie between two of "
    "them: one that does ends the chain there.",
}
_ENTRIES = {
    "best": "Each {one} counts once: of several chains the one that comes furthest, of equally long ones the earliest.",
    "first": "Each {one} counts once, with the chain that begins first, however far it came.",
    "totals": "Every entry counts, so one {one} may count several times.",
}
_ATTRIBUTIONS = {
    "first": "of the event of step 1",
    "last": "of the event of the last step that was reached",
    "any": "of the first event in the chain that has one",
}


def noun(actor: str, number: int = 2) -> str:
    """What is counted, in the singular or plural."""
    if actor in {"person", "session"}:
        return actor if number == 1 else f"{actor}s"
    word = f"value of {field_label(actor)}"
    return word if number == 1 else word.replace("value", "values", 1)


def counted_noun(definition: Definition) -> str:
    """What the numbers of a funnel are numbers of."""
    return "entries" if definition.entry == "totals" else noun(definition.actor)


def selection_words(select: Selection) -> str:
    """Which events are meant."""
    names = joined([f"“{name}”" for name in select.events], "or") or "any event"
    return f"{names} where {all_in_words(select.filters)}" if select.filters else names


def step_words(step: Step) -> str:
    """A step of the list."""
    words = selection_words(step.select)
    if step.within is not None:
        words += f", within {spoken(step.within)} of the step before"
    return f"{words} (optional)" if step.optional else words


def rule(definition: Definition) -> list[str]:
    """Sentences, in the order in which the rule works."""
    one, window = noun(definition.actor, 1), spoken(definition.window)
    found = [
        f"The events of each {one} are looked at in the order in which they happened. "
        + _entry_words(definition)
        + " That is an entry."
    ]
    if definition.order == "any":
        found.append(_any_order(definition))
    else:
        found.append(
            f"{_ORDERS[definition.order]} Each step takes the first event after that of the step before that matches "
            "it. An event serves one step only, also where it matches several. Of events at the same instant the order "
            "in which they were sent decides."
        )
    found.append(
        f"All steps have to happen within {window} of step 1, even if that is after the end of the period. An entry "
        "whose time is not over yet is told as still open, not as dropped."
    )
    found += [
        f"A chain ends where {selection_words(exclusion.select)} happens between step {exclusion.after + 1} and the "
        "next one."
        for exclusion in definition.exclusions
    ]
    if definition.journey_flags:
        found.append("The event of step 1 has to start a journey, and that of the last step has to end one.")
    if any(step.optional for step in definition.steps):
        found.append("An optional step tells how many passed it. Who passes it by goes on all the same.")
    if definition.constant:
        fields = joined([f"“{field_label(name)}”" for name in definition.constant], "and")
        found.append(f"All steps of a chain have the same {fields}; events without a value do not count.")
    found.append(_ENTRIES[definition.entry].format(one=one))
    if definition.by is not None:
        found.append(_breakdown(definition))
    if definition.actor == "person":
        found.append(
            "A person is everything that leads to one: browsers, user ids and phone numbers, as known now. So a step "
            "on the website and one on WhatsApp meet."
        )
    if definition.actor == "session":
        found.append("A chain ends with its session: what the same person does in a later one is another session's.")
    found.append("Known bots count as well." if definition.include_bots else "Known bots are left out.")
    return found


def _entry_words(definition: Definition) -> str:
    if definition.order == "any" and not definition.anchor_first:
        return "An event in the period that matches any step begins a chain."
    return f"An event in the period that matches step 1, “{definition.steps[0].name}”, begins a chain."


def _any_order(definition: Definition) -> str:
    words = "After it, the steps may come in any order: each event takes the first step in the list that it matches "
    words += "and that is not taken yet. The numbers tell how many did one step, two steps, and so on."
    if definition.anchor_last:
        words += f" The last step, “{definition.steps[-1].name}”, counts only once all others are done."
    return words


def _breakdown(definition: Definition) -> str:
    where = _ATTRIBUTIONS.get(definition.attribution, f"of the event of step {definition.attribution_step + 1}")
    return (
        f"The breakdown takes the value of “{field_label(definition.by or '')}” {where}. Chains are found first and "
        f"sorted afterwards, so the rows add up to the funnel. The {definition.limit} most frequent values have rows."
    )
