"""The page of funnels: it is never blank, builds without script, and leads to the people behind its numbers."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.plugins.funnels.journeys import TEMPLATES
from chatnation.testing import identify, page_view, track
from tests.plugins.funnels.conftest import NOW, Office

CARDS = ("figures", "drop", "steps", "trend", "table", "groups", "histogram", "times", "people", "walk")
ADDRESS = "step=start&step=form&step=done"


async def visits(office: Office) -> None:
    """Ten begin, six go on, three are done; one of these is known by name."""
    events = []
    for number in range(10):
        visitor, at = f"{number:08d}-0000-4000-8000-000000000000", NOW - timedelta(days=9, minutes=number)
        depth = 3 if number < 3 else 2 if number < 6 else 1
        for place, name in enumerate(("start", "form", "done")[:depth]):
            events.append(track(name, at=at + timedelta(seconds=30 * place), visitor=visitor))
        if number == 2:
            events.append(identify("A001", {"name": "Wanjiku"}, visitor=visitor, at=at))
    await office.app.ingest_and_drain(events, office.source)


async def lead(office: Office, path: str) -> str:
    """Where an address leads."""
    answer = await office.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 303, answer.text
    location: str = answer.headers["location"]
    return location


async def test_without_any_events_the_first_template_says_what_is_missing(office: Office) -> None:
    assert await lead(office, "/funnel") == "/funnel?template=mri"
    page = await office.page("/funnel")
    assert "MRI return" in page
    assert "Nobody entered this funnel" in page


async def test_where_no_template_fits_the_most_frequent_events_are_the_steps(office: Office) -> None:
    await visits(office)
    location = await lead(office, "/funnel?period=90d&country=KE")
    found = parse_qsl(urlsplit(location).query)
    assert [value for name, value in found if name == "step"] == ["start", "form", "done", "identify"]
    assert ("period", "90d") in found
    assert ("country", "KE") in found


async def test_where_returns_are_filed_the_templates_fit(office: Office) -> None:
    await visits(office)
    await office.app.ingest_and_drain([track("filing_started", at=NOW - timedelta(hours=1))], office.source)
    assert await lead(office, "/funnel") == "/funnel?template=mri"


@pytest.mark.parametrize("name", list(TEMPLATES))
async def test_the_templates_count_the_journeys_of_the_tax_app(office: Office, name: str) -> None:
    upper, at = name.upper(), NOW - timedelta(days=3)
    ends = {
        "nil": ["obligation_selected", "return_submitted", "return_filed"],
    }.get(name, ["page_view", "return_filed", "payment_initiated", "payment_success"])
    properties = {"obligation_type": name, "obligation": upper, "journey": upper}
    visitor = "00000001-0000-4000-8000-000000000000"
    events = [page_view("/", at=at, visitor=visitor)]
    for place, event in enumerate(["filing_started", "validation_success", "otp_success", *ends], 1):
        when = at + timedelta(minutes=place)
        if event == "page_view":
            events.append(page_view(f"/{name}/form", at=when, visitor=visitor))
        else:
            events.append(track(event, properties, at=when, visitor=visitor))
    await office.app.ingest_and_drain(events, office.source)
    page = await office.page(f"/funnel/parts/figures?template={name}")
    assert _figures(page) == ["1", "1"]
    for other in set(TEMPLATES) - {name}:
        page = await office.page(f"/funnel/parts/figures?template={other}")
        assert _figures(page) == ["1", "0"]


async def test_each_card_comes_by_itself(office: Office) -> None:
    await visits(office)
    for card in CARDS:
        await office.page(f"/funnel/parts/{card}?{ADDRESS}&by=country_code&compare=true")
    drop = await office.page(f"/funnel/parts/drop?{ADDRESS}")
    assert "40%" in drop
    assert re.sub(r"\s+", " ", drop).count("between <strong>start</strong> and <strong>form</strong>") == 1
    assert not re.search(r"\son\w+=|\sstyle=|<style", await office.page(f"/funnel?{ADDRESS}"))


async def test_numbers_lead_to_the_people_behind_them_and_these_to_their_pages(office: Office) -> None:
    await visits(office)
    table = unescape(await office.page(f"/funnel/parts/table?{ADDRESS}"))
    link = re.search(r'href="(/funnel\?[^"]*at=2&outcome=reached)#card-people"', table)
    assert link is not None
    people = await office.page(f"/funnel/parts/people?{ADDRESS}&at=2&outcome=reached")
    assert "3 persons" in people
    assert "Wanjiku" in people
    persons = re.findall(r'href="/persons/([0-9a-f-]{36})"', people)
    assert len(persons) == 3
    walk = re.sub(r"\s+", " ", await office.page(f"/funnel/parts/walk?{ADDRESS}&person={persons[0]}"))
    assert "Reached the last step" in walk
    assert walk.count("cn-served") == 3
    auditor = await office.as_role(RoleName.DEVELOPER)
    assert (await auditor.get(f"/funnel/people.csv?{ADDRESS}")).status_code == 403


async def test_equal_steps_in_an_address_are_two_steps(office: Office) -> None:
    await visits(office)
    table = re.sub(r"<[^>]*>|\s+", " ", await office.page("/funnel/parts/table?step=start&step=start"))
    assert "2. start" in table


async def test_rows_of_the_breakdown_and_bars_of_the_trend_lead_on(office: Office) -> None:
    await visits(office)
    groups = unescape(await office.page(f"/funnel/parts/groups?{ADDRESS}&by=event_name&attribution=last"))
    link = re.search(r'href="(/funnel\?[^"]*value=form[^"]*)#card-people"', groups)
    assert link is not None
    people = await office.page(link[1].replace("/funnel?", "/funnel/parts/people?"))
    assert "3 persons" in people
    trend = unescape(await office.page(f"/funnel/parts/trend?{ADDRESS}&granularity=day"))
    assert "/funnel?granularity=day&step=start&step=form&step=done&start_date=2025-03-24&end_date=2025-03-24" in trend


@pytest.mark.parametrize(
    ("breakdown", "row"),
    [("by=event_name&attribution=last&limit=1", "row=other"), ("by=properties.nothing", "row=unknown")],
)
async def test_the_rows_of_no_value_and_of_all_others_lead_to_their_people_too(
    office: Office, breakdown: str, row: str
) -> None:
    await visits(office)
    groups = unescape(await office.page(f"/funnel/parts/groups?{ADDRESS}&{breakdown}"))
    found = re.findall(rf'href="(/funnel\?[^"]*at=0&outcome=reached&{row})#card-people">(\d+)<', groups)
    assert len(found) == 1, groups
    link, reached = found[0]
    people = await office.page(link.replace("/funnel?", "/funnel/people.csv?"))
    assert len(people.splitlines()) - 1 == int(reached) > 0
    shown = await office.page(link.replace("/funnel?", "/funnel/parts/people?"))
    assert f"{reached} person" in shown
    assert "only those without a value" in shown or "only the other values" in shown


async def test_the_list_of_people_is_paged(office: Office) -> None:
    await visits(office)
    events = [track("start", at=NOW - timedelta(days=8, seconds=number)) for number in range(20)]
    await office.app.ingest_and_drain(events, office.source)
    seen: set[str] = set()
    for offset in (0, 10, 20):
        people = await office.page(f"/funnel/parts/people?{ADDRESS}&at=0&outcome=reached&offset={offset}")
        seen |= set(re.findall(r"/persons/([0-9a-f-]{36})", people))
    assert len(seen) == 30
    assert "Nobody is in this list" in await office.page(f"/funnel/parts/people?{ADDRESS}&at=0&offset=500")


async def test_the_rule_is_told_in_words(office: Office) -> None:
    page = unescape(await office.page(f"/funnel?{ADDRESS}&order=strict&window=90m&actor=session&include_bots=true"))
    assert "no other event that matches any step may lie between" in page
    assert "within 90 minutes of step 1" in page
    assert "Each session counts once" in page
    assert "Known bots count as well." in page


async def test_a_funnel_is_built_with_buttons_alone(office: Office) -> None:
    page = await office.page("/funnel/build")
    form = inputs(page)
    form["event.0"], form["event.1"] = "start", "done"
    page = await press(office, form, "add")
    form = inputs(page)
    form["event.2"], form["page.2"] = "page_view", "/help*"
    page = await press(office, form, "up:2")
    form = inputs(page)
    assert (form["event.1"], form["page.1"], form["event.2"]) == ("page_view", "/help*", "done")
    page = await press(office, form, "condition:0")
    form = inputs(page)
    form |= {"field.0.0": "properties.amount", "operator.0.0": "gte", "value.0.0": "10", "window": "2", "unit": "h"}
    answer = await office.client.get("/funnel/build", params={**form, "do": "show"})
    assert answer.status_code == 303
    found = parse_qsl(urlsplit(answer.headers["location"]).query)
    amount = '[{"field":"properties.amount","operator":"gte","values":["10"]}]'
    help_page = '[{"field":"page_path","operator":"matches","values":["/help*"]}]'
    assert found == [
        ("step", f'{{"name":"start","select":{{"events":["start"],"filters":{amount}}}}}'),
        ("step", f'{{"name":"/help*","select":{{"events":["page_view"],"filters":{help_page}}}}}'),
        ("step", "done"),
        ("window", "2h"),
    ]
    page = await office.page(answer.headers["location"])
    assert inputs(page)["value.0.0"] == "10"
    page = await press(office, inputs(page), "remove:1")
    assert "event.2" not in inputs(page)


async def test_what_the_form_cannot_show_survives_it(office: Office) -> None:
    step = '{"name":"a","select":{"events":["a"],"filters":[{"any_of":[{"field":"city","values":["x"]}]}]}}'
    exclusion = '{"select":{"events":["x"],"filters":[{"field":"city","values":["y"]}]},"after":0}'
    address = [("step", step), ("step", "b"), ("exclude", exclusion), ("constant", "city"), ("by", "city")]
    address += [("attribution", "step"), ("attribution_step", "1")]
    page = await office.page(f"/funnel?{urlencode(address)}")
    answer = await office.client.get("/funnel/build", params={**inputs(page), "do": "show"})
    assert answer.status_code == 303, answer.text
    assert sorted(parse_qsl(urlsplit(answer.headers["location"]).query)) == sorted(address)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"event.0": "a", "event.1": ""}, "Step 2 needs an event"),
        ({"event.0": "a", "event.1": "b", "window": "soon"}, "The window is no length of time"),
        ({"event.0": "a", "event.1": "b", "window": "91", "unit": "d"}, "window"),
        ({"event.0": "a", "event.1": "b", "field.1.0": "nothing", "value.1.0": "1"}, "no field “nothing”"),
        ({"event.0": "a", "event.1": "b", "field.1.0": "city"}, "needs a value"),
        ({"event.0": "a", "event.1": "b", "optional.1": "on", "order": "any"}, "In any order"),
        ({"event.0": "a"}, "at least 2 steps"),
    ],
)
async def test_an_incomplete_form_says_what_is_missing_and_keeps_the_rest(
    office: Office, form: dict[str, str], says: str
) -> None:
    page = await office.page("/funnel/build?" + urlencode({"window": "7", "unit": "d", **form, "do": "show"}), 422)
    assert says in unescape(page)
    assert inputs(page)["event.0"] == "a"


async def test_the_inputs_offer_events_and_their_properties(office: Office) -> None:
    assert "properties." not in await office.page("/funnel/offers")
    await office.app.ingest_and_drain([track("start", {"amount": 1}, at=NOW - timedelta(hours=1))], office.source)
    offers = await office.page("/funnel/offers")
    assert '<option value="start">' in offers
    assert '<option value="properties.amount">' in offers


@pytest.mark.parametrize(
    "query",
    [
        *("step=a&window=soon", "step=%7B", "step=a&by=nothing", "step=a&order=x", "&".join(["step=a"] * 21)),
        *("saved=1", "step=a&exclude=1", "step=a&person=1", "step=a&at=99", "step=a&period=1y"),
    ],
)
async def test_an_address_that_makes_no_funnel_is_refused_in_words(office: Office, query: str) -> None:
    assert "funnel" in (await office.page(f"/funnel?{query}", 422)).lower()
    assert (await office.client.get(f"/funnel/parts/steps?{query}")).status_code == 422


def _figures(page: str) -> list[str]:
    """Who entered, and who converted."""
    return re.findall(r'cn-kpi-value"><a[^>]*>(\d+)<', page)[:2]


def inputs(page: str) -> dict[str, str]:
    """What a browser would send of the builder: of inputs with one name, the last one that is not empty."""
    builder = page[page.index('id="funnel-builder"') :]
    form = builder[builder.index("<form") : builder.index("</form>")]
    found: dict[str, str] = {}
    for attributes in re.findall(r"<input ([^>]*)>", form):
        pairs = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
        if pairs.get("type") == "checkbox" and not re.search(r"\bchecked\b", attributes):
            continue
        value = unescape(pairs.get("value", "on" if pairs.get("type") == "checkbox" else ""))
        if value or pairs["name"] not in found:
            found[pairs["name"]] = value
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        found[name] = unescape(chosen[1]) if chosen else ""
    return found


async def press(office: Office, form: dict[str, str], button: str) -> str:
    """The form after a button."""
    return await office.page("/funnel/build?" + urlencode({**form, "do": button}))
