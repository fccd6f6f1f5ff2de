"""The registry: every kind is there, documented, and imported only when it is used."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest
import yaml

from sentinel.notifiers import KINDS, kind
from sentinel.notifiers.slack_layout import shorten
from sentinel.notifiers.thread import in_thread

#: What examples take from the environment.
SECRETS = {
    "SENTRY_DSN": "https://key@o1.ingest.sentry.io/1",
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/T0/B0/x",
    "WEBHOOK_URL": "https://hooks.example.com/",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kinds_word_is_its_file_and_its_page_has_an_example_that_works(name: str) -> None:
    """The same word in YAML, file and class; the docstring is the manual page."""
    found = kind(name)
    assert found.__module__ == f"sentinel.notifiers.{name}"
    assert found.__name__.lower() == name
    page = found.__doc__ or ""
    block = page.split("```yaml")[1].split("```")[0]
    for variable, value in SECRETS.items():
        block = block.replace(f"${{{variable}}}", value)
    example = yaml.safe_load(block)
    for entry in example["notifiers"].values():
        found.model_validate(entry[name])


def test_an_unknown_kind_proposes_a_near_one() -> None:
    with pytest.raises(KeyError, match='did you mean "slack"'):
        kind("slak")


def test_checking_kinds_imports_no_client() -> None:
    """`sentinel check` pays for no SDK."""
    code = (
        "import sys; from sentinel.notifiers import KINDS, kind; [kind(name) for name in KINDS]; "
        "heavy = ('slack_sdk', 'sentry_sdk', 'aiosmtplib', 'httpx', 'aiohttp', 'rich', 'sqlmodel', 'jinja2'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_calls_that_hang_do_not_keep_others_waiting() -> None:
    """More of them than `asyncio.to_thread` has threads."""
    never = threading.Event()
    hanging = [asyncio.ensure_future(in_thread(never.wait)) for _ in range(40)]
    assert await asyncio.wait_for(in_thread(lambda: 42), 5) == 42
    never.set()
    await asyncio.gather(*hanging)


@pytest.mark.parametrize(
    ("text", "longest", "short"),
    [("short", 10, "short"), ("one two", 5, "one…"), ("a &amp; b", 6, "a…"), ("a <https://x|y>", 8, "a…")],
)
def test_a_cut_goes_through_no_entity_and_no_link(text: str, longest: int, short: str) -> None:
    assert shorten(text, longest) == short
