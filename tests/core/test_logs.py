"""What is written to standard error."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from chatnation.core.logs import JsonFormatter, TextFormatter


def record(message: str, *values: object, error: Exception | None = None, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("chatnation.core.plugin.boundary", logging.WARNING, "file.py", 7, message, values, None)
    if error is not None:
        made.exc_info = (type(error), error, None)
    vars(made).update(extra)
    return made


def test_a_line_for_people_names_the_part_of_the_product_in_short() -> None:
    line = TextFormatter().format(record("%d failed", 3))
    assert line.endswith(" WARNING plugin.boundary: 3 failed")


def test_a_line_for_machines_is_one_json_object_with_every_extra() -> None:
    line = JsonFormatter().format(record("it broke\nbadly", error=ValueError("why"), request_id="abc", path=object))
    assert "\n" not in line
    written = json.loads(line)
    assert written["time"].endswith("+00:00")
    assert (written["level"], written["message"], written["request_id"]) == ("WARNING", "it broke\nbadly", "abc")
    assert "ValueError: why" in written["error"]
    assert "<class 'object'>" in written["path"]


@pytest.mark.parametrize(("configured", "lines"), [("", 1), ("logging.basicConfig(level='CRITICAL');", 0)])
def test_logging_is_left_alone_where_somebody_has_configured_it(configured: str, lines: int) -> None:
    code = (
        f"import logging; {configured} from chatnation.core import logs; from chatnation.core.settings import Settings;"
        "logs.configure(Settings(log_format='json')); logs.configure(Settings(log_format='json'));"
        "logging.getLogger('chatnation.x').info('seen'); logging.getLogger('other').info('unseen')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(done.stderr.splitlines()) == lines
