"""blackbox: a target that Prometheus looks at through blackbox_exporter, as a probe that looks itself."""

from __future__ import annotations

from typing import Any

from sentinel.exchange import hide
from sentinel.exchange.alertmanager_receivers import auth_of, headers_of, tls_of
from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Given

#: How a module's prober is told by its usual name, where no `blackbox.yml` says it.
_PROBERS = {"http": "http", "tcp": "tcp", "icmp": "icmp", "ping": "icmp", "ssh": "tcp", "dns": "dns", "grpc": "grpc"}


def proxied(job: Given) -> str:
    """Return the exporter that a job hands its targets, as `__param_target` made of `__address__`; "" where none is."""
    made = {one.text("target_label"): one.text("replacement") for one in job.items("relabel_configs")}
    return made.get("__address__") or "localhost:9115" if "__param_target" in made else ""


def probe(draft: Draft, at: Given, module: str, given: Given | None, target: str, name: str) -> dict[str, Any] | None:
    """Return the probe of a target, None where there is no kind for it."""
    said = given or Given(at.source, None)
    prober = said.text("prober") or next((kind for word, kind in _PROBERS.items() if word in module.lower()), "")
    if given is None and module not in ("http_2xx", "tcp_connect", "icmp", "icmp_ttl5"):
        draft.note(at, f"{name}: what the module {module} expects stands in blackbox.yml; name that file as well")
    said.text("timeout")
    match prober:
        case "http":
            return {"http": _http(draft, said.get("http"), target, name)}
        case "tcp":
            return {"tcp": _tcp(draft, said.get("tcp"), target, name)}
        case "icmp":
            return {"ping": target}
        case "dns":
            return _dns(draft, said.get("dns"), target, name)
        case "grpc":
            return {"grpc": _grpc(draft, said.get("grpc"), target, name)}
    draft.note(at, f"{name}: there is no kind of probe for the module {module}; its exporter is asked")
    return None


def _http(draft: Draft, said: Given, target: str, name: str) -> dict[str, Any] | str:
    url, auth = hide.url(draft, target if "://" in target else f"http://{target}", name)
    keys: dict[str, Any] = {"url": url}
    method = said.text("method").upper()
    keys |= {"method": method} if method not in ("", "GET") else {}
    headers = hide.headers(draft, said.strings("headers"), name) | headers_of(draft, said, name)
    keys |= {"headers": headers} if headers else {}
    keys |= {"body": hide.body(draft, said.text("body"), name)} if said.text("body") else {}
    auth = auth_of(draft, said, name) or auth
    tls = tls_of(draft, said, name)
    keys |= {"auth": auth} if auth else {}
    keys |= {"tls": tls} if tls else {}
    keys |= {"proxy": hide.proxy(draft, said.text("proxy_url"), name)} if said.get("proxy_url") else {}
    if not said.flag("follow_redirects", default=True) or said.flag("no_follow_redirects"):
        keys["follow_redirects"] = False
    keys |= _ip(said)
    expect: dict[str, Any] = {}
    if said.flag("accept_any_response"):
        expect["status"] = "100-599"
    if statuses := said.texts("valid_status_codes"):
        expect["status"] = [int(one) for one in statuses]
    if patterns := said.texts("fail_if_body_not_matches_regexp"):
        expect["body"] = patterns[0]
        _one_of(draft, said.get("fail_if_body_not_matches_regexp"), patterns, name)
    if patterns := said.texts("fail_if_body_matches_regexp"):
        expect["body_not"] = "|".join(patterns)
    if wanted := said.items("fail_if_header_not_matches"):
        expect["headers"] = {one.text("header"): one.text("regexp") for one in wanted}
        if len(expect["headers"]) < len(wanted):
            draft.note(wanted[0], f"{name}: of several patterns of one header only the last is expected")
    keys |= {"expect": expect} if expect else {}
    return url if list(keys) == ["url"] else keys


def _tcp(draft: Draft, said: Given, target: str, name: str) -> dict[str, Any] | str:
    keys: dict[str, Any] = {"address": target} | _ip(said)
    if said.flag("tls"):
        keys["tls"] = tls_of(draft, said, name)
    talk: list[dict[str, Any]] = []
    for one in said.items("query_response"):
        if expected := one.text("expect"):
            talk.append({"expect": expected})
        if sent := one.text("send"):
            talk.append({"send": sent.rstrip("\r\n")})
            if "${" in sent:
                draft.note(one.get("send"), f"{name}: what was matched cannot be sent back")
        if one.flag("starttls"):
            talk.append({"starttls": True})
    keys |= {"dialogue": talk} if talk else {}
    return target if list(keys) == ["address"] else keys


def _dns(draft: Draft, said: Given, target: str, name: str) -> dict[str, Any]:
    keys: dict[str, Any] = {"name": said.text("query_name"), "type": said.text("query_type") or "A", "server": target}
    if said.text("transport_protocol") in ("tcp", "udp"):
        keys["protocol"] = said.text("transport_protocol")
    rcodes = said.texts("valid_rcodes")
    _one_of(draft, said.get("valid_rcodes"), rcodes, name)
    keys |= {"rcode": rcodes[0]} if rcodes and rcodes[0] != "NOERROR" else {}
    patterns = said.texts("validate_answer_rrs", "fail_if_not_matches_regexp")
    return {"dns": keys | ({"contains": patterns} if patterns else {})}


def _grpc(draft: Draft, said: Given, target: str, name: str) -> dict[str, Any]:
    keys: dict[str, Any] = {"address": target}
    keys |= {"service": said.text("service")} if said.text("service") else {}
    return keys | ({"tls": tls_of(draft, said, name)} if said.flag("tls") else {})


def _one_of(draft: Draft, given: Given, values: list[str], name: str) -> None:
    if len(values) > 1:
        draft.note(given, f"{name}: of several only {values[0]} is expected")


def _ip(said: Given) -> dict[str, int]:
    version = said.text("preferred_ip_protocol")
    only = not said.flag("ip_protocol_fallback", default=True)
    return {"ip": int(version[-1])} if only and version in ("ip4", "ip6") else {}
