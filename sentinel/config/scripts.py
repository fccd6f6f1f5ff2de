"""Scripts: what a test says of the looks of a probe and of the calls of a job, read into values.

looks    up x10 down x3        each word is one look, `xN` repeats the one before it so often in all; the last goes on
         timeout, dns, …       a look that fails for this reason (`down` is `connect`)
         missed                no look: the probe is late

calls    ok every 10m, then nothing
         ok every 10m for 2h, then fail 3 times every 10m, then ok on time
         start, then nothing for 40m, then ok
         ok taking 5m every 1h            each run sends a start, and its end 5 minutes later
         ok with {"items": 5} every 10m   the body of the ping
call     ok, fail, start, log or exit 3; then in any order: every D (or on time: by the job's own schedule),
         for D, N times, taking D, with JSON
nothing  no call, for D
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sentinel.core.errors import REASONS
from sentinel.core.heartbeat import PingKind
from sentinel.core.problem import near
from sentinel.core.quantity import parse_duration

#: A typing error such as `up x1000000000` should not fill the memory.
MOST_LOOKS = 100_000
#: How a look may end, beside the reasons of a failure.
UP, MISSED = "up", "missed"
_LOOKS = (UP, "down", MISSED, *REASONS)
_TIMES = re.compile(r"x(\d+)")
_CALLS = {"ok": PingKind.SUCCESS, "fail": PingKind.FAIL, "start": PingKind.START, "log": PingKind.LOG}
_THEN = re.compile(r"\s*,\s*(?:then\b\s*)?")
_WORD = re.compile(r"\s*([^\s,]+)")


def parse_looks(text: str) -> tuple[str, ...]:
    """Return how each look ends: `up`, `missed`, or the reason of its failure.

    Raises:
        ValueError: a word is none of these; the text names it.
    """
    looks: list[str] = []
    for word in text.split():
        if times := _TIMES.fullmatch(word):
            if not looks or int(times[1]) < 1:
                raise ValueError(f'"{word}" repeats nothing; write up x10')
            looks += looks[-1:] * min(int(times[1]) - 1, MOST_LOOKS)
        elif word in _LOOKS:
            looks.append("connect" if word == "down" else word)
        else:
            fix = near(word, _LOOKS, "one of") or "write up x10 down x3"
            raise ValueError(f'"{word}" is not how a look ends; {fix}')
        if len(looks) > MOST_LOOKS:
            raise ValueError(f'"{word}" makes more than {MOST_LOOKS:,} looks')
    if not looks:
        raise ValueError("should be words such as up x10 down x3")
    return tuple(looks)


@dataclass(frozen=True, slots=True)
class Calls:
    """One phrase of a job's script.

    Args:
        kind: of the call; None is silence.
        exit_code: that it gives, if it does.
        every: how far apart calls are; None: by the job's own schedule where `on_time`, else there is one.
        on_time: whether the job's own schedule says when.
        lasts: how long the phrase goes on, if it says so.
        times: how many calls there are, if it says so.
        taking: how long a run takes: its start is sent, too.
        body: of the ping.
    """

    kind: PingKind | None
    exit_code: int | None = None
    every: timedelta | None = None
    on_time: bool = False
    lasts: timedelta | None = None
    times: int | None = None
    taking: timedelta | None = None
    body: str = ""

    @property
    def repeats(self) -> bool:
        """Whether it calls again and again."""
        return self.every is not None or self.on_time


def parse_calls(text: str) -> tuple[Calls, ...]:
    """Return the phrases of a job's script, in order.

    Raises:
        ValueError: it is none; the text names the word.
    """
    phrases: list[Calls] = []
    at = 0
    while True:
        phrase, at = _phrase(text, at)
        phrases.append(phrase)
        if at >= len(text):
            return tuple(phrases)
        then = _THEN.match(text, at)
        if then is None:
            raise ValueError(f'"{text[at:].strip()}" is not expected; write ", then" before the next part')
        at = then.end()


def _phrase(text: str, at: int) -> tuple[Calls, int]:
    word, at = _word(text, at, "ok, fail, start, log, exit 3 or nothing")
    given: dict[str, object] = {}
    if word == "exit":
        code, at = _word(text, at, "an exit code")
        if not code.isdigit() or int(code) > 255:
            raise ValueError(f'"{code}" is not an exit code; write one from 0 to 255')
        given |= {"kind": PingKind.FAIL if int(code) else PingKind.SUCCESS, "exit_code": int(code)}
    elif word in _CALLS or word == "nothing":
        given["kind"] = _CALLS.get(word)
    else:
        raise ValueError(f'"{word}" is not a call; {near(word, (*_CALLS, "exit", "nothing"), "one of")}')
    for key, value, after in _parts(text, at):
        if key in given:
            raise ValueError(f'"{key}" is said twice')
        given[key], at = value, after
    phrase = Calls(**given)  # type: ignore[arg-type]
    _sensible(phrase)
    return phrase, at


def _parts(text: str, at: int) -> Iterator[tuple[str, object, int]]:
    """Yield what stands behind a call, up to the next comma."""
    while at < len(text) and not _THEN.match(text, at) and text[at:].strip():
        word, at = _word(text, at, "more")
        if word in ("every", "for", "taking"):
            duration, at = _word(text, at, f"a duration behind {word}")
            yield {"for": "lasts"}.get(word, word), parse_duration(duration), at
        elif word == "on":
            time, at = _word(text, at, "time")
            if time != "time":
                raise ValueError(f'"on {time}" is not known; write on time')
            yield "on_time", True, at
        elif word == "with":
            begin = at + len(text[at:]) - len(text[at:].lstrip())
            try:
                _, at = json.JSONDecoder().raw_decode(text, begin)
            except ValueError:
                raise ValueError(f'"{text[begin:]}" does not begin with JSON; write with {{"items": 5}}') from None
            yield "body", text[begin:at], at
        elif word.isdigit():
            times, at = _word(text, at, "times")
            if times != "times":
                raise ValueError(f'"{word} {times}" is not known; write {word} times')
            yield "times", int(word), at
        else:
            known = ("every", "for", "taking", "on", "with", "times")
            raise ValueError(f'"{word}" is not expected; {near(word, known) or "write every 10m, for 1h or 3 times"}')


def _sensible(phrase: Calls) -> None:
    if phrase.kind is None and (phrase.repeats or phrase.times is not None or phrase.taking or phrase.body):
        raise ValueError('"nothing" takes a length only; write nothing for 1h')
    if phrase.every is not None and phrase.on_time:
        raise ValueError('"every" and "on time" are both said; keep one')
    if phrase.every is not None and not phrase.every:
        raise ValueError("every: should be longer than nothing")
    if phrase.times is not None and (phrase.times < 1 or (not phrase.repeats and phrase.times > 1)):
        raise ValueError(f"{phrase.times} times: how far apart? write every 10m")
    if phrase.times is not None and phrase.lasts is not None:
        raise ValueError('"for" and "times" are both said; keep one')


def _word(text: str, at: int, wanted: str) -> tuple[str, int]:
    found = _WORD.match(text, at)
    if found is None:
        raise ValueError(f"{wanted} is missing at the end" if at >= len(text.rstrip()) else f"{wanted} is missing")
    return found[1], found.end()
