"""Files at the size limit that are made to cost as much as they can: none takes 2 s, 200 MB, or fills a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel.config.source import MOST_BYTES

pytestmark = pytest.mark.bench
SECONDS, MEGABYTES, CHARACTERS = 2.0, 200, 500_000
#: Keeps a process from harming its neighbours, whatever it does.
LIMITED = 'ulimit -v 1048576; ulimit -t 20; exec "$@"'

GROUP = "groups:\n- name: g\n  rules:\n"
RULE = "rules:\n  a: {last: x, above: 1, severity: error}\n  b:\n    last: x\n    above: 1\n    severity: error\n"
ALERT = "  - alert: A\n    expr: up == 0\n    for: 5m\n    labels: {severity: critical}\n"


def full(head: str, piece: str, tail: str = "") -> str:
    """Return a file as large as a file may be; `#` in the piece counts."""
    pieces: list[str] = []
    size = len(head) + len(tail)
    while size + len(piece) + 5 < MOST_BYTES:
        pieces.append(piece.replace("#", str(len(pieces))))
        size += len(pieces[-1])
    return f"{head}{''.join(pieces)}{tail}"


def expr(text: str) -> str:
    """Return a rule with this expression."""
    return f"{GROUP}  - alert: A\n    expr: '{text}'\n    labels: {{severity: critical}}\n"


FILES = {
    "a billion laughs": "".join(
        f"a{at}: &a{at} [{', '.join([f'*a{at - 1}' if at else 'x'] * 10)}]\n" for at in range(30)
    ),
    "brackets": "[" * MOST_BYTES,
    "braces": "{" * MOST_BYTES,
    "dashes": "- " * (MOST_BYTES // 2),
    "rules that are text": full(GROUP, "  - alert\n"),
    "rules that are well": full(GROUP, ALERT),
    "a parenthesis left open in each rule": full(GROUP, ALERT.replace("up == 0", "rate(a[5m]")),
    "one expression": expr("a" + "+a" * 500_000),
    "the longest expression": expr("a" + "+a" * 49_000),
    "parentheses": expr("(" * 49_000 + "a" + ")" * 49_000),
    "a bomb of a pattern": expr('a{b=~"' + "(x+x+)+" * 6_000 + 'y"}'),
    "repetitions in repetitions": expr('a{b=~"' + "(" * 900 + "x" + "{1,1000})" * 900 + '"}'),
    "names without entries": full("rules:\n", "  a##: 1\n"),
    "keys at the top": full("", "k#: 1\n"),
    "one key over and over": full("", "k: 1\n"),
    "keys of a rule": full(RULE, "    k#: 1\n"),
    "labels": full(f"{GROUP}  - alert: A\n    expr: up\n    labels:\n", "      l#: x\n"),
    "labels that are none": full(f"{GROUP}  - alert: A\n    expr: up\n    labels:\n", "      l-#: x\n"),
    "a template of Prometheus": full(f"{GROUP}{ALERT}    annotations:\n      summary: '", "{{ $value }}", "'\n"),
    "templates that begin": full(f"{GROUP}{ALERT}    annotations:\n      summary: '", "{{", "'\n"),
    "a template of ours": full(f"{RULE}    summary: '", "{{ value }}", "'\n"),
    "blocks in blocks": full(f"{RULE}    summary: '", "{% if value %}", "'\n"),
    "an error at the end of one line": full(
        "rules: {a: {last: x, above: 1, severity: error, summary: '", "x", "'}, b: 1}"
    ),
    "errors on one line": full("rules: {", "a: 1, ", "}"),
    "names outside of braces": full(f"{GROUP}{ALERT}    annotations:\n      summary: '", "$value ", "'\n"),
    "references in a rule file": full(f"{GROUP}{ALERT}    annotations:\n      summary: '", "${A}", "'\n"),
    "labels of routes": full(
        f"{RULE}notifiers: {{hook: {{console: {{}}}}}}\nroutes:\n  rest: {{notify: [hook]}}\n",
        "  r#: {match: {l#: x}, notify: [hook]}\n",
    ),
    "mutes of rules that are not there": full(
        f"{RULE}mutes:\n", "  m#: {match: {rule: r#}, during: {days: mon, from: 00:00, to: 01:00}, reason: x}\n"
    ),
    "copies of a notifier": full("notifiers:\n", "  n#: {webhook: https://x.example.com/#, fallback: n1}\n"),
    "anchors that nobody names": full("rules:\n", "  a#: &a# x\n"),
    "references": full("probes:\n  a: {http: '", "${A}", "'}\n"),
    "references of many names": full("probes:\n  a: {http: '", "${A#}", "'}\n"),
    "comments to us": full(
        "", "@ sentinel: ignore rule/x until 2026-01-01 because x\n".replace("@", "\N{NUMBER SIGN}")
    ),
    "a quote left open": full('rules: "', "x\n"),
    "newlines": full("rules:\n", "\n", " a: b"),
    "tags": full("rules:\n", "  a#: !x y\n"),
    "documents": full("", "---\n"),
    "merge keys": full("rules:\n", "  a#: {<<: x}\n"),
    "conflicts": full("", "<<<<<<< x\n"),
    "escapes": full('rules:\n  a:\n    last: "', "\\x41", '"\n'),
    "SQL that comments": full("probes:\n  a: {sql: {url: 'sqlite:///x', query: '", "/*", "'}}\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_no_file_costs_much(name: str, tmp_path: Path) -> None:
    """In a process of its own: seconds of the processor, memory, and what it prints."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "x.yaml").write_text(FILES[name])
    command = [
        "sh",
        "-c",
        LIMITED,
        "sh",
        str(Path(sys.executable).with_name("sentinel")),
        "check",
        "--no-cache",
        "rules",
    ]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = (tmp_path / "said").read_text()
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(f"\n{name}: {seconds:.2f} s, {megabytes:.0f} MB, {len(text)} characters")
    assert process.returncode in (0, 1)
    assert "mistake of Sentinel" not in text
    assert seconds < SECONDS
    assert megabytes < MEGABYTES
    assert len(text) < CHARACTERS
