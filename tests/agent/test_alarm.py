"""A database that takes nothing: told from memory, once, and so is its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.agent.alarm import Alarm, call_for
from sentinel.agent.numbers import own_batch
from sentinel.core.errors import TryAgain
from sentinel.core.sample import Sample
from sentinel.delivery.parcel import Result
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier
from tests.e2e.fast import FastAgent

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}
notifiers: {people: {console: {}}, others: {console: {}}}
routes:
  database: {match: {rule: sentinel-database}, notify: [people]}
  rest: {notify: [others]}
"""


class House(FastAgent):
    """An agent whose own numbers say whether its database takes what is written."""

    refusing = False
    gone = ""

    def begin(self) -> None:
        """Make the alarm."""
        self.messages: list[Message] = []
        self.alarm = Alarm(self._take)

    async def _take(self, notifier: Notifier, message: Message) -> Result:
        if self.refusing or notifier.name == self.gone:
            return Result(error=TryAgain("503"))
        self.messages.append(message)
        return Result(receipt={"id": "1"})

    async def pass_time(self, span: timedelta) -> list[str]:
        """Let time pass; count every 15 s as the agent does. Return what was told from memory since."""
        self.messages.clear()
        ends = self.clock.now() + span
        while self.clock.now() < ends:
            self.clock.advance(timedelta(seconds=15))
            now, pen = self.clock.now(), self.desk.pen
            up = Sample("sentinel_database_up", float(pen.unwritten_since is None))
            self.desk.arrive(own_batch([up], now))
            self.desk.turn()
            self.desk.turn()
            words, notifiers = Words("test-agent"), self.config.notifiers
            if pen.unwritten_since is None:
                await self.alarm.end(notifiers, words, now)
            else:
                await self.alarm.tell(call_for(self.desk, now), notifiers, words, now)
        return [f"{message.notifier} {message.reason} {message.title}" for message in self.messages]

    def read_only(self, value: int) -> None:
        """Let the file be read-only, or not."""
        self._pragma("query_only", value)

    def impatient(self) -> None:
        """Let it wait for a lock no longer than it must."""
        self._pragma("busy_timeout", 1)

    def _pragma(self, name: str, value: int) -> None:
        assert self.database._writer is not None
        self.database._writer.exec_driver_sql(f"PRAGMA {name} = {value}")
        self.database._writer.commit()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[House]:
    """Return a house that is well."""
    found = House(tmp_path)
    found.write(TREE)
    found.begin()
    found.start()
    yield found
    found.database.close()


async def test_a_file_that_is_read_only_is_told_at_once_and_once(agent: House) -> None:
    """To those whom the policy names; the outbox has nothing of it, also when writing works again."""
    assert await agent.pass_time(timedelta(minutes=1)) == []
    agent.read_only(1)
    (said,) = await agent.pass_time(timedelta(minutes=3))
    assert said.startswith("people firing ")
    assert "The database of test-agent cannot be written" in said
    assert "is read-only" in agent.messages[0].text
    agent.read_only(0)
    (said,) = await agent.pass_time(timedelta(minutes=3))
    assert said.startswith("people resolved ")
    agent.run(timedelta(minutes=1))
    assert (agent.told(), agent.changes("sentinel-database")) == ([], [])


async def test_a_lock_may_pass(agent: House) -> None:
    """It is told after a minute."""
    await agent.pass_time(timedelta(minutes=1))
    agent.impatient()
    with closing(sqlite3.connect(agent.folder / "sentinel.db", isolation_level=None, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await agent.pass_time(timedelta(seconds=45)) == []
        assert len(await agent.pass_time(timedelta(seconds=45))) == 1
        other.execute("ROLLBACK")


async def test_who_refuses_is_asked_again(agent: House) -> None:
    """Until he has heard."""
    agent.refusing = True
    agent.read_only(1)
    assert await agent.pass_time(timedelta(minutes=1)) == []
    agent.refusing = False
    assert len(await agent.pass_time(timedelta(minutes=1))) == 1


async def test_the_fallback_is_told_in_the_stead_of_one_who_refuses(agent: House) -> None:
    """Once, and of the end as well."""
    agent.write(
        TREE.replace(
            "{people: {console: {}}, others: {console: {}}}",
            "{people: {console: {}, fallback: others}, others: {console: {}}}",
        )
    )
    agent.reload()
    agent.gone = "people"
    agent.read_only(1)
    (said,) = await agent.pass_time(timedelta(minutes=2))
    assert said.startswith("others firing ")
    agent.read_only(0)
    (said,) = await agent.pass_time(timedelta(minutes=1))
    assert said.startswith("others resolved ")


async def test_what_is_muted_is_not_told(agent: House) -> None:
    """From memory neither."""
    during = "during: {cron: '*/5 * * * *', lasts: 4m}, reason: known"
    agent.write(TREE + f"mutes: {{quiet: {{match: {{rule: sentinel-database}}, {during}}}}}\n")
    agent.reload()
    agent.read_only(1)
    assert await agent.pass_time(timedelta(minutes=1)) == []
