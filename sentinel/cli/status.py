"""`sentinel status`: what is wrong, who knows, and how the agent itself stands; what is well is only counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from sentinel.cli.client import Client
from sentinel.cli.output import Format, FormatOption, ago, console, labels, print_json, print_table

_WELL = ("good", "blind")


def status(
    output: FormatOption = Format.TEXT,
    everything: Annotated[
        bool, typer.Option("--all", help="Each probe, job and notifier, also those that are well.")
    ] = False,
) -> None:
    """Show what is wrong and who knows, and how the agent and all that it watches stand."""
    answer = Client().get("api", "status")
    if output is Format.JSON:
        print_json(answer)
        return
    out = console()
    out.print(f"[bold]{answer['verdict']['title']}[/bold]  {answer['verdict']['words']}")
    for line in _lines(answer):
        out.print(line, markup=False)
    if everything:
        _print_all(answer)


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    for alert in answer["alerts"]:
        yield from _alert(alert)
    yield from (f"! {notice['words']}" for notice in answer["notices"])
    if text := answer["config"]["last_reload"]["text"]:
        yield text
    yield ""
    yield f"{'agent':<13}{_agent(answer)}"
    for what in ("probes", "jobs", "notifiers"):
        if answer[what]:
            counts = Counter(one["tone_words"] for one in answer[what])
            yield f"{what:<13}{', '.join(f'{count} {words}' for words, count in counts.items())}"
            yield from (_unwell(one) for one in answer[what] if one["tone"] not in _WELL)
    if answer["silences"]:
        yield f"{'silences':<13}{len(answer['silences'])}: sentinel silence list"
    if answer["dead_letters"]:
        yield f"{'dead letters':<13}{answer['dead_letters']}: sentinel deliveries --dead"
    yield from (f"rule {rule} cannot be evaluated: {why}" for rule, why in answer["failures"].items())
    yield from (f"rule {one['rule']} {one['words']}" for one in answer["waits"])


def _alert(one: dict[str, Any]) -> Iterator[str]:
    """Say what it is and since when, then who knows, then what to do."""
    about = f"{one['rule']} {labels(one['labels'])}".rstrip()
    what = one["summary"] or one["reason"]
    yield f"{one['severity']:<9} {what}  ({about}, {ago(one['fired_at'])}, {one['fingerprint']})"
    knows = [f"{told['notifier']} {ago(told['at'])}" for told in one["told"]]
    yield f"{'':<9} told {', '.join(knows)}" if knows else f"{'':<9} nobody was told"
    if ack := one["acknowledged"]:
        why = f": {ack['reason']}" if ack["reason"] else ""
        yield f"{'':<9} {ack['author']} is on it until {ack['ends_at']}{why}"
    if one["held"]:
        yield f"{'':<9} {one['held']['why']}"
    if one["runbook"]:
        yield f"{'':<9} {one['runbook']}"


def _agent(answer: dict[str, Any]) -> str:
    agent, config = answer["agent"], answer["config"]
    commit = f", commit {config['commit'][:10]}" if config["commit"] else ""
    loaded = f"configuration {config['revision'][:12]}{commit}, loaded {ago(config['loaded_at'])}"
    return f"{agent['name']}, version {agent['version']}, started {ago(agent['started_at'])}; {loaded}"


def _unwell(one: dict[str, Any]) -> str:
    said = "".join(f"\n      | {line}" for line in one.get("output", "").splitlines())
    return f"  {one['name']}  {one['tone_words']}: {one['words'] or one.get('last_error', '')}{said}"


def _print_all(answer: dict[str, Any]) -> None:
    console().print()
    print_table(
        ("probe", "kind", "every", "state", "looked", "took", "words"), map(_probe, answer["probes"]), "No probe."
    )
    if answer["jobs"]:
        print_table(("job", "schedule", "state", "words"), map(_job, answer["jobs"]), "")
    print_table(
        ("notifier", "kind", "circuit", "accepted", "waiting", "last error"),
        map(_notifier, answer["notifiers"]),
        "No notifier.",
    )


def _probe(one: dict[str, Any]) -> tuple[str, ...]:
    return one["name"], one["kind"], one["every"], one["tone_words"], ago(one["looked_at"]), one["took"], one["words"]


def _job(one: dict[str, Any]) -> tuple[str, ...]:
    return one["name"], one["schedule"], one["tone_words"], one["words"]


def _notifier(one: dict[str, Any]) -> tuple[str, ...]:
    return one["name"], one["kind"], one["circuit"], str(one["accepted"]), str(one["waiting"]), one["last_error"]
