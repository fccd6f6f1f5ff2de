"""prometheus: targets, rule files and Alertmanagers of a `prometheus.yml`, and modules of a `blackbox.yml` beside it.

What becomes what
    scrape_configs       a probe of the kind `scrape` for each target of `static_configs` and `file_sd_configs`; where
                         the job goes through blackbox_exporter, one of the kinds http, tcp, ping, dns or grpc;
                         of another exporter that is given targets, each is a `scrape` of that with `?target=`
    rule_files           copied as they are, byte for byte: `groups:` mean here what they mean there; a rule file may
                         also be named itself
    alerting             a notifier of the kind `alertmanager`, with `external_labels`
    modules              of a `blackbox.yml` that is named as well: method, status, patterns, headers, TLS

Not carried over
    other service discovery, relabeling but blackbox's, remote write and read, storage, limits, `honor_labels`. The
    series of a `scrape` have its name as `job`: of a job with several targets, rules write `job=~"node-.*"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sentinel.core.errors import ConfigInvalid
from sentinel.exchange import blackbox, hide
from sentinel.exchange.alertmanager_receivers import auth_of, headers_of, tls_of
from sentinel.exchange.draft import Draft, duration, kebab
from sentinel.exchange.given import Given, Source, Unreadable

_INTERVAL, _TIMEOUT = 60.0, 10.0
_LARGEST = 1_048_576
#: Labels that say how to reach a target.
_ADDRESS, _SCHEME, _PATH, _PARAM = "__address__", "__scheme__", "__metrics_path__", "__param_"


def take(draft: Draft, roots: list[Given]) -> None:
    """Write down what there is in Prometheus's configuration files, and blackbox_exporter's."""
    modules = {name: given for root in roots for name, given in root.pairs("modules")}
    for root in roots:
        if "groups" in root:
            root.plain("groups")
            _copy(draft, root, Path(root.source.path), root.source.text)
        elif "modules" not in root:
            _File(draft, root, modules).take()
    asked = {one for root in roots for job in root.items("scrape_configs") for one in _modules(job)}
    for name, given in modules.items():
        if name not in asked:
            draft.note(given, f"module {name}: no job asks for it")
            given.plain()


class _File:
    """One configuration file of Prometheus."""

    def __init__(self, draft: Draft, root: Given, modules: dict[str, Given]) -> None:
        self.draft, self.root, self.modules = draft, root, modules
        self.all = self.root.get("global")

    def take(self) -> None:
        """Take over what there is."""
        for given in self.root.items("scrape_configs"):
            self._job(given)
        for given in self.root.items("rule_files"):
            self._rules(given)
        if (evaluation := self.all.seconds("evaluation_interval")) not in (0, 60):
            where = self.all.get("evaluation_interval")
            self.draft.note(
                where,
                f"evaluation_interval: {duration(evaluation)}; groups without interval are evaluated each minute",
            )
        for given in self.root.items("alerting", "alertmanagers"):
            self._alertmanager(given)
        if relabel := self.root.get("alerting", "alert_relabel_configs"):
            self.draft.note(relabel, "alert_relabel_configs: labels of alerts are those of their rule and series")
            relabel.plain()

    def _job(self, given: Given) -> None:
        job = given.text("job_name")
        targets = list(self._targets(given, job))
        if not targets:
            self.draft.note(given, f"{job}: names no target, and is left out")
            for key in given.names():
                if key != "static_configs":
                    given.plain(key)
            return
        proxied = blackbox.proxied(given)
        relabel = given.get("relabel_configs")
        if relabel and not proxied:
            self.draft.note(relabel, f"{job}: relabel_configs: are not applied; give the probe labels")
        relabel.plain()
        if metric := given.get("metric_relabel_configs"):
            self.draft.note(metric, f"{job}: metric_relabel_configs: every series of a target is kept as it is")
            metric.plain()
        made = []
        for at, address, labels in targets:
            name = job if len(targets) == 1 else f"{job}-{_short(address)}"
            entry = self._blackbox(given, at, address, name) if proxied else None
            asked = labels | ({_ADDRESS: proxied, f"{_PARAM}target": address} if proxied else {})
            entry = (entry or self._scrape(given, address, asked, name)) | self._timing(given)
            shown = {
                key: value
                for key, value in labels.items()
                if not key.startswith("__") and key not in ("job", "instance")
            }
            if "scrape" in entry and proxied:
                shown = {"target": address} | shown
            elif proxied:  # as rules know them
                shown = {"job": job, "instance": labels.get("instance") or address} | shown
            entry |= {"labels": shown} if shown else {}
            made.append(self.draft.add("probes", name, entry, at))
        if any("scrape" in self.draft.sections["probes"][name] for name in made) and made != [job]:
            says = f'is job=~"{kebab(job)}-.*"' if len(made) > 1 else f'is job="{made[0]}"'
            self.draft.note(given, f'{job}: what is job="{job}" in rules {says} here')
        if given.flag("honor_labels"):
            self.draft.note(
                given.get("honor_labels"),
                f"{job}: a target's own job and instance become exported_job, exported_instance",
            )

    def _targets(self, given: Given, job: str) -> Iterator[tuple[Given, str, dict[str, str]]]:
        """Yield each target with its labels."""
        for group in given.items("static_configs"):
            labels = group.strings("labels")
            yield from ((one, one.text(), labels) for one in group.items("targets"))
        for group in given.items("file_sd_configs"):
            group.text("refresh_interval")
            for pattern in group.items("files"):
                yield from self._in_files(pattern, job)
        for key in given.names():
            if key.endswith("_sd_configs") and key != "file_sd_configs":
                says = f"{job}: {key}: targets are not discovered; write a probe for each"
                self.draft.note(given.get(key), says)
                given.plain(key)

    def _in_files(self, pattern: Given, job: str) -> Iterator[tuple[Given, str, dict[str, str]]]:
        self.draft.note(pattern, f"{job}: {pattern.text()}: its targets were taken as they are now")
        for path in self._found(pattern):
            try:
                root = Source.read(path).root
            except (Unreadable, ConfigInvalid) as exc:
                self.draft.note(pattern, str(exc))
                continue
            for group in root.items():
                labels = group.strings("labels")
                yield from ((one, one.text(), labels) for one in group.items("targets"))

    def _found(self, pattern: Given) -> list[Path]:
        """Return the files that a pattern finds, beside the configuration."""
        text = pattern.text()
        folder, rest = (Path("/"), text.lstrip("/")) if text.startswith("/") else (self.root.source.folder, text)
        try:
            found = sorted(path for path in folder.glob(rest) if path.is_file())
        except (ValueError, OSError):
            found = []
        if not found:
            self.draft.note(pattern, f"{text}: there is no such file")
        return found

    def _scrape(self, given: Given, address: str, labels: dict[str, str], name: str) -> dict[str, Any]:
        address = labels.get(_ADDRESS) or address
        scheme = labels.get(_SCHEME) or given.text("scheme") or "http"
        path = labels.get(_PATH) or given.text("metrics_path") or "/metrics"
        params = {key: one.texts() for key, one in given.pairs("params")}
        params |= {key.removeprefix(_PARAM): [value] for key, value in labels.items() if key.startswith(_PARAM)}
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        url, auth = hide.url(self.draft, f"{scheme}://{address}{path}{query}", name)
        keys: dict[str, Any] = {"url": url}
        job = given.text("job_name")
        auth = auth_of(self.draft, given, job) or auth
        tls = tls_of(self.draft, given, job)
        headers = headers_of(self.draft, given, job)
        keys |= {"auth": auth} if auth else {}
        keys |= {"headers": headers} if headers else {}
        keys |= {"tls": tls} if tls else {}
        keys |= {"proxy": hide.proxy(self.draft, given.text("proxy_url"), job)} if given.get("proxy_url") else {}
        keys |= {"follow_redirects": False} if not given.flag("follow_redirects", default=True) else {}
        given.text("enable_http2")
        return {"scrape": url if list(keys) == ["url"] else keys}

    def _blackbox(self, given: Given, at: Given, target: str, name: str) -> dict[str, Any] | None:
        """Return a probe that looks itself, None where it is the exporter that has to be asked."""
        module = next(iter(_modules(given)), "http_2xx")
        if given.text("metrics_path") != "/probe":
            return None
        given.text("scheme")
        return blackbox.probe(self.draft, at, module, self.modules.get(module), target, name)

    def _timing(self, given: Given) -> dict[str, Any]:
        every = given.seconds("scrape_interval") or self.all.seconds("scrape_interval", default=_INTERVAL)
        limit = given.seconds("scrape_timeout") or self.all.seconds("scrape_timeout", default=_TIMEOUT)
        module = self.modules.get(next(iter(_modules(given)), "http_2xx"))
        if module and blackbox.proxied(given):
            limit = min(limit, module.seconds("timeout", default=limit))
        return {"every": duration(every)} | ({"timeout": duration(limit)} if limit < every else {})

    def _rules(self, given: Given) -> None:
        for path in self._found(given):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                self.draft.note(given, f"{path}: cannot be read")
                continue
            _copy(self.draft, given, path, text)

    def _alertmanager(self, given: Given) -> None:
        scheme, prefix = given.text("scheme") or "http", given.text("path_prefix").rstrip("/")
        given.text("api_version"), given.text("timeout")
        addresses = [one for group in given.items("static_configs") for one in group.texts("targets")]
        for key in given.names():
            if key.endswith("_sd_configs"):
                self.draft.note(given.get(key), f"{key}: Alertmanagers are not discovered; name them")
                given.plain(key)
        if not addresses:
            return
        urls = [f"{scheme}://{address}{prefix}" for address in addresses]
        keys: dict[str, Any] = {"url": urls[0] if len(urls) == 1 else urls}
        labels = self.all.strings("external_labels")
        keys |= {"labels": labels} if labels else {}
        auth, tls = auth_of(self.draft, given, "alertmanager"), tls_of(self.draft, given, "alertmanager")
        keys |= {"auth": auth} if auth else {}
        keys |= {"tls": tls} if tls else {}
        self.draft.add("notifiers", "alertmanager", {"alertmanager": keys}, given)


def _copy(draft: Draft, given: Given, path: Path, text: str) -> None:
    """Put a rule file into the tree, under a name that is free."""
    if len(text.encode()) > _LARGEST:
        draft.note(given, f"{path}: is larger than a file of the tree may be; part it")
        return
    stem = kebab(path.stem) or "rules"
    free = (one for n in range(1, 1000) if (one := f"rules/{stem}{f'-{n}' if n > 1 else ''}.yaml") not in draft.files)
    draft.files[next(free)] = text


def _modules(job: Given) -> list[str]:
    """Return the module of blackbox_exporter that a job asks for."""
    return job.texts("params", "module")


def _short(address: str) -> str:
    """Return a target without what each URL begins with."""
    return address.removeprefix("https://").removeprefix("http://").rstrip("/")
