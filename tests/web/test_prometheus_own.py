"""What of Prometheus's API is ours to say: rules, alerts, limits, the door; and how numbers and times are written."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.quantity import parse_duration
from sentinel.promql.times import parse_duration as parse_seconds_or_duration
from sentinel.promql.times import parse_instant
from sentinel.web.prometheus import results
from sentinel.web.prometheus.floats import go_exponent, go_float, go_floats, go_plain, go_seconds
from tests.web.conftest import House, Start


async def ask(house: House, path: str, **given: str | list[str]) -> dict[str, Any]:
    """Ask, and return the answer with its status."""
    answer = await house.client.get(f"/api/v1/{path}", params=given)
    return {"code": answer.status_code, **answer.json()}


async def stocked(house: House) -> None:
    """Let a gauge fire, and wait until it can be asked for."""
    await house.measure("queue_depth", 60)
    await house.until("it fires", lambda: house.agent.view.alerts)


async def test_a_rule_is_an_entry_for_each_severity(start: Start) -> None:
    """With the comparison in its query, and its alerts as Prometheus would have them."""
    async with start() as house:
        await stocked(house)
        [group] = (await ask(house, "rules", **{"rule_name[]": "queue"}))["data"]["groups"]
        assert group["file"].endswith("tree.yaml")
        assert [(entry["query"], entry["labels"]["severity"], entry["state"]) for entry in group["rules"]] == [
            ("queue_depth > 10", "warning", "firing"),
            ("queue_depth > 50", "critical", "firing"),
        ]
        assert {entry["type"] for entry in group["rules"]} == {"alerting"}
        [alert] = group["rules"][1]["alerts"]
        assert alert["labels"] == {"alertname": "queue", "owner": "shop", "probe": "shop", "severity": "critical"}
        assert (alert["state"], alert["value"]) == ("firing", "6e+01")
        assert alert["annotations"]["summary"] == "60 wait <in> line"
        listed = (await ask(house, "alerts"))["data"]["alerts"]
        assert [one["labels"]["severity"] for one in listed] == ["warning", "critical"]
        assert alert in listed
        assert (await ask(house, "rules", type="record"))["data"] == {"groups": []}
        bare = (await ask(house, "rules", exclude_alerts="true"))["data"]["groups"]
        assert not any(entry["alerts"] for one in bare for entry in one["rules"])


async def test_every_rule_says_its_query_in_promql_that_gives_its_alerts(start: Start) -> None:
    """What stands under `query` can be asked, the built-in rules' too."""
    async with start() as house:
        await stocked(house)
        groups = (await ask(house, "rules"))["data"]["groups"]
        entries = [entry for group in groups for entry in group["rules"]]
        assert len(entries) > 5
        for entry in entries:
            answer = await ask(house, "query", query=entry["query"])
            assert answer["code"] == 200, (entry["query"], answer)
            if entry["name"] == "queue":
                assert len(answer["data"]["result"]) == 1


async def test_grafana_is_told_what_is_spoken_and_what_counts(start: Start) -> None:
    """Build information, and the types of metrics that their names tell."""
    async with start() as house:
        await house.measure("purchases_total", 3)
        await stocked(house)
        built = (await ask(house, "status/buildinfo"))["data"]
        assert (built["application"], built["version"][0]) == ("Sentinel", "3")
        types = {name: one["type"] for name, [one] in (await ask(house, "metadata"))["data"].items()}
        assert types["queue_depth"] == "unknown"
        assert types["purchases_total"] == "counter"
        assert list((await ask(house, "metadata", metric="queue_depth"))["data"]) == ["queue_depth"]
        assert len((await ask(house, "metadata", limit="2"))["data"]) == 2


async def test_grafana_way_of_asking(start: Start) -> None:
    """What its data source sends to be saved, explored and drawn: forms, a password, times with a fraction."""
    async with start(token="s3cret") as house:
        await stocked(house)
        now = house.agent.clock.now().timestamp()
        span = {"start": f"{now - 3600:.3f}", "end": f"{now:.3f}"}

        async def data(method: str, path: str, **given: str) -> Any:
            how: dict[str, Any] = {"data": given} if method == "POST" else {"params": given}
            answer = await house.client.request(method, f"/api/v1/{path}", auth=("grafana", "s3cret"), **how)
            assert (answer.status_code, answer.json()["status"]) == (200, "success"), answer.text
            return answer.json()["data"]

        assert (await data("POST", "query", query="1+1", time=f"{now:.3f}"))["result"][1] == "2"
        assert (await data("GET", "status/buildinfo"))["version"]
        assert "queue_depth" in await data("GET", "label/__name__/values", **span)
        assert await data("GET", "label/probe/values", **span, **{"match[]": "queue_depth"}) == ["shop"]
        assert await data("POST", "labels", **span, **{"match[]": "queue_depth"}) == ["__name__", "probe"]
        assert await data("POST", "series", **span, **{"match[]": "queue_depth"}) == [
            {"__name__": "queue_depth", "probe": "shop"}
        ]
        assert await data("GET", "metadata", limit="1000", limit_per_metric="1")
        drawn = await data("POST", "query_range", query="queue_depth", step="15", **span)
        assert drawn["resultType"] == "matrix"
        assert drawn["result"][0]["values"][-1] == [round(now, 3), "60"]
        assert await data("POST", "query_exemplars", query="queue_depth", **span) == []
        assert (await data("GET", "rules"))["groups"]
        assert (await data("GET", "alerts"))["alerts"]


async def test_what_is_cut_short_says_so(start: Start) -> None:
    """A limit on results is kept, with a warning."""
    async with start() as house:
        await stocked(house)
        for path, given in (
            ("query", {"query": '{__name__=~"queue_depth|probe_success"}'}),
            ("series", {"match[]": '{__name__=~"queue_depth|probe_success"}'}),
            ("labels", {}),
            ("label/__name__/values", {}),
        ):
            for limit in ("0", "1"):
                answer = await ask(house, path, limit=limit, **given)
                found = answer["data"]["result"] if path == "query" else answer["data"]
                assert (len(found) == 1) == (limit == "1")
                assert ("results truncated due to limit" in answer.get("warnings", [])) == (limit == "1")
        assert (await ask(house, "labels", limit="-1"))["errorType"] == "bad_data"


async def test_doubts_carry_their_place(start: Start) -> None:
    """Warnings and infos end in line and column, as Prometheus's do; so do errors of evaluation."""
    async with start() as house:
        await stocked(house)
        answer = await ask(house, "query", query="1 +\n  quantile(2, rate(queue_depth[5m]))")
        assert [note[-6:] for note in answer["warnings"]] == ["(2:12)"]
        assert [note[-6:] for note in answer["infos"]] == ["(2:20)"]
        answer = await ask(house, "query", query='sum(queue_depth)\n  + on () {__name__=~".+"}')
        assert (answer["code"], answer["errorType"]) == (422, "execution")
        assert answer["error"].endswith("(1:1)")


@pytest.mark.parametrize(
    ("query", "given", "code", "words"),
    [
        pytest.param("queue_depth", {"timeout": "0"}, 503, "timed out", id="no time"),
        pytest.param("vector(1)", {"start": "0", "end": "11001", "step": "1"}, 400, "11,000 points", id="points"),
        pytest.param("max_over_time(vector(1)[20y:1ms])", {}, 422, "samples that a query may hold", id="samples"),
        pytest.param("vector(1)", {"start": "0", "end": "1e11", "step": "1e7"}, 422, "values, more", id="an answer"),
        pytest.param(f"{'(' * 5000}1{')' * 5000}", {}, 400, "parse error", id="depth"),
        pytest.param('{x=~"(a*)*b"}', {}, 200, "", id="a pattern that others would never end with"),
        pytest.param("queue_depth", {"time": "9007199254740"}, 200, "", id="the end of time"),
        pytest.param("queue_depth offset 200y", {"time": "-9007199254740"}, 200, "", id="its beginning"),
    ],
)
async def test_no_query_takes_more_than_it_may(
    query: str, given: dict[str, str], code: int, words: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each limit has its words and its status, and the agent goes on."""
    monkeypatch.setattr(results, "VALUES_LIMIT", 10_000)
    async with start() as house:
        answer = await ask(house, "query_range" if "step" in given else "query", query=query, **given)
        assert answer["code"] == code, answer
        assert words in answer.get("error", "")
        assert (await ask(house, "query", query="1"))["code"] == 200


async def test_a_lookback_can_be_asked_for(start: Start) -> None:
    """`lookback_delta` decides how long a newest value counts; without it, the store does."""
    async with start() as house:
        await stocked(house)
        later = f"{house.agent.clock.now().timestamp() + 3600:.3f}"
        assert len((await ask(house, "query", query="queue_depth", time=later))["data"]["result"]) == 1
        short = await ask(house, "query", query="queue_depth", time=later, lookback_delta="5m")
        assert short["data"]["result"] == []


async def test_queries_run_on_the_readers_threads(start: Start) -> None:
    """While one is being answered the loop is free, and so is the desk."""
    async with start() as house:
        held = threading.Event()
        agent = house.agent
        blocked = [asyncio.create_task(agent.read(lambda: held.wait(10))) for _ in range(2)]
        waiting = asyncio.create_task(ask(house, "query", query="1"))
        await house.measure("queue_depth", 60)
        await house.until("the desk judges meanwhile", lambda: agent.view.alerts)
        answered = waiting.done()
        held.set()
        assert (await waiting)["code"] == 200
        await asyncio.gather(*blocked)
        assert not answered


async def test_queries_leave_a_reader_to_the_rules(start: Start) -> None:
    """However many are asked at once, one runs, and whoever else reads need not wait for it."""
    async with start() as house:
        asked = [asyncio.create_task(ask(house, "query", query="max_over_time(vector(1)[1d:10ms])")) for _ in range(3)]
        for _ in range(50):
            await asyncio.sleep(0)  # until each has come as far as it can
        await house.agent.read(lambda: None)
        assert not any(task.done() for task in asked)
        assert [answer["code"] for answer in await asyncio.gather(*asked)] == [200, 200, 200]


async def test_the_door_is_before_it(start: Start) -> None:
    """A token is needed where one is set, and a page of another site may not post."""
    async with start(token="s3cret") as house:
        assert (await house.client.get("/api/v1/query?query=1")).status_code == 401
        headers = {"Authorization": "Bearer s3cret"}
        assert (await house.client.get("/api/v1/query?query=1", headers=headers)).status_code == 200
        foreign = {**headers, "Origin": "https://evil.example"}
        posted = await house.client.post("/api/v1/query", data={"query": "1"}, headers=foreign)
        assert posted.status_code == 403


@pytest.mark.parametrize(
    ("value", "sample", "scalar", "alert"),
    [
        (0.0, "0", "0", "0e+00"),
        (-0.0, "-0", "-0", "-0e+00"),
        (60.0, "60", "60", "6e+01"),
        (0.062, "0.062", "0.062", "6.2e-02"),
        (1e-7, "1e-07", "0.0000001", "1e-07"),
        (1e-5, "0.00001", "0.00001", "1e-05"),
        (1.5e16, "15000000000000000", "15000000000000000", "1.5e+16"),
        (1e21, "1e+21", "1000000000000000000000", "1e+21"),
        (-1.25e-9, "-1.25e-09", "-0.00000000125", "-1.25e-09"),
        (float("inf"), "+Inf", "+Inf", "+Inf"),
        (float("-inf"), "-Inf", "-Inf", "-Inf"),
        (float("nan"), "NaN", "NaN", "NaN"),
    ],
)
def test_numbers_are_written_as_go_does(value: float, sample: str, scalar: str, alert: str) -> None:
    """In each of the three ways in which Prometheus's API does."""
    assert (go_float(value), go_plain(value), go_exponent(value)) == (sample, scalar, alert)


@given(st.floats(allow_nan=False))
def test_a_number_is_read_back_as_it_was(value: float) -> None:
    """No digit is lost, whichever way it is written."""
    assert float(go_float(value)) == float(go_plain(value)) == float(go_exponent(value)) == value


@given(st.lists(st.floats() | st.integers(-1000, 1000).map(float)))
def test_many_numbers_are_written_as_each_alone(values: list[float]) -> None:
    """The quick way gives the same texts."""
    assert go_floats(values) == [go_float(value) for value in values]


@pytest.mark.parametrize(("ms", "text"), [(0, "0"), (1500, "1.500"), (12, "0.012"), (-5000, "-5"), (-1, "-0.001")])
def test_times_are_seconds(ms: int, text: str) -> None:
    """To the millisecond, where there is a part of a second."""
    assert go_seconds(ms) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0", 0),
        ("1.5", 1500),
        ("-2e3", -2_000_000),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T01:00:00.1239+01:00", 123),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("", None),
        ("nan", None),
        ("1e300", None),
        ("1_0", None),
        ("1970-01-01", None),
        ("1970-01-01T00:00:01", None),
        ("1970-02-30T00:00:00Z", None),
    ],
)
def test_a_time_is_unix_or_rfc_3339(text: str, ms: int | None) -> None:
    """And nothing else."""
    if ms is not None:
        assert parse_instant(text) == ms
        return
    with pytest.raises(ValueError, match="cannot parse"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["15s", "1h30m", "7d", "2w", "250ms"])
def test_durations_mean_what_they_mean_in_yaml(text: str) -> None:
    """One language; here a bare number is seconds, too."""
    assert parse_seconds_or_duration(text) == parse_duration(text).total_seconds() * 1000
    assert parse_seconds_or_duration("1.5") == 1500
    for wrong in ("", "1m1h", "5 m", "inf"):
        with pytest.raises(ValueError, match="cannot parse"):
            parse_seconds_or_duration(wrong)
