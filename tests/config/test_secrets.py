"""Secrets: hidden wherever they stand, and nothing else with them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.config.secrets import HIDDEN, Secrets, passwords_in, sounds_secret

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASC\n-----END PRIVATE KEY-----\n"


@given(
    st.lists(st.text(min_size=6, max_size=20).map(str.strip).filter(lambda text: len(text) >= 6), max_size=4), st.text()
)
def test_no_secret_survives_in_any_text(values: list[str], around: str) -> None:
    """As it is, in JSON, in a URL."""
    values = [value for value in values if HIDDEN not in value and "${" not in value]
    secrets = Secrets.of(values)
    for value in values:
        for written in (value, json.dumps(value)[1:-1], quote(value, safe="")):
            assert written not in secrets.redact(f"{around}|{written}|{around}")


@given(st.text(min_size=3, max_size=20), st.text(max_size=80))
def test_a_mask_keeps_every_column(value: str, text: str) -> None:
    """So a caret stays under what it means."""
    assert len(Secrets.of([value]).mask(text)) == len(text)


@pytest.mark.parametrize("value", ["", " ", "ab", "true", "None", "${TOKEN}"])
def test_what_is_no_secret_hides_nothing(value: str) -> None:
    """Else half of each message were stars."""
    assert Secrets.of([value]).redact("ab true None ${TOKEN}") == "ab true None ${TOKEN}"


def test_lines_of_a_key_are_hidden_one_by_one() -> None:
    """Its frame and its short last line are not."""
    told = Secrets.of([PEM]).redact("MIIEvQIBADANBgkqhkiG9w0BAQEF and -----BEGIN PRIVATE KEY-----, AASC")
    assert told == "*** and -----BEGIN PRIVATE KEY-----, AASC"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SMTP_PASSWORD", True),
        ("SLACK_BOT_TOKEN", True),
        ("SENTRY_DSN", True),
        ("API_KEY", True),
        ("KEY", True),
        ("DB_PWD", True),
        ("WEBHOOK_URL", True),
        ("SHOP_URL", False),
        ("KEYBOARD_LAYOUT", True),
        ("MONKEY", False),
        ("ENV", False),
    ],
)
def test_names_sound_secret(name: str, secret: bool) -> None:
    """Rather once too often."""
    assert sounds_secret(name) is secret


def test_passwords_of_urls_are_found() -> None:
    """Users and hosts are not."""
    assert list(passwords_in("postgresql://me:pa55@db/shop, http://h/x, smtp://u:q%40@m:25")) == ["pa55", "q%40"]
