"""What the guide tells people to type gets the answers that it speaks of."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from chatnation.core.auth.keys import KeyType, create_key
from chatnation.testing.apps import MakeApp, RunningApp
from tests.core.query.made_answers import ANSWERS, QUESTIONS
from tests.core.query.second_engine import FixedStore, plugin_with

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "guides" / "ask-questions.md").read_text("utf-8")
REFERENCE = (DOCS / "reference" / "queries.md").read_text("utf-8")

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")


async def typed(app: RunningApp, block: str) -> str:
    """What a command of the guide prints."""
    tenant = (await app.source()).tenant
    async with app.app.storage.system("a key for the guide") as connection:
        key = await create_key(connection, tenant.id, "guide", KeyType.READ)
    network = await app.network_client()
    here = block.replace("https://chat.example.org", str(network.base_url).rstrip("/"))
    command = shlex.split(here.replace("YOUR_READ_KEY", key.secret).replace("\\\n", " "))
    process = await asyncio.create_subprocess_exec(command[0], "-sS", *command[1:], stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    return output.decode()


async def test_every_command_of_the_guide_is_understood(make_app: MakeApp) -> None:
    store = FixedStore(ANSWERS)
    app = await make_app(plugin_with(store), settings={"event_store": "fixed"})
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    answers = [await typed(app, block) for block in blocks]
    *given, refused = answers
    assert [type(query).__name__.lower() for _, query in store.asked] == [
        "timeseries",
        "breakdown",
        "funnel",
        "catalogue",
        "events",
    ]
    (told,) = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    got: dict[str, Any] = json.loads(refused)
    assert {name: value for name, value in got.items() if name != "request_id"} == json.loads(told)
    assert [answer[0] for answer in given] == ["{", "{", "{", "{", "\ufeff"]


def test_the_reference_has_every_kind_of_question_and_its_tables() -> None:
    from chatnation.core.query.tables import tables_of

    for question in QUESTIONS:
        (line,) = re.findall(rf"^\| `{question.kind}` \| (.*) \|$", REFERENCE, re.MULTILINE)
        assert {table.name for table in tables_of(question, ANSWERS[type(question)])} <= set(
            re.findall(r"`(\w+)`", line)
        )
