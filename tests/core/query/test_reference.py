"""The reference of queries: its questions can be asked, and it leaves nothing out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.fields import TIME_PARTS
from chatnation.core.query.model import MeasureKind, Operator
from chatnation.core.query.wire import read
from tests.core.query.histories import PlainLoader
from tests.core.query.made_answers import ANSWERS

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "queries.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", REFERENCE, re.DOTALL)
NOW = datetime(2025, 4, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("example", EXAMPLES)
async def test_every_example_can_be_asked(example: str) -> None:
    query = read(json.loads(example), "Africa/Nairobi", NOW)
    assert type(await evaluate(query, PlainLoader([]), NOW)) is type(ANSWERS[type(query)])


@pytest.mark.parametrize(
    "name", [*get_args(MeasureKind), *get_args(Operator), *(f"time.{part}" for part in TIME_PARTS)]
)
def test_every_measure_operator_and_part_of_the_time_is_told(name: str) -> None:
    assert f"`{name}`" in REFERENCE
