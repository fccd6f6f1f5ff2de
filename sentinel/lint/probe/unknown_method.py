"""probe/unknown-method: the method of a request should be one that HTTP has.

Why
    A server answers what it does not know with 405 or 501, and the probe fails although the service is well.

Bad
    probes:
      shop: {http: {url: https://shop.example.com/health, method: FETCH}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}

Good
    probes:
      shop: {http: {url: https://shop.example.com/health, method: HEAD}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

_COMMON = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: https://www.iana.org/assignments/http-methods, and those of caches.
_WORDS = """
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL
    MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT
    UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL PURGE BAN REFRESH NOTIFY SUBSCRIBE UNSUBSCRIBE
"""
_KNOWN = _COMMON | frozenset(_WORDS.split())


def check(context: Context) -> Iterator[Flaw]:
    """Flag a method of a probe or of one of its steps that is none."""
    for name, probe in context.probes.items():
        path: tuple[str, ...] = (probe.kind_name,)
        yield from _of(getattr(probe.kind, "method", None), context, name, *path)
        steps = getattr(probe.kind, "steps", None)
        for step, inner in steps.items() if isinstance(steps, Mapping) else ():
            yield from _of(getattr(getattr(inner, "http", None), "method", None), context, name, *path, step, "http")


def _of(method: object, context: Context, name: str, *path: str) -> Iterator[Flaw]:
    if isinstance(method, str) and method not in _KNOWN:
        fix = near(method, {one for one in _COMMON if one[0] == method[0]}) or f"write {', '.join(sorted(_COMMON))}"
        yield Flaw(context.at("probes", name, *path, "method"), f"HTTP has no method {method}", fix)
