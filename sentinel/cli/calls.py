"""calls: tell the agent how one run of a job goes; a run never waits for an agent that does not answer.

The start is told beside the run, by a thread of its own, and given up when the run ends first. The end is told until
the agent has it, for seconds: with exit code and output, so that an agent that restarts just then loses nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit

from sentinel.core.address import LISTEN, agent_url

#: Pauses between tries, and how long one may take: an agent that is down costs a run 8 s at its end, one that hangs 15.
PAUSES = (0.5, 1.0, 2.0, 4.0)
TIMEOUT_SECONDS = 3.0
#: How many bytes of a body an agent keeps; what is sent is the end of the output.
BODY_LIMIT = 10_000
#: Answers that another try may change.
_PASSING = frozenset({429, 500, 502, 503, 504})


class _Refused(Exception):
    """The agent answers, and will say the same again."""


class Calls:
    """The calls of one run.

    Args:
        name: of the job.
        environ: names the agent (SENTINEL_URL or SENTINEL_LISTEN) and the token (SENTINEL_TOKEN, or its file).
    """

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name, self._environ = name, environ
        # A random UUID without `uuid`, whose import costs more than the call.
        digits = os.urandom(16).hex()
        self._rid = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
        self._ended = threading.Event()
        self._starting = threading.Thread(target=self._tell_start, daemon=True)

    def begin(self) -> None:
        """Tell the start, beside the run."""
        self._starting.start()

    def end(self, exit_code: int, output: bytes) -> str:
        """Tell the end; return why nobody could be told, or ""."""
        self._ended.set()
        if self._starting.is_alive():
            self._starting.join(2 * TIMEOUT_SECONDS)
        why = ""
        for pause in (*PAUSES, 0.0):
            try:
                self._call(str(exit_code), self._ending(output))
            except _Refused as exc:
                return str(exc)
            except OSError as exc:
                why = f"no agent answers at {self._shown} ({exc.strerror or exc})"
            except ValueError as exc:
                return str(exc)
            else:
                return ""
            time.sleep(pause)
        return why

    @property
    def token(self) -> str:
        """The token that is sent, which stands in no output that is."""
        if path := self._environ.get("SENTINEL_TOKEN_FILE"):
            try:
                with open(path, encoding="utf-8") as file:
                    return file.read().strip()
            except (OSError, UnicodeDecodeError):
                raise ValueError(f"SENTINEL_TOKEN_FILE: {path} cannot be read") from None
        return self._environ.get("SENTINEL_TOKEN", "")

    @property
    def _url(self) -> str:
        return agent_url(self._environ.get("SENTINEL_URL", ""), self._environ.get("SENTINEL_LISTEN", "") or LISTEN)

    @property
    def _shown(self) -> str:
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def _tell_start(self) -> None:
        for pause in (*PAUSES, 0.0):
            try:
                self._call("start", b"")
            except (_Refused, ValueError):
                return  # the end will say why
            except OSError:
                if self._ended.wait(pause):
                    return
            else:
                return

    def _call(self, word: str, body: bytes) -> None:
        """Call once.

        Raises:
            _Refused: the agent will say the same again.
            OSError: it may take the next call.
            ValueError: the settings name no agent.
        """
        import http.client

        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("SENTINEL_URL should be such as http://127.0.0.1:9160")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if token := self.token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(
                "POST", f"{parts.path}/ping/{quote(self._name, safe='')}/{word}?rid={self._rid}", body, headers
            )
            answer = connection.getresponse()
            said = answer.read(1000).decode(errors="replace").strip().partition("\n")[0]
        except http.client.HTTPException as exc:
            raise OSError(f"it does not speak HTTP: {exc!r}") from None
        finally:
            connection.close()
        if answer.status in _PASSING:
            raise OSError(f"it answers {answer.status}: {said}")
        if answer.status >= 300:
            raise _Refused(f"the agent at {self._shown} answers {answer.status}: {said}")

    def _ending(self, output: bytes) -> bytes:
        """Return the end of the output, from a line's beginning on where it is cut, without the token."""
        for secret in self._secrets():
            output = output.replace(secret, b"***")
        if len(output) <= BODY_LIMIT:
            return output
        cut = output[-BODY_LIMIT:]
        _, newline, whole = cut.partition(b"\n")
        return whole if newline and whole else cut.lstrip(bytes(range(0x80, 0xC0)))

    def _secrets(self) -> Iterator[bytes]:
        if token := self.token:
            yield os.fsencode(token)
