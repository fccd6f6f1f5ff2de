"""The kit for users' own tests does what its page says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.core.clock import to_ms
from sentinel.core.errors import GiveUp, ProbeFailed
from sentinel.core.windows import is_stale
from sentinel.probes.base import Look
from sentinel.promql import parse
from sentinel.promql.evaluate import evaluate_instant
from sentinel.testing import BEGAN, ManualClock, MemoryNotifier, ScriptedProbe, block, series


def test_a_series_is_written_in_few_characters() -> None:
    """Gaps have no sample, `stale` is the marker bit for bit."""
    import numpy as np

    found = series("0+10x2 _ 7 stale", every=timedelta(minutes=1))
    began = to_ms(BEGAN)
    assert [(ts - began) // 60_000 for ts, _ in found] == [0, 1, 2, 4, 5]
    assert [value for _, value in found[:4]] == [0, 10, 20, 7]
    assert is_stale(np.array([found[-1][1]])).all()


def test_a_block_answers_promql() -> None:
    """Two series, one expression."""
    source = block({'errors_total{job="a"}': "0+1x20", 'errors_total{job="b"}': "0+2x20"})
    answer = evaluate_instant(parse("sum(increase(errors_total[1m] anchored))"), source, to_ms(BEGAN) + 300_000)
    assert [value for _, value in answer.latest()] == [12.0]


def test_a_block_refuses_what_is_not_a_series() -> None:
    with pytest.raises(ValueError, match="does not name a series"):
        block({"sum(x)": "1"})


async def test_a_scripted_probe_follows_its_script_and_repeats_its_end() -> None:
    """Well, down, and down it stays."""
    probe, clock = ScriptedProbe(script=[1.5, "the disk is full"]), ManualClock()
    [sample] = await probe.measure(Look(clock.now()))
    assert sample.value == 1.5
    for _ in range(2):
        with pytest.raises(ProbeFailed, match="the disk is full"):
            await probe.measure(Look(clock.now()))


async def test_a_memory_notifier_refuses_as_told_then_keeps() -> None:
    """One refusal, then the message is kept."""
    from sentinel.core.notification import Reason
    from sentinel.core.severity import Severity
    from sentinel.delivery.words import Words
    from sentinel.notifiers.message import Facts

    notifier = MemoryNotifier()
    facts = Facts(at=BEGAN, agent="a", route="r", labels={}, alerts=())
    message = Words("a").message(
        key="k", notifier="m", reason=Reason.TEST, severity=Severity.INFO, facts=facts, markup="", earlier={}
    )
    notifier.refuse(GiveUp("no"))
    with pytest.raises(GiveUp):
        await notifier.send(message)
    assert await notifier.send(message) == {"number": "1"}
    assert notifier.heard == [message]
