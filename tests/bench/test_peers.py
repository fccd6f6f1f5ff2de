"""What a peer loses, side by side: the same alerts at Sentinel and at Debian's Alertmanager, the same receiver.

Alertmanager is asked once; a client that sends again each minute, as Prometheus does, would mend the first two rows
after that minute. Sentinel looks by itself: its target cannot be read any more once the alerts fire.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bench.peers import INSTALLED, Alertmanager, Receiver
from tests.e2e.process import AgentProcess, until

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not INSTALLED, reason="prometheus-alertmanager is not installed"),
    pytest.mark.timeout(240),
]

ALERTS = 20
WAIT = "3s"
NAMES = [{"alertname": "down", "n": str(n)} for n in range(ALERTS)]

TREE = """
probes: {{jobs: {{scrape: "{url}/metrics/0", every: 500ms, timeout: 400ms}}}}
rules: {{down: {{last: job_down, above: 0, severity: critical, summary: "job {{{{ labels.n }}}} is down"}}}}
notifiers: {{hook: {{webhook: {{url: "{url}/hook"}}}}}}
routes: {{all: {{notify: [hook], group_by: [rule, n], group_wait: {wait}}}}}
"""


class Sentinel:
    """An agent that watches a target of twenty jobs."""

    def __init__(self, folder: Path, receiver: Receiver, wait: str = WAIT) -> None:
        folder.mkdir()
        self.receiver, self.agent = receiver, AgentProcess(folder, SENTINEL_WARMUP="1ms")
        self.agent.write("tree.yaml", TREE.format(url=receiver.url, wait=wait))
        self.jobs(0)
        self.agent.start()
        until("it has looked", lambda: self.agent.get("/api/v1/query?query=job_down")["data"]["result"])

    def jobs(self, down: int) -> None:
        """Let all jobs be down, or well."""
        self.receiver.metrics("0", "".join(f'job_down{{n="{n}"}} {down}\n' for n in range(ALERTS)))

    def fire(self) -> None:
        """Let all jobs be down, and wait until that is known."""
        self.jobs(1)
        until("all fire", lambda: len(self.agent.alerts()) == ALERTS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def _told(receiver: Receiver) -> Iterator[tuple[str, str, float]]:
    """Yield which jobs people heard of, how they stood and when, whoever told it."""
    for taken in receiver.taken():
        data = taken.body.get("data")
        if data and data["alerts"][0]["rule"] != "down":
            continue  # Sentinel tells of the receiver, too
        for alert in (data or taken.body)["alerts"]:
            yield alert["labels"]["n"], alert.get("state") or alert["status"], taken.at


def twice_in(receiver: Receiver) -> int:
    """Return how many jobs people heard of more than once."""
    told = [job for job, _, _ in _told(receiver)]
    return len({job for job in told if told.count(job) > 1})


def told_in(receiver: Receiver) -> float:
    """Return when people had heard of the last job for the first time."""
    first: dict[str, float] = {}
    for job, _, at in _told(receiver):
        first.setdefault(job, at)
    return max(first.values())


def lost_of(receiver: Receiver, seconds: float) -> int:
    """Return how many jobs nobody heard of, after so long at most."""
    ends = time.monotonic() + seconds
    while (lost := ALERTS - len({job for job, _, _ in _told(receiver)})) and time.monotonic() < ends:
        time.sleep(0.2)
    return lost


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_ended_before_it_notified(tmp_path: Path, receiver: Receiver, end: str) -> None:
    """SIGKILL, and a graceful stop, between the alert and its message; started again at once."""
    peer = Alertmanager(tmp_path / "am", receiver, f"group_by: ['...'], group_wait: {WAIT}")
    peer.post(NAMES)
    getattr(peer, end)()
    peer.start()
    theirs = lost_of(receiver, 8)
    peer.kill()
    receiver.forget()
    ours = Sentinel(tmp_path / "sentinel", receiver)
    ours.fire()
    getattr(ours.agent, end)()
    receiver.metrics("0", "}} no metrics\n")
    ours.agent.start()
    lost = lost_of(receiver, 8)
    ours.agent.stop()
    _row(f"{end} before it notified: lost of {ALERTS}", theirs, lost)
    assert (theirs, lost) == (ALERTS, 0)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_silence_set_before_the_end(tmp_path: Path, receiver: Receiver, end: str) -> None:
    """Acknowledged is committed: also where nothing was left to be stopped gracefully."""
    peer = Alertmanager(tmp_path / "am", receiver, f"group_by: ['...'], group_wait: {WAIT}")
    peer.silence(alertname="down")
    getattr(peer, end)()
    peer.start()
    theirs = peer.silences()
    peer.kill()
    ours = Sentinel(tmp_path / "sentinel", receiver)
    done = ours.agent.cli("silence", "add", "rule=down", "--for", "1h", "--reason", "deploy")
    assert done.returncode == 0, done.stderr + done.stdout
    getattr(ours.agent, end)()
    ours.agent.start()
    kept = len(ours.agent.get("/api/silences")["silences"])
    ours.agent.stop()
    _row(f"{end}: silences left of 1", theirs, kept)
    assert (theirs, kept) == (0 if end == "kill" else 1, 1)


def test_429_is_tried_again(tmp_path: Path, receiver: Receiver) -> None:
    """The receiver is busy for three seconds; the peer's `group_interval` is its default."""

    def lost(fire: Callable[[], None]) -> int:
        receiver.forget()
        receiver.answer(429, "1")
        fire()
        until("somebody was refused", receiver.refused)
        time.sleep(3)
        receiver.answer(200)
        return lost_of(receiver, 20)

    peer = Alertmanager(tmp_path / "am", receiver, "group_by: ['...'], group_wait: 0s")
    theirs = lost(lambda: peer.post(NAMES))
    peer.kill()
    ours = Sentinel(tmp_path / "sentinel", receiver, wait="0s")
    mine = lost(ours.fire)
    ours.agent.stop()
    _row(f"429 for 3 s: not told 20 s later, of {ALERTS}", theirs, mine)
    assert (theirs, mine) == (ALERTS, 0)


def test_what_ended_while_the_receiver_was_down(tmp_path: Path, receiver: Receiver) -> None:
    """The receiver answers 500; the alerts end; it is well again. Did anybody ever hear of them?"""

    def lost(fire: Callable[[], None], mend: Callable[[], None]) -> int:
        receiver.forget()
        receiver.answer(500)
        fire()
        until("somebody was refused", receiver.refused)
        mend()
        time.sleep(7)
        receiver.answer(200)
        return lost_of(receiver, 20)

    peer = Alertmanager(tmp_path / "am", receiver, "group_by: ['...'], group_wait: 0s, group_interval: 5s")
    theirs = lost(lambda: peer.post(NAMES), lambda: peer.post(NAMES, over=True))
    peer.kill()
    ours = Sentinel(tmp_path / "sentinel", receiver, wait="0s")
    mine = lost(ours.fire, lambda: ours.jobs(0))
    ours.agent.stop()
    _row(f"ended while the receiver was down: never told, of {ALERTS}", theirs, mine)
    assert mine == 0


def _row(what: str, theirs: int, ours: int) -> None:
    print(f"\n{what}: Alertmanager {theirs}, Sentinel {ours}")
