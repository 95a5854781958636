"""Which questions name single persons, and what those who may not see persons are told all the same.

Counts of many are open to whoever sees reports. Who somebody is, and what one person did, needs `persons.view`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chatnation.core.context import Actor
from chatnation.core.errors import Problem
from chatnation.core.query.answers import Answer, CatalogueAnswer, CataloguedEvent, EventRow, EventsAnswer
from chatnation.core.query.fields import Field
from chatnation.core.query.model import Distribution, Events, Filter, FunnelWalk, Listing, Measure, Outcomes, Query

SEE_PERSONS = "persons.view"
IDS = frozenset({"user_id", "external_id"})
"""Columns of events and sessions that say who somebody is."""
NAMING = frozenset(
    """
    email emailaddress mail phone phonenumber telephone tel mobile mobilenumber msisdn waid whatsapp whatsappid
    whatsappnumber userid username login customerid externalid pin krapin taxpin tin taxpayerid ssn nin nationalid
    nationalidnumber idnumber passport passportnumber iban firstname lastname middlename fullname surname givenname
    familyname birthday birthdate dateofbirth dob
    """.split()
)
"""What traits and properties are called that say who somebody is, in small letters and digits."""
NAMING_TRAITS = NAMING | {"name", "displayname", "nickname", "id", "address", "streetaddress", "avatar", "photo"}
NAMING_PROPERTIES = (NAMING_TRAITS - {"id"}) | {"from", "to", "recipient"}
"""Inside of other properties such names may say what something else is called: `template.name`. At the top they are
those of who was identified, and numbers of who wrote or was written to."""

_SHOWN = ("by", "node")
"""Where questions have the fields whose values they tell."""
_ONLY_WHETHER = ("is_set", "is_not_set")


class NamesPersons(Problem):
    """403: what was asked for names single persons, and whoever asks may not see those."""

    def __init__(self, what: str) -> None:
        super().__init__(403, "names_persons", f"{what} names single persons; that needs the permission {SEE_PERSONS}.")


def sees_persons(actor: Actor | None) -> bool:
    """Whether somebody may see who single persons are. Nobody in particular is the product itself, which may."""
    return actor is None or actor.can(SEE_PERSONS)


def check_names_nobody(query: Query) -> None:
    """Raise NamesPersons where the question names single persons, and say what in it does."""
    found = next(_naming(query), None)
    if found is not None:
        raise NamesPersons(found)


def without_names(answer: Answer) -> Answer:
    """An answer to a question that passed the check, without what its rows tell of who somebody is."""
    if isinstance(answer, EventsAnswer):
        return dataclasses.replace(answer, events=tuple(map(_nameless, answer.events)))
    if isinstance(answer, CatalogueAnswer):
        return CatalogueAnswer(tuple(map(_without_examples, answer.events)))
    return answer


def identifies(field: str) -> bool:
    """Whether the values of a field say who somebody is."""
    return any(_identifies(part) for part in Field.parsed(field).parts)


def _identifies(field: Field) -> bool:
    if field.scope == "person":
        return _plain(field.name) in NAMING_TRAITS
    if field.scope == "properties":
        return _is_naming(field.name)
    return field.name in IDS


def _is_naming(path: str) -> bool:
    name = _plain(path.rpartition(".")[2])
    return name in (NAMING if "." in path else NAMING_PROPERTIES)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _naming(query: Query) -> Iterator[str]:
    """What in a question names single persons, in words."""
    if isinstance(query, Listing | FunnelWalk):
        yield "A list of those behind a number"
    elif isinstance(query, Events) and query.person_id is not None:
        yield "A list of one person's events"
    elif isinstance(query, Outcomes) and query.tell is not None:
        yield "A list of attempts"
    elif isinstance(query, Distribution) and query.field is not None and identifies(query.field):
        yield f"A distribution of {query.field}"
    yield from _naming_parts(query)


def _naming_parts(value: Any) -> Iterator[str]:
    if isinstance(value, tuple):
        for each in value:
            yield from _naming_parts(each)
    elif isinstance(value, Filter):
        if value.operator not in _ONLY_WHETHER and identifies(value.field):
            yield f"A condition on {value.field}"
    elif isinstance(value, Measure):
        if value.field is not None and value.kind != "distinct" and identifies(value.field):
            yield f"A measure of {value.field}"
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            inner = getattr(value, part.name)
            if part.name in _SHOWN:
                shown = (inner,) if isinstance(inner, str) else inner or ()
                yield from (f"A breakdown by {field}" for field in shown if identifies(field))
            else:
                yield from _naming_parts(inner)


def _nameless(event: EventRow) -> EventRow:
    return dataclasses.replace(
        event,
        person_id=None,
        anonymous_id=None,
        user_id=None,
        external_id=None,
        properties=_without_naming(event.properties),
    )


def _without_naming(properties: Mapping[str, Any], inside: str = "") -> dict[str, Any]:
    return {
        name: _inner(value, f"{inside}{name}.") for name, value in properties.items() if not _is_naming(inside + name)
    }


def _inner(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return _without_naming(value, path)
    return [_inner(each, path) for each in value] if isinstance(value, list) else value


def _without_examples(event: CataloguedEvent) -> CataloguedEvent:
    """The examples of naming properties are what somebody is called."""
    properties = tuple(
        dataclasses.replace(each, examples=()) if _is_naming(each.name) else each for each in event.properties
    )
    return dataclasses.replace(event, properties=properties)
