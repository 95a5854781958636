"""The server-side senders among the examples, against the recorder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

SENDERS = Path(__file__).parents[2] / "examples" / "senders"
PROGRAMS = {"send.py": sys.executable, "send.sh": "sh", "send.mjs": "node"}
NEEDS = {"send.py": sys.executable, "send.sh": "curl", "send.mjs": "node"}


def run(sender: str, recorder: Any) -> subprocess.CompletedProcess[str]:
    if shutil.which(NEEDS[sender]) is None:
        pytest.skip(f"{NEEDS[sender]} is not installed")
    command = [PROGRAMS[sender], str(SENDERS / sender), recorder.url]
    environment = os.environ | {"CHATNATION_WRITE_KEY": "wk_test"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("sender", PROGRAMS)
def test_it_repeats_a_batch_under_the_same_message_ids(sender: str, recorder: Any, answer: Any):
    recorder.answers.append(answer(503, headers={"Retry-After": "1"}))
    ended = run(sender, recorder)
    assert ended.returncode == 0, ended.stderr
    refused, taken = recorder.received
    assert refused.message_ids == taken.message_ids
    assert all(UUID(message_id).version == 4 for message_id in taken.message_ids)
    assert taken.headers["x-write-key"] == "wk_test"
    assert "accepted" in ended.stdout


@pytest.mark.parametrize("sender", PROGRAMS)
def test_it_gives_up_at_once_what_will_never_be_taken(sender: str, recorder: Any, answer: Any):
    recorder.answers.append(answer(401))
    ended = run(sender, recorder)
    assert ended.returncode != 0
    assert len(recorder.received) == 1


@pytest.mark.parametrize("sender", ["send.py", "send.mjs"])
def test_it_says_which_event_was_rejected(sender: str, recorder: Any, answer: Any):
    recorder.answers.append(answer(rejected=(1,)))
    ended = run(sender, recorder)
    assert ended.returncode == 0
    assert "event 1 was rejected: event_name at most 100 characters" in ended.stderr
