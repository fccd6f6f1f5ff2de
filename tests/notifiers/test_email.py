"""email: aiosmtplib against a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason
from sentinel.notifiers.base import WHY
from sentinel.notifiers.email import Email
from sentinel.notifiers.smtp_url import parse_server
from tests.notifiers.conftest import certified
from tests.notifiers.messages import alert, message
from tests.receivers import SmtpServer


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def notifier(server: SmtpServer, query: str = "?tls=none", **more: Any) -> Email:
    given = {
        "to": ["a@example.com", "b@example.com", "c@example.com"],
        "from": "sentinel@example.org",
        "smtp": f"smtp://{more.pop('login', '')}127.0.0.1:{server.port}{query}",
        **more,
    }
    return Email.model_validate(given)


async def test_one_letter_goes_to_all_as_text_and_html(mail: SmtpServer) -> None:
    said = message(alert(texts={"summary": "naïve <b>5 %</b>"}), markup="html")
    receipt = await notifier(mail).send(said)
    [(to, letter)] = mail.mails
    assert to == ["a@example.com", "b@example.com", "c@example.com"]
    assert letter["Subject"] == said.title
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Importance"] == "high"
    assert letter["Date"] == "Thu, 01 Jan 2026 02:15:00 +0000"
    assert letter["Message-ID"] == receipt["message_id"] == f"<{said.key}@example.org>"
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text
    assert html
    assert "value      6.2% (threshold: above 5%)" in text.get_content()
    assert "naïve &lt;b&gt;5 %&lt;/b&gt;" in html.get_content()
    assert '<a href="https://runbooks.example.com/purchases?a=1&amp;b=2">Runbook</a>' in html.get_content()


async def test_what_follows_answers_what_was_sent_before(mail: SmtpServer) -> None:
    """A thread per incident: References hold the first and the last."""
    first = await notifier(mail).send(message())
    second = await notifier(mail).send(message(reason=Reason.ROSE, key="2", earlier=first))
    await notifier(mail).send(message(alert(over=True), reason=Reason.RESOLVED, key="3", earlier=second))
    letters = [letter for _, letter in mail.mails]
    assert letters[0]["References"] is None
    assert letters[1]["In-Reply-To"] == letters[0]["Message-ID"]
    assert letters[2]["In-Reply-To"] == letters[1]["Message-ID"]
    assert letters[2]["References"] == f"{first['message_id']} {second['message_id']}"


async def test_a_repetition_is_the_same_letter_to_the_octet(mail: SmtpServer) -> None:
    mail.drop_after_data = True
    with pytest.raises(TryAgain) as failed:
        await notifier(mail).send(message(markup="html"))
    assert not failed.value.sure
    mail.drop_after_data = False
    await notifier(mail).send(message(markup="html", again=True))
    assert len({letter.as_bytes() for _, letter in mail.mails}) == 1


async def test_one_refused_for_good_does_not_keep_it_from_the_others(mail: SmtpServer) -> None:
    mail.refuse["b@example.com"] = "550 5.1.1 no such user"
    receipt = await notifier(mail).send(message())
    assert receipt[WHY] == "refused for b@example.com: 550 5.1.1 no such user"
    assert mail.mails[0][0] == ["a@example.com", "c@example.com"]


async def test_one_put_off_is_tried_again_alone(mail: SmtpServer) -> None:
    """Greylisting one recipient sends nobody else the same again."""
    mail.refuse["c@example.com"] = "451 4.7.1 greylisted"
    with pytest.raises(TryAgain, match="greylisted") as failed:
        await notifier(mail).send(message())
    assert not failed.value.sure
    mail.refuse.clear()
    await notifier(mail).send(message(done=failed.value.done, again=True))
    assert [to for to, _ in mail.mails] == [["a@example.com", "b@example.com"], ["c@example.com"]]


@pytest.mark.parametrize(
    ("refuse", "kind"),
    [
        pytest.param({"MAIL": "550 5.7.1 sender not allowed"}, GiveUp, id="sender refused"),
        pytest.param({"MAIL": "421 4.3.2 closing"}, TryAgain, id="server closing"),
        pytest.param({"DATA": "554 5.6.0 spam"}, GiveUp, id="content refused"),
        pytest.param({"DATA": "452 4.3.1 disk full"}, TryAgain, id="content put off"),
        pytest.param(
            dict.fromkeys(["a@example.com", "b@example.com", "c@example.com"], "550 no"), GiveUp, id="all refused"
        ),
        pytest.param(
            dict.fromkeys(["a@example.com", "b@example.com", "c@example.com"], "450 no"), TryAgain, id="all put off"
        ),
    ],
)
async def test_a_refusal_is_judged(mail: SmtpServer, refuse: dict[str, str], kind: type[Exception]) -> None:
    """4xx passes, 5xx does not; a complete answer is sure."""
    mail.refuse.update(refuse)
    with pytest.raises(kind) as failed:
        await notifier(mail).send(message())
    assert getattr(failed.value, "sure", True)
    assert not mail.mails


async def test_a_server_that_is_down_surely_has_not_taken_it(mail: SmtpServer) -> None:
    mail.down()
    with pytest.raises(TryAgain, match="cannot connect") as failed:
        await notifier(mail).send(message())
    assert failed.value.sure


async def test_starttls_is_demanded_unless_the_url_says_none(mail: SmtpServer) -> None:
    """A server, or somebody in between, that does not offer it gets neither password nor message."""
    with pytest.raises(TryAgain, match=r"(?i)starttls"):
        await notifier(mail, query="").send(message())
    assert not mail.mails


@pytest.mark.parametrize(("implicit", "query"), [(False, "?tls=starttls"), (True, "?tls=tls")])
async def test_the_message_goes_through_tls_with_a_login(certificate: Path, implicit: bool, query: str) -> None:
    with SmtpServer(certified(certificate), implicit=implicit, login="user:p@ss" if not implicit else "") as server:
        login = "user:p%40ss@" if not implicit else ""
        await notifier(server, query, login=login, ca=str(certificate)).send(message())
        assert len(server.mails) == 1


async def test_a_certificate_that_is_not_trusted_stops_it(certificate: Path) -> None:
    with SmtpServer(certified(certificate), implicit=True) as server:
        with pytest.raises(TryAgain) as failed:
            await notifier(server, "?tls=tls").send(message())
        assert failed.value.sure
        assert not server.mails


@pytest.mark.parametrize(("text", "why"), [(None, "No such file or directory"), ("x", "no certificates in PEM form")])
async def test_a_file_of_certificates_that_is_none_is_for_a_person_to_fix(
    tmp_path: Path, text: str | None, why: str
) -> None:
    ca = tmp_path / "ca.pem"
    if text:
        ca.write_text(text)
    with SmtpServer() as server, pytest.raises(GiveUp, match=f"email: ca: .*{why}"):
        await notifier(server, "?tls=tls", ca=str(ca)).send(message())


async def test_a_wrong_password_is_for_a_person_to_fix(certificate: Path) -> None:
    with SmtpServer(certified(certificate), login="user:right") as server:
        with pytest.raises(GiveUp, match="535") as failed:
            await notifier(server, "?tls=starttls", login="user:s3cret@", ca=str(certificate)).send(message())
        assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "port", "mode"),
    [
        ("smtp://mail", 587, "starttls"),
        ("smtp://mail:465", 465, "tls"),
        ("smtps://mail", 465, "tls"),
        ("smtp://mail?tls=none", 25, "none"),
    ],
)
def test_the_url_says_port_and_tls(url: str, port: int, mode: str) -> None:
    assert (parse_server(url).port, parse_server(url).tls) == (port, mode)


@pytest.mark.parametrize(
    "url", ["mail:25", "http://mail", "smtp://", "smtp://u:s3cret@mail?tls=yes", "smtp://u:s3cret@m:x"]
)
def test_a_url_that_cannot_work_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError) as failed:
        Email.model_validate({"to": ["a@b.c"], "from": "a@b.c", "smtp": url})
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize("address", ["nobody", "a@b.c\nBcc: x@y.z", "a b@c.d", "<a@b.c>"])
def test_an_address_is_one(address: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        Email.model_validate({"to": [address], "from": "a@b.c", "smtp": "smtp://mail"})
