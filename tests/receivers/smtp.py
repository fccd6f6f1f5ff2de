"""A mail server (aiosmtpd) that keeps what it is given, and refuses what it is told to refuse."""

from __future__ import annotations

import asyncio
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class SmtpServer:
    """Speaks SMTP on port 0.

    Attributes:
        mails: what was accepted: recipients and the letter.
        refuse: recipient (or "MAIL", "DATA", for all) to the answer that it gets instead.
        drop_after_data: whether the connection is closed after the content, though it was taken.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: str = "") -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuse: dict[str, str] = {}
        self.drop_after_data = False
        self.logins: list[str] = []
        self._tls, self._implicit, self._login = tls, implicit, login
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self.up()

    def up(self) -> None:
        """Listen, on the same port as before."""
        ready = threading.Event()
        loop = self._loop = asyncio.new_event_loop()

        def run() -> None:
            context = self._tls if self._implicit else None
            listening = loop.run_until_complete(loop.create_server(self._speak, "127.0.0.1", self.port, ssl=context))
            self.port = listening.sockets[0].getsockname()[1]
            ready.set()
            loop.run_forever()
            listening.close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def down(self) -> None:
        """Refuse connections until `up`."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop = None

    def _speak(self) -> SMTP:
        starttls = None if self._implicit else self._tls
        return SMTP(
            self,
            loop=self._loop,
            hostname="mail.example.com",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=self._authenticate if self._login else None,
            auth_required=bool(self._login),
            auth_require_tls=self._tls is not None,
        )

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        said = f"{data.login.decode()}:{data.password.decode()}"
        self.logins.append(mechanism)
        return AuthResult(success=said == self._login, handled=False)

    async def handle_MAIL(self, _s: SMTP, _x: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 # aiosmtpd's name
        if "MAIL" in self.refuse:
            return self.refuse["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _s: SMTP, _x: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802 # aiosmtpd's name
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, smtp: SMTP, _x: Session, envelope: Envelope) -> str:  # noqa: N802 # aiosmtpd's name
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), letter))
        if self.drop_after_data:
            assert isinstance(smtp.transport, asyncio.WriteTransport)
            smtp.transport.abort()
        return "250 OK, taken"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.down()
