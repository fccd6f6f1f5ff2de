"""prometheus: the HTTP API of Prometheus, so that Grafana's data source and `promtool query` work on the agent.

    query          GET, POST   at one instant: `query`, `time`, `timeout`, `limit`, `lookback_delta`
    query_range    GET, POST   over a range: `query`, `start`, `end`, `step`, and as above
    query_exemplars GET, POST  always empty: the agent keeps none
    series         GET, POST   the series that fulfil a `match[]`: `start`, `end`, `limit`
    labels         GET, POST   the names of labels: `match[]`, `start`, `end`, `limit`
    label/<name>/values  GET   the values of one label, likewise
    metadata       GET         the type of each metric, as far as its name tells: `metric`, `limit`
    rules          GET         one entry per rule and severity, grouped by file: `type`, `rule_name[]`, `file[]` …
    alerts         GET         what is pending or fires, one entry per alert and severity
    status/buildinfo  GET      what is spoken here

All under `/api/v1`. Times are Unix seconds or RFC 3339, durations seconds or `1h30m`. Answers, errors and the way in
which numbers are written are those of Prometheus (https://prometheus.io/docs/prometheus/latest/querying/api/). A query
may return 11,000 points a series and 2,000,000 values, read what `Limits` says, and run for two minutes.
"""

from fastapi import APIRouter

from sentinel.web.prometheus import queries, rules, series

router = APIRouter(prefix="/api/v1", include_in_schema=False)
for each in (queries, series, rules):
    router.include_router(each.router)

__all__ = ["router"]
