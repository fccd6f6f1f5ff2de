"""`sentinel check` reads plain arguments itself: it knows the options that Typer knows, and leaves the rest to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentinel.cli import checking, quick
from sentinel.cli.check import Format, Limit
from sentinel.cli.commands import Commands


def test_both_know_the_same_options() -> None:
    """An option that is added to one is added to the other."""
    ours = {*quick._FLAGS.values(), *quick._VALUES.values(), "paths"}
    assert ours == {*checking.Options._fields}
    command = Commands().get_command(None, "check")
    theirs = {word for parameter in command.params for word in parameter.opts if word.startswith("--")} - {"--help"}
    assert theirs == {*quick._FLAGS, *quick._VALUES}
    assert tuple(Format) == checking.FORMATS
    assert tuple(Limit) == checking.LIMITS


@pytest.mark.parametrize(
    ("words", "options"),
    [
        pytest.param([], checking.Options(), id="none"),
        pytest.param(["a", "--strict", "b"], checking.Options((Path("a"), Path("b")), strict=True), id="paths, a flag"),
        pytest.param(["--format", "json"], checking.Options(format="json"), id="a value behind it"),
        pytest.param(["--fail-on=info"], checking.Options(fail_on="info"), id="a value in it"),
        pytest.param(["--format", "xml"], None, id="a value that there is not"),
        pytest.param(["--format"], None, id="no value"),
        pytest.param(["--wrong"], None, id="an option that there is not"),
        pytest.param(["--help"], None, id="help"),
        pytest.param(["--", "-a"], None, id="a path that looks like an option"),
    ],
)
def test_plain_arguments_are_read(words: list[str], options: checking.Options | None) -> None:
    """None is what Typer reads."""
    assert quick.read(words) == options
