"""steps: does it work from end to end? Requests one after the other, each with what those before it brought.

    probes:
      search:
        steps:
          submit:
            http: {url: https://search.example.com/items, json: {title: test}}
            capture: {id: item.id}
          processed:
            http: "https://search.example.com/items/{{ id }}"
            until: {json: {state: done}}
            within: 60s
          found:
            http: https://search.example.com/search?q=test
            until: {json: {"items[0].id": "{{ id }}"}}
        every: 5m

A step runs when the one before it went well. A captured value is `{{ id }}` in the steps below: in URL, headers, body,
form, JSON and the JSON that is expected. In a URL it is quoted, unless it is all of it. `${…}` is configuration, as
everywhere. Without `every` and `timeout` there is time for all steps.

Keys
    steps      by name, in the order in which they run; they stand directly under the kind's word

Of a step
    http       as the kind `http`, with all its keys
    capture    values out of the JSON body, by JMESPath, for the steps below; one that is not there fails the run
    until      what is waited for, asking again and again: as `expect` of `http`, in its place
    within     how long the step may take; default 10s
    again      how long it waits between two requests; default 1s

Emits
    probe_step_duration_seconds{step}  how long each step took that ran
    probe_step_success{step}           1 if it went well
    probe_step_requests{step}          how many requests it took
    and of each step's last request what `http` emits, with the label `step`
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, Field, model_validator

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Model, PositiveDuration
from sentinel.core.quantity import format_duration
from sentinel.core.sample import Sample
from sentinel.core.web import web_url
from sentinel.probes.base import Look, Measure, ProbeKind
from sentinel.probes.expect import Expectation
from sentinel.probes.extract import JsonPath, at_path, parse_json
from sentinel.probes.http import Http

if TYPE_CHECKING:
    from sentinel.probes.web.client import Client

#: What a step captured, by name.
Captured = Mapping[str, Any]

_HOLE = re.compile(r"\{\{\s*(\w*)\s*\}\}")


def _url(text: str) -> str:
    if not _HOLE.fullmatch(text):  # one that is captured as a whole is judged when it is there
        _filled_url(text, dict.fromkeys(_holes(text), "x"))
    return text


class StepHttp(Http):
    """A request whose texts may have holes in them."""

    url: Annotated[str, AfterValidator(_url)]

    def filled(self, captured: Captured) -> Http:
        """Return the request with every hole filled.

        Raises:
            ValueError: the URL is none then.
        """
        filled = {
            "url": _filled_url(self.url, captured),
            "headers": {name: _text(value, captured) for name, value in self.headers.items()},
            "body": None if self.body is None else _text(self.body, captured),
            "form": self.form and {name: _text(value, captured) for name, value in self.form.items()},
            "json_": _filled(self.json_, captured),
            "expect": _expected(self.expect, captured),
        }
        return Http.model_construct(**dict(self) | filled)

    def holes(self) -> list[str]:
        """Return the names of all holes."""
        return _holes([self.url, self.headers, self.body, self.form, self.json_, self.expect.json_])


class Step(Model):
    """One request, or one that is asked until it is answered well."""

    http: StepHttp
    capture: dict[Annotated[str, Field(pattern=r"^\w+$")], JsonPath] = Field(default_factory=dict)
    until: Expectation | None = None
    within: PositiveDuration = timedelta(seconds=10)
    again: PositiveDuration = timedelta(seconds=1)


class Steps(ProbeKind):
    """Requests that make one check."""

    steps: dict[str, Step] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"steps": given}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Tell editors that the steps stand directly under the word."""
        made: dict[str, Any] = handler.resolve_ref_schema(handler(schema))["properties"]["steps"]
        return made

    @model_validator(mode="after")
    def _captured_before(self) -> Steps:
        known: set[str] = set()
        for name, step in self.steps.items():
            holes = step.http.holes() + _holes(step.until.json_ if step.until else None)
            if missing := sorted(set(holes) - known):
                raise ValueError(f"{name}: {{{{ {missing[0]} }}}} is captured by no step before")
            known |= step.capture.keys()
        return self

    def host(self) -> str:
        """Return the host of the first step."""
        return next(iter(self.steps.values())).http.host()

    @property
    def least_timeout(self) -> timedelta:
        """How long all steps may take together."""
        return sum((step.within for step in self.steps.values()), timedelta())

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold a client open for each step."""
        from sentinel.probes.web.opened import opened

        async with AsyncExitStack() as stack:
            clients = {name: await stack.enter_async_context(opened(step.http)) for name, step in self.steps.items()}
            yield partial(self._look, clients)

    async def _look(self, clients: Mapping[str, Client], look: Look) -> Sequence[Sample]:
        captured: dict[str, Any] = {}
        samples: list[Sample] = []
        for name, step in self.steps.items():
            before, judged = len(look.found), len(look.verdicts)
            began, good = time.perf_counter(), 0.0
            try:
                samples += [_of(name, sample) for sample in await _taken(step, clients[name], look, captured)]
                good = 1.0
            except ProbeFailed as exc:
                raise ProbeFailed(exc.reason, f"step {name}: {exc.words}") from exc
            finally:
                look.keep("probe_step_duration_seconds", time.perf_counter() - began)
                look.keep("probe_step_success", good)
                look.found[before:] = [_of(name, sample) for sample in look.found[before:]]
                look.verdicts[judged:] = [
                    verdict._replace(expected=f"{name}: {verdict.expected}") for verdict in look.verdicts[judged:]
                ]
        return samples


async def _taken(step: Step, client: Client, look: Look, captured: dict[str, Any]) -> Sequence[Sample]:
    """Take one step, asking again where it waits for something.

    Raises:
        ProbeFailed: it did not go well in time; what is waited for last is told.
    """
    try:
        request = step.http.filled(captured)
    except ValueError as exc:
        raise ProbeFailed("error", f"url: {exc}") from exc
    if step.until is not None:
        request = request.model_copy(update={"expect": _expected(step.until, captured)})
    before, judged, count = len(look.found), len(look.verdicts), 0
    problem: ProbeFailed | None = None
    try:
        async with asyncio.timeout(step.within.total_seconds()):
            while True:
                count += 1
                del look.found[before:], look.verdicts[judged:]
                try:
                    return await _asked(request, step, client, look, captured)
                except ProbeFailed as exc:
                    if step.until is None:
                        raise
                    problem = exc
                await asyncio.sleep(step.again.total_seconds())
    except TimeoutError:
        limit = format_duration(step.within)
        if problem is None:
            raise ProbeFailed("timeout", f"no result within {limit}: {look.doing}") from None
        raise ProbeFailed(problem.reason, f"not within {limit} ({count} requests): {problem.words}") from None
    finally:
        look.keep("probe_step_requests", float(count))


async def _asked(request: Http, step: Step, client: Client, look: Look, captured: dict[str, Any]) -> Sequence[Sample]:
    answer = await request.ask(client, look)
    samples = await request.judged(answer, look)
    if step.capture:
        try:
            document = parse_json(answer.body)
            found = {name: at_path(document, path) for name, path in step.capture.items()}
        except ValueError as exc:
            raise ProbeFailed("expect", f"nothing to capture: {exc}") from exc
        for name, value in found.items():
            if value is None:
                raise ProbeFailed("expect", f"{step.capture[name]} finds nothing to capture as {name}")
        captured |= found
    return samples


def _of(step: str, sample: Sample) -> Sample:
    return replace(sample, labels={**sample.labels, "step": step})


def _expected(expect: Expectation, captured: Captured) -> Expectation:
    return expect.model_copy(update={"json_": _filled(expect.json_, captured)})


def _holes(value: Any) -> list[str]:
    """Return the names of all holes in a value, at any depth."""
    match value:
        case str():
            return _HOLE.findall(value)
        case Mapping():
            return [name for part in value.values() for name in _holes(part)]
        case list() | tuple():
            return [name for part in value for name in _holes(part)]
    return []


def _text(text: str, captured: Captured) -> str:
    return _HOLE.sub(lambda hole: str(captured[hole[1]]), text)


def _filled(value: Any, captured: Captured) -> Any:
    """Fill every hole; a text that is nothing else becomes what was captured, a number stays one."""
    match value:
        case str() if whole := _HOLE.fullmatch(value):
            return captured[whole[1]]
        case str():
            return _text(value, captured)
        case Mapping():
            return {name: _filled(part, captured) for name, part in value.items()}
        case list() | tuple():
            return [_filled(part, captured) for part in value]
    return value


def _filled_url(text: str, captured: Captured) -> str:
    """Fill the holes of a URL, quoted unless one is all of it."""
    if _HOLE.fullmatch(text):
        return web_url(_text(text, captured))
    return web_url(_HOLE.sub(lambda hole: quote(str(captured[hole[1]]), safe=""), text))
