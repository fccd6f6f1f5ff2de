"""Tokens and scopes: each endpoint with each token."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sentinel.settings import Settings, SettingsInvalid, load_settings
from sentinel.web.auth import Door, scope_of
from sentinel.web.listen import allowed
from sentinel.web.tokens import Scope, tokens_of
from tests.web.conftest import Start

UUID = "f3a1b2c4-5d6e-4f70-8a9b-0c1d2e3f4a5b"
READ, OPERATE, PUSH, ALL = "read-0123456789ab", "operate-0123456789", "push-0123456789ab", "s3cret"
TOKENS = f"grafana:read:{READ}, oncall:operate:sha256={hashlib.sha256(OPERATE.encode()).hexdigest()}\nci:push:{PUSH}"
SETTINGS: dict[str, Any] = {"token": ALL, "tokens": TOKENS}
TREE = f"""
probes:
  nightly: {{heartbeat: {{every: 1h, uuid: {UUID}}}}}
notifiers: {{people: {{console: {{}}}}}}
"""
#: What may be asked with what; every route of the application is here or in `OPEN`.
NEEDS = {
    Scope.PUSH: {"GET /ping/{path:path}", "HEAD /ping/{path:path}", "POST /ping/{path:path}"},
    Scope.OPERATE: {
        "POST /api/alerts/ack",
        "POST /api/alerts/{name}/ack",
        "DELETE /api/alerts/{name}/ack",
        "POST /api/audit/prune",
        "POST /api/deliveries/retry",
        "POST /api/deliveries/{id_:path}/drop",
        "POST /api/deliveries/{id_:path}/retry",
        "POST /api/import",
        "POST /api/notifiers/{name}/test",
        "POST /api/reload",
        "POST /api/silences",
        "DELETE /api/silences/{id_}",
        "POST /forms/ack/{fingerprint}",
        "POST /forms/deliveries/{id_:path}/drop",
        "POST /forms/deliveries/{id_:path}/retry",
        "POST /forms/silence",
        "POST /forms/silences/{id_}/end",
        "POST /forms/unack/{fingerprint}",
    },
    Scope.READ: {"POST /api/silences/preview"},
}
OPEN = {f"{method} {path}" for method in ("GET", "HEAD") for path in ("/healthz", "/readyz")}
MAY = {READ: {Scope.READ}, OPERATE: {Scope.READ, Scope.OPERATE}, PUSH: {Scope.PUSH}, ALL: set(Scope), "": set()}


def _needed(method: str, path: str) -> Scope:
    asked = f"{method} {path}"
    listed = next((scope for scope, routes in NEEDS.items() if asked in routes), None)
    if listed is None:
        assert method in ("GET", "HEAD") or path.startswith("/api/v1/"), f"{asked}: say in NEEDS what it needs"
    return listed or Scope.READ


def _routes(app: Any) -> Iterator[Any]:
    """Iterate over what has a path and methods, also in routers that stand in others."""
    for one in app.routes:
        if hasattr(one, "effective_route_contexts"):
            yield from one.effective_route_contexts()
        elif hasattr(one, "methods"):
            yield one


async def test_each_endpoint_with_each_token(start: Start) -> None:
    """Without a token 401, with one that is for something else 403; a new endpoint must be put in a line above."""
    async with start(TREE, **SETTINGS) as house:
        app: Any = house.client._transport.app._app  # type: ignore[attr-defined]  # the guard's inside
        routes = [(method, one.path) for one in _routes(app) for method in one.methods]
        assert {f"{method} {path}" for method, path in routes} >= OPEN | set().union(*NEEDS.values())
        door = Door(Settings(**SETTINGS))
        for method, path in routes:
            if f"{method} {path}" in OPEN or method == "OPTIONS":
                assert door.refusal(method, path.replace("{path:path}", "nightly"), {"host": "127.0.0.1"}) is None
                continue
            url = path.replace("{path:path}", "nightly").replace("{id_:path}", "x").replace("{", "").replace("}", "")
            needed = _needed(method, path)
            for token, may in MAY.items():
                headers = {"host": "127.0.0.1"} | ({"authorization": f"Bearer {token}"} if token else {})
                refused = door.refusal(method, url, headers)
                expected = None if needed in may else 403 if token else 401
                assert (refused[0] if refused else None) == expected, (method, path, token)
        # And over HTTP, one of each.
        for method, url, needed in (
            ("GET", "/", Scope.READ),
            ("GET", "/static/page.css", Scope.READ),
            ("GET", "/api/openapi.json", Scope.READ),
            ("POST", "/api/v1/query?query=1", Scope.READ),
            ("POST", "/api/reload", Scope.OPERATE),
            ("POST", "/ping/nightly", Scope.PUSH),
        ):
            assert scope_of(method, url) is needed
            for token, may in MAY.items():
                headers = {"authorization": f"Bearer {token}"} if token else {}
                status = (await house.client.request(method, url, headers=headers)).status_code
                assert status == (200 if needed in may else 403 if token else 401), (url, token)


#: What a job calls, and the answer: clients of healthchecks.io know no headers.
CALLS = {
    f"/ping/{PUSH}/nightly": 200,  # a token in the path, as a ping key
    f"/ping/{ALL}/nightly/start": 200,  # the token for everything
    f"/ping/{READ}/nightly": 403,  # one that is for something else
    "/ping/guess/nightly": 404,  # a key that nobody has
    f"/ping/{UUID}": 200,  # a UUID is a secret itself
    f"/ping/{UUID}/start": 200,
    "/ping/00000000-0000-4000-8000-000000000000": 404,  # a UUID that nobody has
    "/ping/00000000-0000-4000-8000-000000000000?create=1": 404,  # makes no job
    "/ping/nightly": 401,  # a name can be guessed
    "/ping/a/b/c/d": 401,  # no call at all
    "/api/status": 401,  # a UUID opens nothing else
}


async def test_a_job_calls_with_what_it_has(start: Start) -> None:
    """A token in the path, its UUID, or a password in the URL as curl and wget send it."""
    async with start(TREE, **SETTINGS) as house:
        found = {path: (await house.client.get(path)).status_code for path in CALLS}
        assert found == CALLS
        given = base64.b64encode(f"ci:{PUSH}".encode()).decode()
        answer = await house.client.get("/ping/nightly", headers={"authorization": f"Basic {given}"})
        assert answer.status_code == 200


async def test_the_audit_names_the_token(start: Start) -> None:
    """Who asked is known by the token's name, never by the token."""
    async with start(TREE, **SETTINGS) as house:
        headers = {"authorization": f"Bearer {OPERATE}"}
        asked = {"match": ["rule=queue"], "author": "ann", "reason": "known", "for": "1h"}
        assert (await house.client.post("/api/silences", json=asked, headers=headers)).status_code == 200
        said = (await house.client.get("/api/audit", headers=headers)).text
        assert "token oncall at" in said
        assert OPERATE not in said


async def test_a_job_that_prints_a_token_does_not_tell_it(start: Start) -> None:
    """Its environment holds one, and it prints that."""
    async with start(TREE, **SETTINGS) as house:
        said = f"SENTINEL_TOKEN={PUSH} or {ALL} or {READ}"
        assert (await house.client.post(f"/ping/{PUSH}/nightly", content=said)).status_code == 200
        with house.agent.database.read() as tx:
            job = tx.heartbeats.get("nightly")
        assert job
        assert job.body == "SENTINEL_TOKEN=*** or *** or ***"


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ("ci:push", "SENTINEL_TOKENS: number 1 should be NAME:SCOPE:TOKEN"),
        ("ci:shout:0123456789abcdef", "SENTINEL_TOKENS: ci should be NAME:SCOPE:TOKEN"),
        ("CI:push:0123456789abcdef", "number 1 should be"),
        ("ci:push:short", "ci: a token has at least 16 letters"),
        ("ci:push:0123456789abcdef ci:read:0123456789abcdeg", "ci is there twice"),
    ],
)
def test_a_token_that_cannot_be_used_is_refused_without_repeating_it(tokens: str, words: str) -> None:
    """At the start, and by what is expected instead."""
    with pytest.raises(SettingsInvalid) as raised:
        allowed(Settings(tokens=tokens))
    assert words in str(raised.value)
    assert not any(part.rpartition(":")[2] in str(raised.value) for part in tokens.split() if part.count(":") > 1)


def test_several_scopes_are_one_token() -> None:
    """`read+push`; who operates may read."""
    [both] = tokens_of(Settings(tokens="platform:read+push:0123456789abcdef"))
    assert both.scopes == {Scope.READ, Scope.PUSH}
    assert "0123456789abcdef" not in repr(both)


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As orchestrators hand them out; what cannot be read is said, and so is a setting that is there twice."""
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("SENTINEL_TOKEN_FILE", str(tmp_path / "token"))
    settings = load_settings()
    assert settings.token
    assert settings.token.get_secret_value() == "s3cret"
    monkeypatch.setenv("SENTINEL_TOKEN", "another")
    with pytest.raises(SettingsInvalid, match="SENTINEL_TOKEN is set too; keep one"):
        load_settings()
    monkeypatch.delenv("SENTINEL_TOKEN")
    monkeypatch.setenv("SENTINEL_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsInvalid, match="cannot be read: No such file"):
        load_settings()
