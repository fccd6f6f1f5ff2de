"""Write the pages of docs/ that are made from the code: `make docs`. A test compares them with what lies there."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from textwrap import dedent

import typer
import typer.core

HERE = Path(__file__).parent
EXIT_CODES = """Exit codes: 0 well; 1 something is wrong inside a file; 2 bad arguments, or a path that cannot be
read; 3 the agent cannot be reached, or cannot start or go on. Commands ask the running agent over HTTP."""
PROBES = """What can be looked at. Beside a kind's word stand `every` (or `cron`, with `timezone`), `timeout`,
`every_when_failing` and `labels`.

Each probe looks at a fixed rate, at an offset that its name decides, so that many are spread over their interval and a
restart moves none. It never overlaps itself, and is left at its timeout whatever it does. Of those that would begin at
one host together, after a start say, 16 begin at once and the others as these end, or after a quarter of a second;
other hosts do not wait. `sentinel_probe_runs_late_total` counts looks that began more than a second after they were
due, `sentinel_probe_runs_skipped_total` those that were not made, since the one before still went on.

In the first minute of the agent (`SENTINEL_WARMUP`) a failure of a probe that has not yet succeeded is shown and not
counted."""

RULES = """A rule has exactly one form; each becomes one PromQL expression and a threshold. Beside the form's word stand
[the keys that every rule has](#the-keys-beside-the-form)."""
PROMQL = """The language of Prometheus 3.x, with its meaning: left-open windows, delayed removal of names, RE2's regular
expressions, and its experimental functions switched on. `anchored` counts exactly: `increase(x_total[5m] anchored)`
goes from the last value before the window to the last one in it. Not evaluated: native histograms, `smoothed` and
`info()`; each is a clear error at its place. Ties of `topk` are arbitrary, as in Prometheus."""
RECEIVERS = """Each cell is a test that runs against a server which behaves so, through the real delivery
(`tests/cases/receivers.yaml`). An empty cell is a thing that does not happen to that kind.

| word | meaning |
|---|---|
| delivered | it is told; *with a note*: `sentinel deliveries` says what was not as it should be |
| again | surely not taken: tried again after 1 s, 5 s, 30 s, 2 min, 5 min, every 10 min; what happens then joins it |
| again after 7 s | as the receiver asked |
| again, unchanged | it may have been taken unheard: tried again with the same words under the same key |
| again, the rest | some recipients have it: only the others are tried again |
| there once, twice | after the next attempt; what a receiver can tell by its key (a mail's Message-ID) is one |
| dead | no repetition would change the answer: a dead letter at once, and the `fallback` is told |

A critical message that nobody took within a minute goes to the `fallback` too, whatever the word. A message is tried
`tries` times (default 12, over an hour), then it is dead."""
CHECKS = """What `sentinel check` finds, on our own rules and on Prometheus rule files alike. Each problem has one of
these names; `sentinel check --explain NAME` prints its part of this page.

A comment takes the word of a problem back. It stands above what it is about, or behind it; above
a rule, or behind its name, it is about the whole rule. `ignore-file` is about its file, `promql/*` is a whole family. A
comment that cannot be read, that is over or that suppresses nothing is a problem itself.

```
# sentinel: ignore rule/for-too-short until 2026-12-01 because the probe is moved next week
```

`policy:` says for a folder and those below it how grave a check is (`off`, `info`, `warning`, `error`), what rules must
have, and what names look like; the nearest folder wins, mappings merge. What makes a tree unusable is always an error.

```yaml
policy:
  checks: {promql/regexp: off, rule/for-too-short: error, template/*: warning}
  require: [owner, runbook, summary]
  labels: {team: payments|search}
  names: {alerts: "[A-Z][A-Za-z]+", rules: "[a-z]+(-[a-z]+)+"}
```"""
MIGRATING = """`sentinel import SYSTEM FILE... --into DIR` makes a tree that passes `sentinel check`; without
`--into` it prints it. Nothing is overwritten. What could not be carried over is listed with the line where it stands
in your file: a key that Sentinel knows nothing of is listed, too, so that nothing is lost silently.

```sh
sentinel import prometheus prometheus.yml blackbox.yml --into sentinel
sentinel import alertmanager alertmanager.yml --into sentinel
sentinel import gatus config.yaml --into sentinel
sentinel import uptime-kuma kuma.db --into sentinel          # or Uptime_Kuma_Backup.json
curl -H "X-Api-Key: $KEY" https://healthchecks.io/api/v3/checks/ > checks.json
curl -H "X-Api-Key: $KEY" https://healthchecks.io/api/v3/channels/ > channels.json
sentinel import healthchecks checks.json channels.json --into sentinel
```

**Secrets** are never written. Each becomes a reference such as `${SLACK_WEBHOOK}`, also in URLs, headers and bodies;
the command lists the names to set. Files that held secrets stay where they are: `${file:/run/secrets/slack}`.

**Names** become lower-case letters, digits and dashes; of two with the same name the second gets a number.

**Several systems** go into one folder, in any order: names, and names of secrets, that the tree has already get a
number too. One route takes what no other took: that of the first. Each system that comes later gets one that takes what
is of its own, by `file`. Alertmanager's routes are tried after those of others; if it comes later, they match alerts of
rule files only (`alertname: "!"`).

Import Prometheus and Alertmanager into one folder to have both, and drop the notifier `alertmanager` once Sentinel
tells people itself. In `match`, `alertname` is the name of an alert of `groups:`; rules of ours are known by `rule`.

The other way, `sentinel export prometheus` prints the tree's rules as plain Prometheus rules. One alert stands for each
severity; exact counts become `increase()`, `recover` holds by the series `ALERTS`, `at_least` and bands are PromQL, and
texts are templates of Go. What Prometheus cannot say (hours, causes, what holds while data are missing) stands in
comments above the rule, and on standard error. `promtool check rules` accepts every rule that Sentinel ships."""
MADE = "<!-- Made from the code by `make docs`; edit the docstrings instead. -->\n"


def page(title: str, intro: str, registry: Mapping[str, str]) -> str:
    """Return the page of a registry: one section a kind, from the docstring of its module."""
    sections = [section(registry[name]) for name in sorted(registry)]
    return "\n".join([MADE, f"# {title}\n", intro + "\n", *sections])


def section(where: str) -> str:
    """Return one kind's section: the docstring of its module, or where that is one line, of its class."""
    name, _, kind = where.partition(":")
    module = importlib.import_module(name)
    head, _, body = (inspect.getdoc(module) or "").partition("\n")
    word, _, says = head.partition(": ")
    body = body or inspect.getdoc(getattr(module, kind)) or ""
    return f"## {word}\n\n{says[:1].upper()}{says[1:]}\n\n{markdown(body)}"


def markdown(text: str) -> str:
    """Turn a docstring's body into Markdown: a word above an indented block is its heading; what is fenced stays."""
    parts = re.split(r"^(```.*?^```)$", text.strip("\n"), flags=re.MULTILINE | re.DOTALL)
    return "\n".join(block for part in parts for block in ([f"{part}\n"] if part.startswith("```") else _blocks(part)))


def _blocks(text: str) -> Iterator[str]:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    for indented, run in groupby(_filled(lines), key=lambda line: line.startswith("    ")):
        block = dedent("\n".join(run)).strip("\n")
        if not indented:
            yield "\n".join(re.sub(r"^([A-Z][\w ]*)$", r"**\1**", line) for line in block.split("\n")) + "\n"
        elif _is_prose(block):
            yield f"{block}\n"
        else:
            language = "yaml" if re.match(r"(probes|rules|notifiers|routes|defaults):", block) else ""
            yield f"```{language}\n{block}\n```\n"


def _filled(lines: list[str]) -> Iterator[str]:
    """Let an empty line belong to the block that it stands in."""
    for at, line in enumerate(lines):
        following = next((later for later in lines[at:] if later), "")
        yield line or ("    " if following.startswith("    ") and at and lines[at - 1] else "")


def _is_prose(block: str) -> bool:
    """Tell sentences from tables and code: prose ends with a full stop and has no columns."""
    return block.endswith(".") and not re.search(r"\S {2,}\S", block)


def keys_section() -> str:
    """Return what is said of the keys beside a rule's form."""
    from sentinel.config.entries import RuleEntry
    from sentinel.rules import keys

    rows = [f"| `{field.alias or name}` | {field.description} |" for name, field in RuleEntry.model_fields.items()]
    _, _, rest = inspect.cleandoc(keys.__doc__ or "").partition("\n\n")
    return "\n".join(["\n## The keys beside the form\n", "| key | meaning |", "|---|---|", *rows, "", rest, ""])


def settings_page() -> str:
    """Return the page of the settings."""
    from sentinel.settings import described

    rows = [f"| `{name}` | {f'`{default}`' if default else ''} | {says} |" for name, default, says in described()]
    intro = "What the environment says to the agent and its commands. `sentinel run --help` lists the same."
    return "\n".join(
        [MADE, "# Settings\n", intro + "\n", "| variable | default | meaning |", "|---|---|---|", *rows, ""]
    )


def promql_page() -> str:
    """Return the page of PromQL: its functions and aggregations, from the tables that the parser reads."""
    from sentinel.promql.signatures import AGGREGATIONS, FUNCTIONS

    functions = [
        f"| `{one}` | {one.returns.words} | {_cell(one.doc)}{_experimental(one.experimental)} |"
        for _, one in sorted(FUNCTIONS.items())
    ]
    aggregations = [
        f"| `{name}` | {one.param.words if one.param else ''} | {_cell(one.doc)}{_experimental(one.experimental)} |"
        for name, one in sorted(AGGREGATIONS.items())
    ]
    parts = [MADE, "# PromQL\n", PROMQL + "\n", "## Functions\n", "| call | gives | what it does |", "|---|---|---|"]
    parts += [
        *functions,
        "\n## Aggregations\n",
        "| name | parameter | what it does |",
        "|---|---|---|",
        *aggregations,
        "",
    ]
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _experimental(experimental: bool) -> str:
    return " (Prometheus: experimental)" if experimental else ""


def commands_page() -> str:
    """Return the page of the commands, each as its `--help` says it."""
    from sentinel.cli import COMMANDS
    from sentinel.cli.commands import Commands

    root = typer.Context(Commands(name="sentinel"), info_name="sentinel", terminal_width=100)
    sections = [part for name in COMMANDS for part in _help(name, root)]
    return "\n".join([MADE, "# Commands\n", EXIT_CODES + "\n", *sections])


def _help(name: str, parent: typer.Context) -> Iterator[str]:
    """Iterate over a command's section and those of the commands below it."""
    assert isinstance(parent.command, typer.core.TyperGroup)
    command = parent.command.get_command(parent, name)
    assert command is not None
    context = typer.Context(command, info_name=name, parent=parent, terminal_width=100)
    title = context.command_path
    text = command.get_help(context).partition("\nSettings, from the environment:")[0].strip()
    yield f"## {title}\n\n```\n{text}\n```\n"
    if isinstance(command, typer.core.TyperGroup):
        for below in command.list_commands(context):
            yield from _help(below, context)


def checks_page() -> str:
    """Return the page of what `sentinel check` finds, from the checks' own pages."""
    from sentinel.lint.page import Page, names, page

    def part(known: Page, title: str) -> str:
        text = known.parts.get(title, "")
        return f"{title}\n\n```\n{text}\n```\n" if text else ""

    sections = []
    for name in names():
        known = page(name)
        head = f"## {name}\n\n{known.says[:1].upper()}{known.says[1:]} ({known.severity})\n\n{known.parts['Why']}\n"
        sections.append("\n".join([head, *(found for title in ("Bad", "Good") if (found := part(known, title)))]))
    return "\n".join([MADE, "# Checks\n", CHECKS + "\n", *sections])


def receivers_page() -> str:
    """Return the page of bad receivers, from the cases that run against real servers."""
    import yaml

    cases = yaml.safe_load((HERE.parent / "tests" / "cases" / "receivers.yaml").read_text())
    kinds = ["slack", "slack webhook", "sentry", "webhook", "alertmanager", "email"]
    rows = [f"| {case['receiver']} | {' | '.join(case.get(kind, '') for kind in kinds)} |" for case in cases]
    head = [f"| the receiver … | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    return "\n".join([MADE, "# What Sentinel does when the receiver …\n", RECEIVERS + "\n", *head, *rows, ""])


def pages() -> dict[str, str]:
    """Return every page that is made, by its file's name."""
    from sentinel import notifiers, probes, rules
    from sentinel.cli.init import schema_text
    from sentinel.exchange.systems import SYSTEMS

    return {
        "probes.md": page(
            "Probes",
            PROBES,
            probes.KINDS,
        ),
        "rules.md": page("Rules", RULES, rules.FORMS) + keys_section(),
        "notifiers.md": page(
            "Notifiers",
            "Who can be told. Beside a kind's word stand `fallback`, `tries` and `rate_limit`.",
            notifiers.KINDS,
        ),
        "migrating.md": page("Coming from another system", MIGRATING, SYSTEMS),
        "receivers.md": receivers_page(),
        "promql.md": promql_page(),
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        "checks.md": checks_page(),
        "../.sentinel/schema.json": schema_text(plugins=False),
    }


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).parent.mkdir(exist_ok=True)
        (HERE / file).write_text(text)
        sys.stdout.write(f"docs/{file}\n")
