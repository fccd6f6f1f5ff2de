"""The kind `command`, with real processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.probes.command import Command, Datum, performance
from tests.probes.looking import look, value


@pytest.fixture(autouse=True)
def _allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_ALLOW_COMMANDS", "yes")


def shell(script: str, **keys: Any) -> Command:
    return Command(argv=("sh", "-c", script), **keys)


async def test_a_plugin_that_is_content_shows_its_numbers() -> None:
    """Its performance data, in base units, and under the names that YAML gives."""
    kind = shell("echo \"OK - all well | time=20ms;50;100 'disk /'=3MB depth=7 seen=9c\"", metrics={"queue": "depth"})
    ended = await look(kind)
    assert ended.success, ended.words
    assert value(ended, "probe_command_exit_code") == 0
    assert value(ended, "probe_command_performance", label="time", unit="seconds") == 0.02
    assert value(ended, "probe_command_performance", label="disk /", unit="bytes") == 3 * 1024**2
    assert value(ended, "queue") == 7


@pytest.mark.parametrize(
    ("script", "keys", "reason", "words"),
    [
        (
            "echo 'DISK CRITICAL - 2% free | free=2%'; exit 2",
            {},
            "status",
            'sh exits with 2 (critical): "DISK CRITICAL',
        ),
        ("echo gone >&2; exit 9", {}, "status", 'sh exits with 9: "gone"'),
        ("exit 3", {}, "status", "sh exits with 3 (unknown) and says nothing"),
        ("kill -9 $$", {}, "status", "sh was killed by SIGKILL and says nothing"),
        ("echo fine", {"output": "ready"}, "expect", 'prints "fine", expected "ready"'),
        ("echo 'ok | a=1'", {"metrics": {"n": "b"}}, "expect", 'n: no "b" in the performance data; there are a'),
        ("echo ok", {"metrics": {"n": "b"}}, "expect", 'n: no "b" in the performance data; it prints none'),
        ("printf '\\377\\376'; exit 1", {}, "status", "sh exits with 1 (warning): "),
        ("true", {"directory": "/nowhere"}, "error", "cannot run /nowhere: no such file or directory"),
        ("sleep 100", {}, "timeout", "no result within 300ms: waiting for the end of sh"),
        ("yes", {}, "timeout", "no result within 300ms"),
    ],
)
async def test_a_bad_end_has_reason_and_words(script: str, keys: dict[str, Any], reason: str, words: str) -> None:
    """What the program says of it is told, and numbers that it had are kept."""
    ended = await look(shell(script, **keys), timeout=0.3 if reason == "timeout" else 5)
    assert (ended.reason, ended.success) == (reason, False)
    assert words in ended.words
    if "free=" in script:
        assert value(ended, "probe_command_performance", label="free", unit="percent") == 2


async def test_a_warning_may_be_well() -> None:
    """`exit_codes` says what is."""
    assert (await look(shell("exit 1", exit_codes=(0, 1)))).success


async def test_a_program_that_is_not_there_is_named() -> None:
    """And one that is none."""
    ended = await look(Command.model_validate(["/nowhere/check", "-w", "1"]))
    assert (ended.reason, ended.words) == ("error", "cannot run /nowhere/check: no such file or directory")
    assert "permission denied" in (await look(Command.model_validate(["/etc/passwd"]))).words


async def test_nothing_of_the_environment_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is written, and a PATH."""
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-secret")
    ended = await look(shell("env | cut -d= -f1 | sort | tr '\\n' ' '; exit 1", environment={"SHOP": "x"}))
    assert 'exits with 1 (warning): "LANG PATH PWD SHOP' in ended.words


async def test_what_it_started_is_killed_with_it(tmp_path: Path) -> None:
    """A timeout leaves no process behind, of whatever depth."""
    ended = await look(shell(f"sh -c 'echo $$ > {tmp_path}/pid; sleep 100' & wait"), timeout=0.4)
    assert ended.reason == "timeout"
    stat = Path(f"/proc/{int((tmp_path / 'pid').read_text())}/stat")
    assert not stat.exists() or stat.read_text().split()[2] in "ZX"


async def test_what_it_prints_beyond_the_limit_is_dropped() -> None:
    """It may print as much as it likes, and ends well."""
    assert (await look(shell("head -c 3000000 /dev/zero"))).success


async def test_commands_are_off_unless_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is run; the words say what to do."""
    for setting in ("no", ""):
        monkeypatch.setenv("SENTINEL_ALLOW_COMMANDS", setting)
        ended = await look(shell(f"touch {tmp_path}/ran"))
        assert ended.words == "commands are off: start the agent with SENTINEL_ALLOW_COMMANDS=yes"
    assert os.listdir(tmp_path) == []


def test_performance_data_is_read_as_nagios_writes_it() -> None:
    """Over several lines, quoted, unknown (U), and not from text that only looks like it."""
    output = "OK a=1 | b=2;1:3;@5;0;10 'it''s'=0.5s u=U\nlong c=3\nmore | d=4us\ne=5% f=1e3 broken=x1 =7"
    assert performance(output) == {
        "b": Datum(2, ""),
        "it's": Datum(0.5, "seconds"),
        "d": Datum(4e-6, "seconds"),
        "e": Datum(5, "percent"),
        "f": Datum(1000, ""),
    }
    assert performance("") == performance("no | data here") == {}


@pytest.mark.parametrize(
    "given", ["check_raid -w 1", [], {"argv": ["x"], "exit_codes": [256]}, {"argv": ["x"], "output": "("}]
)
def test_a_bad_definition_is_refused(given: Any) -> None:
    """A line for a shell is none: there is no shell."""
    with pytest.raises(ValidationError):
        Command.model_validate(given)
