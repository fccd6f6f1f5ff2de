"""What `http` sends and expects beyond a plain GET: bodies, tokens, sockets, HTTP/2, schemas, sizes, headers."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
from pydantic import ValidationError

from sentinel.core.web import Tls
from sentinel.probes.http import Http
from sentinel.probes.run import run
from tests.probes import certificates
from tests.probes.looking import NOW, look, probe_of, value
from tests.probes.servers import Behaviour, says, served

VIDEO = {"id": 7, "title": "x", "parts": [{"no": 1}, {"no": "2"}]}
SCHEMA = {
    "type": "object",
    "required": ["id", "url"],
    "properties": {
        "id": {"type": "integer"},
        "title": {},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
    },
    "$defs": {"part": {"type": "object", "properties": {"no": {"type": "integer"}}}},
    "additionalProperties": False,
}


def listens(seen: list[bytes]) -> Behaviour:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await says("")(request, writer)

    return answer


@pytest.mark.parametrize(
    ("given", "head", "body"),
    [
        ({"form": {"a": "1 2", "b": "ä"}}, "application/x-www-form-urlencoded", b"a=1+2&b=%C3%A4"),
        ({"json": {"sku": "ä", "count": 1}}, "application/json", '{"sku": "ä", "count": 1}'.encode()),
        ({"json": [], "headers": {"content-type": "application/vnd.api+json"}}, "application/vnd.api+json", b"[]"),
    ],
    ids=["form", "JSON", "a type of one's own"],
)
async def test_a_form_and_json_are_posted_as_what_they_are(given: Mapping[str, Any], head: str, body: bytes) -> None:
    """Without `method`, what is sent is sent by POST."""
    seen: list[bytes] = []
    async with served(listens(seen)) as port:
        kind = Http.model_validate({"url": f"http://127.0.0.1:{port}/", **given})
        await look(kind)
    request = seen[0].decode().lower()
    assert request.startswith("post / http/1.1")
    assert f"content-type: {head}\r\n" in request
    assert request.count("content-type") == 1
    assert f"content-length: {len(body)}\r\n" in request
    assert kind.content()[0] == body


class TokenServer:
    """Gives out tokens, each good until it is revoked."""

    def __init__(self, **answer: Any) -> None:
        self.given, self.revoked = 0, False
        self.answer = answer
        self.asked: list[bytes] = []

    async def token(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        self.asked.append(request)
        self.given += 1
        said = {"access_token": f"t{self.given}", "expires_in": 3600, **self.answer}
        await says(json.dumps(said), self.answer.get("status", 200))(request, writer)

    async def shop(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        good = f"bearer t{self.given}".encode() in request.lower() and not self.revoked
        self.revoked = False
        await says("{}", 200 if good else 401)(request, writer)


def with_token(shop: int, tokens: int) -> Http:
    oauth2 = {
        "token_url": f"http://127.0.0.1:{tokens}/token",
        "client_id": "sentinel",
        "client_secret": "p:w",
        "scopes": ["read"],
    }
    return Http.model_validate({"url": f"http://127.0.0.1:{shop}/", "auth": {"oauth2": oauth2}})


async def test_a_token_is_kept_while_it_lives_and_renewed_when_it_is_refused() -> None:
    """Fetched at the first look, with the client's credentials; and again after its end, or a 401."""
    server = TokenServer()
    async with served(server.token) as tokens, served(server.shop) as shop:
        kind = with_token(shop, tokens)
        async with kind.ready() as measure:

            async def looked(later: timedelta) -> int:
                ended = await run(probe_of(kind), measure, NOW + later)
                assert ended.success, ended.words
                return server.given

            assert await looked(timedelta()) == 1
            assert await looked(timedelta(minutes=50)) == 1
            server.revoked = True
            assert await looked(timedelta(minutes=51)) == 2
            assert await looked(timedelta(hours=3)) == 3
    assert b"authorization: basic c2vudgluzww6ccuzqxc=" in server.asked[0].lower()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 400}, "says 400:"),
        ({"expires_in": "never"}, "answers without access_token"),
    ],
)
async def test_a_token_that_is_not_to_be_had_is_a_matter_of_auth(answer: Mapping[str, Any], words: str) -> None:
    """The words say that it is not the target that failed."""
    server = TokenServer(**answer)
    async with served(server.token) as tokens, served(server.shop) as shop:
        ended = await look(with_token(shop, tokens))
    assert ended.reason == "auth"
    assert ended.words.startswith("no token: 127.0.0.1:")
    assert words in ended.words


async def test_a_socket_of_this_machine_is_asked_in_place_of_the_host(tmp_path: Path) -> None:
    """As Docker, uvicorn and nginx listen; one that is not there is told."""
    path = tmp_path / "shop.sock"
    kind = Http.model_validate({"url": "http://shop/health", "unix_socket": str(path)})
    ended = await look(kind)
    assert (ended.reason, ended.words) == ("connect", f"cannot connect to {path}: no such file or directory")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await says("ok")(await reader.readuntil(b"\r\n\r\n"), writer)
        writer.close()

    async with await asyncio.start_unix_server(answer, path):
        ended = await look(kind)
    assert ended.success, ended.words
    assert value(ended, "probe_ip_protocol") == 0
    assert kind.host() == ""


async def test_only_addresses_of_one_version_are_asked() -> None:
    """`ip: 6` on a host that has none says so; ::1 is reached by it."""
    async with served(says("ok")) as port:
        ended = await look(Http.model_validate({"url": f"http://127.0.0.1:{port}/", "ip": "6"}))
    assert (ended.reason, ended.words) == ("dns", "127.0.0.1 has no address of IPv6, only 127.0.0.1")


async def test_http_2_is_spoken_where_it_is_offered(folder: Path) -> None:
    """Agreed on over TLS; the connection is kept, and its version is stored."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http2.initiate_connection()
        writer.write(http2.data_to_send())
        with suppress(ConnectionError):
            while received := await reader.read(65536):
                for event in http2.receive_data(received):
                    if isinstance(event, h2.events.StreamEnded):
                        http2.send_headers(event.stream_id, [(":status", "200"), ("content-length", "2")])
                        http2.send_data(event.stream_id, b"ok", end_stream=True)
                writer.write(http2.data_to_send())
        writer.transport.abort()

    context = certificates.server(folder, "good")
    context.set_alpn_protocols(["h2"])
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    kind = Http.model_validate({"url": f"https://localhost:{port}/", "http2": True, "tls": Tls(ca=folder / "good.pem")})
    async with kind.ready() as measure:
        first, second = [await run(probe_of(kind), measure, NOW) for _ in range(2)]
    server.close()
    assert first.success, first.words
    assert second.success, second.words
    assert value(second, "probe_http_version") == 2
    assert value(first, "probe_http_duration_seconds", phase="tls") > 0
    assert value(second, "probe_http_duration_seconds", phase="connect") == 0


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ({"size": {"at_least": "10B", "at_most": "1kB"}}, ""),
        ({"size": {"at_most": "20B"}}, "body has 58 B, expected at most 20B"),
        ({"size": {"at_least": "1kB"}}, "body has 58 B, expected at least 1kB"),
        ({"body_not": "titel"}, ""),
        ({"body_not": "tit.e"}, 'the body matches "tit.e": "title"'),
        ({"schema": {"type": "object"}}, ""),
        ({"schema": SCHEMA}, 'JSON field url is missing; JSON field parts.1.no is "2", expected type "integer"'),
        ({"schema": {"properties": {"id": {}, "title": {}}, "additionalProperties": False}}, "JSON field parts is new"),
        ({"schema": {"required": ["id"], "properties": {"parts": {"maxItems": 1}}}}, "JSON field parts is ["),
        ({"schema": {"$ref": "https://schemas.example.com/x.json"}}, "JSON Schema cannot be followed"),
        ({"schema": "none.json"}, "none.json: No such file or directory"),
    ],
)
async def test_expectations(expect: Mapping[str, Any], words: str) -> None:
    """Each holds, or says what differs, naming the field; nothing is fetched for a schema."""
    async with served(says(json.dumps(VIDEO))) as port:
        ended = await look(Http.model_validate({"url": f"http://127.0.0.1:{port}/", "expect": expect}))
    assert ended.words.startswith(words)
    assert ended.success == (not words)


async def test_a_schema_in_a_file_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    """What is wrong with the file is a failure in words."""
    path = tmp_path / "video.json"
    async with served(says(json.dumps(VIDEO))) as port:
        kind = Http.model_validate({"url": f"http://127.0.0.1:{port}/", "expect": {"schema": str(path)}})
        for at, (text, words) in enumerate(
            [
                (json.dumps(SCHEMA), "JSON field url is missing"),
                ("{}", ""),
                ('{"type": 5}', f"{path}: is not a JSON Schema: type: 5 is not"),
                ("{", f"{path}: "),
            ]
        ):
            path.write_text(text)
            os.utime(path, (at, at))
            ended = await look(kind)
            assert ended.words.startswith(words)
            assert ended.success == (not words)


async def test_numbers_and_times_come_out_of_headers() -> None:
    """A header that is not there, or holds no number, fails the run."""
    headers = {"X-Left": " 42", "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT", "Server": "nginx"}
    async with served(says("", headers=headers)) as port:
        url = f"http://127.0.0.1:{port}/"
        ended = await look(Http(url=url, header_metrics={"left": "x-left", "modified": "last-modified"}))
        missing = await look(Http(url=url, header_metrics={"left": "X-None"}))
        text = await look(Http(url=url, header_metrics={"left": "Server"}))
    assert ended.success, ended.words
    assert value(ended, "left") == 42
    assert value(ended, "modified") == value(ended, "probe_http_last_modified_timestamp_seconds") == NOW.timestamp()
    assert missing.words.startswith("header X-None is missing (127.0.0.1:")
    assert text.words.startswith('header Server is neither a number nor a time: "nginx" (127.0.0.1:')


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://x", "http2": True}, "the URL must be one of https"),
        ({"url": "http://x", "unix_socket": "/x", "proxy": "http://p"}, "neither proxy nor ip"),
        ({"url": "http://x", "body": "a", "form": {}}, "needs one of body, form and json"),
        ({"url": "http://x", "ip": "5"}, "Input should be '4' or '6'"),
        ({"url": "http://x", "expect": {"size": {}}}, "needs at_least, at_most or both"),
        ({"url": "http://x", "expect": {"size": {"at_most": "5s"}}}, '"5s" is not a size'),
        ({"url": "http://x", "expect": {"schema": {"type": "objekt"}}}, "is not a JSON Schema: type: 'objekt'"),
    ],
)
def test_a_bad_definition_is_refused(given: Mapping[str, Any], words: str) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError) as refused:
        Http.model_validate(given)
    assert words in str(refused.value)


def test_a_family_of_addresses_is_chosen_by_number() -> None:
    """YAML's 4 is a number to everybody but a parser of texts."""
    assert Http.model_validate({"url": "http://x", "ip": 4}).ip == "4"
