"""series, labels, label values, metadata: what there is to be asked for."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response

from sentinel import __version__
from sentinel.promql.selectors import valid_label
from sentinel.web.prometheus.answers import Said, answered
from sentinel.web.prometheus.asked import Asked
from sentinel.web.prometheus.parameters import ParameterInvalid

router = APIRouter()

#: The version of Prometheus whose language and API are spoken here: clients such as Grafana ask what they may use.
SPOKEN = "3.5.0"


@router.api_route("/series", methods=["GET", "POST"])
async def series(request: Request) -> Response:
    """List the series that fulfil any `match[]`."""
    return await answered(request, _series)


@router.api_route("/labels", methods=["GET", "POST"])
async def labels(request: Request) -> Response:
    """List the names of labels."""
    return await answered(request, _labels)


@router.get("/label/{name}/values")
async def label_values(request: Request, name: str) -> Response:
    """List the values of one label."""
    return await answered(request, partial(_values, name))


@router.get("/metadata")
async def metadata(request: Request) -> Response:
    """Say of which type each metric is."""
    return await answered(request, _metadata)


@router.get("/status/buildinfo")
async def buildinfo(request: Request) -> Response:
    """Say what is spoken here, and by whom."""
    return await answered(request, _buildinfo)


def _series(asked: Asked) -> Said:
    limit, selectors = asked.parameters.count("limit"), asked.selectors()
    if not selectors:
        raise ParameterInvalid("no match[] parameter provided")
    return Said.limited([dict(found) for found in asked.series(selectors)], limit)


def _labels(asked: Asked) -> Said:
    limit, selectors = asked.parameters.count("limit"), asked.selectors()
    return Said.limited(sorted({name for found in asked.series(selectors or [()]) for name in found.names()}), limit)


def _values(name: str, asked: Asked) -> Said:
    name = _unescaped(name)
    if not valid_label(name):
        raise ParameterInvalid(f'invalid label name: "{name}"')
    limit, selectors = asked.parameters.count("limit"), asked.selectors()
    values = {found.get(name) for found in asked.series(selectors or [()])}
    return Said.limited(sorted(values - {""}), limit)


def _metadata(asked: Asked) -> Said:
    limit, wanted = asked.parameters.count("limit"), asked.parameters.text("metric")
    types = _types({found.name for found in asked.series([()])})
    shown = [name for name in sorted(types) if not wanted or name == wanted]
    shown = shown[:limit] if limit else shown
    return Said.of({name: [{"type": types[name], "help": "", "unit": ""}] for name in shown})


def _buildinfo(asked: Asked) -> Said:
    names = ("version", "revision", "branch", "buildUser", "buildDate", "goVersion", "application")
    return Said.of(dict.fromkeys(names, "") | {
        "version": SPOKEN, "revision": f"sentinel-{__version__}", "application": "Sentinel",
    })  # fmt: skip


def _types(names: Collection[str]) -> dict[str, str]:
    """Return the type of each family of metrics, as far as names tell: a type that was exposed is not kept."""
    found: dict[str, str] = {}
    for name in names:
        base, _, ending = name.rpartition("_")
        parts = {part for part in ("bucket", "sum", "count") if f"{base}_{part}" in names}
        if ending in parts and "bucket" in parts:
            found[base] = "histogram"
        elif ending in parts and {"sum", "count"} <= parts:
            found[base] = "summary"
        elif name not in found:
            found[name] = "counter" if ending == "total" else "unknown"
    return found


def _unescaped(name: str) -> str:
    """Return the name that Prometheus's `U__` writes: `U__http_2e_status` is `http.status`."""
    if not name.startswith("U__"):
        return name
    return re.sub(r"__|_([0-9a-fA-F]{1,6})_", _meant, name.removeprefix("U__"))


def _meant(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else ord("_")
    return chr(code) if code <= 0x10FFFF else found[0]
