"""Reports that a build leaves behind: files of this machine, or one by URL."""

from __future__ import annotations

import glob
import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure, ProbeKind
from sentinel.probes.extract import header_numbers, shown
from sentinel.probes.threads import Lone
from sentinel.probes.web.target import WebTarget

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from sentinel.probes.web.client import Client

#: A report that is longer is none.
LIMIT = 32 * 1024 * 1024
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it was found.

    Args:
        name: its path or URL.
        content: of it.
        written: Unix seconds; None where nobody says.
    """

    name: str
    content: bytes
    written: float | None


class ReportKind(ProbeKind):
    """A probe kind that reads reports."""

    SHORT = "path"

    path: str | None = None
    http: WebTarget | None = None

    @model_validator(mode="before")
    @classmethod
    def _url_as_word(cls, given: Any) -> Any:
        is_url = isinstance(given, str) and given.startswith(("http://", "https://"))
        return {"http": given} if is_url else given

    @model_validator(mode="after")
    def _one_place(self) -> ReportKind:
        if bool(self.path) is bool(self.http):
            raise ValueError("needs a path or http, one of them")
        return self

    def host(self) -> str:
        """Return the URL's host."""
        return self.http.host() if self.http else ""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the client open, and the thread in which it reads."""
        async with AsyncExitStack() as stack:
            client = None
            if self.http:
                from sentinel.probes.web.opened import opened

                client = await stack.enter_async_context(opened(self.http))
            yield partial(self._look, Lone("report"), client)

    async def _look(self, thread: Lone, client: Client | None, look: Look) -> Sequence[Sample]:
        reports = [await self._ask(client, look)] if client else []
        look.doing = f"reading {self.path or reports[0].name}"
        return await thread(lambda: self.judge(reports or _found(self.path or ""), look))

    @abstractmethod
    def judge(self, reports: Sequence[Report], look: Look) -> Sequence[Sample]:
        """Read reports, in a thread: keep what they say, and judge it.

        Raises:
            ProbeFailed: they are none, or tell of failures.
        """

    async def _ask(self, client: Client, look: Look) -> Report:
        assert self.http is not None
        answer = await client.ask(look, "GET", self.http.url, None, LIMIT)
        if not 200 <= answer.status < 300:
            reason = "auth" if answer.status in (401, 403, 407) else "status"
            raise ProbeFailed(reason, f"status is {answer.status}, expected 2xx: {shown(answer.body)}")
        try:
            written = header_numbers(answer.headers, {"written": "last-modified"})[0].value
        except ValueError:
            written = None
        return Report(self.http.url, answer.body, written)


def keep_age(reports: Sequence[Report], name: str, look: Look) -> None:
    """Keep when the oldest was written, where that is known of each."""
    written = [report.written for report in reports if report.written is not None]
    if len(written) == len(reports):
        look.keep(name, min(written))


def parse_xml(report: Report, roots: Sequence[str], what: str) -> Element:
    """Read XML; entities are refused, since a short text may unfold to gigabytes by them.

    Raises:
        ProbeFailed: it is none, or begins with another word than these.
    """
    from xml.etree import ElementTree as Xml

    # UTF-16 writes a NUL beside each letter.
    if b"<!ENTITY" in report.content.replace(b"\0", b""):
        raise ProbeFailed("error", f"{report.name} defines entities: no {what}")
    try:
        root = Xml.fromstring(report.content)  # noqa: S314 - without entities there is nothing to unfold or to fetch
    except (Xml.ParseError, ValueError) as exc:
        raise ProbeFailed("error", f"{report.name} is not XML: {exc}") from exc
    if root.tag not in roots:
        raise ProbeFailed("error", f"{report.name} is no {what}: it begins with <{root.tag}>")
    return root


def _found(pattern: str) -> list[Report]:
    paths = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else [pattern]
    if not paths or len(paths) > _MOST:
        raise ProbeFailed("expect", f"{pattern} finds {len(paths):,} reports, expected 1 to {_MOST:,}")
    return [_read(path) for path in paths]


def _read(path: str) -> Report:
    try:
        with open(path, "rb") as opened:
            content, written = opened.read(LIMIT + 1), os.fstat(opened.fileno()).st_mtime
    except OSError as exc:
        reason = "auth" if isinstance(exc, PermissionError) else "error"
        raise ProbeFailed(reason, f"{path}: {(exc.strerror or str(exc)).lower()}") from exc
    if len(content) > LIMIT:
        raise ProbeFailed("error", f"{path} is longer than {LIMIT // 1024**2} MiB: no report")
    return Report(path, content, written)
