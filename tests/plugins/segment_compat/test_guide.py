"""What the guide tells users of Segment and RudderStack to write works when they write it."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.segment_compat.conftest import Counter
from tests.plugins.segment_compat.node_packages import node_folder, why_not

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "segment.md").read_text("utf-8")


def blocks(language: str, *words: str) -> list[str]:
    """The code blocks of the guide in `language` that hold one of `words`."""
    found = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return [block for block in found if any(word in block for word in words)]


def here(block: str, counter: Counter) -> str:
    return block.replace("https://events.example.org", counter.url).replace("YOUR_WRITE_KEY", counter.source.write_key)


@pytest.mark.parametrize("block", blocks("python", "Client("), ids=["segment", "rudder"])
async def test_the_python_of_the_guide_delivers(counter: Counter, block: str) -> None:
    names: dict[str, Any] = {}
    exec(here(block, counter), names)
    names["analytics"].track("u1", "Signed Up")
    await asyncio.to_thread(names["analytics"].flush)
    await asyncio.to_thread(names["analytics"].join)

    assert [event.event_name for event in await counter.arrived(1)] == ["Signed Up"]


@pytest.mark.parametrize("block", blocks("js", "require("), ids=["segment", "rudder"])
async def test_the_javascript_of_the_guide_delivers(counter: Counter, block: str) -> None:
    folder = node_folder()
    if folder is None:
        pytest.skip(why_not())
    call = 'analytics.track({ userId: "u1", event: "Signed Up" }); analytics.flush();'
    process = await asyncio.create_subprocess_exec("node", "-e", here(block, counter) + call, cwd=folder)

    assert [event.event_name for event in await counter.arrived(1)] == ["Signed Up"]
    assert await asyncio.wait_for(process.wait(), 30) == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
async def test_the_commands_of_the_guide_deliver_and_answer_as_it_says(counter: Counter) -> None:
    answers = []
    for block in blocks("sh", "curl"):
        command = shlex.split(here(block, counter).replace("\\\n", " "))
        process = await asyncio.create_subprocess_exec(command[0], "-sS", *command[1:], stdout=asyncio.subprocess.PIPE)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
        answers.append(json.loads(output))

    (told,) = blocks("json", "rejected")
    assert answers == [{"success": True}, json.loads(told)]
    assert [event.event_name for event in await counter.arrived(1)] == ["Signed Up"]
