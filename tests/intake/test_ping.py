"""Calls of jobs in the dialect of healthchecks.io."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.heartbeat import Ping, PingKind
from sentinel.intake.ping import BODY_LIMIT, Address, address_of, parse_ping

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RID = "123e4567-e89b-12d3-a456-426614174000"


def read(path: str, query: dict[str, str] | None = None, body: bytes = b"") -> Ping:
    return parse_ping(address_of(path), query or {}, body, NOW)


@pytest.mark.parametrize(
    ("path", "kind", "exit_code"),
    [
        ("discovery", PingKind.SUCCESS, None),
        ("discovery/start", PingKind.START, None),
        ("discovery/fail", PingKind.FAIL, None),
        ("discovery/log", PingKind.LOG, None),
        ("discovery/0", PingKind.SUCCESS, 0),
        ("discovery/1", PingKind.FAIL, 1),
        ("discovery/255", PingKind.FAIL, 255),
    ],
)
def test_what_a_call_says(path: str, kind: PingKind, exit_code: int | None) -> None:
    """The word behind the name is the verdict."""
    ping = read(path, {"rid": RID}, b"done")
    assert (ping.name, ping.kind, ping.exit_code, ping.at) == ("discovery", kind, exit_code, NOW)
    assert (ping.run, ping.body) == (RID, "done")


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("", {}, "invalid url format"),
        ("Discovery", {}, "invalid url format"),
        ("a b", {}, "invalid url format"),
        ("discovery/", {}, "invalid url format"),
        ("discovery/start/", {}, "invalid url format"),
        ("key/discovery/stop", {}, "invalid url format"),
        ("key/discovery/start/1", {}, "invalid url format"),
        (f"{RID}/256", {}, "invalid url format"),
        ("discovery/256", {}, "invalid url format"),
        ("discovery/-1", {}, "invalid url format"),
        ("discovery/²", {}, "invalid url format"),
        ("discovery", {"rid": "7"}, "invalid uuid format"),
        ("discovery", {"rid": ""}, "invalid uuid format"),
    ],
)
def test_what_is_no_call_is_refused(path: str, query: dict[str, str], words: str) -> None:
    """As a healthchecks server does."""
    with pytest.raises(ValueError, match=words):
        read(path, query)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nightly", Address("nightly")),
        ("nightly/start", Address("nightly", "start")),
        ("nightly/255", Address("nightly", "255")),
        ("key/nightly", Address("nightly", "", "key")),
        ("key/nightly/fail", Address("nightly", "fail", "key")),
        (RID, Address(RID)),
        (f"{RID}/", Address(RID)),
        (f"{RID}/0", Address(RID, "0")),
    ],
)
def test_whom_a_path_calls(path: str, expected: Address) -> None:
    """By name, by UUID, or by name behind a key; only what cannot be guessed needs no token."""
    found = address_of(path)
    assert found == expected
    assert found.by_uuid == (RID in path)


def test_a_uuid_in_capitals_is_the_same_uuid() -> None:
    """Clients write it as they like; and a job is never made of one."""
    ping = read(RID.upper(), {"create": "1", "rid": RID.upper()})
    assert (ping.name, ping.run, ping.create) == (RID, RID, False)
    assert read("new", {"create": "1"}).create
    assert not read("new", {"create": "0"}).create


@given(st.binary(max_size=2 * BODY_LIMIT))
def test_a_body_is_kept_up_to_the_limit(body: bytes) -> None:
    """Whatever is sent is text that any table takes."""
    kept = read("d", body=body).body
    assert len(kept) <= BODY_LIMIT
    assert "\x00" not in kept
    kept.encode()


def test_a_letter_is_not_cut_in_two() -> None:
    """The limit is in bytes, what is kept are letters."""
    assert read("d", body=b"x" + "ä".encode() * BODY_LIMIT).body == "x" + "ä" * ((BODY_LIMIT - 1) // 2)
