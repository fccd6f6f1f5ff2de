"""What becomes of alerts while a receiver fails for a minute, and when Prometheus stands in front: side by side.

Alertmanager has its defaults but for `group_wait`, and is asked once. What comes so late that thirty seconds after the
receiver's return nobody has heard it counts as not told.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bench.peers import INSTALLED, Alertmanager, Prometheus, Receiver
from tests.bench.test_peers import ALERTS, NAMES, Sentinel, lost_of, told_in, twice_in
from tests.e2e.process import until

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not INSTALLED, reason="prometheus-alertmanager is not installed"),
    pytest.mark.timeout(600),
]

OUTAGE = 60.0
PATIENCE = 30.0
HANGS = 0


@dataclass
class Outage:
    """One way to fail, for one Alertmanager and one Sentinel.

    Args:
        what: in words.
        folder: for their files.
        status: what the receiver answers.
        interval: Alertmanager's `group_interval`.
        ends: whether the alerts end in the middle of it.
    """

    what: str
    folder: Path
    status: int
    interval: str = "5m"
    ends: bool = False
    back_at: float = 0.0
    receivers: tuple[Receiver, Receiver] = field(default_factory=lambda: (Receiver(), Receiver()))

    def begin(self) -> None:
        """Start both, and let all alerts fire while the receivers fail."""
        theirs, ours = self.receivers
        route = f"group_by: ['...'], group_wait: 0s, group_interval: {self.interval}"
        self.peer = Alertmanager(self.folder / "am", theirs, route)
        self.sentinel = Sentinel(self.folder / "sentinel", ours, wait="0s")
        for receiver in self.receivers:
            receiver.answer(self.status)
        self.peer.post(NAMES)
        self.sentinel.fire()

    def end_alerts(self) -> None:
        """Let them be over."""
        self.peer.post(NAMES, over=True)
        self.sentinel.jobs(0)

    def come_back(self) -> None:
        """Let the receivers be well; what was refused for good is retried by hand, as one does."""
        self.back_at = time.time()
        for receiver in self.receivers:
            receiver.answer(200)
        self.sentinel.agent.post("/api/deliveries/retry?author=ann")

    def close(self) -> None:
        """Stop everything."""
        self.peer.kill()
        self.sentinel.agent.kill()
        for receiver in self.receivers:
            receiver.__exit__(None, None, None)

    def row(self) -> tuple[int, int]:
        """Print and return how many nobody heard of."""
        cells = []
        for receiver in self.receivers:
            last = max((taken.at for taken in receiver.taken()), default=self.back_at) - self.back_at
            cells.append(f"{lost_of(receiver, 0)} not told, the last after {last:.1f} s")
        print(f"{self.what}: Alertmanager {cells[0]}; Sentinel {cells[1]}")
        return lost_of(self.receivers[0], 0), lost_of(self.receivers[1], 0)


def test_a_receiver_that_fails_for_a_minute(tmp_path: Path) -> None:
    """Whatever it answers, and though they end meanwhile: each alert is told."""
    outages = [
        Outage("500 for 60 s", tmp_path / "500", 500),
        Outage("400 for 60 s, retried by hand", tmp_path / "400", 400),
        Outage("429 for 60 s", tmp_path / "429", 429),
        Outage("hangs for 60 s", tmp_path / "hangs", HANGS),
        Outage("500 for 60 s, all end after 20 s", tmp_path / "ends", 500, "5s", ends=True),
    ]
    try:
        for one in outages:
            one.folder.mkdir()
            one.begin()
        began = time.monotonic()
        time.sleep(OUTAGE / 3)
        for one in outages:
            if one.ends:
                one.end_alerts()
        time.sleep(max(0.0, OUTAGE - (time.monotonic() - began)))
        for one in outages:
            one.come_back()
        time.sleep(PATIENCE)
        print()
        lost = [one.row() for one in outages]
    finally:
        for one in outages:
            if hasattr(one, "sentinel"):
                one.close()
    assert [ours for _, ours in lost] == [0] * len(outages)
    assert lost[2][0] == ALERTS, "429 is retried by Alertmanager by now"


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_ended_after_it_notified(tmp_path: Path, end: str) -> None:
    """Everybody was told; the client sends again, and the target is as it was: nobody hears it twice."""
    with Receiver() as theirs, Receiver() as ours, ExitStack() as stack:
        peer = Alertmanager(tmp_path / "am", theirs, "group_by: ['...'], group_wait: 0s")
        stack.callback(peer.kill)
        sentinel = Sentinel(tmp_path / "sentinel", ours, wait="0s")
        stack.callback(sentinel.agent.kill)
        peer.post(NAMES)
        sentinel.fire()
        until("all are told", lambda: not lost_of(theirs, 0) and not lost_of(ours, 0))
        time.sleep(0.5)  # the receipts are on disk
        getattr(peer, end)()
        getattr(sentinel.agent, end)()
        peer.start()
        sentinel.agent.start()
        peer.post(NAMES)
        time.sleep(8)
        twice = twice_in(theirs), twice_in(ours)
    print(f"\n{end} after it notified: told twice of {ALERTS}: Alertmanager {twice[0]}, Sentinel {twice[1]}")
    assert twice == (ALERTS if end == "kill" else 0, 0)


def test_prometheus_in_front(tmp_path: Path) -> None:
    """Who tells is killed before it did and started again at once; Prometheus sends again when its minute is over."""
    with Receiver() as theirs, Receiver() as ours, ExitStack() as stack:
        theirs.metrics("0", "job_down 0\n")
        peer = Alertmanager(tmp_path / "am", theirs, "group_wait: 3s")
        stack.callback(peer.kill)
        with Prometheus(tmp_path / "prometheus", theirs, peer):
            sentinel = Sentinel(tmp_path / "sentinel", ours)
            stack.callback(sentinel.agent.kill)
            time.sleep(10)  # Prometheus scrapes nothing for its first five seconds
            theirs.metrics("0", "".join(f'job_down{{n="{n}"}} 1\n' for n in range(ALERTS)))
            until("Alertmanager knows of it", peer.alerts)
            peer.kill()
            killed = time.time()
            peer.start()
            sentinel.fire()
            sentinel.agent.kill()
            ours_killed = time.time()
            sentinel.agent.start()
            until("both have told", lambda: not lost_of(theirs, 0) and not lost_of(ours, 0), 180)
            late = told_in(theirs) - killed, told_in(ours) - ours_killed
    print(f"\nkilled before it notified: told {late[0]:.1f} s later behind Prometheus, {late[1]:.1f} s by Sentinel")
    assert late[1] < late[0]


def test_a_rule_that_is_true_when_all_is_started(tmp_path: Path) -> None:
    """Seconds from the start of the process that judges to the message, with Alertmanager's gossip on as by default."""
    with Receiver() as theirs, Receiver() as ours, ExitStack() as stack:
        theirs.metrics("0", "".join(f'job_down{{n="{n}"}} 1\n' for n in range(ALERTS)))
        sentinel = Sentinel(tmp_path / "sentinel", ours, wait="0s")
        stack.callback(sentinel.agent.kill)
        sentinel.agent.kill()
        sentinel.jobs(1)
        peer = Alertmanager(tmp_path / "am", theirs, "group_wait: 0s", gossip=True)
        stack.callback(peer.kill)
        began = time.time()
        with Prometheus(tmp_path / "prometheus", theirs, peer):
            sentinel.agent.start()
            until("both have told", lambda: not lost_of(theirs, 0) and not lost_of(ours, 0), 180)
        late = told_in(theirs) - began, told_in(ours) - began
    print(
        f"\ntrue at the start: told after {late[0]:.1f} s by Prometheus and Alertmanager, {late[1]:.1f} s by Sentinel"
    )
    assert late[1] < late[0]
