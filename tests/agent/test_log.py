"""What the agent logs: one line of JSON for each event, whatever is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sentinel.agent.log import Redaction, configure_log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ('queue{name="mail"} is 12 deep\n', 'queue{name="mail"} is 12 deep\n'),
        ("größer als 5 µs", "größer als 5 µs"),
        ({"a": [1, None, 2.5]}, {"a": [1, None, 2.5]}),
        (Path("rules/web.yaml"), "rules/web.yaml"),
        (ValueError("no such host"), "ValueError('no such host')"),
        ("cut \ud83d off", "cut \ud83d off"),
    ],
    ids=["quotes", "letters", "parts", "a path", "an error", "half a letter"],
)
def test_an_event_is_a_line_of_json(given: object, written: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where a text in it is no UTF-8: nothing that is logged stops the one who logs it."""
    configure_log("json", "info", Redaction())
    structlog.get_logger().info("seen", what=given)
    [line] = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert (found["event"], found["level"], found["what"]) == ("seen", "info", written)
