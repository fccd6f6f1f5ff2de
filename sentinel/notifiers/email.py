"""email: a message to mailboxes, plain and HTML, one thread per incident."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from sentinel.core.errors import DeliveryFailed, GiveUp, TryAgain
from sentinel.core.severity import Severity
from sentinel.core.web import Tls, trusting
from sentinel.notifiers.base import WHY, NotifierKind
from sentinel.notifiers.smtp_url import Server, parse_server

if TYPE_CHECKING:
    from aiosmtplib import SMTP

    from sentinel.notifiers.message import Message

_TIMEOUT_SECONDS = 10


def _address(given: str) -> str:
    if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;.]+(?:\.[^\s@<>,;.]+)*", given):
        raise ValueError(f'"{given}" is not an address such as oncall@example.com')
    return given


Address = Annotated[str, AfterValidator(_address)]


class Email(NotifierKind):
    """Send an e-mail over SMTP.

    The first message of an incident begins a thread, and what follows answers it; each carries a Message-ID made from
    Sentinel's key, so that a repetition can be told by the mailbox. A recipient who is refused for good is noted, one
    who is put off is tried again alone.

    ```yaml
    notifiers:
      oncall:
        email:
          to: [oncall@example.com, second@example.com]
          from: sentinel@example.com
          smtp: "smtp://user:${SMTP_PASSWORD}@mail.example.com:587?tls=starttls"
    ```

    `tls` in the URL: `starttls` (demanded; the default), `tls` (from the first byte; the default of `smtps://` and of
    port 465) or `none`. `ca` is a file with the certificates to trust instead of the usual ones.
    """

    MARKUP = "html"

    to: Annotated[list[Address], Field(min_length=1, description="Who gets it.")]
    sender: Annotated[Address, Field(alias="from", description="Whose mail it is.")]
    smtp: SecretStr = Field(description="The server: smtp://user:${SMTP_PASSWORD}@mail.example.com:587?tls=starttls.")
    ca: str = Field("", description="A file with the certificates to trust instead of the usual ones.")

    @field_validator("smtp")
    @classmethod
    def _a_server(cls, given: SecretStr) -> SecretStr:
        parse_server(given.get_secret_value())
        return given

    async def send(self, message: Message) -> Mapping[str, str]:
        """Send it to each recipient who has not got it yet; a fall changes nothing in a mail, and makes no new one."""
        if message.quiet:
            return {**message.earlier, WHY: "a mail that was sent cannot change; the next one says how it stands"}
        done = dict(message.done)
        wanted = [address for address in self.to if address not in done.get("accepted", "").split()]
        letter, receipt = self._letter(message)
        outcome = await _Session(self, parse_server(self.smtp.get_secret_value())).carry(letter, wanted)
        accepted = [*done.get("accepted", "").split(), *outcome.accepted]
        refused = [text for text in (done.get("refused", ""), *outcome.refused) if text]
        if outcome.put_off:
            why = f"email: put off: {'; '.join(outcome.put_off)}"
            kept = {"accepted": " ".join(accepted), "refused": "; ".join(refused)} if accepted else {}
            raise TryAgain(why, done=kept)
        if not accepted:
            raise GiveUp(f"email: refused: {'; '.join(refused)}")
        if refused:
            receipt[WHY] = f"refused for {'; '.join(refused)}"
        return receipt

    def _letter(self, message: Message) -> tuple[EmailMessage, dict[str, str]]:
        """Return the e-mail, the same octets for the same message, and its receipt."""
        domain = self.sender.rpartition("@")[2]
        own = f"<{message.key}@{domain}>"
        last = message.earlier.get("message_id", "")
        root = message.earlier.get("root", "") or last
        letter = EmailMessage(policy=POLICY)
        letter["From"] = self.sender
        letter["To"] = ", ".join(self.to)
        letter["Subject"] = message.title
        letter["Date"] = format_datetime(message.facts.at)
        letter["Message-ID"] = own
        if last:
            letter["In-Reply-To"] = last
            letter["References"] = root if root == last else f"{root} {last}"
        # RFC 3834, and Exchange's own: no "I am on holiday" is wanted in return.
        letter["Auto-Submitted"] = "auto-generated"
        letter["X-Auto-Response-Suppress"] = "All"
        if message.severity is Severity.CRITICAL and not message.resolved:
            letter["Importance"] = "high"
        text = message.text.replace("\u00a0", " ")
        letter.set_content(text, cte="quoted-printable")
        letter.add_alternative(message.body or f"<pre>{_html(text)}</pre>", subtype="html", cte="quoted-printable")
        letter.set_boundary(f"=_{message.key}")
        return letter, {"message_id": own, "root": root or own}


class _Outcome:
    """What became of each recipient, as texts with the server's words."""

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.put_off: list[str] = []
        self.refused: list[str] = []


class _Session:
    """One conversation with the mail server."""

    def __init__(self, kind: Email, server: Server) -> None:
        self.kind, self.server = kind, server
        self.handed_over = False

    async def carry(self, letter: EmailMessage, to: list[str]) -> _Outcome:
        """Hand the letter over for these recipients; the server answers for each.

        Raises:
            TryAgain: nobody was put off or refused in particular, the server itself does not take it now.
            GiveUp: or never: it does not know us, or refuses the sender or the content.
        """
        from aiosmtplib import SMTP, SMTPException

        server = self.server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=_context(self.kind.ca) if server.tls != "none" else None,
            local_hostname=_own_name(),
            timeout=_TIMEOUT_SECONDS,
        )
        try:
            await client.connect()
            outcome = await self._transact(client, letter, to)
        except (SMTPException, OSError, ValueError) as exc:
            raise self._judged(exc) from exc
        finally:
            client.close()
        return outcome

    async def _transact(self, client: SMTP, letter: EmailMessage, to: list[str]) -> _Outcome:
        from aiosmtplib import SMTPRecipientRefused

        outcome, willing = _Outcome(), []
        await client.mail(self.kind.sender)
        for address in to:
            try:
                await client.rcpt(address)
            except SMTPRecipientRefused as exc:
                words = f"{address}: {exc.code} {_line(exc.message)}"
                (outcome.put_off if exc.code < 500 else outcome.refused).append(words)
            else:
                willing.append(address)
        if willing:
            self.handed_over = True
            await client.data(letter.as_bytes())
            outcome.accepted = willing
        return outcome

    def _judged(self, exc: Exception) -> DeliveryFailed:
        """Return what went wrong; until the content is on its way, nobody can have got it."""
        from aiosmtplib import SMTPConnectError, SMTPResponseException

        where = f"email: {self.server.host}:{self.server.port}"
        if isinstance(exc, SMTPResponseException):
            words = f"{where}: {exc.code} {_line(exc.message)}"
            return GiveUp(words) if exc.code >= 500 else TryAgain(words)
        if isinstance(exc, SMTPConnectError):
            return TryAgain(f"{where}: cannot connect: {_line(str(exc.__cause__ or exc))}")
        return TryAgain(f"{where}: {_line(str(exc)) or type(exc).__name__}", sure=not self.handed_over)


def _context(ca: str) -> ssl.SSLContext:
    try:
        return Tls(ca=Path(ca)).context() if ca else _system_context()
    except OSError as exc:
        raise GiveUp(f"email: ca: {exc}") from exc


@cache
def _system_context() -> ssl.SSLContext:
    return trusting()


def _own_name() -> str | None:
    """Return this host's name for the greeting, if it is one that SMTP knows how to write."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.-]+", name) else None


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
